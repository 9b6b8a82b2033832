"""PyTorch's answers, written into the repository, so that tests compare with them where PyTorch is not installed.

A table is a file `tables_NAME.py` beside this one with a function `answers(package)`, which yields pairs of a key
(text, `operator/case`) and an answer made of what JSON has: lists, texts, numbers, None. `scripts/record` asks PyTorch and
writes `records/NAME.json.xz`; `test_records.py` asks rushlight and compares, and asks PyTorch too where it is installed. `LEAST` says
how many answers there have to be; `same(ours, theirs)` compares numbers that need not be equal; `NATIVE` marks a table of what
the native kernels alone do.

Where rushlight differs on purpose, `docs/differences.md` says why, and lists the keys in a fenced block that is opened
with three backticks and the table's name. A test compares the keys that differ with that list: one that agrees again
has to leave it.
"""

from __future__ import annotations

import importlib.util
import json
import lzma
import re
import sys
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("tables_") for path in HERE.glob("tables_*.py"))


def table(name: str) -> Any:
    """The module of a table."""
    full = f"tables_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, HERE / f"{full}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


def ask(name: str, package: Any) -> dict[str, Any]:
    """A package's answers, as they would be read from a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, Any] = {}
        for key, answer in table(name).answers(package):
            if key in found:
                raise ValueError(f"{name}: {key} stands twice")
            found[key] = answer
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def path(name: str) -> Path:
    """Where a table's answers are kept."""
    return HERE / "records" / f"{name}.json.xz"


def recorded(name: str) -> dict[str, Any]:
    """PyTorch's answers by key."""
    return json.loads(lzma.decompress(path(name).read_bytes()))  # type: ignore[no-any-return]


def record(name: str, package: Any) -> int:
    """Ask PyTorch, write what it says, and give the number of bytes."""
    text = json.dumps(ask(name, package), indent=0, sort_keys=True).encode()
    data = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    path(name).parent.mkdir(exist_ok=True)
    path(name).write_bytes(data)
    return len(data)


def known(name: str) -> set[str]:
    """The keys of a table that `docs/differences.md` lists."""
    text = (HERE.parent / "docs" / "differences.md").read_text()
    blocks = re.findall(rf"^```{re.escape(name)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return {line.strip() for block in blocks for line in block.splitlines() if line.strip()}


def agree(name: str, ours: Any, theirs: Any) -> bool:
    """Whether two answers to a table are the same, by its own measure if it has one."""
    same = getattr(table(name), "same", None)
    return bool(same(ours, theirs) if same else ours == theirs)
