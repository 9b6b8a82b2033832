"""Worker processes: the same batches as PyTorch's, carried in shared memory, and no end that hangs or leaks."""

import io
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import rushlight
import rushlight.utils.data
from rushlight.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

SOURCE = str(Path(__file__).parents[1] / "src")


@pytest.fixture(autouse=True)
def _no_worker_outlives_its_test():
    yield
    for process in multiprocessing.active_children():  # of a test that has failed
        process.kill()
        process.join()


def identity(batch):
    return batch


class Items(Dataset):
    """Item `i` is `function(i)`."""

    def __init__(self, n, function):
        self.n, self.function = n, function

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.function(i)


class Shares(IterableDataset):
    """Worker `w` of a loader yields 10w, 10w + 1, …, of a length that differs."""

    def __iter__(self):
        w = get_worker_info().id
        return iter(range(10 * w, 10 * w + 3 + 4 * w))


children = multiprocessing.active_children


def draws(i):
    info = get_worker_info()
    return i, info.id, info.num_workers, info.seed, rushlight.initial_seed(), random.random(), np.random.random(), (
        rushlight.rand(1).item()
    )  # fmt: skip


def test_seeds_and_draws_are_pytorchs():
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.utils.data")

    def theirs(i):
        info = torch.utils.data.get_worker_info()
        return i, info.id, info.num_workers, info.seed, torch.initial_seed(), random.random(), np.random.random(), (
            torch.rand(1).item()
        )  # fmt: skip

    def program(lib, function):
        lib.manual_seed(3)
        dataset = Items(6, function)
        options = {"batch_size": 2, "num_workers": 2, "collate_fn": identity}
        fresh = lib.utils.data.DataLoader(dataset, shuffle=True, **options)
        kept = lib.utils.data.DataLoader(dataset, persistent_workers=True, **options)
        return [list(loader) for loader in (fresh, kept, kept)], lib.rand(2).tolist()

    assert program(rushlight, draws) == program(torch, theirs)


def image(i):
    return rushlight.full((3, 40, 50), float(i)), i, {"name": str(i)}


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_batches_arrive_whole_and_in_order(context):
    loader = DataLoader(Items(20, image), 4, num_workers=2, multiprocessing_context=context)
    kept = []
    for k, (x, y, z) in enumerate(loader):
        assert x.shape == (4, 3, 40, 50)
        assert y.tolist() == list(range(4 * k, 4 * k + 4))
        assert z == {"name": [str(i) for i in y.tolist()]}
        kept.append(x)
    for k, x in enumerate(kept):  # a block whose arrays live on is not filled again
        assert x[:, 0, 0, 0].tolist() == x[:, 2, -1, -1].tolist() == list(range(4 * k, 4 * k + 4))
    assert children() == []


def mixed(i):
    return {
        "strided": rushlight.arange(20_000.0).reshape(100, 200).t(),
        "bfloat16": rushlight.ones(30_000).to(rushlight.bfloat16),
        "array": np.arange(20_000, dtype=np.int16),
        "text": "x" * 100_000,
        "small": rushlight.tensor(i),
        "leaf": rushlight.ones(2, requires_grad=True),
        "parameter": rushlight.nn.Parameter(rushlight.ones(20_000)),
        "empty": rushlight.ones(0, 3),
        "readonly": np.broadcast_to(np.float32(i), (3, 20_000)),
    }


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_anything_can_be_sent():
    for i, got in enumerate(DataLoader(Items(6, mixed), None, num_workers=1)):
        want = mixed(i)
        for name in ("strided", "bfloat16", "small", "leaf", "parameter", "empty"):
            assert type(got[name]) is type(want[name])
            assert got[name].dtype is want[name].dtype
            assert got[name].requires_grad == want[name].requires_grad
            assert got[name].tolist() == want[name].tolist()
        assert got["strided"].stride() == (1, 200)
        np.testing.assert_array_equal(got["array"].numpy(), want["array"])
        np.testing.assert_array_equal(got["readonly"].numpy(), want["readonly"])
        assert got["text"] == want["text"]
        got["small"] += 1
        got["strided"][0, 0] = 5


