"""Optimisers, clipping of gradients, learning-rate schedules, averages of parameters; named as in torch.optim.

>>> w = zen.tensor([3.0, -1.0], requires_grad=True)
>>> opt = zen.optim.Adam([w], lr=0.1)
>>> for _ in range(200):
...     opt.zero_grad()
...     loss = ((w - 1) ** 2).sum()
...     loss.backward()
...     opt.step()
>>> bool(loss.item() < 1e-3)
True
"""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from . import lr_scheduler as lr_scheduler
from .adadelta import Adadelta as Adadelta
from .adafactor import Adafactor as Adafactor
from .adagrad import Adagrad as Adagrad
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .adamax import Adamax as Adamax
from .asgd import ASGD as ASGD
from .averaging import ExponentialMovingAverage as ExponentialMovingAverage
from .clipping import clip_grad_norm_ as clip_grad_norm_
from .clipping import clip_grad_value_ as clip_grad_value_
from .clipping import clip_grads_with_norm_ as clip_grads_with_norm_
from .clipping import get_total_norm as get_total_norm
from .lbfgs import LBFGS as LBFGS
from .lion import Lion as Lion
from .muon import Muon as Muon
from .nadam import NAdam as NAdam
from .optimizer import Optimizer as Optimizer
from .radam import RAdam as RAdam
from .rmsprop import RMSprop as RMSprop
from .rprop import Rprop as Rprop
from .sgd import SGD as SGD

if not TYPE_CHECKING:  # which reads the imports above, and knows of no other names
    __all__, __dir__ = _shown(globals(), ("lr_scheduler",))

    def __getattr__(name: str) -> object:
        from ..habits import missing

        advice = {"swa_utils": "zen.optim.ExponentialMovingAverage", "clip_grad_norm": "zen.optim.clip_grad_norm_",
                  "SparseAdam": "zen.optim.Adam, as gradients are dense"}  # fmt: skip
        raise missing(__name__, name, globals()["__all__"], advice)
