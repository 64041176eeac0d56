"""The compiled engine. Exports the same names as zen/_reference; zen/backend.py picks one of the two.

Order of the modules, each using those before it: _types, _views, _loops, _blocks, _blocks_complex, _kernels_*,
_dispatch, _memory, _guard, _broadcast, _blas, _factor, _tensor, _record, _engine, _differentiable, _operations,
_leaves, _program, _watch, _caller.
"""

from . import _operations as _operations
from . import kernels as kernels
from ._blas import blas as blas
from ._broadcast import unbroadcast as unbroadcast
from ._caller import Caller as Caller
from ._caller import Signature as Signature
from ._differentiable import revived as revived
from ._dispatch import simd as simd
from ._engine import push as push
from ._engine import record_passes as record_passes
from ._engine import run as run
from ._engine import twin as twin
from ._engine import verify_saved as verify_saved
from ._guard import digest as digest
from ._guard import renew as renew
from ._guard import settle as settle
from ._leaves import Leaves as Leaves
from ._leaves import matched as matched
from ._leaves import rebuild as rebuild
from ._leaves import transform as transform
from ._memory import empty_cache as empty_cache
from ._program import Machine as Machine
from ._record import applied as applied
from ._record import apply as apply
from ._record import binary as binary
from ._record import record as record
from ._record import ufunc as ufunc
from ._record import unary as unary
from ._record import write_plain as write_plain
from ._tensor import GradMode as GradMode
from ._tensor import Node as Node
from ._tensor import Row as Row
from ._tensor import Shaped as Shaped
from ._tensor import Tensor as Tensor
from ._tensor import attach as attach
from ._tensor import borrow as borrow
from ._tensor import call_recording as call_recording
from ._tensor import call_tracing as call_tracing
from ._tensor import grad_enabled as grad_enabled
from ._tensor import install as install
from ._tensor import leaf as leaf
from ._tensor import next_seq as next_seq
from ._tensor import note_write as note_write
from ._tensor import recorded as recorded
from ._tensor import set_grad_enabled as set_grad_enabled
from ._tensor import sharers as sharers
from ._tensor import tracer as tracer
from ._tensor import wrap as wrap
from ._watch import Watch as Watch

NAME = "compiled"
