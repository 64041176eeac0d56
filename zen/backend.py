"""Picks the engine: ZEN_BACKEND=compiled (the default) or reference. Both export the names below.

The rest of zen imports the engine from here only. A missing extension is an error, never a silent change of engine.

`install(**hooks)` gives the engine what it may call back on higher floors:

    convert(value, dtype=None)      ndarray of a value, with zen's errors        zen/conversion.py
    connected(value, trainable)     Tensor of nested Tensors, or None            zen/ops/data.py
    to_float(t)                     what float(t) returns                        zen/conversion.py
    setitem(t, key, value), inplace(t, row, other), resync(t)                    zen/attached/inplace.py
    overwritten(array, seq)         which operation overwrote a saved value      zen/writes.py
    note(array, seq, name)          enters a write into the log                  zen/attached/inplace.py
    repr(t)                         text of a Tensor                             zen/attached/members.py
    getitem(t, key)                 a part, for any key                          zen/ops/indexing.py
    operators, arrays, tensors      see zen/ops/register.py                      zen/ops
    batched, apply_batched(row, inputs, params): values of all examples of a vmap, and what rows make of them
                                                                                 zen/batching
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .exports import shown as _shown

_wanted = os.environ.get("ZEN_BACKEND", "compiled")

if not TYPE_CHECKING and _wanted == "reference":
    from ._reference import NAME as NAME
    from ._reference import Caller as Caller
    from ._reference import GradMode as GradMode
    from ._reference import Leaves as Leaves
    from ._reference import Machine as Machine
    from ._reference import Node as Node
    from ._reference import Row as Row
    from ._reference import Shaped as Shaped
    from ._reference import Signature as Signature
    from ._reference import Tensor as Tensor
    from ._reference import Watch as Watch
    from ._reference import applied as applied
    from ._reference import apply as apply
    from ._reference import attach as attach
    from ._reference import binary as binary
    from ._reference import borrow as borrow
    from ._reference import call_recording as call_recording
    from ._reference import call_tracing as call_tracing
    from ._reference import digest as digest
    from ._reference import grad_enabled as grad_enabled
    from ._reference import install as install
    from ._reference import kernels as kernels
    from ._reference import leaf as leaf
    from ._reference import matched as matched
    from ._reference import next_seq as next_seq
    from ._reference import note_write as note_write
    from ._reference import push as push
    from ._reference import rebuild as rebuild
    from ._reference import record as record
    from ._reference import record_passes as record_passes
    from ._reference import recorded as recorded
    from ._reference import renew as renew
    from ._reference import revived as revived
    from ._reference import run as run
    from ._reference import set_grad_enabled as set_grad_enabled
    from ._reference import settle as settle
    from ._reference import sharers as sharers
    from ._reference import tracer as tracer
    from ._reference import transform as transform
    from ._reference import twin as twin
    from ._reference import ufunc as ufunc
    from ._reference import unary as unary
    from ._reference import unbroadcast as unbroadcast
    from ._reference import verify_saved as verify_saved
    from ._reference import wrap as wrap
    from ._reference import write_plain as write_plain
elif TYPE_CHECKING or _wanted == "compiled":
    try:
        from ._core import NAME as NAME
        from ._core import Caller as Caller
        from ._core import GradMode as GradMode
        from ._core import Leaves as Leaves
        from ._core import Machine as Machine
        from ._core import Node as Node
        from ._core import Row as Row
        from ._core import Shaped as Shaped
        from ._core import Signature as Signature
        from ._core import Tensor as Tensor
        from ._core import Watch as Watch
        from ._core import applied as applied
        from ._core import apply as apply
        from ._core import attach as attach
        from ._core import binary as binary
        from ._core import borrow as borrow
        from ._core import call_recording as call_recording
        from ._core import call_tracing as call_tracing
        from ._core import digest as digest
        from ._core import grad_enabled as grad_enabled
        from ._core import install as install
        from ._core import kernels as kernels
        from ._core import leaf as leaf
        from ._core import matched as matched
        from ._core import next_seq as next_seq
        from ._core import note_write as note_write
        from ._core import push as push
        from ._core import rebuild as rebuild
        from ._core import record as record
        from ._core import record_passes as record_passes
        from ._core import recorded as recorded
        from ._core import renew as renew
        from ._core import revived as revived
        from ._core import run as run
        from ._core import set_grad_enabled as set_grad_enabled
        from ._core import settle as settle
        from ._core import sharers as sharers
        from ._core import tracer as tracer
        from ._core import transform as transform
        from ._core import twin as twin
        from ._core import ufunc as ufunc
        from ._core import unary as unary
        from ._core import unbroadcast as unbroadcast
        from ._core import verify_saved as verify_saved
        from ._core import wrap as wrap
        from ._core import write_plain as write_plain
    except ImportError as error:
        raise ImportError(
            f"zen's compiled engine is missing or does not load ({error}). Build it with `pip install .` (in a "
            "checkout: `pip install -e .`), or set ZEN_BACKEND=reference for the slower engine in pure NumPy"
        ) from error
else:
    raise ImportError(f"ZEN_BACKEND is {_wanted!r}; it must be 'compiled' or 'reference'")

if not TYPE_CHECKING:
    __all__, __dir__ = _shown(globals())
