# The rules of the optimisers as loops over contiguous memory. Part of _optim.pyx.
#
# x: parameter, gradient, then the arrays of state in the order of the rule's names; c: the rule's constants. The
# arrays do not overlap. What does not change in a loop is decided outside of it by the compiler (loop unswitching),
# so that each variant is vectorised.

# -- SGD

cdef void sgd_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real lr = <real>c[LR], decay = <real>c[DECAY], sign = <real>c[SIGN]
    cdef bint decays = c[DECAY] != 0
    cdef Py_ssize_t i
    for i in range(n):
        p[i] -= lr * (sign * g[i] + (decay * p[i] if decays else 0))


cdef void momentum_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* buffer = x[2]
    cdef real lr = <real>c[LR], decay = <real>c[DECAY], sign = <real>c[SIGN]
    cdef real momentum = <real>(0 if c[FIRST] else c[BETA1])     # the first step has the gradient itself in the buffer
    cdef real fresh = <real>(1 if c[FIRST] else 1 - c[BETA2])
    cdef real ahead = <real>(c[BETA1] if c[FLAG] else 0)         # Nesterov
    cdef real now = <real>(1 if c[FLAG] else 0)
    cdef bint decays = c[DECAY] != 0
    cdef real d, b
    cdef Py_ssize_t i
    if c[FLAG]:
        for i in range(n):
            d = sign * g[i] + (decay * p[i] if decays else 0)
            b = momentum * buffer[i] + fresh * d
            buffer[i] = b
            p[i] -= lr * (now * d + ahead * b)
    else:
        for i in range(n):
            d = sign * g[i] + (decay * p[i] if decays else 0)
            b = momentum * buffer[i] + fresh * d
            buffer[i] = b
            p[i] -= lr * b


# -- Adam and AdamW

cdef void adam_prepare(double* c, long long step) noexcept:
    c[RATE] = c[LR] / (1 - pow(c[BETA1], <double>step))
    c[SCALE] = 1 / sqrt(1 - pow(c[BETA2], <double>step))


cdef void adam_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* first = x[2]
    cdef real* second = x[3]
    cdef real rate = <real>c[RATE], scale = <real>c[SCALE], eps = <real>c[EPS], sign = <real>c[SIGN]
    cdef real decay = <real>c[DECAY], keep = <real>c[KEEP]
    cdef real new1 = <real>(1 - c[BETA1]), old2 = <real>c[BETA2], new2 = <real>(1 - c[BETA2])
    cdef bint decays = c[DECAY] != 0
    cdef real d, m, v
    cdef Py_ssize_t i
    for i in range(n):
        d = sign * g[i] + (decay * p[i] if decays else 0)
        m = first[i] + new1 * (d - first[i])
        v = old2 * second[i] + new2 * d * d
        first[i] = m
        second[i] = v
        p[i] = keep * p[i] - rate * m / (root(v) * scale + eps)


cdef void amsgrad_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* first = x[2]
    cdef real* second = x[3]
    cdef real* largest = x[4]
    cdef real rate = <real>c[RATE], scale = <real>c[SCALE], eps = <real>c[EPS], sign = <real>c[SIGN]
    cdef real decay = <real>c[DECAY], keep = <real>c[KEEP]
    cdef real new1 = <real>(1 - c[BETA1]), old2 = <real>c[BETA2], new2 = <real>(1 - c[BETA2])
    cdef bint decays = c[DECAY] != 0
    cdef real d, m, v
    cdef Py_ssize_t i
    for i in range(n):
        d = sign * g[i] + (decay * p[i] if decays else 0)
        m = first[i] + new1 * (d - first[i])
        v = old2 * second[i] + new2 * d * d
        first[i] = m
        second[i] = v
        v = largest[i] if largest[i] >= v else v  # a NaN in v wins
        largest[i] = v
        p[i] = keep * p[i] - rate * m / (root(v) * scale + eps)


# -- RMSprop. The order of the state: square_avg, then momentum_buffer and grad_avg where they are used.

cdef void no_prepare(double* c, long long step) noexcept:
    pass


cdef void rmsprop_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* square = x[2]
    cdef real* buffer = x[3]
    cdef real lr = <real>c[LR], eps = <real>c[EPS], decay = <real>c[DECAY], sign = <real>c[SIGN]
    cdef real old = <real>c[BETA2], new = <real>(1 - c[BETA2]), momentum = <real>c[BETA1]
    cdef bint decays = c[DECAY] != 0, buffered = c[BETA1] > 0
    cdef real d, v
    cdef Py_ssize_t i
    if buffered:
        for i in range(n):
            d = sign * g[i] + (decay * p[i] if decays else 0)
            v = old * square[i] + new * d * d
            square[i] = v
            d = momentum * buffer[i] + d / (root(v) + eps)
            buffer[i] = d
            p[i] -= lr * d
    else:
        for i in range(n):
            d = sign * g[i] + (decay * p[i] if decays else 0)
            v = old * square[i] + new * d * d
            square[i] = v
            p[i] -= lr * (d / (root(v) + eps))


cdef void centered_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* square = x[2]
    cdef real* buffer = x[3]
    cdef bint decays = c[DECAY] != 0, buffered = c[BETA1] > 0
    cdef real* mean = x[4] if buffered else x[3]
    cdef real lr = <real>c[LR], eps = <real>c[EPS], decay = <real>c[DECAY], sign = <real>c[SIGN]
    cdef real old = <real>c[BETA2], new = <real>(1 - c[BETA2]), momentum = <real>c[BETA1]
    cdef real d, v, a
    cdef Py_ssize_t i
    for i in range(n):
        d = sign * g[i] + (decay * p[i] if decays else 0)
        v = old * square[i] + new * d * d
        a = mean[i] + new * (d - mean[i])
        square[i] = v
        mean[i] = a
        v = v - a * a
        v = 0 if v < 0 else v  # rounding may leave a variance below zero
        d = d / (root(v) + eps)
        if buffered:
            d = momentum * buffer[i] + d
            buffer[i] = d
        p[i] -= lr * d


# -- Adagrad

cdef void adagrad_prepare(double* c, long long step) noexcept:
    c[RATE] = c[LR] / (1 + (step - 1) * c[OTHER])


cdef void adagrad_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* total = x[2]
    cdef real rate = <real>c[RATE], eps = <real>c[EPS], decay = <real>c[DECAY], sign = <real>c[SIGN]
    cdef bint decays = c[DECAY] != 0
    cdef real d, v
    cdef Py_ssize_t i
    for i in range(n):
        d = sign * g[i] + (decay * p[i] if decays else 0)
        v = total[i] + d * d
        total[i] = v
        p[i] -= rate * d / (root(v) + eps)


# -- Lion

cdef void lion_loop(real** x, Py_ssize_t n, const double* c) noexcept nogil:
    cdef real* p = x[0]
    cdef const real* g = x[1]
    cdef real* average = x[2]
    cdef real lr = <real>c[LR], keep = <real>c[KEEP], sign = <real>c[SIGN]
    cdef real old1 = <real>c[BETA1], new1 = <real>(1 - c[BETA1]), old2 = <real>c[BETA2], new2 = <real>(1 - c[BETA2])
    cdef real d, u
    cdef Py_ssize_t i
    for i in range(n):
        d = sign * g[i]
        u = old1 * average[i] + new1 * d
        average[i] = old2 * average[i] + new2 * d
        u = lr if u > 0 else (-lr if u < 0 else 0 * u)  # 0 * u keeps a NaN
        p[i] = keep * p[i] - u
