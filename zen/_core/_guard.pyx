"""Who else can write to memory that a graph needs. Called by _record for what a node saves, by _engine before it is
read, by _tensor for arrays that enter and leave.

The engine knows its own writes (zen/writes.py). NumPy writes where it likes, so memory is told apart by who can reach
it, which the base of an array says:

- own: nobody outside has an ndarray on it. It is saved by reference.
- borrowed: it came from outside, as an operand or as the memory of a Tensor (`Borrowed`), and somebody still holds it.
- lent: the engine's own, while an ndarray on it is outside (`Loan`).

Of borrowed and lent memory a node saves a copy, up to COPIED bytes and of integers always (they index memory later),
and else a view of its own under a `Watch`, with a fingerprint that is compared when the value is read. A copy gives the
right gradient, a changed fingerprint an error. What was saved before the memory was lent is covered by a fingerprint of
the loan; a loan that ends looks whether it was written to, and enters that into the log of writes.

A fingerprint reads every byte up to 1 MiB; beyond that a line of 64 bytes in each 4096, and of rows with gaps an
element in 61.
"""

cimport cython
from cpython.object cimport PyObject
cimport numpy as cnp
from numpy cimport ndarray
from zen._core._dtypes cimport has_kernels, is_inexact
from zen._core._memory cimport Buffer, contiguous, is_exclusive

