"""Times rushlight, and PyTorch where it is installed: python benchmarks/speed.py [ROUNDS [THREADS]].

Each library runs in processes of its own, in turns, on as many threads. A row shows the median of the rounds of each,
and the median, lowest and highest of their ratios. Rounds in which other processes used the cores are counted and
named: on two busy cores PyTorch's threads, which wait for one another, lose a factor of a hundred and more.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Step = Callable[[], object]


def chain(t: Any, backward: bool) -> tuple[Step, int]:
    """100 chained multiplies of one element: all overhead."""
    x, w = t.ones(1, requires_grad=backward), t.full((1,), 1.001)

    def step() -> None:
        y = x
        for _ in range(100):
            y = y * w
        if backward:
            y.backward()

    return step, 100


def large(t: Any) -> tuple[Step, int]:
    """A formula of four operators over a million elements."""
    x, y = t.rand(1_000_000), t.rand(1_000_000)
    return lambda: (x * y + x).sigmoid() - y, 1


def training(t: Any, make: Callable[[Any], Any], shape: tuple[int, ...], optimizer: str) -> tuple[Step, int]:
    """One step of training a classifier of ten classes."""
    t.manual_seed(0)
    network, x, y = make(t.nn), t.randn(*shape), t.randint(0, 10, (shape[0],))
    stepper = getattr(t.optim, optimizer)(network.parameters(), lr=1e-3)

    def step() -> None:
        stepper.zero_grad()
        t.nn.functional.cross_entropy(network(x), y).backward()
        stepper.step()

    return step, 1


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


ROWS: list[tuple[str, Callable[[Any], tuple[Step, int]]]] = [
    ("multiply, forward", lambda t: chain(t, False)),
    ("multiply, forward and backward", lambda t: chain(t, True)),
    ("sigmoid(x * y + x) - y, 1e6", large),
    ("MLP 784-256-10, batch 64, SGD", lambda t: training(t, mlp, (64, 784), "SGD")),
    ("MLP 784-256-10, batch 64, Adam", lambda t: training(t, mlp, (64, 784), "Adam")),
    ("LeNet 32x32, batch 4, SGD", lambda t: training(t, lenet, (4, 3, 32, 32), "SGD")),
    ("LeNet 32x32, batch 64, SGD", lambda t: training(t, lenet, (64, 3, 32, 32), "SGD")),
]


def microseconds(step: Step, samples: int = 7, seconds: float = 0.03) -> float:
    """Median time of one call, each sample over as many calls as fit."""
    for _ in range(3):
        step()
    found = []
    for _ in range(samples):
        count, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds or not count:
            step()
            count += 1
        found.append(1e6 * passed / count)
    return statistics.median(found)


def measure(library: str, threads: int) -> None:
    """Print the time of each row, as JSON: what a child process does."""
    t = importlib.import_module(library)
    t.set_num_threads(threads)
    print(json.dumps([microseconds(step) / count for step, count in (make(t) for _, make in ROWS)]))


def child(library: str, threads: int) -> list[float]:
    command = [sys.executable, __file__, "--measure", library, str(threads)]
    found: list[float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def foreign_load(seconds: float = 0.3) -> float:
    """Cores in use while this process sleeps; 0 where the system does not tell."""

    def used() -> float:
        with open("/proc/stat") as file:
            user, nice, system, _idle, _wait, *rest = map(int, file.readline().split()[1:])
        return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")

    if not os.path.exists("/proc/stat"):
        return 0.0
    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


def main() -> None:
    import rushlight

    numbers = [int(argument) for argument in sys.argv[1:]]
    rounds = numbers[0] if numbers else 5
    threads = numbers[1] if len(numbers) > 1 else rushlight.get_num_threads()
    libraries = ["rushlight", "torch"] if importlib.util.find_spec("torch") else ["rushlight"]
    times: dict[str, list[list[float]]] = {library: [] for library in libraries}
    busy = 0
    for _ in range(rounds):
        busy += foreign_load() > 0.2
        for library in libraries:
            times[library].append(child(library, threads))
        busy += foreign_load() > 0.2
    if busy:
        print(f"WARNING: other processes used the cores ({busy} of {2 * rounds} looks): the ratios below mean nothing.")
    print(f"{threads} threads, medians of {rounds} rounds, microseconds; a ratio above 1: rushlight is faster\n")
    print(f"{'':32} {'rushlight':>10} {'torch':>10} {'ratio':>7} {'from':>6} {'to':>6}")
    for i, (name, _) in enumerate(ROWS):
        columns = [[taken[i] for taken in times[library]] for library in libraries]
        row = f"{name:32}" + "".join(f" {statistics.median(column):10.2f}" for column in columns)
        if len(columns) == 2:
            ratios = [b / a for a, b in zip(*columns, strict=True)]
            row += f" {statistics.median(ratios):7.2f} {min(ratios):6.2f} {max(ratios):6.2f}"
        print(row)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main()
