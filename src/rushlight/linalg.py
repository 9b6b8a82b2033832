"""`torch.linalg`: decompositions, equations, norms and products of matrices; the operators live in `ops`.

Forward computations are LAPACK's, through NumPy, in double precision; gradients are formulas on Tensors, and can be
differentiated again. https://docs.pytorch.org/docs/stable/linalg.html

>>> import rushlight as torch
>>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [1.0, 4.0]]), torch.tensor([2.0, 9.0]))
tensor([1., 2.])
"""

from __future__ import annotations

from .errors import LinAlgError as LinAlgError
from .ops import factoring as _factoring
from .ops import matrices as _matrices
from .ops import solving as _solving
from .ops import spectra as _spectra
from .ops import triangular as _triangular
from .ops.numpy_names import accepting as _accepting

matrix_exp = _matrices.matrix_exp

__all__ = ["LinAlgError", "matrix_exp"]

for _module in (_triangular, _factoring, _solving, _spectra, _matrices):
    for _name, _function in vars(_module).items():
        if _name.startswith("linalg_") and _function.__module__ == _module.__name__:
            globals()[_name.removeprefix("linalg_")] = _accepting(_function)
            __all__.append(_name.removeprefix("linalg_"))
