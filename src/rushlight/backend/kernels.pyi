# The names of kernels.py are gathered at import, so to a type checker they are all Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