cnp.import_array()

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #include <numpy/arrayobject.h>
    #define ZEN_REFCNT(p) Py_REFCNT((PyObject*)(p))
    #define ZEN_BASE(p) ((PyObject*)PyArray_BASE((PyArrayObject*)(p)))
    #define ZEN_OWNS(p) PyArray_CHKFLAGS((PyArrayObject*)(p), NPY_ARRAY_OWNDATA)
    #define ZEN_WRITEABLE(p) PyArray_CHKFLAGS((PyArrayObject*)(p), NPY_ARRAY_WRITEABLE)
    #define ZEN_SAMPLED ((size_t)1 << 20)

    /* One step of a sum. Turned, because a product hands the sign of a word on to its own top bit alone: there two
       changes of sign would undo one another. */
    static uint64_t zen_step(uint64_t lane, uint64_t word) {
        lane = (lane ^ word) * 0x9E3779B97F4A7C15u;
        return (lane << 29) | (lane >> 35);
    }

    /* Eight sums side by side, each dependent on the order of its words. */
    static uint64_t zen_mix(uint64_t h, const char *p, size_t n) {
        uint64_t lane[8], w[8], last = 0;
        size_t k;
        int j;
        for (j = 0; j < 8; j++) lane[j] = h + j;
        for (k = 0; k + 64 <= n; k += 64) {
            memcpy(w, p + k, 64);
            for (j = 0; j < 8; j++) lane[j] = zen_step(lane[j], w[j]);
        }
        for (; k + 8 <= n; k += 8) {
            memcpy(w, p + k, 8);
            lane[(k >> 3) & 7] = zen_step(lane[(k >> 3) & 7], w[0]);
        }
        if (k < n) {
            memcpy(&last, p + k, n - k);
            lane[7] = zen_step(lane[7], last ^ ((uint64_t)n << 56));
        }
        for (j = 0; j < 8; j++) h = (h ^ (lane[j] >> 32) ^ lane[j]) * 0xD6E8FEB86659FD93u;
        return h;
    }

    /* `n` contiguous bytes; `sampled`: the first, the last, and a line of each page. */
    static uint64_t zen_run(uint64_t h, const char *p, size_t n, int sampled) {
        size_t page, line;
        if (!sampled || n <= 64) return zen_mix(h, p, n);
        if (n <= 8192) return zen_mix(h, p + (h >> 32) % (n - 63), 64);
        h = zen_mix(h, p, 64);
        for (page = 0; page + 4096 <= n; page += 4096) {
            line = (size_t)(((page >> 12) * 0x9E3779B97F4A7C15u) >> 58) << 6;
            h = zen_mix(h, p + page + line, 64);
        }
        return zen_mix(h, p + n - 64, 64);
    }

    static uint64_t zen_walk(uint64_t h, const char *p, int nd, const npy_intp *dims, const npy_intp *strides,
                             size_t item, int sampled) {
        npy_intp k = 0, step = 1;
        if (nd == 0) return zen_mix(h, p, item);
        if (nd == 1 && strides[0] == (npy_intp)item) return zen_run(h, p, item * (size_t)dims[0], sampled);
        if (nd == 1 && sampled) {  /* an element in 61, the first of them wherever the sum so far says */
            step = 61;
            k = (npy_intp)((h >> 32) % 61) % dims[0];
        }
        for (; k < dims[0]; k += step)
            h = zen_walk(h, p + k * strides[0], nd - 1, dims + 1, strides + 1, item, sampled);
        return h;
    }

    /* A view with a base of our choice: NumPy would put the end of a's bases there. */
    static PyObject *zen_header(PyObject *array, PyObject *base, int writeable) {
        PyArrayObject *a = (PyArrayObject *)array;
        PyObject *view;
        Py_INCREF(PyArray_DESCR(a));
        view = PyArray_NewFromDescr(&PyArray_Type, PyArray_DESCR(a), PyArray_NDIM(a), PyArray_DIMS(a),
                                    PyArray_STRIDES(a), PyArray_DATA(a), writeable ? NPY_ARRAY_WRITEABLE : 0, NULL);
        if (view == NULL) return NULL;
        Py_INCREF(base);
        if (PyArray_SetBaseObject((PyArrayObject *)view, base) < 0) {
            Py_DECREF(view);
            return NULL;
        }
        return view;
    }

    static uint64_t zen_sum_of(PyArrayObject *a, size_t n, int sampled) {
        if (n == 0) return 0;
        if (PyArray_ISONESEGMENT(a)) return zen_run(0, PyArray_BYTES(a), n, sampled);
        return zen_walk(0, PyArray_BYTES(a), PyArray_NDIM(a), PyArray_DIMS(a), PyArray_STRIDES(a),
                        (size_t)PyArray_ITEMSIZE(a), sampled);
    }

    static uint64_t zen_fingerprint(PyObject *array) {
        size_t n = (size_t)PyArray_NBYTES((PyArrayObject *)array);
        return zen_sum_of((PyArrayObject *)array, n, n > ZEN_SAMPLED);
    }

    static uint64_t zen_digest(PyObject *array) {
        return zen_sum_of((PyArrayObject *)array, (size_t)PyArray_NBYTES((PyArrayObject *)array), 0);
    }
    """
    ctypedef unsigned long long uint64_t
    Py_ssize_t ZEN_REFCNT(PyObject*) noexcept
    PyObject* ZEN_BASE(PyObject*) noexcept
    bint ZEN_OWNS(PyObject*) noexcept
    bint ZEN_WRITEABLE(PyObject*) noexcept
    uint64_t zen_fingerprint(PyObject*) noexcept
    uint64_t zen_digest(PyObject*) noexcept
    object zen_header(object array, object base, bint writeable)

cdef extern from "Python.h":
    void PyErr_SetInterrupt() noexcept

cdef enum:
    ATTEMPTS = 8         # to enter a write into the log
    COPIED = 1 << 20     # bytes up to which a value is saved by copy; benchmarks/README.md has the measurement
    BLOCK = 1 << 16      # bytes from which the engine's own blocks are faster than NumPy's memory

cdef int exposed = 0
cdef long long last_loan = 0
cdef dict loans = {}         # the address of an owner -> that of its Loan, which removes itself
cdef object note_write = None


def set_note(note):
    """Give `note(array, seq, name)`, by which a loan that was written to enters the log of writes."""
    global note_write
    note_write = note


def digest(ndarray a not None):
    """A number that depends on every byte of `a`, in the order of memory."""
    return zen_digest(<PyObject*>a)


# --- memory from outside


@cython.final
@cython.no_gc
cdef class Borrowed:
    """The base of a Tensor's own header on memory that came from outside.

    The memory is the engine's own from the moment when nobody else holds `source`.
    """


cdef inline object header(ndarray a, object base, bint writeable):
    # An array of our own on the memory of a: what is done to the shape or dtype of a does not reach it.
    return zen_header(a, base, writeable and ZEN_WRITEABLE(<PyObject*>a))


cdef object borrow(ndarray a):
    cdef Borrowed base = Borrowed.__new__(Borrowed)
    base.source = a
    return header(a, base, True)


cdef ndarray owner_of(ndarray a):
    # The array at the end of the bases, if its memory is the engine's own or was handed over; else None.
    cdef PyObject* base
    cdef PyObject* source
    while True:
        base = ZEN_BASE(<PyObject*>a)
        if base == NULL:
            return a if ZEN_OWNS(<PyObject*>a) else None
        if isinstance(<object>base, ndarray):
            a = <ndarray>base
        elif type(<object>base) is Buffer:
            return a
        elif type(<object>base) is Loan:
            a = (<Loan>base).owner
        elif type(<object>base) is Borrowed:
            source = <PyObject*>(<Borrowed>base).source
            if ZEN_REFCNT(source) > 1 or ZEN_BASE(source) != NULL or not ZEN_OWNS(source):
                return None
            return a
        else:
            return None


# --- memory that is lent


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class Loan:
    """The base of every array outside, and of every detached Tensor, on one owner's memory, while there are any."""

    cdef ndarray owner
    cdef bint exposed        # an ndarray is outside; else only Tensors, whose writes are known
    cdef bint compared       # something may have been saved before: `fingerprint` is of that moment
    cdef long long seq
    cdef uint64_t fingerprint

    def __dealloc__(self):
        global exposed, last_loan
        if self.owner is None:
            return
        loans.pop(<size_t><PyObject*>self.owner, None)
        if self.exposed:
            exposed -= 1
            if exposed == 0:
                last_loan = 0
            if self.is_written():
                self.report()

    cdef bint is_written(self) noexcept:
        return self.compared and zen_fingerprint(<PyObject*>self.owner) != self.fingerprint

    cdef void report(self) noexcept:
        # Out of a deallocation no error can be raised: an interrupt waits, and the log is written all the same.
        cdef int _attempt
        cdef bint interrupted = False
        for _attempt in range(ATTEMPTS):
            try:
                note_write(self.owner, self.seq, "NumPy")
                break
            except KeyboardInterrupt:
                interrupted = True
            except BaseException:    # no memory at the moment, or the interpreter is going down
                pass
        if interrupted:
            PyErr_SetInterrupt()

    cdef void expose(self, long long seq, bint compared) noexcept:
        global exposed, last_loan
        exposed += 1
        last_loan = self.seq = seq
        self.exposed, self.compared = True, compared
        if self.compared:
            self.fingerprint = zen_fingerprint(<PyObject*>self.owner)


