"""Discrete Fourier transforms: complex to complex, real to half-complex and back, and the short-time transform.

Three linear primitives do all the work, each the adjoint of another up to weights, so gradients are transforms too.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap, wrap_dim
from ..backend import placing
from ..settings import warn, warn_once
from .declare import primitive
from .gathering import pad_to
from .publishing import public, type_error

fourier = functools.partial(public, method=False, namespace=False, out=True)  # of `torch.fft` alone

# ---- the three transforms -----------------------------------------------------------------------------------------------


def _scaled(a: Any, scale: float) -> Any:
    return np.asarray(a) if scale == 1 else a * a.real.dtype.type(scale)


def _order(a: Any, dims: tuple[int, ...], real: bool) -> list[int]:
    """The order in memory that PyTorch leaves the dimensions in: those transformed lie innermost."""
    order = sorted(range(a.ndim), key=lambda d: -a.strides[d])
    inner = sorted(dims[:-1] if real else dims, key=order.index) + [*dims[-1:]] * real
    return [d for d in order if d not in dims] + inner


def _full_forward(a: Any, dims: tuple[int, ...], scale: float, inverse: bool) -> Any:
    found = np.fft.ifftn(a, axes=dims, norm="forward") if inverse else np.fft.fftn(a, axes=dims)
    return _scaled(placing.ordered(found, _order(a, dims, a.dtype.kind != "c")), scale)


def _real_backward(g: Any, a_shape: Any, dims: tuple[int, ...], scale: float, inverse: bool) -> Any:
    shape = list(g.shape)
    shape[dims[-1]] = a_shape[dims[-1]]
    return _full(pad_to(g, tuple(shape)), dims, scale, not inverse).real


def _half_backward(g: Any, a_shape: Any, dims: tuple[int, ...], n: int, scale: float) -> Any:
    """The half-complex transform, each element counted as often as it stood for itself or its mirror image."""
    found = _from_real(g, dims, scale, False)
    twice = n - a_shape[dims[-1]]
    if twice:
        weight = np.ones(a_shape[dims[-1]], g._array.real.dtype)
        weight[1 : 1 + twice] = 2
        shape = [1] * g.dim()
        shape[dims[-1]] = -1
        found = found * wrap(weight.reshape(shape))
    return found


_full: Any = primitive(
    "FftC2CBackward0", _full_forward, tensors=True, a=lambda g, dims, scale, inverse: _full(g, dims, scale, not inverse)
)
_full_of_real: Any = primitive(
    "FftR2CBackward0",
    _full_forward,
    tensors=True,
    a=lambda g, dims, scale, inverse: _full(g, dims, scale, not inverse).real,
)
_from_real: Any = primitive(
    "FftR2CBackward0", lambda a, dims, scale, inverse: _half_forward(a, dims, scale, inverse), tensors=True,
    a=lambda g, a_shape, dims, scale, inverse: _real_backward(g, a_shape, dims, scale, inverse),
)  # fmt: skip
_to_real = primitive(
    "FftC2RBackward0",
    lambda a, dims, n, scale: _to_real_forward(a, dims, n, scale),
    tensors=True, a=lambda g, a_shape, dims, n, scale: _half_backward(g, a_shape, dims, n, scale),
)  # fmt: skip


def _to_real_forward(a: Any, dims: tuple[int, ...], n: int, scale: float) -> Any:
    found = np.fft.irfftn(a, [*(a.shape[d] for d in dims[:-1]), n], dims, norm="forward")
    before = _order(a, dims[:-1], False)
    return _scaled(placing.ordered(found, [*(d for d in before if d != dims[-1]), dims[-1]]), scale)


def _half_forward(a: Any, dims: tuple[int, ...], scale: float, inverse: bool) -> Any:
    found = placing.ordered(np.fft.rfftn(a, axes=dims), _order(a, dims, True))
    return _scaled(found.conj() if inverse else found, scale)  # of real numbers, the inverse is the conjugate


# ---- arguments ----------------------------------------------------------------------------------------------------------


def _scale(norm: str | None, count: int, inverse: bool) -> float:
    if norm == "ortho":
        return 1 / math.sqrt(count)
    if norm not in (None, "backward", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return 1 / count if (norm == "forward") != inverse else 1.0


def _promoted(name: str, x: Any, to_complex: bool) -> Any:
    if not isinstance(x, Tensor):
        raise type_error(f"fft_{name}", x)
    if x.dtype.category < dtypes.FLOAT:
        x = x.to(dtypes.get_default_dtype())
    if x.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise RuntimeError(f"Unsupported dtype {x.dtype.scalar_name}")
    return x.to(x.dtype.to_complex()) if to_complex else x


def _dim(x: Any, dim: int) -> int:
    if x.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, x.dim())


def _points(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def resized(x: Any, sizes: dict[int, int]) -> Any:
    """`x` cut, or padded with zeros at the end, to given sizes of dimensions."""
    for d, n in sizes.items():
        if n < x.shape[d]:
            x = x.narrow(d, 0, n)
    shape = tuple(sizes.get(d, n) for d, n in enumerate(x.shape))
    return pad_to(x, shape)


def _dims_and_sizes(x: Any, s: Any, dim: Any) -> tuple[tuple[int, ...], list[int]]:
    """The dimensions to transform and their sizes (-1: as they are)."""
    s = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is not None:
        dims = tuple(_dim(x, d) for d in ([dim] if isinstance(dim, int) else dim))
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > x.dim():
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {x.dim()} dimensions.")
        dims = tuple(range(x.dim() - len(s), x.dim()))
    else:
        dims = tuple(range(x.dim()))
    sizes = [x.shape[d] if s is None or s[i] == -1 else s[i] for i, d in enumerate(dims)]
    return dims, [_points(n) for n in sizes]


# ---- several dimensions -------------------------------------------------------------------------------------------------


def _complex_n(name: str, x: Any, s: Any, dim: Any, norm: Any, inverse: bool) -> Any:
    x = _promoted(name, x, False)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        return x.to(x.dtype.to_complex())
    x = resized(x, dict(zip(dims, sizes, strict=True)))
    return (_full if x.is_complex() else _full_of_real)(x, dims, _scale(norm, math.prod(sizes), inverse), inverse)


def _real_n(name: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real-valued input tensor, but got {x.dtype.scalar_name}")
    x = _promoted(name, x, False)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = resized(x, dict(zip(dims, sizes, strict=True)))
    return _from_real(x, dims, _scale(norm, math.prod(sizes), False), False)


def _last_size(x: Any, s: Any, dims: tuple[int, ...]) -> int:
    last = -1 if s is None else s if isinstance(s, int) else list(s)[-1]
    return 2 * (x.shape[dims[-1]] - 1) if last == -1 else last


def _halved(name: str, x: Any, s: Any, dim: Any) -> tuple[Any, tuple[int, ...], int, int]:
    """A half-complex argument cut to shape, its dimensions, the size of the last in the result, and the count."""
    x = _promoted(name, x, True)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    n = _points(_last_size(x, s, dims))
    wanted = dict(zip(dims, [*sizes[:-1], n // 2 + 1], strict=True))
    return resized(x, wanted), dims, n, math.prod(sizes[:-1]) * n


def _to_real_n(name: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    x, dims, n, count = _halved(name, x, s, dim)
    return _to_real(x, dims, n, _scale(norm, count, True))


def _hermitian_n(name: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    """A forward transform of a half-complex signal: forward along the other dimensions, a real result of the last."""
    x, dims, n, count = _halved(name, x, s, dim)
    if len(dims) > 1:
        x = _full(x, dims[:-1], 1.0, False)
    return _to_real(x.conj(), dims[-1:], n, _scale(norm, count, False))


def _inverse_hermitian_n(name: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    if x.is_complex():
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {x.dtype.scalar_name}")
    x = _promoted(name, x, False)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = resized(x, dict(zip(dims, sizes, strict=True)))
    scale = _scale(norm, math.prod(sizes), True)
    y = _from_real(x, dims[-1:], scale, False).conj()
    return _full(y, dims[:-1], 1.0, True) if len(dims) > 1 else y


_N: dict[str, tuple[Any, str]] = {
    "fft": (lambda name, x, s, dim, norm: _complex_n(name, x, s, dim, norm, False), "The transform"),
    "ifft": (lambda name, x, s, dim, norm: _complex_n(name, x, s, dim, norm, True), "The inverse transform"),
    "rfft": (_real_n, "The transform of a real tensor, without the half that is known by symmetry,"),
    "irfft": (_to_real_n, "The inverse of `rfft`, a real tensor,"),
    "hfft": (_hermitian_n, "The real transform of a tensor given by half, the rest known by symmetry,"),
    "ihfft": (_inverse_hermitian_n, "The inverse of `hfft`"),
}


def _several(kind: str) -> tuple[Any, Any]:
    run, what = _N[kind]

    def over_n(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
        return run(f"{kind}n", input, s, dim, norm)

    def over_two(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
        return run(f"{kind}n", input, s, dim, norm)

    for function, suffix, where in ((over_n, "n", "several dimensions"), (over_two, "2", "two dimensions")):
        function.__name__ = function.__qualname__ = f"fft_{kind}{suffix}"
        function.__doc__ = f"{what} along {where}; `s` cuts or pads them first."
    return fourier(over_n), fourier(over_two)


def _single(kind: str) -> Any:
    def over_one(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
        if not isinstance(input, Tensor):
            raise type_error(f"fft_{kind}", input)
        if kind in ("rfft", "ihfft") and input.is_complex():
            raise RuntimeError(f"{kind} expects a real input tensor, but got {input.dtype.scalar_name}")
        d = _dim(input, dim)
        if n is not None:
            _points(n)
        return _N[kind][0](kind, input, None if n is None else [n], [d], norm)

    over_one.__name__ = over_one.__qualname__ = f"fft_{kind}"
    over_one.__doc__ = f"{_N[kind][1]} along one dimension; `n` cuts or pads it first."
    return fourier(over_one)


fft, ifft, rfft, irfft, hfft, ihfft = (_single(kind) for kind in _N)
(fftn, fft2), (ifftn, ifft2), (rfftn, rfft2), (irfftn, irfft2), (hfftn, hfft2), (ihfftn, ihfft2) = (
    _several(kind) for kind in _N
)


# ---- frequencies and shifts ---------------------------------------------------------------------------------------------


def _frequencies(name: str, values: Any, n: int, d: float, dtype: Any, requires_grad: bool, options: Any) -> Any:
    from .creation import check_options

    check_options(options, name)
    kind = dtype or dtypes.get_default_dtype()
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    x = wrap((values * (1.0 / (n * d) if n else 0.0)).astype(dtypes.to_numpy(kind)))
    return x.requires_grad_() if requires_grad else x


@fourier
def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """The frequencies of a transform of `n` samples `d` apart."""
    values = np.arange(n, dtype=np.float64)
    values[(n + 1) // 2 :] -= n
    return _frequencies("fftfreq", values, n, d, dtype, requires_grad, options)


@fourier
def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """The frequencies of a transform of `n` real samples `d` apart."""
    return _frequencies("rfftfreq", np.arange(n // 2 + 1, dtype=np.float64), n, d, dtype, requires_grad, options)


def _shifted(x: Any, dim: Any, amount: Any) -> Any:
    dims = tuple(range(x.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    dims = tuple(wrap_dim(d, x.dim()) for d in dims)
    return x.roll(tuple(amount(x.shape[d]) for d in dims), dims) if dims else x.clone()


@functools.partial(public, method=False, namespace=False)
def fftshift(input: Any, dim: Any = None) -> Any:
    """The zero frequency moved to the middle."""
    return _shifted(input, dim, lambda n: n // 2)


@functools.partial(public, method=False, namespace=False)
def ifftshift(input: Any, dim: Any = None) -> Any:
    """The zero frequency moved back to the start."""
    return _shifted(input, dim, lambda n: (n + 1) // 2)


# ---- short time ---------------------------------------------------------------------------------------------------------


def _type_name(x: Any) -> str:
    return f"{x.dtype.scalar_name}Tensor"


def _signature(name: str, x: Any, window: Any, **values: Any) -> str:
    """The call as PyTorch repeats it in its messages."""

    def word(v: Any) -> str:
        return "None" if v is None else str(int(v)) if isinstance(v, (bool, int)) else str(v)

    shown = [f"{k}={word(v)}" for k, v in values.items() if k in ("n_fft", "hop_length", "win_length")]
    shown.append("window=" + ("None" if window is None else f"torch.{_type_name(window)}{{{list(window.shape)}}}"))
    shown += [f"{k}={word(v)}" for k, v in values.items() if k not in ("n_fft", "hop_length", "win_length")]
    kind = f"torch.{_type_name(x)}{list(x.shape)}" if name == "stft" else f"CPU{x.dtype.scalar_name}Type{list(x.shape)}"
    return f"{name}({kind}, {', '.join(shown)})"


def _padded_window(window: Any, length: int, n_fft: int, like: Any) -> Any:
    if window is None:
        window = like.new_ones((length,), dtype=like.dtype.to_real())
    left = (n_fft - length) // 2
    if length == n_fft:
        return window
    from .joining import cat

    return cat([window.new_zeros(left), window, window.new_zeros(n_fft - length - left)])


def stft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Any:
    """The Fourier transforms of overlapping windows of a signal (or a batch): (frequencies, frames).

    https://docs.pytorch.org/docs/stable/generated/torch.stft.html
    """
    from ..nn.functional import pad

    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    x = input
    if align_to_window is not None and center:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    if center:
        lead = (1,) * (3 - x.dim()) + tuple(x.shape)
        x = pad(x.reshape(lead), (n_fft // 2, n_fft // 2), pad_mode)
        x = x.reshape((*tuple(input.shape)[:-1], x.shape[-1]))
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied,which is known to cause spectral leakage. "
            "Other windows such as torch.hann_window or torch.hamming_window are recommended to reduce spectral leakage."
            "To suppress this warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, "
            "device=<device>)`."
        )
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    said = functools.partial(
        _signature, "stft", x, window, n_fft=n_fft, hop_length=hop, win_length=length, normalized=normalized,
        onesided=onesided, return_complex=return_complex, align_to_window=align_to_window,
    )  # fmt: skip
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    if x.dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{said()} : expected a tensor of floating point or complex values")
    if x.dim() not in (1, 2):
        raise RuntimeError(f"{said()} : expected a 1D or 2D tensor")
    n = x.shape[-1]
    if not 0 < n_fft <= n:
        raise RuntimeError(f"{said()} : expected 0 < n_fft < {n}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{said()} : expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(f"{said()} : expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and (window.dim() != 1 or window.shape[0] != length):
        raise RuntimeError(
            f"{said()} : expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window.shape)}"
        )
    half = not is_complex if onesided is None else onesided
    if half and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    frames = x.unfold(-1, n_fft, hop)
    if window is not None or length < n_fft:
        frames = frames * _padded_window(window, length, n_fft, x)
    norm = "ortho" if normalized else None
    found = (rfft(frames, norm=norm) if half else fft(frames, norm=norm)).transpose(-2, -1)
    if return_complex or (return_complex is None and is_complex):
        return found
    warn_once(
        "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex tensors for all "
        "inputs, and return_complex=False will raise an error.\nNote: you can still call torch.view_as_real on the complex "
        "output to recover the old return format."
    )
    from .parts import view_as_real

    return view_as_real(found)


def istft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Any:
    """The signal of which `stft` made `input`, by least squares where windows overlap (Griffin and Lim, 1984).

    https://docs.pytorch.org/docs/stable/generated/torch.istft.html
    """
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied.Please provide the same window used by stft to "
            "make the inversion lossless.To suppress this warning and use a rectangular window, explicitly set "
            "`window=torch.ones(n_fft, device=<device>)`."
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    said = functools.partial(
        _signature, "istft", input, window, n_fft=n_fft, hop_length=hop, win_length=size, center=center,
        normalized=normalized, onesided=onesided, length=length, return_complex=return_complex,
    )  # fmt: skip
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if not input.numel():
        raise RuntimeError(f"{said()} : input tensor cannot be empty.")
    if input.dim() not in (2, 3):
        raise RuntimeError(f"{said()} : expected a tensor with 2 or 3 dimensions, but got {input.dim()}")
    bins, count = input.shape[-2:]
    half = (bins != n_fft) if onesided is None else onesided
    if bins != (n_fft // 2 + 1 if half else n_fft):
        which = "n_fft / 2 + 1 when onesided=True" if half else "n_fft when onesided=False"
        raise RuntimeError(
            f"{said()} : expected the frequency dimension (3rd to the last) of the input tensor to match {which}, but got {bins}"
        )
    if not 0 < hop <= size:
        raise RuntimeError(f"{said()} : expected 0 < hop_length <= win_length")
    if not 0 < size <= n_fft:
        raise RuntimeError(f"{said()} : expected 0 < win_length <= n_fft")
    if window is not None and (window.dim() != 1 or window.shape[0] != size):
        raise RuntimeError(f"{said()} : Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and half:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    w = _padded_window(window, size, n_fft, input.real)
    norm = "ortho" if normalized else None
    spectra = input.transpose(-2, -1)
    if return_complex:
        frames = ifft(spectra, norm=norm)
    else:  # of a full spectrum the half that says all
        frames = irfft(spectra if half else spectra[..., : n_fft // 2 + 1], n_fft, norm=norm)
    frames = frames * w
    total = n_fft + hop * (count - 1)
    batch = frames if frames.dim() == 3 else frames.unsqueeze(0)
    signal = _overlap_add(batch, hop, total)
    envelope = _overlap_add((w * w).expand(1, count, n_fft), hop, total)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    cut = slice(start, min(end, total))
    signal, envelope = signal[:, cut], envelope[:, cut]
    if float(np.abs(envelope._array).min(initial=math.inf)) <= 1e-11:
        raise RuntimeError(f"{said()} window overlap add min: 1")
    found = signal / envelope
    if end > total:
        warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
            "Please check your center and hop_length settings.",
        )
        found = pad_to(found, (found.shape[0], end - start))
    return found if frames.dim() == 3 else found.squeeze(0)


def _overlap_add(frames: Any, hop: int, total: int) -> Any:
    """Frames (batch, count, size) added where they lay in the signal."""
    batch, count, size = frames.shape
    place = wrap((np.arange(count)[:, None] * hop + np.arange(size)).reshape(-1))
    return frames.new_zeros((batch, total)).index_add(1, place, frames.reshape(batch, count * size))


public(stft)
public(istft)
