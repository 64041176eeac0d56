"""Discrete Fourier transforms under the names of numpy.fft: `zen.fft.rfft(x)`.

Differentiable by real and complex numbers, to any order; `np.fft.rfft(t)` of a Tensor is the same.
"""

from typing import TYPE_CHECKING

from .exports import HOMES
from .habits import elsewhere, missing
from .ops.fft import fft, fft2, fftn, ifft, ifft2, ifftn
from .ops.fft_real import (
    fftfreq,
    fftshift,
    hfft,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftfreq,
    rfftn,
)  # fmt: skip

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
__dir__ = __all__.copy
HOMES[__name__] = __all__


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        raise missing(__name__, name, __all__, elsewhere(name))
