"""Checkpoints: PyTorch reads ours and we read PyTorch's, sharing survives, and a file runs no code unasked."""

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

import rushlight
from rushlight import serialization
from rushlight.serialization import archive

DTYPES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2",
]  # fmt: skip


def saved(obj, save=serialization.save):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return file


def roundtrip(obj, **options):
    return serialization.load(saved(obj), **options)


def ints(*shape, dtype="float32"):
    return rushlight.from_numpy(np.arange(np.prod(shape)).reshape(shape) % 2).to(getattr(rushlight, dtype))


def values(x):
    """Any Tensor of either package as exact NumPy values."""
    x = x.detach()
    if "float8" in str(x.dtype) or "bfloat16" in str(x.dtype):
        x = x.float()
    return x.numpy()


def test_containers_and_numbers_come_back():
    obj = {
        "list": [1, 2.5, "text", None, True, 2**80, 1j, b"bytes", bytearray(b"b")],
        "tuple": (1, (2, ())),
        "set": {1},
        "ordered": collections.OrderedDict(a=1),
        "counter": collections.Counter("aab"),
        "torch": [rushlight.float32, rushlight.device("cpu"), rushlight.Size([1, 2]), rushlight.strided],
        3: float("inf"),
    }
    assert roundtrip(obj) == obj


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_travels_both_ways(dtype):
    torch = pytest.importorskip("torch")
    x = ints(3, 4, dtype=dtype)
    theirs = torch.load(saved(x))
    assert theirs.dtype == getattr(torch, dtype)
    assert theirs.stride() == (4, 1)
    np.testing.assert_array_equal(values(theirs), values(x))
    back = serialization.load(saved(theirs, torch.save))
    assert back.dtype is x.dtype
    np.testing.assert_array_equal(values(back), values(x))


def test_our_pickle_is_byte_for_byte_pytorchs():
    torch = pytest.importorskip("torch")
    x = torch.arange(12.0).reshape(3, 4)
    theirs = collections.OrderedDict(w=x, t=x.t(), part=x[1:, 2:], p=torch.nn.Parameter(x.clone()), i=torch.ones(2, 0))
    theirs._metadata = {"": {"version": 1}}
    file = saved(theirs, torch.save)
    ours = saved(serialization.load(file))
    assert zipfile.ZipFile(ours).read("archive/data.pkl") == zipfile.ZipFile(file).read("archive/data.pkl")
    assert set(zipfile.ZipFile(ours).namelist()) == set(zipfile.ZipFile(file).namelist())


def test_views_of_one_storage_stay_so():
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    whole, part, turned = map(rushlight.from_numpy, (a, a[1:, 2:], a.T))
    got = roundtrip([whole, part, turned, whole])
    assert got[0] is got[3]
    assert [x.stride() for x in got[:3]] == [(4, 1), (4, 1), (1, 4)]
    got[0].numpy()[:] = 7
    assert (got[1].numpy() == 7).all()
    assert (got[2].numpy() == 7).all()
    torch = pytest.importorskip("torch")
    theirs = torch.load(saved([whole, part]))
    assert theirs[0].untyped_storage().data_ptr() == theirs[1].untyped_storage().data_ptr()
    assert theirs[1].storage_offset() == 6


@pytest.mark.parametrize(
    "make", [lambda a: a[::-1], lambda a: a[:, ::-2], np.asfortranarray, lambda a: a[:0], lambda a: a[1, 1]]
)
def test_arrays_of_any_layout(make):
    a = make(np.arange(12, dtype=np.int32).reshape(3, 4))
    got = roundtrip(rushlight.autograd.tensor.wrap(np.asarray(a))).numpy()
    assert got.shape == a.shape
    np.testing.assert_array_equal(got, a)


def test_one_memory_of_two_types_is_refused():
    a = np.zeros(4, np.float32)
    with pytest.raises(RuntimeError, match="Cannot save multiple tensors or storages that view the same data as diff"):
        saved([rushlight.from_numpy(a), rushlight.from_numpy(a.view(np.int32))])


