"""Arrays for results and gradients. Called by every compiled module that makes an array.

Small arrays come from NumPy. A large block costs its page faults each time the C library returns it to the system,
which is as much as a pass over the data; so large blocks are kept and used again. At most CACHE_BYTES are kept.
"""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.string cimport memcpy, memset
cimport numpy as cnp
from numpy cimport ndarray
import numpy as np
from zen._core._dtypes cimport is_differentiable, item_of
from zen._core._types cimport MAXDIMS

cnp.import_array()

cdef extern from *:
    """
    #include <stdlib.h>
    #ifdef _WIN32
    #include <malloc.h>
    static void* zen_aligned(size_t n) { return _aligned_malloc(n, 64); }
    static void zen_aligned_free(void* p) { _aligned_free(p); }
    #else
    #include <sys/mman.h>
    #define ZEN_HUGE ((size_t)1 << 21)
    static void* zen_aligned(size_t n) {
        void* p = NULL;
        if (posix_memalign(&p, n >= ZEN_HUGE ? ZEN_HUGE : 64, n)) return NULL;
    #ifdef MADV_HUGEPAGE
        if (n >= ZEN_HUGE) madvise(p, n, MADV_HUGEPAGE);  /* a hint: fewer page faults and TLB misses */
    #endif
        return p;
    }
    static void zen_aligned_free(void* p) { free(p); }
    #endif
    """
    void* zen_aligned(size_t n) nogil
    void zen_aligned_free(void* p) nogil

cdef extern from *:
    """
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    #define ZEN_BASE(p) ((PyObject*)PyArray_BASE((PyArrayObject*)(p)))
    #define ZEN_CARRAY(p) PyArray_ISCARRAY((PyArrayObject*)(p))
    #define ZEN_CARRAY_RO(p) PyArray_ISCARRAY_RO((PyArrayObject*)(p))
    #define ZEN_OWNS(p) PyArray_CHKFLAGS((PyArrayObject*)(p), NPY_ARRAY_OWNDATA)
    /* What PyArray_EMPTY calls, for dtypes whose elements need no start. */
    #define zen_new(typenum, nd, dims, strides) PyArray_NewFromDescr( \
        &PyArray_Type, PyArray_DescrFromType(typenum), nd, dims, strides, NULL, 0, NULL)
    """
    object zen_new(int typenum, int nd, cnp.npy_intp* dims, cnp.npy_intp* strides)
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept
    PyObject* ZEN_BASE(PyObject*) noexcept
    bint ZEN_CARRAY(PyObject*) noexcept
    bint ZEN_CARRAY_RO(PyObject*) noexcept
    bint ZEN_OWNS(PyObject*) noexcept

cdef enum:
    LARGE = 1 << 16            # bytes; measured: below this NumPy's allocator is as fast
    CACHE_BLOCKS = 64
    HUGE = 1 << 21

cdef size_t CACHE_BYTES = 256 << 20

# Free blocks, oldest first. Guarded by the GIL.
cdef void* cached[CACHE_BLOCKS]
cdef size_t sizes[CACHE_BLOCKS]
cdef int count = 0
cdef size_t held = 0


cdef void drop_oldest() noexcept:
    global count, held
    cdef int k
    zen_aligned_free(cached[0])
    held -= sizes[0]
    count -= 1
    for k in range(count):
        cached[k] = cached[k + 1]
        sizes[k] = sizes[k + 1]


cdef void* take(size_t nbytes) noexcept:
    # The newest block of just this size: its memory is the likeliest to be in a cache of the processor.
    global count, held
    cdef int k, j
    cdef void* found
    for k in range(count - 1, -1, -1):
        if sizes[k] == nbytes:
            found = cached[k]
            held -= nbytes
            count -= 1
            for j in range(k, count):
                cached[j] = cached[j + 1]
                sizes[j] = sizes[j + 1]
            return found
    found = zen_aligned(nbytes)
    while found == NULL and count > 0:
        drop_oldest()
        found = zen_aligned(nbytes)
    return found


cdef void give_back(void* data, size_t nbytes) noexcept:
    global count, held
    if nbytes > CACHE_BYTES // 4:
        zen_aligned_free(data)
        return
    while count > 0 and (count == CACHE_BLOCKS or held + nbytes > CACHE_BYTES):
        drop_oldest()
    cached[count] = data
    sizes[count] = nbytes
    count += 1
    held += nbytes


@cython.final
@cython.freelist(64)
cdef class Buffer:
    """Owns one large block; the base object of the array that uses it."""

    def __dealloc__(self):
        if self.data != NULL:
            give_back(self.data, self.nbytes)


def empty_cache():
    """Return the kept blocks to the C library; returns the number of bytes."""
    cdef size_t before = held
    while count > 0:
        drop_oldest()
    return before


cdef size_t round_up(size_t nbytes) noexcept:
    # To pages; from 2 MiB on to huge pages, which the system may then use throughout.
    cdef size_t step = 4096 if nbytes < HUGE else HUGE
    return (nbytes + step - 1) // step * step