def test_a_batch_has_a_storage_of_its_own():
    x, y, _ = next(iter(DataLoader(Items(4, image), 4, num_workers=1)))
    assert x.storage_offset() == 0
    file = io.BytesIO()
    rushlight.save({"x": x, "y": y}, file)
    assert x.nbytes <= len(file.getvalue()) < x.nbytes + 4000
    file.seek(0)
    assert rushlight.load(file)["y"].tolist() == [0, 1, 2, 3]


def growing(i):
    return rushlight.full((10_000 * (1 + i % 5),), i)


def test_blocks_are_used_again_and_grow():
    seen = set()
    for i, x in enumerate(DataLoader(Items(200, growing), None, num_workers=1)):
        assert x.tolist() == [i] * (10_000 * (1 + i % 5))
        seen.add(x.data_ptr())
    assert len(seen) < 60


def mapped():
    return sum("rushlight-batch" in line for line in Path("/proc/self/maps").read_text().splitlines())


def test_memory_that_is_no_longer_needed_is_given_up():
    loader = DataLoader(Items(60, growing), None, num_workers=1, persistent_workers=True)
    kept = list(loader)
    assert mapped() == 60
    del kept
    assert mapped() <= 8
    list(loader)
    assert mapped() <= 8
    del loader
    assert mapped() == 0


def test_batches_may_all_be_kept(monkeypatch):
    monkeypatch.setattr("rushlight.utils.data._utils.shared.MAPPED", 20)
    before = len(os.listdir("/proc/self/fd"))
    batches = list(DataLoader(Items(100, image), 1, num_workers=1))
    assert len(os.listdir("/proc/self/fd")) < before + 25
    assert [y.item() for _, y, _ in batches] == [x[0, 0, 0, 0].item() for x, _, _ in batches] == list(range(100))


def test_a_block_is_left_alone_after_a_fork():
    iterator = iter(DataLoader(Items(40, image), 1, num_workers=1))
    x, *_ = next(iterator)
    child = os.fork()
    if child == 0:
        time.sleep(0.3)
        os._exit(0 if (x.numpy() == 0).all() else 1)
    del x
    for _ in iterator:
        pass
    assert os.waitpid(child, 0)[1] == 0


def raises(error):
    def get(i):
        raise error

    return get


class Two(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


@pytest.mark.parametrize(
    ("function", "error", "first", "last"),
    [
        (raises(ValueError("boo")), ValueError, "Caught ValueError", "ValueError: boo"),
        (raises(KeyError("k")), KeyError, "Caught KeyError", "KeyError: 'k'"),
        (raises(Two(1, 2)), RuntimeError, "Caught Two", "Two: (1, 2)"),
        (lambda i: object(), TypeError, "Caught TypeError", "numbers, dicts or lists; found <class 'object'>"),
    ],
)
def test_exceptions_come_back_with_their_traceback(function, error, first, last):
    with pytest.raises(error) as caught:
        list(DataLoader(Items(4, function), 2, num_workers=1))
    lines = str(caught.value).rstrip().splitlines()
    assert lines[0] == f"{first} in DataLoader worker process 0."
    assert lines[1] == "Original Traceback (most recent call last):"
    assert lines[-1].endswith(last)
    assert "_utils/fetch.py" in str(caught.value)
    del caught  # its traceback holds the iterator
    assert children() == []


def test_what_cannot_be_pickled_is_said():
    with pytest.raises(AttributeError, match=r"Caught AttributeError in (.|\n)*local object"):
        list(DataLoader(Items(4, lambda i: lambda: i), 2, num_workers=1, collate_fn=identity))


def failing_init(worker):
    raise RuntimeError("in the beginning")


def test_a_failing_init_function():
    with pytest.raises(RuntimeError, match=r"Caught RuntimeError in (.|\n)*in the beginning"):
        list(DataLoader(range(4), num_workers=1, worker_init_fn=failing_init))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda i: os.kill(os.getpid(), signal.SIGKILL), r"DataLoader worker \(pid \d+\) is killed by signal: Killed."),
        (
            lambda i: os.kill(os.getpid(), signal.SIGTERM),
            r"DataLoader worker \(pid \d+\) is killed by signal: Terminated.",
        ),
        (lambda i: os._exit(4), r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"),
        (raises(KeyboardInterrupt()), r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"),
    ],
)
def test_a_worker_that_dies_is_noticed(function, message):
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=message):
        list(DataLoader(Items(4, function), 2, num_workers=2))
    assert time.monotonic() - start < 4
    assert children() == []


