# Tiles of a convolution's output, and the columns of patches that they see (see _conv_patches.pxi).
#
# A tile is several images, or some rows of one image, or a part of a row. Its `columns` are a matrix with a column for
# each position of the tile, in the order row, image, column, and a row for each element of the patch that a position
# sees. Only one tile's columns are held at a time. Without a stride down the image, the columns for one row of the
# kernel contain those for the next, one row of pixels further on: then only those for one row are made (`fold` is 1).

from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #ifdef __GNUC__
    #define ZEN_COPY static inline __attribute__((unused))
    #else
    #define ZEN_COPY static __inline
    #endif

    /* A row of pixels is short: calling the C library for it would take longer than the copy. */
    ZEN_COPY void zen_copy(void* target, const void* origin, size_t n) {
        char* to = (char*)target;
        const char* from = (const char*)origin;
        size_t i;
        if (n >= 160) {
            memcpy(to, from, n);
        } else if (n >= 16) {
            for (i = 0; i + 16 <= n; i += 16) memcpy(to + i, from + i, 16);
            memcpy(to + n - 16, from + n - 16, 16);
        } else {
            for (i = 0; i < n; i += 4) memcpy(to + i, from + i, 4);
        }
    }
    """
    void zen_copy(void* to, const void* origin, size_t n) noexcept nogil

cdef enum:
    TILE = 1 << 20      # bytes of columns that a tile aims at: they stay in the level 2 cache
    FEW = 1 << 16       # bytes of workspace that are never too many
    POSITIONS = 512     # of a tile, from which on a matrix product runs at full speed


cdef struct Geometry:
    Py_ssize_t n, c, h, w                       # images, channels, height and width of the input
    Py_ssize_t o, oh, ow                        # channels, height and width of the output
    Py_ssize_t kh, kw, sh, sw, ph, pw, dh, dw   # kernel, stride, padding, dilation
    Py_ssize_t groups, cg, og                   # channels of a group: input, output
    # The plan
    Py_ssize_t images, rows, cols               # of a tile
    Py_ssize_t fold                             # rows of the kernel in one product: all or one
    Py_ssize_t k                                # rows of `columns`
    bint plain                                  # the image itself is the matrix of columns
    bint packed                                 # there is memory for a copy of the weights


cdef struct Tile:
    Py_ssize_t image, row, col, group           # where it starts
    Py_ssize_t images, rows, cols
    Py_ssize_t span                             # rows of pixels in `columns`: more than `rows` where fold is 1
    Py_ssize_t size                             # positions
    Py_ssize_t ld                               # length of a row of `columns`


# --- geometry


cdef inline void plan_tiles(Geometry* s, Py_ssize_t item) noexcept:
    # How large a tile is: its columns and its part of the output take no more than TILE, nor than the input.
    cdef Py_ssize_t pixels = s.n * s.c * s.h * s.w, extra = (s.kh - 1) * s.dh
    cdef Py_ssize_t memory = max(min(<Py_ssize_t>TILE, pixels * item), <Py_ssize_t>FEW) // item
    cdef Py_ssize_t room
    s.packed = s.o * s.cg * s.kh * s.kw <= pixels
    s.fold = 1 if s.sh == 1 and s.packed else s.kh
    if s.fold == s.kh:
        extra = 0
    s.k = s.cg * s.fold * s.kw
    s.images, s.rows, s.cols = 1, s.oh, s.ow
    s.plain = (s.kh == 1 and s.kw == 1 and s.sh == 1 and s.sw == 1 and s.ph == 0 and s.pw == 0
               and s.oh * s.ow >= 64)
    if s.oh * s.ow == 0 or s.plain:
        return
    room = memory // max(s.k + s.og, 1)        # positions
    if room >= (s.oh + extra) * s.ow:
        s.images = max(min(s.n, room // ((s.oh + extra) * s.ow), POSITIONS // (s.oh * s.ow)), 1)
    elif room >= (4 * extra + 1) * s.ow:
        s.rows = room // s.ow - extra
    else:       # little room: all rows of the kernel at once, and if need be part of a row of pixels
        s.fold = s.kh
        s.k = s.cg * s.kh * s.kw
        room = max(memory // max(s.k + s.og, 1), 16)
        s.rows = max(room // s.ow, 1)
        s.cols = min(s.ow, room)


cdef inline Py_ssize_t columns_size(const Geometry* s) noexcept nogil:
    cdef Py_ssize_t extra = (s.kh - 1) * s.dh if s.fold < s.kh else 0
    return 0 if s.plain else s.k * (s.rows + extra) * s.images * s.cols


cdef inline Py_ssize_t side_size(const Geometry* s) noexcept nogil:
    return s.og * s.rows * s.images * s.cols if s.images > 1 else 0


cdef inline bint next_tile(const Geometry* s, Tile* t) noexcept nogil:
    # From the tile `t` to the next one; False after the last. Groups change fastest.
    t.group += 1
    if t.group == s.groups:
        t.group = 0
        t.col += t.cols
        if t.col >= s.ow:
            t.col = 0
            t.row += t.rows
            if t.row >= s.oh:
                t.row = 0
                t.image += t.images
                if t.image >= s.n:
                    return False
    t.images, t.rows, t.cols = min(s.images, s.n - t.image), min(s.rows, s.oh - t.row), min(s.cols, s.ow - t.col)
    t.span = t.rows + ((s.kh - 1) * s.dh if s.fold < s.kh else 0)
    t.size = t.rows * t.images * t.cols
    t.ld = t.span * t.images * t.cols
    return True


cdef inline bint first_tile(const Geometry* s, Tile* t) noexcept nogil:
    memset(t, 0, sizeof(Tile))
    if s.n == 0 or s.oh == 0 or s.ow == 0 or s.o == 0:
        return False
    t.group = -1
    return next_tile(s, t)