cdef Loan loan_of(ndarray owner):
    # A pointer in the table is that of a live Loan: its deallocation takes it out.
    found = loans.get(<size_t><PyObject*>owner)
    return None if found is None else <Loan><PyObject*><size_t>found


cdef bint is_lent(ndarray owner) noexcept:
    return <size_t><PyObject*>owner in loans


cdef bint is_sole_borrower(ndarray a, ndarray owner) noexcept:
    # Whether the array a is all that is left on the memory of an owner that was lent.
    cdef PyObject* base = ZEN_BASE(<PyObject*>a)
    return (
        base != NULL and type(<object>base) is Loan and not (<Loan>base).exposed
        and ZEN_REFCNT(base) == 1 and ZEN_REFCNT(<PyObject*>owner) == 1
    )


cdef bint is_reached_by_one(PyObject* a) noexcept:
    # Whether one reference, the caller's, is the only way to the memory of a, the array of a Tensor.
    cdef PyObject* base
    if is_exclusive(a):
        return True
    base = ZEN_BASE(a)
    if ZEN_REFCNT(a) != 1 or base == NULL or ZEN_REFCNT(base) != 1:
        return False
    if type(<object>base) is ndarray:
        return is_exclusive(base)
    if type(<object>base) is Borrowed:
        return isinstance((<Borrowed>base).source, ndarray) and is_exclusive(<PyObject*>(<Borrowed>base).source)
    return type(<object>base) is Loan and not (<Loan>base).exposed and is_exclusive(<PyObject*>(<Loan>base).owner)


cdef object lend(ndarray a, bint expose, long long* sequence):
    # An array on the memory of a for somebody else. `a` is the array of a Tensor, held by a variable of the caller's.
    cdef ndarray owner = owner_of(a)
    cdef Loan loan
    cdef bint before                        # whether something may have been saved until now
    if owner is None:
        return header(a, a, True)
    loan = loan_of(owner)
    before = loan is not None               # by what was computed from a detached Tensor, for example
    if loan is None:
        loan = Loan.__new__(Loan)
        loan.owner = owner
        loans[<size_t><PyObject*>owner] = <size_t><PyObject*>loan
    if expose and not loan.exposed:
        sequence[0] += 1
        # Known references: of a, the Tensor's and the caller's variable; of the owner, the loan's, and this variable.
        before = before or ZEN_REFCNT(<PyObject*>a) > (4 if owner is a else 2)
        before = before or (owner is not a and ZEN_REFCNT(<PyObject*>owner) > 3)
        loan.expose(sequence[0], before)
    return header(a, loan, True)


