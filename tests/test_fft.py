"""`torch.fft` and the short-time transform: inverses, adjoints, refusals and messages (samples are in samples_namespaces.py)."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import rushlight as rl

RNG = np.random.default_rng(5)


def real(*shape):
    return rl.from_numpy(RNG.standard_normal(shape))


def complex_(*shape):
    return rl.from_numpy(RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape))


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
def test_inverses_invert(norm):
    x, z = real(4, 5, 6), complex_(4, 5, 6)
    pairs = [
        (rl.fft.ifft(rl.fft.fft(z, norm=norm), norm=norm), z),
        (rl.fft.ifftn(rl.fft.fftn(z, norm=norm), norm=norm), z),
        (rl.fft.irfft(rl.fft.rfft(x, norm=norm), 6, norm=norm), x),
        (rl.fft.irfftn(rl.fft.rfftn(x, norm=norm), (4, 5, 6), norm=norm), x),
        (rl.fft.hfft(rl.fft.ihfft(x, norm=norm), 6, norm=norm), x),
        (rl.fft.hfftn(rl.fft.ihfftn(x, norm=norm), (4, 5, 6), norm=norm), x),
        (rl.fft.ifftshift(rl.fft.fftshift(x)), x),
    ]
    for got, wanted in pairs:
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-12)


@pytest.mark.parametrize("n", [4, 5])
def test_gradients_are_adjoints(n):
    """<F x, y> = <x, F* y>, for the transforms between real and half-complex tensors of even and odd length."""
    x = real(3, n).requires_grad_()
    y = rl.fft.rfft(x)
    g = complex_(*y.shape)
    (found,) = rl.autograd.grad(y, x, g)
    left = (y.detach() * g.conj()).real.sum()
    np.testing.assert_allclose((x.detach() * found).sum().item(), left.item(), rtol=1e-12)
    z = complex_(3, n // 2 + 1).requires_grad_()
    w = rl.fft.irfft(z, n)
    h = real(*w.shape)
    (found,) = rl.autograd.grad(w, z, h)
    np.testing.assert_allclose((z.detach() * found.conj()).real.sum().item(), (w.detach() * h).sum().item(), rtol=1e-12)


def test_single_precision_stays_single():
    assert rl.fft.fft(rl.ones(4)).dtype is rl.complex64
    assert rl.fft.irfft(rl.ones(4, dtype=rl.complex64)).dtype is rl.float32
    assert rl.fft.fft(rl.arange(4)).dtype is rl.complex64
    assert rl.fft.fftfreq(4).dtype is rl.float32


@pytest.mark.parametrize("window", ["hann_window", "hamming_window"])
@pytest.mark.parametrize("length", [None, 60])
def test_short_time_transform_comes_back(window, length):
    x = real(2, 64)
    w = getattr(rl, window)(16, dtype=rl.float64)
    spectrum = rl.stft(x, 16, 4, window=w, return_complex=True)
    back = rl.istft(spectrum, 16, 4, window=w, length=length)
    assert tuple(spectrum.shape) == (2, 9, 17)
    np.testing.assert_allclose(back.numpy(), x.numpy()[:, : length or 64], atol=1e-12)


def test_a_missing_window_is_warned_of():
    with pytest.warns(UserWarning, match="A window was not provided"):
        rl.stft(real(20), 8, return_complex=True)


REFUSED = [
    lambda t: t.fft.fft(t.ones(4), n=0),
    lambda t: t.fft.fft(t.ones(4), norm="x"),
    lambda t: t.fft.fft(t.tensor(1.0)),
    lambda t: t.fft.fft(t.ones(4).half()),
    lambda t: t.fft.fft(t.ones(4), dim=2),
    lambda t: t.fft.rfft(t.ones(4, dtype=t.complex64)),
    lambda t: t.fft.ihfft(t.ones(4, dtype=t.complex64)),
    lambda t: t.fft.rfftn(t.ones(4, dtype=t.complex64)),
    lambda t: t.fft.fftn(t.ones(2, 2), s=(2, 2), dim=(0,)),
    lambda t: t.fft.fftn(t.ones(2, 2), s=(2, 2, 2)),
    lambda t: t.fft.fftn(t.ones(2, 2), dim=(0, 0)),
    lambda t: t.fft.rfftn(t.ones(2, 2), dim=()),
    lambda t: t.fft.irfft(t.ones(1, dtype=t.complex64)),
    lambda t: t.fft.fftfreq(4, dtype=t.int64),
    lambda t: t.stft(t.ones(10), 4),
    lambda t: t.stft(t.ones(10), 40, return_complex=True, center=False),
    lambda t: t.stft(t.ones(10), 4, hop_length=0, return_complex=True),
    lambda t: t.stft(t.ones(10), 4, win_length=2, window=t.ones(3), return_complex=True),
    lambda t: t.istft(t.ones(3, 4), 4),
    lambda t: t.istft(t.ones(3, 4, dtype=t.complex64), 4, window=t.zeros(4)),
    lambda t: t.signal.windows.hann(-1),
    lambda t: t.signal.windows.hann(5, dtype=t.int64),
    lambda t: t.signal.windows.exponential(5, center=1),
    lambda t: t.signal.windows.exponential(5, tau=0),
    lambda t: t.signal.windows.gaussian(5, std=-1),
    lambda t: t.signal.windows.kaiser(5, beta=-1),
    lambda t: t.signal.windows.general_cosine(5, a=[]),
    lambda t: t.signal.windows.general_cosine(5, a=1),
    lambda t: t.hann_window(-1),
    lambda t: t.hann_window(5, dtype=t.complex64),
]


@pytest.mark.oracle
@pytest.mark.parametrize(
    "call", REFUSED, ids=[inspect.getsource(c).strip().removeprefix("lambda t: ") for c in REFUSED]
)
def test_refusals_are_pytorchs(call):
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:
            call(torch)
        with pytest.raises(Exception) as mine:
            call(rl)
    assert type(mine.value) is type(theirs.value)
    assert str(mine.value).split("\n")[0] == str(theirs.value).split("\n")[0]


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_windows_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    for size in (0, 1, 2, 5, 16):
        for periodic in (False, True):
            mine = getattr(rl, f"{name}_window")(size, periodic, dtype=rl.float64)
            theirs = getattr(torch, f"{name}_window")(size, periodic, dtype=torch.float64)
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=1e-12)
