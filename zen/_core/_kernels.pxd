# The kernels that are compiled once for each instruction set: their types, and one struct with the addresses of all.
#
# A module of one instruction set (`_kernels_base`, `_kernels_avx2`, `_kernels_avx512`, made by generate.py) contains
# the files `_kernels_*.pxi`, each of which enters its own kernels into the struct by name. `_dispatch.pyx` picks the
# module. A field is a pair, for float and for double: `kernels.softmax[real is double]`. Views (`_views.pxd`), which
# kernels have as typed memoryviews, and pointers are of elements of that type, unless said otherwise; scalars are
# always double.

from zen._core._patches cimport Geometry
from zen._core._planes cimport Planes
from zen._core._views cimport View

cdef enum:
    CHUNK = 2048     # elements of short rows that softmax and cross entropy work on together

cdef struct Targets:
    # What cross entropy is told beside the logits, the classes of the samples and the weights of the classes.
    long long ignored            # the class whose samples do not count
    double smoothing

ctypedef const void* const_t

# _kernels_lines.pxi. `work` holds a row, or CHUNK elements where that is more.
ctypedef void (*softmax_t)(View x, View out, View work) noexcept nogil
ctypedef void (*softmax_vjp_t)(
    View g, View y, View out, View work, bint logarithm, bint add
) noexcept nogil
ctypedef Py_ssize_t (*cross_entropy_t)(
    View x, View p, bint kept, View losses, View classes, View w, const Targets* t, double* total, double* weight
) noexcept nogil
ctypedef void (*cross_entropy_vjp_t)(
    View p, View out, View classes, View w, const Targets* t, View g, double share, bint add) noexcept nogil

ctypedef bint (*logsumexp_t)(View x, View out, View work) noexcept nogil
ctypedef void (*logsumexp_vjp_t)(
    View x, View y, View g, View out, View work, bint add
) noexcept nogil

# _kernels_planes.pxi
ctypedef void (*planes_forward_t)(
    const Planes* p, const Geometry* s, void* x, void* w, void* bias, void* y, void* work
) noexcept nogil
ctypedef void (*planes_backward_t)(
    const Planes* p, const Geometry* s, void* x, void* w, void* g, void* work
) noexcept nogil

# _kernels_norm_lines.pxi
ctypedef void (*norm_lines_t)(
    View x, View w, View b, double eps, bint centred, View y, View mean, View rstd) noexcept nogil
ctypedef void (*norm_lines_back_t)(
    View g, View x, View w, bint centred, View mean, View rstd, View dx, View dw, View db, View partial, View totals
) noexcept nogil

# _kernels_norm_channels.pxi
ctypedef void (*norm_channels_t)(
    View x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool, View w, View b, double eps, bint given, View y,
    View mean, View var, View scratch, View sums
) noexcept nogil
ctypedef void (*norm_channels_back_t)(
    View g, View x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool, View w, double eps, bint given, View mean,
    View var, View dx, View sum_g, View sum_gh, View scratch
) noexcept nogil

# _kernels_weights.pxi
ctypedef void (*lower_rows_t)(View a, View largest) noexcept nogil
ctypedef void (*normalise_t)(View p, View largest) noexcept nogil
ctypedef void (*softmax_back_t)(View p, View d) noexcept nogil
ctypedef void (*drop_t)(View a, View keep, double factor, View out) noexcept nogil    # keep: of bytes

# _kernels_gates.pxi
ctypedef void (*lstm_t)(View a, View before, View c) noexcept nogil
ctypedef void (*state_t)(View a, View before, View h) noexcept nogil
ctypedef void (*lstm_back_t)(
    View a, View before, View t, View g, View carry, View dc, View d, View db) noexcept nogil
ctypedef void (*gru_add_t)(View a, View q, Py_ssize_t n) noexcept nogil
ctypedef void (*gru_reset_t)(View a, View q, View bias, View kept) noexcept nogil
ctypedef void (*gru_back_t)(
    View a, View before, View kept, View g, View carry, View dx, View dq, View dbx, View dbq) noexcept nogil
ctypedef void (*plain_back_t)(View h, View g, View carry, View d, View db) noexcept nogil

# _kernels_dots.pxi
ctypedef double (*dot_t)(const_t x, const_t y, Py_ssize_t n) noexcept nogil
ctypedef double (*add_dot_t)(void* q, double f, double w, const_t x, const_t y, Py_ssize_t n) noexcept nogil
ctypedef void (*sizes_t)(const_t x, Py_ssize_t n, double* largest, double* total) noexcept nogil

# _kernels_tiles.pxi: out = alpha * a @ b + beta * out. a[i * down + p * right]; rows of b, or of its transpose, `ldb`
# apart. NULL where there are no tiles for the instruction set.
ctypedef void (*multiply_t)(
    Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const_t a, Py_ssize_t down, Py_ssize_t right,
    bint flipped, const_t b, Py_ssize_t ldb, double beta, void* out, Py_ssize_t ldo) noexcept nogil

# _kernels_factors.pxi
cdef enum:
    PANEL_WIDTH = 16     # columns of a panel of LU
    TRIANGLE = 32        # rows of a triangle that is solved without products

ctypedef Py_ssize_t (*lu_panel_t)(
    void* b, Py_ssize_t m, Py_ssize_t w, Py_ssize_t* pivots, double least) noexcept nogil