def settle(ndarray a not None):
    """Before the engine writes to a part of `a`: enter into the log what NumPy wrote through a loan until now."""
    cdef ndarray owner = owner_of(a) if exposed else None
    cdef Loan loan = None if owner is None else loan_of(owner)
    if loan is not None and loan.exposed and loan.is_written():
        loan.report()


def renew(ndarray a not None):
    """After that write: from now on the loan is compared with what is there now."""
    cdef ndarray owner = owner_of(a) if exposed else None
    cdef Loan loan = None if owner is None else loan_of(owner)
    if loan is not None and loan.compared:
        loan.fingerprint = zen_fingerprint(<PyObject*>owner)


# --- what a node saves


@cython.final
@cython.no_gc
cdef class Watch:
    """The base of a saved view of memory that others can write to."""

    cdef ndarray source      # holds the memory
    cdef ndarray root        # the array at the end of its bases: a resize moves the memory of that one
    cdef void* data
    cdef Py_ssize_t nbytes
    cdef uint64_t fingerprint


cdef ndarray root_of(ndarray a):
    cdef PyObject* base = ZEN_BASE(<PyObject*>a)
    while base != NULL:
        if type(<object>base) is Borrowed:
            base = <PyObject*>(<Borrowed>base).source
        elif type(<object>base) is Watch:           # what another node saved
            base = <PyObject*>(<Watch>base).root
        if not isinstance(<object>base, ndarray):
            break
        a = <ndarray>base
        base = ZEN_BASE(<PyObject*>a)
    return a


cdef inline object copied(ndarray a):
    cdef int typenum = cnp.PyArray_TYPE(a)
    if (
        cnp.PyArray_NBYTES(a) >= BLOCK and cnp.PyArray_ISCARRAY_RO(a)
        and has_kernels(typenum)
    ):
        return contiguous(a)
    return cnp.PyArray_NewCopy(a, cnp.NPY_KEEPORDER)


cdef object guarded(ndarray a, bint foreign, unsigned char* watched):
    # What is saved of `a`. `foreign`: it was an operand itself, so somebody outside holds it.
    cdef ndarray owner
    cdef Watch watch
    cdef Loan loan
    if not foreign:
        owner = owner_of(a)
        if owner is not None:
            loan = loan_of(owner) if exposed else None
            if loan is None or not loan.exposed:
                return a
    if cnp.PyArray_NBYTES(a) <= COPIED or not is_inexact(cnp.PyArray_TYPE(a)):
        return copied(a)
    watch = Watch.__new__(Watch)
    watch.source, watch.root = a, root_of(a)
    watch.data, watch.nbytes = cnp.PyArray_DATA(watch.root), cnp.PyArray_NBYTES(watch.root)
    watch.fingerprint = zen_fingerprint(<PyObject*>a)
    watched[0] = True
    return header(a, watch, False)


cdef tuple guarded_params(tuple params, unsigned char* watched):
    # Arrays among the parameters (keys, masks, weights) are saved values like any other.
    cdef list made = None
    cdef int k
    for k in range(len(params)):
        p = params[k]
        if type(p) is ndarray:
            q = guarded(<ndarray>p, True, watched)
        elif type(p) is tuple:
            q = guarded_params(<tuple>p, watched)
        else:
            continue
        if q is not p:
            if made is None:
                made = list(params)
            made[k] = q
    return params if made is None else tuple(made)


cdef bint is_spoilt(object saved, long long seq):
    # Whether somebody outside wrote to the saved array since it was saved at `seq`.
    cdef PyObject* base
    cdef ndarray a, owner
    cdef Watch watch
    cdef Loan loan
    if not isinstance(saved, ndarray):
        return False
    a = <ndarray>saved
    base = ZEN_BASE(<PyObject*>a)
    if base != NULL and type(<object>base) is Watch:
        watch = <Watch>base
        # In this order: memory that a resize has moved must not be read.
        return (
            cnp.PyArray_DATA(watch.root) != watch.data or cnp.PyArray_NBYTES(watch.root) != watch.nbytes
            or zen_fingerprint(<PyObject*>a) != watch.fingerprint
        )
    if last_loan <= seq:
        return False
    owner = owner_of(a)
    loan = None if owner is None else loan_of(owner)
    return loan is not None and loan.exposed and loan.seq > seq and loan.is_written()
