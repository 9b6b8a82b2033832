"""Samples of the short-time Fourier transform."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator


@operator("stft")
def _stft(make):
    yield Sample(make(20), 8, return_complex=True)
    yield Sample(make(2, 20), 8, 4, 6, np.hanning(8)[1:7], center=False, return_complex=True)


@operator("istft")
def _istft(make):
    yield Sample(make.complex(5, 6), 8, window=np.ones(8))
