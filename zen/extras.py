"""The optional libraries, by the extra of pyproject.toml that lists them, and the error where one is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

EXTRAS = {
    "fit": "tqdm matplotlib",
    "save": "safetensors",
    "data": "pandas pyarrow",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "optimize": "scipy tqdm",
    "draw": "matplotlib pygraphviz",
}


def missing(error: ImportError, what: str, library: str, extra: str, otherwise: str = "") -> ImportError:
    """The error to raise where `what` (a function of zen's) could not import `library`, with the remedy.

    The libraries are named one by one: zen itself need not come from an index.
    """
    if not isinstance(error, ModuleNotFoundError):
        return ImportError(f"{what} needs {library}, which is installed but does not load: {error}")
    return ImportError(
        f"{what} needs {library}: pip install {EXTRAS[extra]} (the extra {extra!r}; in a checkout: "
        f"pip install '.[{extra}]'){otherwise}"
    )


def scipy_module(name: str, what: str, extra: str = "scipy", otherwise: str = "") -> Any:
    """The module `scipy.<name>`, imported on first use; ImportError with the remedy where SciPy is missing."""
    try:
        return import_module(f"scipy.{name}")
    except ImportError as error:
        raise missing(error, what, "SciPy", extra, otherwise) from error
