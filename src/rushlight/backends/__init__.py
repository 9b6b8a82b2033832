"""`torch.backends`: what there is to switch, which is little; unknown switches raise AttributeError."""

from __future__ import annotations

from typing import Any

from ..settings import get_fastpath_enabled, set_fastpath_enabled


class _Backend:
    """A backend of PyTorch's that is not here: its flags may be set, and it is not available."""

    enabled = deterministic = benchmark = allow_tf32 = False

    def is_available(self) -> bool:
        return False

    is_built = is_available


class _Cpu:
    """The CPU's own report."""

    def get_cpu_capability(self) -> str:
        """The instruction set that the kernels use, in PyTorch's spelling."""
        from ..backend import kernels as K

        return {"avx512": "AVX512", "avx2": "AVX2"}.get(K.info()["isa"], "DEFAULT")


class _Attention:
    """`torch.backends.mha`: the inference path of attention."""

    get_fastpath_enabled = staticmethod(get_fastpath_enabled)
    set_fastpath_enabled = staticmethod(set_fastpath_enabled)


cudnn, cuda, mps, mkl, mkldnn, openmp, opt_einsum = (_Backend() for _ in range(7))
cpu = _Cpu()
mha = _Attention()


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'rushlight.backends' has no attribute '{name}'")