def test_parameters_and_gradients_keep_their_kind():
    p = rushlight.nn.Parameter(ints(2, 2))
    p.note = "attribute"
    leaf = ints(2).requires_grad_()
    got = roundtrip([p, leaf, rushlight.nn.Parameter(ints(2), requires_grad=False)])
    assert [type(x) for x in got] == [rushlight.nn.Parameter, rushlight.Tensor, rushlight.nn.Parameter]
    assert [x.requires_grad for x in got] == [True, True, False]
    assert got[0].note == "attribute"
    torch = pytest.importorskip("torch")
    theirs = torch.load(saved([p, leaf]))
    assert isinstance(theirs[0], torch.nn.Parameter)
    assert theirs[0].note == "attribute"
    assert theirs[1].requires_grad


def network(lib):
    nn = lib.nn
    layers = [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.LayerNorm(3)]
    return nn.Sequential(*layers).eval()


def test_whole_modules_travel_both_ways():
    torch = pytest.importorskip("torch")
    ours, theirs = network(rushlight), network(torch)
    ours_there = torch.load(saved(ours), weights_only=False)
    theirs_here = serialization.load(saved(theirs, torch.save), weights_only=False)
    assert type(ours_there) is torch.nn.Sequential
    assert type(theirs_here) is rushlight.nn.Sequential
    a = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    for x, y in ((ours, ours_there), (theirs_here, theirs)):
        got, want = (net(lib.from_numpy(a)).detach().numpy() for net, lib in ((x, rushlight), (y, torch)))
        np.testing.assert_allclose(got, want, atol=1e-6)
    with serialization.safe_globals([rushlight.nn.Linear]):
        assert repr(serialization.load(saved(theirs[4], torch.save))) == repr(theirs[4])


def test_state_of_modules_and_optimizers_travels_both_ways():
    torch = pytest.importorskip("torch")

    def trained(lib):
        net = lib.nn.Linear(3, 2)
        optimizer = lib.optim.Adam(net.parameters(), lr=0.1)
        net(lib.ones(4, 3)).sum().backward()
        optimizer.step()
        return {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, net, optimizer

    (ours, net, optimizer), (theirs, their_net, their_optimizer) = trained(rushlight), trained(torch)
    at_theirs, at_ours = torch.load(saved(ours)), serialization.load(saved(theirs, torch.save))
    their_net.load_state_dict(at_theirs["net"])
    assert their_net.weight.tolist() == net.weight.tolist()
    their_optimizer.load_state_dict(at_theirs["optimizer"])
    net.load_state_dict(at_ours["net"])
    optimizer.load_state_dict(at_ours["optimizer"])
    for moment in ("exp_avg", "exp_avg_sq", "step"):
        got, want = (o.state_dict()["state"][0][moment].tolist() for o in (optimizer, their_optimizer))
        assert got == pytest.approx(want) if isinstance(want, float) else np.allclose(got, want)
    assert at_ours["epoch"] == 3
    assert at_ours["net"]._metadata == theirs["net"]._metadata


class Plain:
    pass


class Runs:
    def __reduce__(self):
        return os.system, ("echo hacked",)


@pytest.mark.parametrize("obj", [Plain(), range(3), collections.defaultdict(list), print])
def test_weights_only_names_what_it_refuses(obj):
    with pytest.raises(pickle.UnpicklingError, match=r"^Weights only load failed. This file can still be loaded") as e:
        roundtrip(obj)
    assert "WeightsUnpickler error: Unsupported global: GLOBAL " in str(e.value)
    assert "was not an allowed global by default" in str(e.value)
    assert type(roundtrip(obj, weights_only=False)) is type(obj)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'echo hacked'\ntR.",
        b"cbuiltins\neval\n.",
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02(S'echo'\nios\nsystem\n.",  # INST
        b"\x80\x02(}q\x00o.",  # OBJ
        b"\x80\x02ctorch\nTensor\n}X\x01\x00\x00\x00aK\x01sb.",  # fills a class
        b"\x80\x02ctorch\nTensor\nX\x01\x00\x00\x00aK\x01s.",  # sets an item of a class
        b"\x80\x02ctorch.serialization\n_get_layout\nX\x0a\x00\x00\x00torch.load\x85R.",
        b"\x80\x02K\x01)R.",  # calls a number
        b"\x80\x02\x8c\x02os\x8c\x06system\x93\x8c\x0becho hacked\x85R.",  # STACK_GLOBAL
    ],
)
def test_weights_only_stops_programs(program, capfd):
    file = io.BytesIO()
    archive.write(file, "archive", [("data.pkl", program), ("version", b"3\n")])
    file.seek(0)
    with pytest.raises((pickle.UnpicklingError, KeyError)):
        serialization.load(file)
    assert "hacked" not in capfd.readouterr().out


