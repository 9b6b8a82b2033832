"""`torch.version`."""

from __future__ import annotations

from . import __version__

cuda = hip = None
debug = False
git_version = "rushlight"
__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]
