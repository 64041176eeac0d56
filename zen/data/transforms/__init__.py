"""Transforms for images, as torchvision names them.

An image is an ndarray of shape (H, W) or, with channels last, (H, W, C), as files and cameras give them; or a Tensor of
shape (H, W) or, with channels first, (C, H, W), as layers take them. `ToTensor` leads from the one to the other. The
keyword `channels="first"` is for ndarrays of shape (C, H, W). Transforms return what they were given, an ndarray or a
Tensor, never write to it, and may return a view of it. A Tensor that requires a gradient raises RuntimeError.

Random transforms take `generator` or `seed`. In a DataLoader their numbers depend on the seed, the epoch and the place
of the sample in it alone, so they are the same with any number of workers.
"""

from typing import TYPE_CHECKING

from ...exports import shown as _shown
from .base import Compose as Compose
from .base import ImageTransform as ImageTransform
from .base import Lambda as Lambda
from .base import RandomTransform as RandomTransform
from .base import Transform as Transform
from .crop import CenterCrop as CenterCrop
from .crop import Pad as Pad
from .crop import RandomCrop as RandomCrop
from .crop import RandomHorizontalFlip as RandomHorizontalFlip
from .crop import RandomVerticalFlip as RandomVerticalFlip
from .resample import RandomAffine as RandomAffine
from .resample import RandomRotation as RandomRotation
from .resample import Resize as Resize
from .values import GaussianNoise as GaussianNoise
from .values import Normalize as Normalize
from .values import RandomErasing as RandomErasing
from .values import ToTensor as ToTensor

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
