"""A lower layer never imports a higher one (docs/architecture.md), and the lazy packages stay lazy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rushlight

ROOT = Path(rushlight.__file__).parent

# From low to high; modules named together may import each other.
LAYERS = [
    {"errors", "dtypes", "device", "size", "layout", "printing", "settings"},
    {"backend"},
    {"autograd", "generator"},
    {"ops"},
    {"nn", "linalg", "fft", "special", "random", "func", "masked", "signal"},
    {
        "optim",
        "utils",
        "serialization",
        "vision",
        "audio",
        "text",
        "testing",
        "backends",
        "cuda",
        "version",
        "multiprocessing",
    },
    {"cli", "run", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# `ops` reaches upward in a few function bodies, where a composite operator lives in a higher layer.
LAZY_PACKAGES = ("vision", "cli", "audio", "text", "serialization", "utils", "optim")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imports(path: Path):
    """Top-level imports of a file, as first names below `rushlight`; those inside functions are lazy by design."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts
    if path.name == "__init__.py":
        package = package[:-1]
        here = package
    else:
        here = package[:-1]
    tree = ast.parse(path.read_text())
    for node in tree.body:
        for item in [node, *(node.body if isinstance(node, (ast.If, ast.Try)) else [])]:
            if isinstance(item, ast.Import):
                for alias in item.names:
                    yield from _below(alias.name.split("."))
            elif isinstance(item, ast.ImportFrom):
                base = list(here[: len(here) - item.level + 1]) if item.level else []
                module = base + (item.module.split(".") if item.module else [])
                if len(module) == 1 and module[0] == "rushlight":
                    for alias in item.names:
                        yield alias.name
                else:
                    yield from _below(module)


def _below(parts):
    if len(parts) > 1 and parts[0] == "rushlight":
        yield parts[1]


FILES = sorted(p for p in ROOT.rglob("*.py") if p.name != "__init__.py" or p.parent != ROOT)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_up(path):
    own = module_of(path)
    assert own in RANK, f"{own} has no layer: add it to LAYERS and to docs/architecture.md"
    for name in imports(path):
        if name in RANK:
            assert RANK[name] <= RANK[own], f"{path.relative_to(ROOT)} imports {name}, which is a higher layer"


def test_backend_knows_no_tensor():
    for path in (ROOT / "backend").rglob("*.py"):
        assert not {"autograd", "ops", "nn"} & set(imports(path)), path


def test_import_is_lazy():
    code = "import sys, rushlight; print(' '.join(m for m in sys.modules if m.startswith('rushlight.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    for name in LAZY_PACKAGES:
        assert f"rushlight.{name}" not in loaded, f"`import rushlight` loads rushlight.{name}"
