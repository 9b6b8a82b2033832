"""What rushlight costs before it does anything: import time beside NumPy's, and the size of an installation.

python benchmarks/weight.py            import time
python benchmarks/weight.py --install  also installs this checkout into a temporary environment and weighs it
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 15


def milliseconds(statement: str, python: str, cache: str) -> float:
    """Time of an import in a fresh process, that of starting Python not counted; compiled Python is kept in `cache`."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = cache
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return 1e3 * float(done.stdout)


def imports(python: str = sys.executable) -> None:
    """Print both times, taken in turns."""
    statements = ("import numpy", "import rushlight")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(ROUNDS + 1):  # the first one compiles
            for statement in statements:
                times[statement].append(milliseconds(statement, python, cache))
    found = {statement: statistics.median(taken[1:]) for statement, taken in times.items()}
    ratio = statistics.median(b / a for a, b in zip(*(taken[1:] for taken in times.values()), strict=True))
    for statement, median in found.items():
        print(f"{statement:18} {median:6.1f} ms")
    print(f"ratio              {ratio:6.2f}")


def size(path: Path) -> int:
    """Bytes of all files below, compiled Python (which pip leaves there) not counted."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file() and p.suffix != ".pyc")


def installation() -> None:
    """Install into a temporary environment and print what each package weighs."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(ROOT)], check=True)
        code = "import numpy, rushlight, ml_dtypes; print(*(m.__path__[0] for m in (rushlight, ml_dtypes, numpy)), sep='\\n')"
        os.environ.pop("PYTHONPATH", None)
        found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=folder).stdout
        for path in map(Path, found.split("\n")[:-1]):
            print(f"{path.name:18} {size(path) / 1e6:6.1f} MB")
        imports(python)


if __name__ == "__main__":
    if "--install" in sys.argv[1:]:
        installation()
    else:
        imports()
