// Arguments of an entry: positional or by name, arrays by their element strides, numbers, tuples of sizes.
#pragma once
#include <cstring>

#include "rushlight.h"

namespace rl {

// The arguments in the order of `wanted`, nullptr where one is missing. False: something is not as the signature says.
template <int N>
inline bool bind(const char* const (&wanted)[N], PyObject* const* args, Py_ssize_t nargs, PyObject* names, PyObject** bound) {
    if (nargs > N) return false;
    for (int i = 0; i < N; i++) bound[i] = i < nargs ? args[i] : nullptr;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t j = 0; j < named; j++) {
        int i = 0;
        while (i < N && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, j), wanted[i])) i++;
        if (i == N || bound[i]) return false;
        bound[i] = args[nargs + j];
    }
    return true;
}

// A plain array of the type whose strides are whole elements.
inline bool is_strided(PyObject* o, int type) {
    if (!o || !is_plain(o, type)) return false;
    PyArrayObject* a = as_array(o);
    npy_intp size = PyArray_ITEMSIZE(a);
    for (int i = 0; i < PyArray_NDIM(a); i++)
        if (PyArray_STRIDE(a, i) % size) return false;
    return true;
}
// An index is used as it was checked: while the lock is released, another thread may write to the array it stands in.
inline npy_int64 read_once(const npy_int64* at) { return *static_cast<const volatile npy_int64*>(at); }
inline npy_int64 clamped(npy_int64 i, npy_int64 n) { return static_cast<npy_uint64>(i) < static_cast<npy_uint64>(n) ? i : 0; }
inline npy_intp step(PyArrayObject* a, int axis) { return PyArray_STRIDE(a, axis) / PyArray_ITEMSIZE(a); }
inline bool is_none(PyObject* o) { return !o || o == Py_None; }
// None, or a contiguous vector of n numbers.
inline bool is_vector_or_none(PyObject* o, int type, npy_intp n) {
    return is_none(o) || (is_contiguous(o, type) && PyArray_NDIM(as_array(o)) == 1 && PyArray_DIM(as_array(o), 0) == n);
}
template <class T> inline const T* data_or_null(PyObject* o) { return is_none(o) ? nullptr : data<T>(as_array(o)); }

// A Python number as a double; false (and no error set) if it is none.
inline bool number(PyObject* o, double* to) {
    if (!o) return false;
    *to = PyFloat_AsDouble(o);
    if (*to == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return true;
}

// A tuple or list of exactly n integers.
inline bool sizes(PyObject* o, int n, npy_intp* to) {
    if (!o || !(PyTuple_Check(o) || PyList_Check(o)) || PySequence_Fast_GET_SIZE(o) != n) return false;
    for (int i = 0; i < n; i++) {
        PyObject* item = PySequence_Fast_GET_ITEM(o, i);
        if (!PyLong_Check(item)) return false;
        to[i] = PyLong_AsSsize_t(item);
        if (to[i] == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            return false;
        }
    }
    return true;
}

// An array that C code can read from front to back: the same one where it already is, a copy otherwise.
struct Contiguous {
    PyArrayObject* array;
    explicit Contiguous(PyObject* o)
        : array(as_array(PyArray_FROM_OF(o, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED))) {}
    ~Contiguous() { Py_XDECREF(array); }
    Contiguous(const Contiguous&) = delete;
    Contiguous& operator=(const Contiguous&) = delete;
    explicit operator bool() const { return array != nullptr; }
};

}  // namespace rl
