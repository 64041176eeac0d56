# NumPy's ufuncs on Tensors, where they are rows on plain operands. Part of _record.pyx.

cdef bint is_plain(object x):
    # Whether a row takes x as it is: no conversion, and no other library's array.
    return isinstance(x, (Tensor, int, float, complex)) or (
        type(x) is ndarray and cnp.PyArray_ISNOTSWAPPED(<ndarray>x)
        and (has_kernels(cnp.PyArray_TYPE(<ndarray>x)) or has_complex_kernels(cnp.PyArray_TYPE(<ndarray>x)))
    )


def ufunc(dict functions not None, otherwise):
    """Tensor's `__array_ufunc__`: `functions[ufunc]` for a plain call, else (also where that fails) `otherwise`."""
    def array_ufunc(self, ufunc, str method, *inputs, **options):
        function = functions.get(ufunc) if method == "__call__" and not options else None
        if function is not None:
            for x in inputs:
                if not is_plain(x):
                    break
            else:
                try:
                    return function(*inputs)
                except Exception:
                    pass
        return otherwise(self, ufunc, method, *inputs, **options)
    return array_ufunc
