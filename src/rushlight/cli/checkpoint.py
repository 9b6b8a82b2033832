"""Reading a checkpoint of `rushlight train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import UsageError

FORMAT = 1


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, or `UsageError` saying what is wrong with the file."""
    from .. import load

    if not path.is_file():
        raise UsageError(f"there is no checkpoint {path}")
    try:
        state = load(path)
    except Exception:  # a damaged file can fail in any way
        raise UsageError(f"{path} is damaged, or not a checkpoint") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise UsageError(f"{path} is not a checkpoint of this version of `rushlight train`")
    return state
