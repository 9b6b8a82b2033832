"""Datasets, samplers, collation and the loader in one process, side by side with PyTorch."""

import collections
import warnings

import numpy as np
import pytest

import rushlight
import rushlight.utils.data

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")

Point = collections.namedtuple("Point", "x y")


def plain(obj):
    """Tensors of either package as (dtype, values), their types and structure kept."""
    if isinstance(obj, (rushlight.Tensor, torch.Tensor)):
        return "tensor", str(obj.dtype), obj.tolist()
    if isinstance(obj, (dict, collections.UserDict)):
        return type(obj).__name__, {k: plain(v) for k, v in obj.items()}
    if isinstance(obj, (list, tuple, collections.deque)):
        return type(obj).__name__, [plain(v) for v in obj]
    return obj


def outcome(program, lib):
    """What a program gives or raises, warnings included."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = "value", plain(program(lib))
        except Exception as e:
            result = type(e).__name__, str(e)
    return result, [(w.category.__name__, str(w.message)) for w in caught]


def both(program):
    ours, theirs = outcome(program, rushlight), outcome(program, torch)
    assert ours == theirs
    return ours


# ---- collation -------------------------------------------------------------------------------------------------------

BATCHES = {
    "numbers": [(1, 2.5, True), (3, 0.5, False)],
    "int then float": [1, 2.5],
    "float then int": [1.5, 2],
    "texts": ["a", "b"],
    "bytes": [b"a", b"b"],
    "dicts": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}],
    "missing key": [{"a": 1}, {"b": 2}],
    "named tuples": [Point(1, "a"), Point(2, "b")],
    "ranges": [range(2), range(2)],
    "ordered": [collections.OrderedDict(a=1)],
    "defaultdict": [collections.defaultdict(int, a=1)],
    "userdict": [collections.UserDict(a=1)],
    "deques": [collections.deque([1, 2]), collections.deque([3, 4])],
    "arrays": [np.ones(2), np.zeros(2)],
    "0-d arrays": [np.array(1), np.array(2)],
    "uint16": [np.array([1], np.uint16)],
    "float16 scalars": [np.float16(2), np.float16(3)],
    "float64 scalars": [np.float64(2), np.float64(3)],
    "bool scalars": [np.bool_(True), np.bool_(False)],
    "mixed arrays": [np.ones(2, np.float32), np.ones(2, np.float64)],
    "text arrays": [np.array(["a"])],
    "object arrays": [np.array([None])],
    "numpy texts": [np.str_("a")],
    "unequal lists": [[1, 2], [1]],
    "unequal tuples": [(1,), (1, 2)],
    "unequal shapes": [np.ones(2), np.ones(3)],
    "empty lists": [[], []],
    "empty dicts": [{}, {}],
    "none": [None],
    "object": [complex(1, 2)],
    "set": [{1}],
    "empty": [],
    "datetime": [np.datetime64(2, "s")],
    "nested": [{1: [(1, np.ones(1))]}, {1: [(2, np.zeros(1))]}],
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_default_collate(batch):
    both(lambda lib: lib.utils.data.default_collate(batch))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (1, 0, 2)])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8", "complex64"])
def test_default_collate_of_tensors(shape, dtype):
    arrays = [np.asarray(np.arange(np.prod(shape)) + i).reshape(shape).astype(dtype) for i in range(3)]
    both(lambda lib: lib.utils.data.default_collate([lib.from_numpy(a) for a in arrays]))
    both(lambda lib: lib.utils.data.default_collate([(lib.from_numpy(a.T), {"n": i}) for i, a in enumerate(arrays)]))


def test_default_collate_keeps_gradients_and_subclasses():
    x, y = (rushlight.ones(2, requires_grad=True) for _ in range(2))
    out = rushlight.utils.data.default_collate([x, y])
    assert out.requires_grad
    out.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_default_convert():
    obj = [np.ones(2), {"a": np.float32(1)}, (1, np.arange(2)), "s", Point(np.ones(1), 2), np.array(["a"]), None]
    got, _ = outcome(lambda lib: lib.utils.data.default_convert(obj[:5]), rushlight)
    assert got == outcome(lambda lib: lib.utils.data.default_convert(obj[:5]), torch)[0]
    assert rushlight.utils.data.default_convert(obj[5]) is obj[5]
    assert rushlight.utils.data.default_convert(obj[6]) is None


def test_collate_with_rules_of_ones_own():
    def program(lib):
        from_lib = lib.utils.data._utils.collate
        rules = {**from_lib.default_collate_fn_map, set: lambda batch, *, collate_fn_map: sorted(set().union(*batch))}
        return from_lib.collate([(1, {1}), (2, {3})], collate_fn_map=rules)

    assert both(program)[0][1] == ("list", [("tensor", "torch.int64", [1, 2]), ("list", [1, 3])])


# ---- datasets --------------------------------------------------------------------------------------------------------


def streams(lib):
    class Stream(lib.utils.data.IterableDataset):
        def __init__(self, n, length=None):
            self.n, self.length = n, length

        def __repr__(self):
            return "stream"

        def __iter__(self):
            return iter(range(self.n))

        def __len__(self):
            if self.length is None:
                raise TypeError("no length")
            return self.length

    return Stream


DATASETS = [
    lambda D, lib: D.TensorDataset(lib.ones(2), lib.ones(3)),
    lambda D, lib: D.TensorDataset(lib.arange(3), lib.ones(3))[1],
    lambda D, lib: D.TensorDataset(lib.arange(3), lib.ones(3))[:2],
    lambda D, lib: D.StackDataset(),
    lambda D, lib: D.StackDataset(range(2), range(3)),
    lambda D, lib: D.StackDataset(range(2), a=range(2)),
    lambda D, lib: D.StackDataset(a=range(2), b=range(3)),
    lambda D, lib: [*D.StackDataset(a=range(2), b=range(5, 7)).__getitems__([1, 0]), D.StackDataset(range(3))[2]],
    lambda D, lib: D.ConcatDataset([]),
    lambda D, lib: D.ConcatDataset([streams(lib)(2)]),
    lambda D, lib: [D.ConcatDataset([range(3), range(5, 7)])[i] for i in (0, 2, 3, 4, -1, -5)],
    lambda D, lib: D.ConcatDataset([range(3), range(5, 7)])[5],
    lambda D, lib: D.ConcatDataset([range(3), range(5, 7)])[-6],
    lambda D, lib: D.ConcatDataset([range(3), range(5, 7)]).cummulative_sizes,
    lambda D, lib: D.Dataset()[0],
    lambda D, lib: len(D.Dataset()),
    lambda D, lib: list(D.Subset(range(5), [3, 1])),
    lambda D, lib: (D.Subset(range(5), [3, 1]) + D.Subset(range(5), [0]))[2],
    lambda D, lib: D.Subset(lib.arange(5), [3, 1])[[1]],
    lambda D, lib: D.Subset(range(5), [3, 1]).__getitems__([1, 0]),
    lambda D, lib: D.IterableDataset(),
    lambda D, lib: list(streams(lib)(2) + streams(lib)(3)),
    lambda D, lib: len(streams(lib)(2, 2) + streams(lib)(3, 3)),
    lambda D, lib: list(D.ChainDataset([range(2)])),
    lambda D, lib: len(D.ChainDataset([range(2)])),
]


@pytest.mark.parametrize("program", DATASETS)
def test_datasets(program):
    both(lambda lib: program(lib.utils.data, lib))


@pytest.mark.parametrize(
    "lengths",
    [[3, 7], [10], [3, 3], [0.3, 0.3, 0.4], [0.5, 0.5], [0.3, 0.3], [0.25, 0.75], [1.5, -0.5], [0, 10], [1.0, 0]],
)
def test_random_split(lengths):
    def program(lib):
        lib.manual_seed(3)
        parts = lib.utils.data.random_split(range(10), lengths)
        again = lib.utils.data.random_split(range(10), lengths, generator=lib.Generator().manual_seed(1))
        return [list(p.indices) for p in parts + again], lib.rand(2)

    both(program)


# ---- samplers --------------------------------------------------------------------------------------------------------

SAMPLERS = [
    lambda D, g: D.SequentialSampler(range(5)),
    lambda D, g: D.RandomSampler(range(5)),
    lambda D, g: D.RandomSampler(range(5), generator=g),
    lambda D, g: D.RandomSampler(range(5), num_samples=3, generator=g),
    lambda D, g: D.RandomSampler(range(5), num_samples=13, generator=g),
    lambda D, g: D.RandomSampler(range(5), replacement=True),
    lambda D, g: D.RandomSampler(range(5), True, 32, g),
    lambda D, g: D.RandomSampler(range(5), True, 70, g),
    lambda D, g: D.SubsetRandomSampler([4, 6, 7]),
    lambda D, g: D.SubsetRandomSampler([4, 6, 7], g),
    lambda D, g: D.WeightedRandomSampler([0.1, 0.5, 0.2], 20),
    lambda D, g: D.WeightedRandomSampler([0.1, 0.5, 0.2], 2, False, g),
    lambda D, g: D.WeightedRandomSampler([0.1, 0.5, 0.2], 4, False, g),
    lambda D, g: D.BatchSampler(D.RandomSampler(range(8), generator=g), 4, False),
    lambda D, g: D.BatchSampler(D.RandomSampler(range(7), generator=g), 4, False),
    lambda D, g: D.BatchSampler(D.RandomSampler(range(7), generator=g), 4, True),
    lambda D, g: D.RandomSampler(range(5), replacement=1),
    lambda D, g: D.RandomSampler(range(5), num_samples=0),
    lambda D, g: D.RandomSampler(range(5), num_samples=1.5),
    lambda D, g: D.RandomSampler([]),
    lambda D, g: D.WeightedRandomSampler([1, 2], 0),
    lambda D, g: D.WeightedRandomSampler([1, 2], True),
    lambda D, g: D.WeightedRandomSampler([1, 2], 3, 3),
    lambda D, g: D.WeightedRandomSampler([[1, 2]], 3),
    lambda D, g: D.BatchSampler([1], 0, False),
    lambda D, g: D.BatchSampler([1], True, False),
    lambda D, g: D.BatchSampler([1], 2, 1),
    lambda D, g: D.DistributedSampler(range(10)),
    lambda D, g: D.DistributedSampler(range(10), 2, 2),
    *[lambda D, g, n=n, drop=drop, shuffle=shuffle: D.DistributedSampler(range(n), 4, 3, shuffle, 5, drop)
      for n in (3, 10, 12) for drop in (False, True) for shuffle in (False, True)],
]  # fmt: skip


@pytest.mark.parametrize("make", SAMPLERS)
def test_samplers_draw_as_pytorchs(make):
    def program(lib):
        lib.manual_seed(5)
        g = lib.Generator().manual_seed(1)
        sampler = make(lib.utils.data, g)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(2)
        return list(sampler), len(sampler), list(sampler), lib.rand(2), lib.rand(2, generator=g)

    both(program)


# ---- the loader ------------------------------------------------------------------------------------------------------

LOADERS = [
    lambda L, lib, g: L(range(10)),
    lambda L, lib, g: L(range(10), 4),
    lambda L, lib, g: L(range(10), 4, drop_last=True),
    lambda L, lib, g: L(range(10), 4, shuffle=True),
    lambda L, lib, g: L(range(10), 4, shuffle=True, generator=g),
    lambda L, lib, g: L(range(10), 5, shuffle=True, generator=g, drop_last=True),
    lambda L, lib, g: L(range(10), batch_size=None),
    lambda L, lib, g: L(range(10), batch_size=None, shuffle=True),
    lambda L, lib, g: L(range(10), batch_sampler=[[1, 2], [5]]),
    lambda L, lib, g: L(range(10), sampler=[3, 1], batch_size=2),
    lambda L, lib, g: L([np.ones(2), np.zeros(2)], batch_size=None),
    lambda L, lib, g: L([(1, "a"), (2, "b")], 2, collate_fn=lambda batch: batch),
    lambda L, lib, g: L([], shuffle=False),
    lambda L, lib, g: L(streams(lib)(5), 2),
    lambda L, lib, g: L(streams(lib)(5, 5), 2, drop_last=True),
    lambda L, lib, g: L(streams(lib)(5, 5), None),
    lambda L, lib, g: L(streams(lib)(0, 0), 2),
    lambda L, lib, g: L(streams(lib)(5, 3), 1),
    lambda L, lib, g: L(lib.utils.data.TensorDataset(lib.arange(5), lib.ones(5, 2)), 2),
    lambda L, lib, g: L(lib.utils.data.StackDataset(a=range(5), b=range(5, 10)), 2),
    lambda L, lib, g: L([object()]),
    lambda L, lib, g: L({"a": 1}),
    lambda L, lib, g: L(3),
    lambda L, lib, g: L(range(5), num_workers=-1),
    lambda L, lib, g: L(range(5), timeout=-1),
    lambda L, lib, g: L(range(5), prefetch_factor=2),
    lambda L, lib, g: L(range(5), num_workers=1, prefetch_factor=-2),
    lambda L, lib, g: L(range(5), persistent_workers=True),
    lambda L, lib, g: L(streams(lib)(5), shuffle=True),
    lambda L, lib, g: L(streams(lib)(5), sampler=[1]),
    lambda L, lib, g: L(streams(lib)(5), batch_sampler=[[1]]),
    lambda L, lib, g: L(range(5), shuffle=True, sampler=[1]),
    lambda L, lib, g: L(range(5), batch_sampler=[[1]], batch_size=2),
    lambda L, lib, g: L(range(5), batch_sampler=[[1]], drop_last=True),
    lambda L, lib, g: L(range(5), batch_size=None, drop_last=True),
    lambda L, lib, g: L(range(5), batch_size=0),
    lambda L, lib, g: L(range(5), batch_size=1.5),
    lambda L, lib, g: L([], shuffle=True),
    lambda L, lib, g: L(range(5), multiprocessing_context="fork"),
    lambda L, lib, g: L(range(5), num_workers=1, multiprocessing_context="forky"),
    lambda L, lib, g: L(range(5), num_workers=1, multiprocessing_context=3),
    lambda L, lib, g: L(range(5), num_workers=100) and [],
    lambda L, lib, g: L(range(5), pin_memory=True),
    lambda L, lib, g: L(range(5), pin_memory=True, pin_memory_device="cuda"),
]


@pytest.mark.parametrize("make", LOADERS)
def test_loader_in_one_process(make):
    def program(lib):
        lib.manual_seed(5)
        g = lib.Generator().manual_seed(1)
        loader = make(lib.utils.data.DataLoader, lib, g)
        epochs = [list(loader) for _ in range(2)]
        length = len(loader) if hasattr(loader, "dataset") and epochs[0] != [] else None
        return epochs, length, list(loader), lib.rand(2), lib.rand(2, generator=g)

    both(program)


def test_an_epoch_left_early_draws_less():
    def program(lib):
        lib.manual_seed(5)
        g = lib.Generator().manual_seed(1)
        loader = lib.utils.data.DataLoader(range(10), 4, shuffle=True, generator=g)
        return next(iter(loader)), list(loader), lib.rand(2, generator=g)

    both(program)


@pytest.mark.parametrize(
    "name", ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"]
)
def test_a_loader_is_fixed(name):
    both(lambda lib: setattr(lib.utils.data.DataLoader(range(5)), name, 1))


def test_loader_attributes():
    ours, theirs = (vars(lib.utils.data.DataLoader(range(5), 2)) for lib in (rushlight, torch))
    same = ("num_workers", "prefetch_factor", "pin_memory", "timeout", "batch_size", "drop_last", "in_order")
    assert {k: ours[k] for k in same} == {k: theirs[k] for k in same}
    assert set(theirs) - set(ours) == set()
    assert rushlight.utils.data.DataLoader[int]
    with pytest.raises(NotImplementedError):
        iter(rushlight.utils.data.DataLoader(range(5))).__getstate__()


def test_names_are_pytorchs():
    missing = set(torch.utils.data.__all__) - set(rushlight.utils.data.__all__)
    pipes = {name for name in missing if "DataPipe" in name or "datapipe" in name}
    assert missing - pipes <= {
        "DataChunk", "argument_validation", "guaranteed_datapipes_determinism", "non_deterministic",
        "runtime_validation", "runtime_validation_disabled",
    }  # fmt: skip
