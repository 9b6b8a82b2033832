// Element-wise kernels.
#include "rushlight.h"
#include "parallel.h"

RL_BEGIN

static Reference add_reference{"add"};

static PyObject* add(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_contiguous(args[0], NPY_FLOAT32) || !is_contiguous(args[1], NPY_FLOAT32) ||
        !PyArray_SAMESHAPE(as_array(args[0]), as_array(args[1])))
        return add_reference.call(args, nargs);
    PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
    PyArrayObject* out = empty(PyArray_NDIM(a), PyArray_DIMS(a), NPY_FLOAT32);
    if (!out) return nullptr;
    const float *pa = data<float>(a), *pb = data<float>(b);
    float* po = data<float>(out);
    npy_intp n = PyArray_SIZE(out);
    Unlocked unlocked(n >= serial_below);
    parallel_for(n, serial_below, [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) po[i] = pa[i] + pb[i];
    });
    return as_object(out);
}

RL_END

RL_METHODS(elementwise, RL_FAST(add, "add(a, b)"))
