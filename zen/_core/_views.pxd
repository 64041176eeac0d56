# Views: how arrays come to the kernels of `_kernels.pxd`, which are declared over typed memoryviews.
#
# A kernel `f(const real[:, ::1] x, real[:, ::1] out)` is called as f(view2(x, rows, n), view2(out, rows, n)). Cython
# would acquire x's buffer for that, which costs 90 ns; a view costs 5. It is what a memoryview is in C, but belongs to
# no object (`memview` is NULL, which Cython's reference counting passes over). This is safe as long as
# - the caller holds the array, and checked its dtype, its size and that it is C-contiguous and aligned;
# - a kernel keeps no view, and makes no object of one; being nogil, it could not.
# A caller need not have memoryviews itself: to Cython a view is a struct, and a kernel is called through a pointer to a
# function of views. It stands in the struct `kernels` for what is compiled once for each instruction set, and in the
# kernel's own module otherwise, as in `_pool.pyx`. Each module with memoryviews contains Cython's class of them, which
# takes 0.1 ms to load: of the modules that `import zen` loads, the one of the instruction set has it alone.

# Not NumPy's pxd: whoever cimports that looks up all of NumPy's types at import.
cdef extern from "numpy/arrayobject.h":
    pass

cdef extern from *:
    """
    typedef struct {                                /* __Pyx_memviewslice */
        void* memview;
        char* data;
        Py_ssize_t shape[8];
        Py_ssize_t strides[8];
        Py_ssize_t suboffsets[8];
    } zen_view;

    /* In a module that has memoryviews: does not compile where Cython's struct is another one. */
    #define ZEN_CHECK_VIEWS() \\
        ((void)sizeof(char[sizeof(zen_view) == sizeof(__Pyx_memviewslice) \\
                           && offsetof(zen_view, data) == offsetof(__Pyx_memviewslice, data) \\
                           && offsetof(zen_view, shape) == offsetof(__Pyx_memviewslice, shape) \\
                           && offsetof(zen_view, strides) == offsetof(__Pyx_memviewslice, strides) ? 1 : -1]))

    #ifdef _MSC_VER
    #define ZEN_VIEW static __inline
    #else
    #define ZEN_VIEW static inline __attribute__((unused))
    #endif

    /* Two words at once: views are copied to where arguments lie by 16 bytes, and a processor waits where it reads 16
       bytes that two stores have just written. */
    #ifdef __GNUC__
    typedef Py_ssize_t zen_pair
        __attribute__((vector_size(2 * sizeof(Py_ssize_t)), aligned(sizeof(Py_ssize_t)), may_alias));
    #define ZEN_PAIR(at, a, b) (*(zen_pair*)(at) = (zen_pair){(Py_ssize_t)(a), (Py_ssize_t)(b)})
    #else
    #define ZEN_PAIR(at, a, b) (((Py_ssize_t*)(at))[0] = (Py_ssize_t)(a), ((Py_ssize_t*)(at))[1] = (Py_ssize_t)(b))
    #endif

    ZEN_VIEW zen_view zen_view_at(
        const void* data, Py_ssize_t s3, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n3, int nd) {
        zen_view v;                                 /* the rest is not read, and filling it would cost 10 ns */
        Py_ssize_t s2 = s3 * n3, s1 = s2 * n2;
        ZEN_PAIR(&v.memview, 0, data);
        ZEN_PAIR(v.shape, data == NULL ? 0 : n0, n1);
        ZEN_PAIR(v.strides, s1 * n1, s1);
        if (nd > 2) {
            ZEN_PAIR(v.shape + 2, n2, n3);
            ZEN_PAIR(v.strides + 2, s2, s3);
        }
        return v;
    }
    ZEN_VIEW zen_view zen_view_of(
        PyObject* given, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n3, int nd) {
        PyArrayObject* a = (PyArrayObject*)given;
        int none = given == Py_None;
    #ifdef ZEN_DEBUG
        Py_ssize_t size = 1;
        for (int k = 0; !none && k < PyArray_NDIM(a); k++) size *= PyArray_DIMS(a)[k];
        if (!none && n0 * n1 * n2 * n3 > size) Py_FatalError("zen: a view is larger than its array");
    #endif
        return zen_view_at(none ? NULL : PyArray_DATA(a), none ? 0 : PyArray_ITEMSIZE(a), n0, n1, n2, n3, nd);
    }
    ZEN_VIEW zen_view zen_matrix_at(char* data, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t s0, Py_ssize_t s1) {
        zen_view v;
        ZEN_PAIR(&v.memview, 0, data);
        ZEN_PAIR(v.shape, n0, n1);
        ZEN_PAIR(v.strides, s0, s1);
        return v;
    }
    ZEN_VIEW zen_view zen_flipped3(
        const void* p, Py_ssize_t item, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t lag) {
        zen_view v = zen_view_at(p, item, n0, n1, n2, 1, 3);
        ZEN_PAIR(&v.memview, 0, v.data + (n1 - 1 + lag) * v.strides[1]);
        ZEN_PAIR(v.strides, v.strides[0], -v.strides[1]);
        return v;
    }
    #define zen_line_at(data, n0, s0) zen_matrix_at(data, n0, 1, s0, 0)
    #define zen_view1(a, n0) zen_view_of((PyObject*)(a), n0, 1, 1, 1, 1)
    #define zen_view2(a, n0, n1) zen_view_of((PyObject*)(a), n0, n1, 1, 1, 2)
    #define zen_view3(a, n0, n1, n2) zen_view_of((PyObject*)(a), n0, n1, n2, 1, 3)
    #define zen_view4(a, n0, n1, n2, n3) zen_view_of((PyObject*)(a), n0, n1, n2, n3, 4)
    #define zen_buffer1(p, item, n0) zen_view_at(p, item, n0, 1, 1, 1, 1)
    #define zen_buffer2(p, item, n0, n1) zen_view_at(p, item, n0, n1, 1, 1, 2)
    #define zen_buffer3(p, item, n0, n1, n2) zen_view_at(p, item, n0, n1, n2, 1, 3)
    #define zen_buffer4(p, item, n0, n1, n2, n3) zen_view_at(p, item, n0, n1, n2, n3, 4)
    """
    ctypedef struct View "zen_view":
        pass

    # Of the first elements of the ndarray `a`, of whatever shape it is; without elements where it is None.
    View view1 "zen_view1"(object a, Py_ssize_t n0) noexcept nogil
    View view2 "zen_view2"(object a, Py_ssize_t n0, Py_ssize_t n1) noexcept nogil
    View view3 "zen_view3"(object a, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2) noexcept nogil
    View view4 "zen_view4"(object a, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n3) noexcept nogil
    # Of a plan's buffers and workspace, which are addresses; without elements for NULL. item: bytes.
    View buffer1 "zen_buffer1"(const void* p, Py_ssize_t item, Py_ssize_t n0) noexcept nogil
    View buffer2 "zen_buffer2"(const void* p, Py_ssize_t item, Py_ssize_t n0, Py_ssize_t n1) noexcept nogil
    View buffer3 "zen_buffer3"(
        const void* p, Py_ssize_t item, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2) noexcept nogil
    View buffer4 "zen_buffer4"(
        const void* p, Py_ssize_t item, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n3) noexcept nogil
    # As buffer3 with the middle axis, which is not empty, from its end to its start: element k is the one at n1 - 1 - k
    # or, with a lag of 1, the one before that, of which there is none for k = 0.
    View flipped3 "zen_flipped3"(
        const void* p, Py_ssize_t item, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t lag) noexcept nogil
    # Of what lies at `data`, strides in bytes.
    View line_at "zen_line_at"(char* data, Py_ssize_t n0, Py_ssize_t s0) noexcept nogil
    View matrix_at "zen_matrix_at"(
        char* data, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t s0, Py_ssize_t s1) noexcept nogil
    void check_views "ZEN_CHECK_VIEWS"() noexcept nogil
