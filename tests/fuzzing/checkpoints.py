"""Mutated checkpoints: `load` gives an object or one of its documented errors, and nothing else happens.

Mutants are made of real checkpoints (both formats, nested, shared and rare parts) in three ways: bytes of the file,
opcodes of the pickle inside an intact archive, and pickles written opcode by opcode. While a mutant is read no
module may be imported, and no file, process or network touched (an audit hook sees it), its memory and time are
bounded, and the error is one of those that `load` documents. The seed of a mutant is its number, so one can be run again.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import io
import pickle
import random
import resource
import signal
import sys
import time
import zipfile
from typing import Any

import rushlight as torch

ALLOWED = (pickle.UnpicklingError, RuntimeError, EOFError, NotImplementedError)
FORBIDDEN = ("import", "open", "os.", "subprocess", "socket", "exec", "shutil", "ctypes.dlopen")
SECONDS = 5  # of the processor, so that a busy machine is no hang
MEMORY = 1 << 30
NAMES = [
    "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch._tensor _rebuild_from_type_v2",
    "torch Tensor", "torch Size", "torch device", "torch float32", "torch FloatStorage", "torch.storage UntypedStorage",
    "torch.nn.parameter Parameter", "collections OrderedDict", "collections Counter", "__builtin__ set", "_codecs encode",
    "__builtin__ bytearray", "__builtin__ complex", "torch.__main__ main", "torch.nn Linear", "os system", "this that",
    "torch.serialization _get_layout", "torch.cli main", "builtins eval", "antigravity x",
]  # fmt: skip
BITS = [
    b"N", b"\x88", b"\x89", b"K\x01", b"J\xff\xff\xff\x7f", b"M\xff\xff", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b")", b"]", b"}",
    b"\x8f", b"(", b"t", b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u", b"R", b"\x81", b"b", b"Q", b"2", b"0", b"1",
    b"X\x03\0\0\0abc", b"X\x06\0\0\0latin1", b"X\x07\0\0\0storage", b"X\x03\0\0\0cpu", b"X\x01\0\0\x000", b"G" + b"\x7f" * 8,
    b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8, b"\x96\0\0\0\x80\0\0\0\0", b"\x8b\xff\xff\xff\x7f", b"\x95" + b"\x7f" * 8,
    b"X\xff\xff\xff\xff", b"\x91", b"\x90", b"\x97", b"\x98", b"\x82\x01", b"i", b"o", b"\x92", b"\x93", b"\x94", b".",
    b")" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(30)),  # tuples of two, each holding the one before twice
    *[b"h" + bytes([i]) for i in range(8)], *[b"q" + bytes([i]) for i in range(8)],
    *[b"c" + name.replace(" ", "\n").encode() + b"\n" for name in NAMES],
]  # fmt: skip


def seeds() -> list[bytes]:
    """Checkpoints as programs write them."""
    x = torch.arange(12.0).reshape(3, 4)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    objects = [
        {"w": x, "t": x.t(), "n": 1, "list": [1.5, None, True, (2, "a")]},
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3},
        [torch.ones(2, dtype=torch.bfloat16), torch.zeros(0, 3), torch.tensor([1 + 2j]), x.bool(), torch.Size([1, 2])],
        {
            "set": {1},
            "c": collections.Counter("aab"),
            "o": collections.OrderedDict(a=1),
            "b": b"\xff",
            "p": model[0].weight,
        },
    ]
    return [_saved(obj) for obj in objects]


def _saved(obj: Any) -> bytes:
    file = io.BytesIO()
    torch.save(obj, file)
    return file.getvalue()


def _archive(body: bytes, like: bytes) -> bytes:
    """A checkpoint with another pickle inside."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(like)) as source, zipfile.ZipFile(file, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, body if info.filename.endswith("data.pkl") else source.read(info))
    return file.getvalue()


def _damaged(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(out)) if out else 0
        kind = rng.randrange(5)
        if kind == 0 and out:
            out[at] = rng.randrange(256)
        elif kind == 1 and out:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del out[at : at + rng.choice((1, 2, 8, 64))]
        elif kind == 3:
            out[at:at] = rng.choice(BITS)
        else:
            out[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80"))
    return bytes(out)


def mutant(number: int, corpus: list[bytes], bodies: list[bytes]) -> bytes:
    """The mutant of a number: always the same one."""
    rng = random.Random(number)
    which = rng.randrange(len(corpus))
    kind = rng.randrange(5)
    if kind == 0:
        return _damaged(corpus[which], rng)
    if kind == 1:  # the format before the archive: pickles in a row
        numbers = b"".join(pickle.dumps(n, 2) for n in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
        return _damaged(numbers + bodies[which] + pickle.dumps(["0"], 2), rng)
    if kind == 2:
        return _archive(_damaged(bodies[which], rng), corpus[which])
    parts = rng.choices(BITS, k=rng.randrange(1, 30))
    if kind == 4:  # something made, then used over and over
        at = rng.randrange(len(parts))
        parts[at : at + rng.randrange(1, 6)] = parts[at : at + rng.randrange(1, 6)] * rng.choice((10, 1000, 5000))
    body = b"\x80\x02" + b"".join(parts) + b"."
    return _archive(body, corpus[which])


class Watch:
    """Notes what an attacker would want to have happen."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event.startswith(FORBIDDEN):
            self.seen.append(f"{event} {args[:1]}")


def trial(data: bytes, watch: Watch) -> str | None:
    """What went wrong with one mutant; None if nothing did."""
    modules = len(sys.modules)
    watch.seen, watch.on = [], True
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        torch.load(io.BytesIO(data))
    except ALLOWED as e:
        if type(e) is RecursionError:
            return "RecursionError"
    except BaseException as e:
        return f"{type(e).__name__}: {e}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.on = False
    if watch.seen:
        return f"did {watch.seen[0]}"
    return "a module was imported" if len(sys.modules) != modules else None


def _late(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds of the processor")


def run(count: int, first: int, watch: Watch | None = None) -> list[str]:
    """Try `count` mutants from number `first`; what went wrong, with the numbers."""
    import warnings

    watch = watch or Watch()
    corpus = seeds()
    bodies = [zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl") for data in corpus]
    codecs.lookup("cp437")  # zipfile's encoding of names that are not UTF-8
    for data in corpus:  # whatever else loads late is loaded now
        torch.load(io.BytesIO(data))
    before = signal.signal(signal.SIGPROF, _late)
    problems = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number in range(first, first + count):
                found = trial(mutant(number, corpus, bodies), watch)
                if found is not None:
                    problems.append(f"{number}: {found}")
    finally:
        signal.signal(signal.SIGPROF, before)
    return problems


def main(argv: list[str]) -> int:
    """`scripts/fuzz checkpoints [--count N] [--seed FIRST]`."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz checkpoints", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first mutant")
    options = parser.parse_args(argv)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY + (4 << 30), MEMORY + (4 << 30)))
    watch, start, problems = Watch(), time.monotonic(), list[str]()
    for first in range(options.seed, options.seed + options.count, 10_000):
        found = run(min(10_000, options.seed + options.count - first), first, watch)
        for line in found:
            print(line, flush=True)
        problems += found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{options.count} mutants, {len(problems)} problems, {time.monotonic() - start:.0f} s, at most {peak} MB")
    return 1 if problems or peak > MEMORY >> 20 else 0