def test_no_pickle_may_reach_into_a_tensor():
    x = ints(2)
    x.__dict__["_grad"] = "anything"
    torch = pytest.importorskip("torch")
    evil = torch.ones(2)
    evil._array = "not an array"
    with pytest.raises(pickle.UnpicklingError, match="_array"):
        serialization.load(saved(evil, torch.save))


def test_storage_bounds_are_checked():
    file = saved(ints(3))
    data = zipfile.ZipFile(file).read("archive/data.pkl")
    long = io.BytesIO()
    assert data.count(b"K\x03\x85") == 1
    records = [("data.pkl", data.replace(b"K\x03\x85", b"K\x63\x85")), ("data/0", bytes(12)), ("version", b"3\n")]
    archive.write(long, "archive", records)
    long.seek(0)
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 12"):
        serialization.load(long)


def test_safe_globals_admit_more():
    with serialization.safe_globals([range, Plain]):
        assert roundtrip(range(3)) == range(3)
        obj = Plain()
        obj.x = ints(2)
        assert roundtrip(obj).x.tolist() == [0, 1]
    with pytest.raises(pickle.UnpicklingError):
        roundtrip(range(3))
    serialization.add_safe_globals([range])
    assert serialization.get_safe_globals() == [range]
    serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []
    assert serialization.get_unsafe_globals_in_checkpoint(saved([Plain(), range(2), ints(2)])) == [
        f"{__name__}.Plain",
        "builtins.range",
    ]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    serialization.save({"x": ints(2)}, path)
    with pytest.raises(AttributeError, match="local object"):
        serialization.save({"f": lambda: 0}, path)

    class Fails:
        def __reduce__(self):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        serialization.save(Fails(), path)
    assert serialization.load(path)["x"].tolist() == [0, 1]
    assert os.listdir(tmp_path) == ["model.pt"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~serialization._umask()


def test_a_large_file_is_replaced(tmp_path):
    path = tmp_path / "model.pt"
    for value in (1, 2):
        serialization.save(rushlight.full((5_000_000,), value), path)
        assert serialization.load(path)[-1].item() == value
    assert os.listdir(tmp_path) == ["model.pt"]


def test_records_are_named_after_the_file_and_aligned(tmp_path):
    path = tmp_path / "my.model.pt"
    serialization.save([ints(5), ints(7)], path)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.namelist()[0] == "my.model/data.pkl"
        data = path.read_bytes()
        for info in file.infolist():
            head = data[info.header_offset : info.header_offset + 30]
            start = (
                info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
            )
            assert start % 64 == 0


def test_mmap_reads_and_keeps_writes_private(tmp_path):
    path = tmp_path / "model.pt"
    serialization.save(ints(4), path)
    x = serialization.load(path, mmap=True)
    x.numpy()[:] = 9
    assert serialization.load(path, mmap=True).tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        serialization.load(saved(ints(2)), mmap=True)


def test_map_location():
    torch = pytest.importorskip("torch")
    meta = saved(torch.ones(2), torch.save)
    data = zipfile.ZipFile(meta).read("archive/data.pkl").replace(b"\x03\x00\x00\x00cpu", b"\x06\x00\x00\x00cuda:0")
    file = io.BytesIO()
    archive.write(file, "archive", [("data.pkl", data), ("data/0", np.ones(2, np.float32)), ("version", b"3\n")])
    seen = []
    for where in (
        "cpu",
        rushlight.device("cpu"),
        {"cuda:0": "cpu"},
        lambda s, tag: (seen.append((tag, s.nbytes())), s)[1],
    ):
        file.seek(0)
        assert serialization.load(file, map_location=where).tolist() == [1, 1]
    assert seen == [("cuda:0", 8)]
    for where in (None, "cuda", lambda s, tag: None):
        file.seek(0)
        with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device but"):
            serialization.load(file, map_location=where)
    with pytest.raises(RuntimeError, match=r"don't know how to restore data location of .* \(tagged with foo\)"):
        roundtrip(ints(2), map_location="foo")


def test_the_old_format_is_read():
    torch = pytest.importorskip("torch")
    x = torch.arange(6.0)
    obj = {"x": x, "p": torch.nn.Parameter(x.clone()), "part": x[2:], "b": x.bool()}
    file = saved(obj, lambda obj, f: torch.save(obj, f, _use_new_zipfile_serialization=False))
    got = serialization.load(file)
    for name, y in obj.items():
        np.testing.assert_array_equal(values(got[name]), values(y))
    got["x"].numpy()[:] = 5
    assert got["part"].tolist() == [5] * 4


def test_the_other_byte_order_is_turned():
    data = zipfile.ZipFile(saved(ints(3, dtype="int32"))).read("archive/data.pkl")
    file = io.BytesIO()
    records = [("data.pkl", data), ("byteorder", b"big"), ("data/0", np.array([1, 2, 3], ">i4")), ("version", b"3\n")]
    archive.write(file, "archive", records)
    file.seek(0)
    assert serialization.load(file).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: serialization.save(1, 3), AttributeError, "expected 'f' to be string, path, or a file-like object"),
        (lambda: serialization.save(1, "/nowhere/x.pt"), RuntimeError, "Parent directory /nowhere does not exist."),
        (lambda: serialization.load("/nowhere.pt"), FileNotFoundError, "nowhere"),
        (
            lambda: serialization.load(3),
            AttributeError,
            "'int' object has no attribute 'seek'. You can only",
        ),
        (lambda: serialization.load(io.BytesIO(), weights_only=False), EOFError, "Ran out of input"),
        (lambda: serialization.load(io.BytesIO()), EOFError, "^$"),
        (
            lambda: serialization.load(io.BytesIO(b"PK\3\4")),
            RuntimeError,
            "failed reading zip archive: ",
        ),
        (
            lambda: serialization.load(io.BytesIO(pickle.dumps(1, 2)), weights_only=False),
            RuntimeError,
            "Invalid magic nu",
        ),
        (
            lambda: serialization.load(io.BytesIO(), pickle_module=pickle, weights_only=True),
            RuntimeError,
            "Can not safely load weights when",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_damaged_files_are_noticed():
    data = saved({"x": ints(300)}).getvalue()
    for cut in (len(data) // 2, len(data) - 30):
        with pytest.raises(RuntimeError, match="PytorchStreamReader failed reading zip archive"):
            serialization.load(io.BytesIO(data[:cut]))
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        body = whole.read("archive/data.pkl")
    for records, message in (
        ([("version", b"3\n")], "PytorchStreamReader failed locating file data.pkl: file not found."),
        ([("data.pkl", body), ("version", b"3\n")], "failed locating file data/0: file not found."),
        ([("data.pkl", body)], "Expected hasRecord"),
    ):
        file = io.BytesIO()
        archive.write(file, "archive", records)
        file.seek(0)
        with pytest.raises(RuntimeError, match=message):
            serialization.load(file)
