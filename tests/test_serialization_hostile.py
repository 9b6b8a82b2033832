"""Checkpoints by an attacker: `load` imports nothing that a file names, and takes no memory or time of the file's choosing."""

import io
import pickle
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import rushlight
from rushlight import serialization

sys.path.insert(0, str(Path(__file__).parent / "fuzzing"))
import checkpoints as fuzzer

PROTOCOL = b"\x80\x02"


def archive(body, **records):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in {"data.pkl": body, "version": b"3\n", **records}.items():
            target.writestr(f"archive/{name}", data)
    file.seek(0)
    return file


def named(module, name):
    return PROTOCOL + f"c{module}\n{name}\n.".encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [("torch.__main__", "x"), ("torch.cli.main", "main"), ("torchvision.__main__", "x"), ("antigravity", "x")],
)
def test_a_refused_name_imports_nothing(module, name):
    program = (
        "import io, sys, pickle, rushlight.serialization as s\n"
        "try:\n    s.load(io.BytesIO(sys.stdin.buffer.read()))\n"
        "except pickle.UnpicklingError: pass\n"
        "else: raise SystemExit('read')\n"
        "print(sorted(m for m in sys.modules if m.endswith('__main__') or '.cli' in m or m == 'antigravity'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], input=archive(named(module, name)).read(), capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout.decode().strip() == "['__main__']"


def test_a_program_is_not_run_even_where_anything_may_be():
    with pytest.raises(AttributeError, match=r"no counterpart of torch\.__main__"):
        serialization.load(archive(named("torch.__main__", "main")), weights_only=False)


def test_what_was_added_is_found_under_pytorchs_paths():
    with serialization.safe_globals([rushlight.nn.Linear]):
        for module in ("torch.nn", "torch.nn.modules.linear"):
            assert serialization.load(archive(named(module, "Linear"))) is rushlight.nn.Linear
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            serialization.load(archive(named("torch.optim", "Linear")))


# One pickle for each opcode of pickletools that stands on its own.
OPCODES = {
    "EMPTY_SET": b"\x8f.", "ADDITEMS": b"\x8f(K\x01\x90.", "FROZENSET": b"(K\x01\x91.", "BINBYTES": b"B\3\0\0\0abc.",
    "BYTEARRAY8": b"\x96\3\0\0\0\0\0\0\0abc.", "SHORT_BINBYTES": b"C\3abc.", "SHORT_BINUNICODE": b"\x8c\3abc.",
    "MEMOIZE": b"]\x94.", "FRAME": b"\x95\2\0\0\0\0\0\0\0].", "INT": b"I1\n.", "LONG4": b"\x8b\1\0\0\0\1.", "LONG1": b"\x8a\1\1.",
    "POP": b"K\1K\x020.", "DUP": b"K\x012.", "STRING": b"S'a'\n.", "LIST": b"(K\1l.", "DICT": b"(K\1K\2d.", "FLOAT": b"F1.0\n.",
    "UNICODE": b"Va\n.", "BINSTRING": b"T\1\0\0\0a.", "GET": b"]q\x000g0\n.", "PUT": b"]p0\n.", "POP_MARK": b"](1.",
    "BINUNICODE8": b"\x8d\1\0\0\0\0\0\0\0a.", "BINBYTES8": b"\x8e\1\0\0\0\0\0\0\0a.", "SHORT_BINSTRING": b"U\1a.",
    "BINUNICODE": b"X\1\0\0\0a.", "TUPLE1": b"K\1\x85.", "TUPLE": b"(K\1K\2t.", "APPENDS": b"](K\1K\2e.", "NEWTRUE": b"\x88.",
    "SETITEMS": b"}(K\1K\2u.", "BINFLOAT": b"G?\xf0\0\0\0\0\0\0.", "BININT2": b"M\1\2.", "BININT": b"J\1\0\0\0.",
    "EXT1": b"\x82\1.", "INST": b"(icollections\nOrderedDict\n.", "NEXT_BUFFER": b"\x97.", "LONG": b"L1L\n.",
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", OPCODES)
def test_the_opcodes_are_those_that_pytorch_reads(name):
    torch = pytest.importorskip("torch")

    def outcome(package):
        try:
            return repr(package.load(archive(PROTOCOL + OPCODES[name])))
        except Exception as e:
            return type(e).__name__

    assert outcome(rushlight) == outcome(torch)


def doubled(parts):
    """Tuples of two, each holding the one before twice: 2**parts leaves in a few bytes."""
    return b")" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(parts))


def text(s):
    return b"X" + len(s).to_bytes(4, "little") + s.encode()


BOMB = doubled(40)
STORAGE = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\1tQ"
ITEMS = b"(" + b"K\1" * 100_000 + b"t"
ATTRIBUTES = b"}(" + b"".join(text(f"a{i}") + b"N" for i in range(20_000)) + b"u"
NEGATED = b"}" + text("neg") + b"\x88s"


def again(made, function, arguments=b"h\x65\x85", count=50_000):
    """A program that calls a function over and over with what it made once (memo 0x65)."""
    return PROTOCOL + made + b"q\x65" + function + b"q\x66" + (b"h\x66" + arguments + b"R") * count + b"."


HOSTILE = {
    "bytes that are not there": PROTOCOL + b"X\xff\xff\xff\x7fabc.",
    "a bytearray of 2 GB": PROTOCOL + b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "a tensor of 8 GB": PROTOCOL + b"ctorch\nTensor\nJ\xff\xff\xff\x7f\x85R.",
    "the same without init": PROTOCOL + b"ctorch\nTensor\nJ\xff\xff\xff\x7f\x85\x81.",
    "a codec by name": PROTOCOL + b"c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0hex\x86R.",
    "a key nested a million deep": PROTOCOL + b"})" + b"\x85" * 1_000_000 + b"K\1s.",
    "a key of 2**40 parts": PROTOCOL + b"})" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(40)) + b"K\1s.",
    "such a key in a set": PROTOCOL
    + b"c__builtin__\nset\n])"
    + b"".join(b"q%ch%c\x86" % (i, i) for i in range(40))
    + b"a\x85R.",
    "a storage without parts": PROTOCOL + b"(X\7\0\0\0storaget\x51.",
    "an unknown memo": PROTOCOL + b"h\7.",
    "nothing on the stack": PROTOCOL + b"R.",
    "not UTF-8": PROTOCOL + b"X\2\0\0\0\xff\xfe.",
    "a list as a key": PROTOCOL + b"}]K\1s.",
    "printing what is called": PROTOCOL + BOMB + b")R.",
    "printing the type of a storage": PROTOCOL + b"(" + text("storage") + BOMB + text("0") + text("cpu") + b"K\1tQ.",
    "a layout that is no name": PROTOCOL + b"ctorch.serialization\n_get_layout\n" + BOMB + b"\x85R.",
    "attributes that are no names": PROTOCOL + b"ccollections\nOrderedDict\n)R](" + BOMB + b"K\1\x86eb.",
    "one long key again and again": PROTOCOL + ITEMS + b"q\x65}" + b"h\x65K\1s" * 50_000 + b".",
    "one list made a set again and again": again(b"](" + b"N" * 100_000 + b"e", b"c__builtin__\nset\n"),
    "one size again and again": again(ITEMS, b"ctorch\nSize\n"),
    "one text encoded again and again": again(
        text("a" * 100_000), b"c_codecs\nencode\n", b"h\x65" + text("latin1") + b"\x86"
    ),
    "attributes set again and again": PROTOCOL
    + ATTRIBUTES
    + b"q\x65ccollections\nOrderedDict\nq\x66"
    + b"h\x66)Rh\x65b" * 50_000
    + b".",
    "parameters with many attributes": PROTOCOL
    + ATTRIBUTES
    + b"q\x65ctorch._utils\n_rebuild_parameter_with_state\nq\x66"
    + b"ctorch._utils\n_rebuild_tensor_v2\n("
    + STORAGE
    + b"K\0))\x89NtRq\x67"
    + b"h\x66(h\x67\x89Nh\x65tR" * 50_000
    + b".",
    "a codec by name, for a bytearray": PROTOCOL + b"c__builtin__\nbytearray\n" + text("a") + text("idna") + b"\x86R.",
    "a tensor negated again and again": PROTOCOL
    + NEGATED
    + b"q\x65ctorch._utils\n_rebuild_tensor_v2\nq\x66"
    + STORAGE
    + b"q\x67"
    + b"h\x66(h\x67K\0J\xa0\x86\1\0\x85K\1\x85\x89Nh\x65tR" * 50_000
    + b".",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_at_once(name):
    data = archive(HOSTILE[name], **{"data/0": bytes(400_000)})
    before, start = resident(), time.process_time()
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        serialization.load(data)
    assert time.process_time() - start < 5
    assert resident() - before < 300 << 20


def resident():
    """The most memory that this process has used, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)


@pytest.mark.parametrize("name", ["magic", "version", "key"])
def test_the_numbers_of_an_old_file_may_be_anything(name):
    parts = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, None)]
    bomb = PROTOCOL + BOMB + b"."
    file = {"magic": [bomb], "version": [parts[0], bomb], "key": [*parts, PROTOCOL + b"]" + BOMB + b"a."]}[name]
    with pytest.raises(RuntimeError, match=r"magic number|protocol version|key of a storage"):
        serialization.load(io.BytesIO(b"".join(file)))


def test_compressed_archives_may_not_grow_without_bounds():
    small, large, strange, twice = (io.BytesIO() for _ in range(4))
    for file, size, method in (
        (small, 1 << 20, zipfile.ZIP_DEFLATED),
        (large, 1 << 29, zipfile.ZIP_DEFLATED),
        (strange, 1 << 10, zipfile.ZIP_LZMA),
    ):
        with zipfile.ZipFile(file, "w", method) as target:
            target.writestr("archive/data.pkl", PROTOCOL + b"N.")
            target.writestr("archive/version", b"3\n")
            with target.open("archive/data/0", "w") as record:
                for _ in range(size >> 20):
                    record.write(bytes(1 << 20))
    with zipfile.ZipFile(twice, "w") as target:
        target.writestr("archive/data.pkl", PROTOCOL + b"N.")
        with pytest.warns(UserWarning, match="Duplicate name"):
            target.writestr("archive/data.pkl", PROTOCOL + b"K\1.")
    small.seek(0)
    assert serialization.load(small) is None
    for file in (large, strange, twice):
        file.seek(0)
        with pytest.raises(RuntimeError, match="invalid header or archive is corrupted"):
            serialization.load(file)


def test_a_checkpoint_with_much_in_it_stays_within_its_budget():
    pairs = {(i, (j, "k")): i for i in range(300) for j in range(300)}
    obj = {
        "pairs": pairs,
        "bytes": [bytes([i % 256]) * 50_000 for i in range(60)],
        "wide": {2**70 + i: i for i in range(99)},
    }
    file = io.BytesIO()
    serialization.save(obj, file)
    file.seek(0)
    assert serialization.load(file) == obj


def test_a_closed_file_is_not_called_damaged():
    file = io.BytesIO()
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        serialization.load(file)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_flipped_byte_of_a_stored_tensor_is_noticed():
    x = rushlight.from_numpy(np.arange(100.0))
    file = io.BytesIO()
    serialization.save({"x": x}, file)
    data = file.getvalue()
    at = data.index(np.arange(100.0).tobytes()) + 77
    with pytest.raises(RuntimeError, match=r"failed reading file data/0: bad CRC-32\."):
        serialization.load(io.BytesIO(flipped(data, at)))


def test_a_storage_larger_than_an_old_file():
    file = io.BytesIO()
    place = fuzzer.pickle
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        place.dump(part, file, 2)
    file.write(
        PROTOCOL
        + b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpu"
        b"\x8a\5\xff\xff\xff\xff\x7fNtQK\0)" + b")\x89NtR."
    )
    file.seek(0)
    with pytest.raises(RuntimeError, match="larger than the checkpoint file"):
        serialization.load(file)


def test_the_callers_own_error_in_map_location_passes():
    def place(storage, location):
        raise KeyError("mine")

    file = io.BytesIO()
    serialization.save(rushlight.ones(2), file)
    file.seek(0)
    with pytest.raises(KeyError, match="mine"):
        serialization.load(file, map_location=place)


def test_a_few_thousand_mutants():
    # Under pytest other parts of the process import and open files: only errors, time and modules are judged.
    watch = fuzzer.Watch.__new__(fuzzer.Watch)
    watch.on, watch.seen = False, []
    assert fuzzer.run(3000, 10**7, watch) == []
