"""Learning-rate schedules, as torch.optim.lr_scheduler: call `step()` once after each epoch (or batch) of training.

>>> w = zen.tensor([1.0], requires_grad=True)
>>> opt = zen.optim.SGD([w], lr=0.8)
>>> schedule = zen.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
>>> for _ in range(2):
...     opt.step()
...     schedule.step()
>>> schedule.get_last_lr()
[0.2]
"""

from typing import TYPE_CHECKING

from ...exports import shown as _shown
from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cycle import CyclicLR as CyclicLR
from .cycle import OneCycleLR as OneCycleLR
from .decay import ConstantLR as ConstantLR
from .decay import ExponentialLR as ExponentialLR
from .decay import LambdaLR as LambdaLR
from .decay import LinearLR as LinearLR
from .decay import MultiplicativeLR as MultiplicativeLR
from .decay import MultiStepLR as MultiStepLR
from .decay import PolynomialLR as PolynomialLR
from .decay import StepLR as StepLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .scheduler import LRScheduler as LRScheduler
from .sequential import ChainedScheduler as ChainedScheduler
from .sequential import SequentialLR as SequentialLR

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
