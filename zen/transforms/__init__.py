"""Derivatives of functions: reverse mode, forward mode, and operations with a derivative of the user's own."""

from .custom import custom_vjp as custom_vjp
from .forward import jvp as jvp
from .reverse import grad as grad
from .reverse import gradients as gradients
from .reverse import value_and_grad as value_and_grad
from .reverse import vjp as vjp
