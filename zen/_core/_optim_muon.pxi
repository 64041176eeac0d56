# Muon. Part of _optim.pyx.
#
# A wide matrix is multiplied from the left and a tall one from the right: then none has to be transposed.

cdef enum:
    STRIP = 64           # rows of a symmetric product that are computed together
    DEPTH = 1024         # terms that are added up in one go: a BLAS may add all of a long column to one number


cdef double muon_direction(
    real* b, const real* g, real* u, Py_ssize_t n, double momentum, bint nesterov,
) noexcept nogil:
    # The buffer, and the direction u that follows from it; returns the sum of the squares of u.
    cdef real fresh = <real>(1 - momentum), old = <real>momentum
    cdef double total = 0
    cdef Py_ssize_t i, block, start, stop
    for block in range((n + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, min((block + 1) * BLOCK, n)
        if nesterov:
            for i in range(start, stop):
                b[i] += fresh * (g[i] - b[i])
                u[i] = g[i] + old * (b[i] - g[i])
        else:
            for i in range(start, stop):
                b[i] += fresh * (g[i] - b[i])
                u[i] = b[i]
        total += dot(u + start, u + start, stop - start)
    return total


cdef void symmetric(
    int typenum, bint flip, Py_ssize_t side, Py_ssize_t depth, double alpha, const real* a, Py_ssize_t lda, double beta,
    real* out,
) noexcept nogil:
    # out = alpha * a @ a.T + beta * out, or with a.T @ a where flipped: what lies below the diagonal, then its mirror.
    cdef Py_ssize_t i, j, block, start, stop, part, first, down = lda if flip else 1
    for block in range((side + STRIP - 1) // STRIP):
        start, stop = block * STRIP, min((block + 1) * STRIP, side)
        for part in range((depth + DEPTH - 1) // DEPTH):
            first = part * DEPTH
            gemm(typenum, flip, not flip, stop - start, stop, min(DEPTH, depth - first), alpha,
                 a + start * (1 if flip else lda) + first * down, lda, a + first * down, lda, beta if part == 0 else 1,
                 out + start * side, side)
        for j in range(start):
            for i in range(start, stop):
                out[j * side + i] = out[i * side + j]


cdef struct Muon:
    double momentum, keep, eps
    double k[3]          # the coefficients
    int steps
    bint nesterov


cdef void muon_loop(
    real** x, Py_ssize_t m, Py_ssize_t n, const Muon* c, double rate_, real* u, int typenum,
) noexcept nogil:
    # x: parameter, gradient, buffer; u: room for two such matrices and two symmetric ones.
    cdef bint tall = m > n
    cdef Py_ssize_t i, size = m * n, side = n if tall else m, depth = m if tall else n
    cdef real* p = x[0]
    cdef real* other = u + size
    cdef real* gram = other + size
    cdef real* polynomial = gram + side * side
    cdef double norm = sqrt(muon_direction(x[2], x[1], u, size, c.momentum, c.nesterov))
    cdef real keep = <real>c.keep, rate = <real>rate_, divisor = <real>(c.eps if norm < c.eps else norm)
    for i in range(size):
        u[i] /= divisor
    for _ in range(c.steps):
        symmetric(typenum, tall, side, depth, 1, u, n, 0, gram)
        memcpy(polynomial, gram, side * side * sizeof(real))
        symmetric(typenum, False, side, side, c.k[2], gram, side, c.k[1], polynomial)
        for i in range(side):
            polynomial[i * side + i] += <real>c.k[0]
        if tall:
            gemm(typenum, False, False, m, n, n, 1, u, n, polynomial, n, 0, other, n)
        else:
            gemm(typenum, False, False, m, n, m, 1, polynomial, m, u, n, 0, other, n)
        u, other = other, u
    for i in range(size):
        p[i] = keep * p[i] - rate * u[i]


@cython.final
cdef class MuonWalk(Walk):
    """A step over matrices."""

    cdef Muon c
    cdef object rate
    cdef ndarray scratch             # as long as the largest matrix asks for; doubles hold floats as well

    cdef int check(self, Job* job, ndarray p) except -1:
        cdef Py_ssize_t side, room
        if job.typenum != job.kind:
            raise TypeError(f"Muon is for real matrices, not for a parameter of dtype {(<object>p).dtype}")
        if cnp.PyArray_NDIM(p) != 2:
            raise ValueError(f"Muon is for matrices, not for a parameter of shape {(<object>p).shape}")
        job.m, job.n = cnp.PyArray_DIMS(p)[0], cnp.PyArray_DIMS(p)[1]
        job.rate = self.rate((<object>p).shape)
        side = min(job.m, job.n)
        room = 2 * (job.m * job.n + side * side)
        if job.kind == cnp.NPY_FLOAT:
            room = (room + 1) // 2
        if self.scratch is None or cnp.PyArray_SIZE(self.scratch) < room:
            self.scratch = None
            self.scratch = new_array(1, &room, cnp.NPY_DOUBLE)
        return 0

    cdef int loop(self, Job* job) noexcept:
        cdef void* u = cnp.PyArray_DATA(self.scratch)
        cdef int before
        if is_small(<double>job.m * job.n * min(job.m, job.n)):
            before = one_thread()
            self.work(job, u)
            restore_threads(before)
        else:
            with nogil:
                self.work(job, u)
        return 0

    cdef void work(self, Job* job, void* u) noexcept nogil:
        if job.kind == cnp.NPY_FLOAT:
            muon_loop(<float**>job.x, job.m, job.n, &self.c, job.rate, <float*>u, job.kind)
        else:
            muon_loop(<double**>job.x, job.m, job.n, &self.c, job.rate, <double*>u, job.kind)


def muon(list params not None, state, fill, list written not None, double lr, double momentum, double weight_decay,
         bint nesterov, tuple coefficients not None, int steps, double eps, rate):
    """Muon; `rate(shape)` is the learning rate of a matrix."""
    cdef MuonWalk w = MuonWalk.__new__(MuonWalk, state, fill, written, ("momentum_buffer",), False)
    w.c.momentum, w.c.keep, w.c.nesterov, w.c.eps = momentum, 1 - lr * weight_decay, nesterov, eps
    w.c.k[0], w.c.k[1], w.c.k[2] = coefficients
    w.c.steps, w.rate = steps, rate
    return w.over(params)
