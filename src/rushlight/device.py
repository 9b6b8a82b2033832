"""Where a tensor lives: this machine's memory, `cpu`."""

from __future__ import annotations

from typing import Any

from .errors import unsupported

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """A device by name, as in `device("cpu")` or `device("cuda", 0)`.

    >>> import rushlight as torch
    >>> torch.device("cuda:1").index
    1
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        name: Any = type
        if isinstance(name, device):
            name, index = name.type, name.index
        elif isinstance(name, int):
            name, index = "cuda", name
        elif not isinstance(name, str):
            raise TypeError(f"device(): argument 'type' must be str or torch.device, not {name.__class__.__name__}")
        elif ":" in name:
            name, _, number = name.partition(":")
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{name}:{number}'")
            index = int(number)
        if name not in _TYPES:
            raise RuntimeError(f"Expected one of {', '.join(_TYPES)} device type at start of device string: {name}")
        self.type: str = name
        self.index = index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return (device, (self.type, self.index) if self.index is not None else (self.type,))

    def __enter__(self) -> device:
        require_cpu(self)
        return self

    def __exit__(self, *_: object) -> None:
        return None


CPU = device("cpu")


def require_cpu(d: Any) -> None:
    """Refuse every device but the CPU, as a PyTorch built without CUDA does."""
    if d is None or d is CPU or d == "cpu":
        return
    wanted = d if d.__class__ is device else device(d)
    if wanted.type == "cpu":
        return
    if wanted.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    raise unsupported(f"the device '{wanted}'", "Tensors live on 'cpu'.")
