# L-BFGS, whose parameters form one vector. Part of _optim.pyx.
#
# Products are added up in double. Loops go block by block, so that what one has written the next finds in the cache.

ctypedef const void* address


cdef struct Found:
    double largest, total, product


cdef inline void sizes(const real* x, Py_ssize_t n, Found* found) noexcept nogil:
    # A NaN shows in the sum alone.
    kernels.sizes[real is double](x, n, &found.largest, &found.total)


cdef void gather_loop(const real* x, real* out, const real* d, Py_ssize_t n, Found* found) noexcept nogil:
    # out = x, with its sizes and, where d is not NULL, its product with d.
    cdef Py_ssize_t i, block, size
    for block in range((n + BLOCK - 1) // BLOCK):
        i, size = block * BLOCK, min(BLOCK, n - block * BLOCK)
        if x != out:
            memcpy(out + i, x + i, size * sizeof(real))
        sizes(out + i, size, found)
        if d != NULL:
            found.product += dot(out + i, d + i, size)


cdef void pair_loop(
    const real* g, const real* previous, const real* d, double length, Py_ssize_t n, real* y, real* s, double* products,
) noexcept nogil:
    cdef real t = <real>length
    cdef Py_ssize_t i, block, start, stop
    for block in range((n + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, min((block + 1) * BLOCK, n)
        for i in range(start, stop):
            y[i] = g[i] - previous[i]
            s[i] = t * d[i]
        products[0] += dot(y + start, s + start, stop - start)
        products[1] += dot(y + start, y + start, stop - start)


cdef inline double add_dot(real* q, double f, double w, const real* x, const real* y, Py_ssize_t n) noexcept nogil:
    # q = f * (q + w * x); returns q @ y.
    return kernels.add_dot[real is double](q, f, w, x, y, n)


cdef void two_loops(
    const real* g, real* q, Py_ssize_t n, void** y, void** s, double* ro, double* w, Py_ssize_t count, double scale,
    Found* found,
) noexcept nogil:
    # Each pass applies one pair and takes the product with the vector that the next one asks for.
    cdef const real* x
    cdef double product
    cdef Py_ssize_t i
    memcpy(q, g, n * sizeof(real))
    if count == 0:
        for i in range(n):
            q[i] *= <real>-scale
        found.product = dot(q, g, n)
    else:
        product = dot(q, <const real*>s[count - 1], n)
        for i in range(count - 1, 0, -1):
            w[i] = -ro[i] * product
            product = add_dot(q, 1, w[i], <const real*>y[i], <const real*>s[i - 1], n)
        w[0] = -ro[0] * product
        product = add_dot(q, -scale, w[0], <const real*>y[0], <const real*>y[0], n)
        for i in range(count):
            x = <const real*>y[i + 1] if i + 1 < count else g
            product = add_dot(q, 1, w[i] - ro[i] * product, <const real*>s[i], x, n)
        found.product = product
    sizes(q, n, found)


cdef void move_loop(const real* origin, const real* d, double length, Py_ssize_t n, real* p) noexcept nogil:
    cdef real t = <real>length
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = origin[i] + t * d[i]


cdef ndarray vector(object x, Py_ssize_t n, int kind, str name):
    # x, a Tensor or an array, as n contiguous elements of the kind.
    cdef ndarray a, copy
    if isinstance(x, Tensor):
        x = (<Tensor>x).values()
    if not isinstance(x, ndarray):
        raise TypeError(f"L-BFGS: {name} must be a Tensor or an array, not {type(x).__name__}")
    a = x
    if cnp.PyArray_NDIM(a) != 1 or cnp.PyArray_SIZE(a) != n:
        raise ValueError(f"L-BFGS: {name} has shape {(<object>a).shape}, but must have {(n,)}")
    if cnp.PyArray_TYPE(a) == kind and ZEN_READABLE(a):
        return a
    copy = cnp.PyArray_EMPTY(1, cnp.PyArray_DIMS(a), kind, 0)
    cnp.PyArray_CopyInto(copy, a)
    return copy


cdef int kind_of(ndarray a) except -1:
    if not has_kernels(cnp.PyArray_TYPE(a)):
        raise TypeError(f"L-BFGS computes with float32 and float64, not with {(<object>a).dtype}")
    return cnp.PyArray_TYPE(a)


cdef Py_ssize_t all_sizes(list params) except -1:
    cdef Tensor t
    cdef Py_ssize_t total = 0
    for t in params:
        total += cnp.PyArray_SIZE(t.values())
    return total


def lbfgs_gradient(list params not None, ndarray out not None, ndarray direction=None):
    """Write the gradients of all parameters to the vector `out`: zeros for a parameter without one.

    Returns the largest |g| (NaN if there is one), the sum of |g|, and out @ direction, or 0.0 without a direction.
    """
    cdef int kind = kind_of(out)
    cdef Py_ssize_t n = all_sizes(params), size, offset = 0, item = cnp.PyArray_ITEMSIZE(out)
    cdef Tensor t, g
    cdef ndarray p, a
    cdef Found found = Found(0, 0, 0)
    cdef char* to
    cdef address source, d = NULL
    vector(out, n, kind, "the gradient")
    if not ZEN_SIMPLE(out):
        raise ValueError("L-BFGS: the gradient goes to a contiguous vector that can be written")
    if direction is not None:
        direction = vector(direction, n, kind, "the direction")
        d = cnp.PyArray_DATA(direction)
    for t in params:
        p, g = t.values(), gradient(t)
        size = cnp.PyArray_SIZE(p)
        to = <char*>cnp.PyArray_DATA(out) + offset * item
        source = to
        if g is None:
            memset(to, 0, size * item)
        else:
            a = g.values()
            if not same_shape(a, p):
                raise ValueError(f"a parameter of shape {t.shape} has a gradient of shape {g.shape}")
            if cnp.PyArray_TYPE(a) == kind and ZEN_READABLE(a):
                source = cnp.PyArray_DATA(a)
            else:
                cnp.PyArray_CopyInto(out[offset:offset + size].reshape((<object>p).shape), a)
            if kind == cnp.NPY_FLOAT:
                gather_loop(<const float*>source, <float*>to, <const float*>d, size, &found)
            else:
                gather_loop(<const double*>source, <double*>to, <const double*>d, size, &found)
        if d != NULL:
            d = <const char*>d + size * item
        offset += size
    return NAN if isnan(found.total) else found.largest, found.total, found.product


def lbfgs_pair(ndarray g not None, ndarray previous not None, ndarray d not None, double t):
    """y = g - previous and s = t * d, with y @ s and y @ y."""
    cdef int kind = kind_of(g)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(g)
    cdef double products[2]
    cdef ndarray y = new_array(1, &n, kind), s = new_array(1, &n, kind)
    cdef ndarray a = vector(g, n, kind, "the gradient"), b = vector(previous, n, kind, "the gradient of before")
    cdef ndarray c = vector(d, n, kind, "the direction")
    products[0] = products[1] = 0
    if kind == cnp.NPY_FLOAT:
        pair_loop(<float*>cnp.PyArray_DATA(a), <float*>cnp.PyArray_DATA(b), <float*>cnp.PyArray_DATA(c), t, n,
                  <float*>cnp.PyArray_DATA(y), <float*>cnp.PyArray_DATA(s), products)
    else:
        pair_loop(<double*>cnp.PyArray_DATA(a), <double*>cnp.PyArray_DATA(b), <double*>cnp.PyArray_DATA(c), t, n,
                  <double*>cnp.PyArray_DATA(y), <double*>cnp.PyArray_DATA(s), products)
    return y, s, products[0], products[1]


def lbfgs_direction(ndarray g not None, list changes not None, list steps not None, list ro not None, double scale):
    """The direction d = -H g, with g @ d and the largest |d| (NaN if there is one).

    H is the approximate inverse Hessian by the pairs of changes of gradient (Tensors) and steps, oldest first, with ro
    = 1 / (y @ s) for each, from `scale` times the identity. Source: Nocedal, Wright (2006), algorithm 7.4.
    """
    cdef int kind = kind_of(g)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(g), count = len(ro), i
    cdef cnp.npy_intp room = 2 * count
    cdef ndarray y, s
    if len(changes) != count or len(steps) != count:
        raise ValueError(f"L-BFGS: {len(changes)} changes, {len(steps)} steps and {count} ro; expected as many of each")
    cdef Found found = Found(0, 0, 0)
    cdef ndarray a = vector(g, n, kind, "the gradient")
    cdef list held = []  # references: another thread may change the history
    cdef ndarray q = new_array(1, &n, kind)
    cdef ndarray weights = cnp.PyArray_EMPTY(1, &room, cnp.NPY_DOUBLE, 0)
    cdef ndarray places = cnp.PyArray_EMPTY(1, &room, cnp.NPY_INTP, 0)
    cdef double* w = <double*>cnp.PyArray_DATA(weights)
    cdef void** at = <void**>cnp.PyArray_DATA(places)
    cdef address x = cnp.PyArray_DATA(a)
    cdef void* to = cnp.PyArray_DATA(q)
    for i in range(count):
        y, s = vector(changes[i], n, kind, "a change of the gradient"), vector(steps[i], n, kind, "a step")
        held += y, s
        at[i], at[count + i], w[i] = cnp.PyArray_DATA(y), cnp.PyArray_DATA(s), ro[i]
    if n >= WORTH:
        with nogil:
            if kind == cnp.NPY_FLOAT:
                two_loops(<const float*>x, <float*>to, n, at, at + count, w, w + count, count, scale, &found)
            else:
                two_loops(<const double*>x, <double*>to, n, at, at + count, w, w + count, count, scale, &found)
    elif kind == cnp.NPY_FLOAT:
        two_loops(<const float*>x, <float*>to, n, at, at + count, w, w + count, count, scale, &found)
    else:
        two_loops(<const double*>x, <double*>to, n, at, at + count, w, w + count, count, scale, &found)
    return q, found.product, NAN if isnan(found.total) else found.largest


def lbfgs_move(list params not None, ndarray origin not None, ndarray d not None, double t, list written not None):
    """Set the parameters to origin + t * d, two vectors of one dtype. None is changed where one cannot be."""
    cdef int kind = kind_of(origin)
    cdef Py_ssize_t n = all_sizes(params), size, offset = 0
    cdef Tensor p
    cdef ndarray a, copy
    cdef bint private
    cdef list copies = []
    origin, d = vector(origin, n, kind, "the origin"), vector(d, n, kind, "the direction")
    for p in params:
        a = p.values()
        if not cnp.PyArray_ISWRITEABLE(a):
            raise ValueError(f"the memory of a parameter of shape {p.shape} is read-only; clone() it first")
        if cnp.PyArray_TYPE(a) != kind or not ZEN_SIMPLE(a):
            copies.append(cnp.PyArray_EMPTY(cnp.PyArray_NDIM(a), cnp.PyArray_DIMS(a), kind, 0))
    copies.reverse()
    for p in params:
        a = None
        private = p.data is None or is_reached_by_one(<PyObject*>p.data)
        a = copy = p.values()
        if not private:
            written.append(a)
        size = cnp.PyArray_SIZE(a)
        if cnp.PyArray_TYPE(a) != kind or not ZEN_SIMPLE(a):
            copy = copies.pop()
        if kind == cnp.NPY_FLOAT:
            move_loop(<float*>cnp.PyArray_DATA(origin) + offset, <float*>cnp.PyArray_DATA(d) + offset, t, size,
                      <float*>cnp.PyArray_DATA(copy))
        else:
            move_loop(<double*>cnp.PyArray_DATA(origin) + offset, <double*>cnp.PyArray_DATA(d) + offset, t, size,
                      <double*>cnp.PyArray_DATA(copy))
        if copy is not a:
            cnp.PyArray_CopyInto(a, copy)
        offset += size