def test_timeout():
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.2 seconds"):
        list(DataLoader(Items(4, lambda i: time.sleep(0.6)), 1, num_workers=1, timeout=0.2))


def test_leaving_early_ends_the_workers():
    iterator = iter(DataLoader(range(100), num_workers=2))
    next(iterator)
    assert len(children()) == 2
    del iterator
    assert children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_streams_are_read_share_by_share(workers):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.utils.data")

    class Theirs(torch.utils.data.IterableDataset):
        def __iter__(self):
            w = torch.utils.data.get_worker_info().id
            return iter(range(10 * w, 10 * w + 3 + 4 * w))

    for options in ({"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}):
        ours = list(DataLoader(Shares(), num_workers=workers, **options))
        theirs = list(torch.utils.data.DataLoader(Theirs(), num_workers=workers, **options))
        assert list(map(repr, ours)) == list(map(repr, theirs))


def test_persistent_workers_stay_and_start_over():
    loader = DataLoader(Items(8, lambda i: os.getpid()), 2, num_workers=2, persistent_workers=True)
    first = [x.tolist() for x in loader]
    iterator = iter(loader)
    next(iterator)  # an epoch left early does not leak into the next one
    assert [x.tolist() for x in loader] == first
    streams = DataLoader(Shares(), 2, num_workers=2, persistent_workers=True)
    assert [x.tolist() for x in streams] == [x.tolist() for x in streams]
    del loader, iterator, streams
    assert children() == []


def test_out_of_order_yields_what_is_ready():
    def slow_first(i):
        time.sleep(0.5 * (i == 0))
        return i

    dataset = Items(6, slow_first)
    assert [x.item() for x in DataLoader(dataset, num_workers=2)] == list(range(6))
    got = [x.item() for x in DataLoader(dataset, num_workers=2, in_order=False)]
    assert sorted(got) == list(range(6))
    assert got[0] == 1


def test_workers_after_parallel_kernels_do_not_hang():
    rushlight.set_num_threads(2)
    (rushlight.ones(2000, 2000) + 1).sum()

    def busy(i):
        return (rushlight.ones(600, 600) @ rushlight.ones(600, 600) + i).exp().mean(), rushlight.get_num_threads()

    for _, threads in DataLoader(Items(4, busy), 2, num_workers=2, timeout=20):
        assert threads.tolist() == [1, 1]
    assert rushlight.get_num_threads() == 2


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


PROGRAM = """
import os, sys, time
import rushlight
from rushlight.utils.data import DataLoader

class Slow:
    def __len__(self): return 1000
    def __getitem__(self, i):
        time.sleep(0.02)
        return rushlight.ones(20_000)

if __name__ == "__main__":
    for x in DataLoader(Slow(), num_workers=2):
        # Closed by hand: Python drops a KeyboardInterrupt that comes while it finalizes an open file.
        with open(f"/proc/self/task/{os.getpid()}/children") as children:
            print("ready", *children.read().split(), flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_parent_is_the_end_of_its_workers(tmp_path, how):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "program.py"]
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": SOURCE}, "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        workers = process.stdout.readline().split()[1:3]
        if how == signal.SIGINT and workers:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.kill()
        _, errors = process.communicate(timeout=10)
    assert len(workers) == 2, errors
    assert process.returncode == -how
    assert errors.count("Traceback") == (how == signal.SIGINT)
    deadline = time.monotonic() + 3
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, workers))
