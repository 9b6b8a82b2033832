"""Where equal elements stand after sorting and choosing: sizes around every change of method, dtypes, dimensions."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

LEAST = 1500
NATIVE = True

TYPES = "uint8 int16 int32 int64 float16 bfloat16 float32 float64 bool".split()


def _values(torch: Any, key: str, *shape: int) -> Any:
    """Values with many repetitions, and nan among the floating ones, the same for one key."""
    n = max(shape)
    values = np.random.default_rng(zlib.crc32(key.encode())).integers(0, max(2, n // 4), shape)
    x = torch.from_numpy(values)
    name = key.split()[0]
    x = x % 200 if name in ("uint8", "int16") else x % 2 if name == "bool" else x
    x = x.to(getattr(torch, name))
    return x.masked_fill(x == 1, float("nan")) if x.is_floating_point() else x


def _seen(places: Any) -> Any:
    """Few positions as they are, many as a checksum."""
    flat = places.flatten().tolist()
    return flat if len(flat) <= 40 else zlib.crc32(np.array(flat, np.int64).tobytes())


def answers(package: Any) -> Iterator[tuple[str, Any]]:
    """Positions by `sort`, `argsort` and `topk`."""
    for name in TYPES:
        for n in (5, 16, 17, 33, 64, 100, 257, 1000, 5000, 40000):
            if n > 5000 and name not in ("int32", "int64", "float32"):
                continue
            for descending in (False, True):
                key = f"{name} {n} descending={descending}"
                x = _values(package, key, n)
                yield f"sort/{key}", _seen(x.sort(descending=descending)[1])
                if name != "bool":
                    yield f"kthvalue/{key}", x.kthvalue(n // 2)[1].item()
                yield f"argsort/{key} stable", _seen(x.argsort(stable=True, descending=descending))
        for shape, dim in (((3, 20), 0), ((3, 20), 1), ((40, 30), 0), ((2, 3, 50), -1), ((2, 50, 3), 1), ((0, 20), 1)):
            key = f"{name} {shape} {dim}"
            x = _values(package, key, *shape)
            yield f"sort/{key}", _seen(x.sort(dim)[1])
            yield f"sort/{key} turned", _seen(x.transpose(0, -1).argsort(dim, descending=True))
            if x.numel():
                if name != "bool":
                    yield f"kthvalue/{key}", _seen(x.kthvalue((x.shape[dim] + 1) // 2, dim)[1])
                yield f"mode/{key}", _seen((x.nan_to_num() if x.is_floating_point() else x).mode(dim)[1])
            yield f"msort/{key}", _seen(x.msort().nan_to_num().long())
        if name != "bool":
            for n in (5, 17, 64, 130, 1000, 3000):
                for k in sorted({0, 1, 2, n // 64, n // 64 + 1, n // 2, n - 1, n}):
                    for largest, in_order in ((True, True), (True, False), (False, True), (False, False)):
                        key = f"{name} {n} k={k} largest={largest} sorted={in_order}"
                        x = _values(package, key, n)
                        yield f"topk/{key}", _seen(x.topk(k, largest=largest, sorted=in_order)[1])
            x = _values(package, f"{name} rows", 4, 70, 3)
            yield f"topk/{name} rows", _seen(x.topk(9, dim=1)[1])
