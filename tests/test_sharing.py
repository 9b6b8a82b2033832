"""Shared memory: what one process writes another reads, and nothing is left behind."""

import gc
import multiprocessing
import os
import sys

import pytest

import rushlight
import rushlight.multiprocessing as mp
from rushlight import nn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX shared memory")


def add(x, amount=1):
    x += amount


def spawned(i, x):
    x += 1 + i


def fails(i):
    raise ValueError(f"no {i}")


def leaves(i):
    os._exit(3)


def answer(queue, x, back):
    queue.put({"sum": rushlight.arange(4.0).sum(), "view": x[1:]})
    back.wait(20)


def step(m):
    optimizer = rushlight.optim.SGD(m.parameters(), lr=0.5)
    m(rushlight.ones(1, 1)).sum().backward()
    optimizer.step()


def run(context, target, *args):
    process = context.Process(target=target, args=args)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def test_all_views_move():
    base = rushlight.arange(6.0)
    other, alone = base[2:4], rushlight.zeros(3)
    turned = base.view(2, 3).t()
    assert not base.is_shared()
    assert turned.share_memory_() is turned
    assert base.is_shared()
    assert other.is_shared()
    assert turned.is_shared()
    assert not alone.is_shared()
    base[2] = -1
    assert other.tolist() == [-1, 3]
    assert turned.tolist() == [[0, 3], [1, 4], [-1, 5]]
    assert turned.stride() == (1, 3)
    assert other.storage_offset() == 2
    assert base.untyped_storage().nbytes() == 24
    assert base.untyped_storage().is_shared()


@pytest.mark.parametrize("x", [rushlight.zeros(0, 3), rushlight.tensor(1.0), rushlight.ones(2).bfloat16().expand(3, 2)])
def test_any_tensor(x):
    before, stride = x.tolist(), x.stride()
    assert x.share_memory_().is_shared()
    assert x.tolist() == before
    assert x.stride() == stride


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_writes(method):
    context = multiprocessing.get_context(method)
    x = rushlight.zeros(4).share_memory_()
    run(context, add, x[1:3])
    assert x.tolist() == [0, 1, 1, 0]


def test_training_in_a_child():
    rushlight.manual_seed(0)
    m = nn.Linear(1, 1)
    before = m.weight.item()
    m.share_memory()
    run(multiprocessing.get_context("fork"), step, m)
    assert m.weight.item() == pytest.approx(before - 0.5)
    assert m.weight.is_shared()
    assert m.weight.grad is None


def test_a_queue_shares():
    context = multiprocessing.get_context("fork")
    queue, back = context.Queue(), context.Event()
    x = rushlight.arange(3.0).share_memory_()
    process = context.Process(target=answer, args=(queue, x, back))
    process.start()
    got = queue.get(timeout=20)
    assert got["sum"].item() == 6
    assert got["sum"].is_shared()
    got["view"][0] = 9
    assert x.tolist() == [0, 9, 2]
    back.set()
    process.join(20)


def test_results_of_a_graph_are_refused():
    x = rushlight.ones(1, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor which requires_grad"):
        multiprocessing.reduction.ForkingPickler.dumps(x)


def test_spawn():
    x = rushlight.zeros(2).share_memory_()
    mp.spawn(spawned, args=(x,), nprocs=2)
    assert x.tolist() == [3, 3]
    with pytest.raises(mp.ProcessRaisedException, match=r"(?s)-- Process 0 terminated with the following error:.*no 0"):
        mp.start_processes(fails, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with exit code 3"):
        mp.start_processes(leaves, start_method="fork")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors")
def test_freed_with_the_last_user():
    before = len(os.listdir("/proc/self/fd"))
    xs = [rushlight.zeros(8).share_memory_() for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) > before
    views = [x[:2] for x in xs]
    del xs
    assert all(v.is_shared() for v in views)
    del views
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_uninitialized():
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized parameter or buffer"):
        nn.LazyLinear(2).share_memory()


def test_strategies():
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(NotImplementedError, match="file_system"):
        mp.set_sharing_strategy("file_system")
    assert "rushlight.multiprocessing" in sys.modules
