"""Picks, once at import, the build of the kernels that suits the processor.

ZEN_SIMD=base|avx2|avx512 overrides the choice downwards; a processor that lacks the set is never given it. The kernels
of complex operands are loaded when one is first asked for.
"""

import os

cimport numpy as cnp
from zen._core._dtypes cimport width_of
from zen._core._types cimport kernel_t

cnp.import_array()

cdef extern from *:
    """
    #ifdef ZEN_VARIANTS  /* setup.py built more than the plain kernels */
    static int zen_simd_level(void) {
        __builtin_cpu_init();
        if (ZEN_VARIANTS > 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return 2;
        return __builtin_cpu_supports("avx2") ? 1 : 0;
    }
    #else
    static int zen_simd_level(void) { return 0; }
    #endif
    """
    int zen_simd_level()

_NAMES = ("base", "avx2", "avx512")
cdef dict _table = {}
cdef dict _tangents = {}
cdef dict _complex = {}
cdef kernel_t _identity[4]


def _choose():
    level = zen_simd_level()
    wanted = os.environ.get("ZEN_SIMD")
    if wanted is not None:
        if wanted not in _NAMES:
            raise ImportError(f"ZEN_SIMD={wanted!r}: expected one of {', '.join(_NAMES)}")
        level = min(level, _NAMES.index(wanted))
    if level == 2:
        from zen._core import _kernels_avx512 as module
    elif level == 1:
        from zen._core import _kernels_avx2 as module
    else:
        from zen._core import _kernels_base as module
    return _NAMES[level], module


simd, _module = _choose()
_table.update(_module.kernels())
_tangents.update(_module.tangents())
_module.enter(<size_t>&kernels)
_identity[0] = <kernel_t><void*><size_t>_table["positive"][0][1]
_identity[1] = <kernel_t><void*><size_t>_table["positive"][0][2]


def find(str name):
    """The kernels of row `name` as ((reads, float, double), vjps), or None. Addresses as integers."""
    return _table.get(name)


def find_tangent(str name):
    """The kernels of row `name` for what its first two differentiable arguments give to the tangent.

    (slot of the second's tangent, reads, float, double); the first's is in the cotangent's slot. None for other rows.
    """
    return _tangents.get(name)


def find_complex(str name):
    """The complex kernels of row `name` as (forward, vjps, tangent, whether its result is real), or None.

    Each is (reads, complex64, complex128), the tangent's behind the slot of the second tangent; addresses as integers,
    0 where there is none.
    """
    if not _complex:
        _load_complex()
    return _complex.get(name)


def _load_complex():
    global has_complex
    if simd == "base":
        from zen._core import _kernels_complex_base as module
    else:
        from zen._core import _kernels_complex_avx2 as module
    _complex.update(module.kernels())
    _identity[2] = <kernel_t><void*><size_t>_complex["positive"][0][1]
    _identity[3] = <kernel_t><void*><size_t>_complex["positive"][0][2]
    has_complex = True


cdef bint is_identity(kernel_t kernel) noexcept nogil:
    # Of real numbers.
    return kernel == _identity[0] or kernel == _identity[1]


cdef kernel_t identity_kernel(int typenum) noexcept:
    # out = a: copies, adds or sums, as the mode says.
    return _identity[width_of(typenum)]
