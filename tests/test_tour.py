"""docs/tour.md does what it says: each block runs, and prints what its comments claim."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
TOUR = ROOT / "docs" / "tour.md"


def blocks():
    """(heading, code) of each block of Python."""
    heading, found = "", []
    for part in re.split(r"(?m)^(## .*$)", TOUR.read_text()):
        if part.startswith("## "):
            heading = part[3:].strip()
        found += [(heading, code) for code in re.findall(r"```python\n(.*?)```", part, re.S)]
    return found


def unmet(code):
    """Why a block cannot run here, or None: its first comment names modules and data that it needs."""
    first = code.splitlines()[0]
    needs = re.search(r"needs: ([\w, ]+)", first)
    for module in needs.group(1).split(", ") if needs else ():
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    data = re.search(r"data: (\S+)", first)
    if data and not (DATA / data.group(1)).exists():
        return f"{data.group(1)} is not in ../shared/data"
    return None


def expected(code):
    return [line[5:] for line in code.splitlines() if line.startswith("# -> ")]


def test_tour():
    namespace, ran, skipped = {"DATA": DATA, "__name__": "tour"}, 0, []
    for heading, code in blocks():
        reason = unmet(code)
        if reason:
            skipped.append(f"{heading}: {reason}")
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"{TOUR} ({heading})", "exec"), namespace)
        assert printed.getvalue().splitlines() == expected(code), heading
        ran += 1
    assert ran >= 15, skipped


@pytest.mark.parametrize(
    "topic", ["requires_grad", "grad_fn", "gradient=", "detach", "no_grad", "Function", "jacobian", "randn", "optim", "Parameter", "save", "loss", "Image", "wav", "nltk", "DataLoader", "CIFAR10"]
)  # fmt: skip
def test_every_topic_has_its_place(topic):
    assert any(topic in code for _, code in blocks())
