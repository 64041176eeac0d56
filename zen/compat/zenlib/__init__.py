"""The "Zen Deep Learning Library" of the blog series of that name, on zen's engine: `autodiff`, `nn`, `optim`, `loss`.

Programs written for it import those four modules by bare name. Put these in their place first:

>>> import sys
>>> from zen.compat import zenlib
>>> for name in ("autodiff", "loss", "nn", "optim"):
...     sys.modules[name] = getattr(zenlib, name)
>>> import autodiff as ad
>>> a, b = ad.Tensor(10), ad.Tensor(5)
>>> d = (a * b) ** 2
>>> d.get_gradients()
>>> print(a.gradient, b.gradient)
500.0 1000.0

Each module's docstring lists the original's bugs that are fixed here, by the names of their tests in
`tests/compat/test_zenlib_*.py`, and the conventions that were kept.
"""

from typing import TYPE_CHECKING

from ...exports import shown as _shown
from . import autodiff as autodiff
from . import loss as loss
from . import nn as nn
from . import optim as optim

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals(), ("autodiff", "loss", "nn", "optim"))
