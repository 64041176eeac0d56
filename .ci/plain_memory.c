/* Makes NumPy take each array's memory from malloc and give it back at once, so that the address sanitizer sees it
   freed; NumPy itself keeps small blocks for reuse. A module: it takes effect where it is imported. */

#define PY_SSIZE_T_CLEAN
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>
#include <stdlib.h>

static void *take(void *context, size_t size) { return malloc(size ? size : 1); }
static void *take_zeroed(void *context, size_t count, size_t size) { return calloc(count ? count : 1, size ? size : 1); }
static void *take_again(void *context, void *block, size_t size) { return realloc(block, size ? size : 1); }
static void give_back(void *context, void *block, size_t size) { free(block); }

static PyDataMem_Handler handler = {"plain", 1, {NULL, take, take_zeroed, take_again, give_back}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "plain_memory", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_plain_memory(void) {
    PyObject *capsule, *previous;
    import_array();
    capsule = PyCapsule_New(&handler, "mem_handler", NULL);
    previous = capsule ? PyDataMem_SetHandler(capsule) : NULL;
    Py_XDECREF(capsule);
    if (!previous)
        return NULL;
    Py_DECREF(previous);
    return PyModule_Create(&module);
}
