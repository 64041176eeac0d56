"""The reference engine in plain NumPy. Exports the same names as zen/_core; zen/backend.py picks one of the two.

Written to be read: state, guard (memory that others write to), rows, node, tensor, recording (one operation),
broadcast, demands (passes that have to record themselves), revival (what nodes saved, as Tensors), backward (the pass),
forward (tangents), leaves (arguments of transforms), program and caller (replay), each using only those before it.
"""

from . import kernels as kernels
from .backward import run as run
from .backward import verify_saved as verify_saved
from .broadcast import unbroadcast as unbroadcast
from .caller import Caller as Caller
from .caller import Signature as Signature
from .caller import Watch as Watch
from .demands import record_passes as record_passes
from .forward import push as push
from .guard import borrow as borrow
from .guard import digest as digest
from .guard import renew as renew
from .guard import settle as settle
from .guard import sharers as sharers
from .leaves import Leaves as Leaves
from .leaves import matched as matched
from .leaves import rebuild as rebuild
from .leaves import transform as transform
from .node import Node as Node
from .program import Machine as Machine
from .recording import applied as applied
from .recording import apply as apply
from .recording import binary as binary
from .recording import record as record
from .recording import ufunc as ufunc
from .recording import unary as unary
from .recording import write_plain as write_plain
from .revival import revived as revived
from .rows import Row as Row
from .rows import Shaped as Shaped
from .state import GradMode as GradMode
from .state import call_recording as call_recording
from .state import call_tracing as call_tracing
from .state import grad_enabled as grad_enabled
from .state import install as install
from .state import next_seq as next_seq
from .state import note_write as note_write
from .state import recorded as recorded
from .state import set_grad_enabled as set_grad_enabled
from .state import tracer as tracer
from .tensor import Tensor as Tensor
from .tensor import attach as attach
from .tensor import leaf as leaf
from .tensor import twin as twin
from .tensor import wrap as wrap

NAME = "reference"