cdef ndarray new_array(int nd, const Py_ssize_t* dims, int typenum):
    # An uninitialised C-contiguous array of a dtype that may have gradients.
    return new_strided(nd, dims, typenum, NULL)


def empty(tuple shape not None, dtype not None):
    """An uninitialised array, if it may have gradients from the memory that is kept for results."""
    cdef Py_ssize_t dims[MAXDIMS]
    cdef int k, nd = len(shape), typenum = dtype.num
    if not is_differentiable(typenum) or not dtype.isnative or nd > MAXDIMS or min(shape, default=0) < 0:
        return np.empty(shape, dtype)
    for k in range(nd):
        dims[k] = shape[k]
    return new_array(nd, dims, typenum)


cdef ndarray new_ordered(int nd, const Py_ssize_t* dims, int typenum, const int* order):
    # The same without gaps in another order of memory: `order` names the axes, that of the closest elements first.
    cdef Py_ssize_t strides[MAXDIMS]
    cdef Py_ssize_t step = item_of(typenum)
    cdef int k
    for k in range(nd):
        strides[order[k]] = step
        step *= max(dims[order[k]], 1)
    return new_strided(nd, dims, typenum, strides)


cdef ndarray new_strided(int nd, const Py_ssize_t* dims, int typenum, const Py_ssize_t* strides):
    cdef size_t nbytes = item_of(typenum), length
    cdef int k
    cdef Buffer buffer
    cdef ndarray a
    for k in range(nd):
        length = <size_t>dims[k]
        # Two small factors need no division, which takes as long as all else here.
        if (nbytes | length) >> 31 != 0 and length != 0 and nbytes > (<size_t>1 << 62) // length:
            raise ValueError(f"the result's shape {tuple([dims[j] for j in range(nd)])} is too large for memory")
        nbytes *= length
    if nbytes < LARGE:
        return zen_new(typenum, nd, <cnp.npy_intp*>dims, <cnp.npy_intp*>strides)
    buffer = Buffer.__new__(Buffer)
    buffer.nbytes = round_up(nbytes)
    buffer.data = take(buffer.nbytes)
    if buffer.data == NULL:
        raise MemoryError(f"no memory for a result of shape {tuple([dims[k] for k in range(nd)])}: {nbytes} bytes")
    a = cnp.PyArray_New(
        ndarray, nd, <cnp.npy_intp*>dims, typenum, <cnp.npy_intp*>strides, buffer.data, 0, cnp.NPY_ARRAY_CARRAY,
        <object>NULL)
    Py_INCREF(buffer)
    cnp.PyArray_SetBaseObject(a, buffer)
    return a


cdef ndarray new_zeros(int nd, const Py_ssize_t* dims, int typenum):
    cdef ndarray a = new_array(nd, dims, typenum)
    memset(cnp.PyArray_DATA(a), 0, cnp.PyArray_NBYTES(a))
    return a


cdef ndarray number(double value, int typenum):
    # A 0-d array of float or double.
    cdef ndarray a = zen_new(typenum, 0, NULL, NULL)
    if typenum == cnp.NPY_FLOAT:
        (<float*>cnp.PyArray_DATA(a))[0] = <float>value
    else:
        (<double*>cnp.PyArray_DATA(a))[0] = value
    return a


cdef ndarray contiguous(ndarray a):
    # The same values in an array of our own: C-contiguous, writeable.
    cdef ndarray out = new_array(cnp.PyArray_NDIM(a), <Py_ssize_t*>cnp.PyArray_DIMS(a), cnp.PyArray_TYPE(a))
    if cnp.PyArray_NBYTES(a) < LARGE and ZEN_CARRAY_RO(<PyObject*>a):
        memcpy(cnp.PyArray_DATA(out), cnp.PyArray_DATA(a), cnp.PyArray_NBYTES(a))
    else:
        cnp.PyArray_CopyInto(out, a)
    return out


cdef bint is_exclusive(PyObject* a) noexcept:
    # Whether the caller's reference to this array is the only way to its memory, so that it may be written. Takes a
    # pointer: a Python reference would itself be counted.
    cdef PyObject* base
    if ZEN_REFCNT(a) != 1 or not ZEN_CARRAY(a):
        return False
    base = ZEN_BASE(a)
    if base == NULL:
        return ZEN_OWNS(a)
    return ZEN_REFCNT(base) == 1 and type(<object>base) is Buffer


cdef bint is_constant(ndarray a) noexcept:
    # One value seen everywhere: every axis longer than one has stride 0.
    cdef int k
    for k in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIMS(a)[k] > 1 and cnp.PyArray_STRIDES(a)[k] != 0:
            return False
    return True


cdef bint same_shape(ndarray a, ndarray b) noexcept:
    cdef int k, nd = cnp.PyArray_NDIM(a)
    if nd != cnp.PyArray_NDIM(b):
        return False
    for k in range(nd):
        if cnp.PyArray_DIMS(a)[k] != cnp.PyArray_DIMS(b)[k]:
            return False
    return True