ctypedef void (*solve_triangle_t)(
    const_t t, Py_ssize_t ldt, bint flipped, bint upper, bint unit, Py_ssize_t n, void* b, Py_ssize_t k,
    Py_ssize_t ldb) noexcept nogil
ctypedef bint (*cholesky_corner_t)(void* a, Py_ssize_t lda, Py_ssize_t n, double least) noexcept nogil

# _kernels_tangents.pxi. Arrays are seen as (outer, n, inner), their lines of n elements `inner` apart.
ctypedef bint (*extreme_tangent_t)(View x, View y, View t, View out, View counts) noexcept nogil
ctypedef void (*product_tangent_t)(View x, View t, View out) noexcept nogil
ctypedef void (*corner_tangent_t)(View l, View d) noexcept nogil
ctypedef void (*log_softmax_tangent_t)(View t, View y, View out, View work) noexcept nogil
ctypedef void (*norm_lines_tangent_t)(
    View t, View x, View w, View dw, View db, bint centred, View mean, View rstd, View out) noexcept nogil
ctypedef void (*norm_channels_tangent_t)(
    View t, View x, Py_ssize_t size, Py_ssize_t period, Py_ssize_t pool, View w, View dw, View db, double eps,
    bint given, View mean, View var, View out, View sum_t, View sum_th, View factors
) noexcept nogil
ctypedef void (*lstm_tangent_t)(
    View gates, View before, View squashed, View q, View drive, View dc, View dh) noexcept nogil
ctypedef void (*gru_tangent_t)(
    View gates, View before, View kept, View q, View inputs, View states, View dh, View out) noexcept nogil

# _kernels_matvec.pxi
ctypedef void (*matvec_t)(
    const_t a, Py_ssize_t ld, const_t x, void* out, Py_ssize_t m, Py_ssize_t n, bint add) noexcept nogil
ctypedef void (*outer_t)(const_t x, const_t y, void* out, Py_ssize_t m, Py_ssize_t n, bint add) noexcept nogil

# _kernels_sums.pxi
ctypedef void (*sum_columns_t)(View x, View out, bint add) noexcept nogil
ctypedef void (*sum_t)(View x, View out) noexcept nogil
ctypedef void (*divide_t)(View a, double number) noexcept nogil
ctypedef void (*square_roots_t)(View a) noexcept nogil
ctypedef void (*multiply_each_t)(View a, View by) noexcept nogil
ctypedef bint (*has_nan_t)(View a) noexcept nogil

# _kernels_rows.pxi. Numbers of rows are of int64, counts of C's int, sums of double.
ctypedef bint (*take_rows_t)(View table, View at, View out) noexcept nogil
ctypedef void (*add_rows_t)(View out, View at, View g, long long skipped) noexcept nogil
ctypedef int (*find_long_t)(View at, View slots, View long_rows, int limit) noexcept nogil
ctypedef void (*add_long_rows_t)(
    View out, View at, View g, long long skipped, View slots, View long_rows, View sums) noexcept nogil

cdef struct Kernels:
    softmax_t softmax[2]
    softmax_t log_softmax[2]
    softmax_vjp_t softmax_vjp[2]
    cross_entropy_t cross_entropy[2]
    cross_entropy_vjp_t cross_entropy_vjp[2]
    logsumexp_t logsumexp[2]
    logsumexp_vjp_t logsumexp_vjp[2]
    planes_forward_t planes_forward[2]
    planes_backward_t planes_input[2]
    planes_backward_t planes_weight[2]
    norm_lines_t norm_lines[2]
    norm_lines_back_t norm_lines_back[2]
    norm_channels_t norm_channels[2]
    norm_channels_back_t norm_channels_back[2]
    lower_rows_t lower_rows[2]
    normalise_t normalise[2]
    softmax_back_t softmax_back[2]
    drop_t drop[2]
    lstm_t lstm[2]
    lstm_back_t lstm_back[2]
    state_t lstm_state[2]
    gru_add_t gru_add[2]
    gru_reset_t gru_reset[2]
    state_t gru[2]
    gru_back_t gru_back[2]
    plain_back_t tanh_back[2]
    plain_back_t relu_back[2]
    dot_t dot[2]
    add_dot_t add_dot[2]
    sizes_t sizes[2]
    multiply_t multiply[2]
    lu_panel_t lu_panel[2]
    solve_triangle_t triangle[2]
    cholesky_corner_t corner[2]
    extreme_tangent_t extreme_tangent[2]
    product_tangent_t product_tangent[2]
    corner_tangent_t corner_tangent[2]
    log_softmax_tangent_t log_softmax_tangent[2]
    norm_lines_tangent_t norm_lines_tangent[2]
    norm_channels_tangent_t norm_channels_tangent[2]
    lstm_tangent_t lstm_tangent[2]
    gru_tangent_t gru_tangent[2]
    matvec_t rows_by_vector[2]
    matvec_t columns_by_vector[2]
    outer_t outer_product[2]
    sum_columns_t sum_columns[2]
    sum_t sum_rows[2]
    sum_t sum_strided_rows[2]
    sum_t add_matrix[2]
    sum_t add_strided_matrix[2]
    sum_t add_to_rows[2]
    divide_t divide[2]
    square_roots_t square_roots[2]
    divide_t reciprocals[2]
    multiply_each_t multiply_each[2]
    has_nan_t has_nan[2]
    take_rows_t take_rows[2]
    add_rows_t add_rows[2]
    find_long_t find_long
    add_long_rows_t add_long_rows
