"""Derivatives of functions: reverse mode, forward mode, and operations with a derivative of the user's own."""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from .custom import custom_vjp as custom_vjp
from .forward import jvp as jvp
from .reverse import grad as grad
from .reverse import gradients as gradients
from .reverse import value_and_grad as value_and_grad
from .reverse import vjp as vjp

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
