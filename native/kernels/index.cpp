// Rows looked up and added: embedding, its gradient, and index_add_ along the first axis.
#include <algorithm>
#include <vector>

#include "arguments.h"
#include "parallel.h"

RL_BEGIN

static Reference embedding_reference{"embedding"}, backward_reference{"embedding_backward"}, index_add_reference{"index_add_"};

static bool inside(const npy_int64* ids, npy_intp n, npy_intp rows) {
    for (npy_intp i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= rows) return false;
    return true;
}

// Bytes are bytes: any dtype without Python objects.
static PyObject* embedding(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_plain(args[0]) || !PyArray_IS_C_CONTIGUOUS(as_array(args[0])) || PyArray_NDIM(as_array(args[0])) < 1 ||
        PyDataType_REFCHK(PyArray_DESCR(as_array(args[0]))) || !is_contiguous(args[1], NPY_INT64))
        return embedding_reference.call(args, nargs);
    PyArrayObject *w = as_array(args[0]), *ids = as_array(args[1]);
    int nd = PyArray_NDIM(ids), inner = PyArray_NDIM(w) - 1;
    npy_intp n = PyArray_SIZE(ids), rows = PyArray_DIM(w, 0), shape[NPY_MAXDIMS];
    const npy_int64* at = data<npy_int64>(ids);
    if (nd + inner > NPY_MAXDIMS || rows < 1 || !inside(at, n, rows)) return embedding_reference.call(args, nargs);
    std::copy_n(PyArray_DIMS(ids), nd, shape);
    std::copy_n(PyArray_DIMS(w) + 1, inner, shape + nd);
    PyArray_Descr* type = PyArray_DESCR(w);
    Py_INCREF(type);
    PyArrayObject* out = as_array(PyArray_NewFromDescr(&PyArray_Type, type, nd + inner, shape, nullptr, nullptr, 0, nullptr));
    if (!out) return nullptr;
    npy_intp bytes = PyArray_NBYTES(w) / rows;
    const char* from = data<char>(w);
    char* to = data<char>(out);
    Unlocked unlocked(n * bytes >= 4 * serial_below);
    parallel_for(n, std::max(npy_intp(1), 4 * serial_below / std::max(npy_intp(1), bytes)), [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) std::memcpy(to + i * bytes, from + clamped(read_once(at + i), rows) * bytes, bytes);
    });
    return as_object(out);
}

// to[ids[i]] += alpha * from[i], by bands of columns: a thread has its own, and the order of the sums is the rows'.
template <class T> static void add_rows(npy_intp n, npy_intp rows, npy_intp width, const npy_int64* ids, const T* from, T* to, T alpha) {
    npy_intp bands = (width + 63) / 64;
    parallel_for(bands, n * 64 >= serial_below ? 1 : bands, [&](npy_intp begin, npy_intp end) {
        npy_intp first = begin * 64, some = std::min(width, end * 64) - first;
        for (npy_intp i = 0; i < n; i++) {
            const T* __restrict p = from + i * width + first;
            T* __restrict q = to + clamped(read_once(ids + i), rows) * width + first;
            if (alpha == T(1))
                for (npy_intp j = 0; j < some; j++) q[j] += p[j];
            else
                for (npy_intp j = 0; j < some; j++) q[j] += alpha * p[j];
        }
    });
}

static PyObject* embedding_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "ids", "rows", "padding_idx", "scale_by_freq"};
    PyObject* b[5];
    npy_intp rows = 0, padding = -1;
    bool fits = bind(wanted, args, nargs, names, b) && b[0] && b[1] && b[2] && is_plain(b[0]) && is_contiguous(b[1], NPY_INT64) &&
                PyLong_Check(b[2]) && (!b[4] || b[4] == Py_False);
    int type = fits ? PyArray_TYPE(as_array(b[0])) : -1;
    fits = fits && (type == NPY_FLOAT32 || type == NPY_FLOAT64) && (is_none(b[3]) || PyLong_Check(b[3]));
    if (fits) {
        rows = PyLong_AsSsize_t(b[2]);
        if (!is_none(b[3])) padding = PyLong_AsSsize_t(b[3]);
        if (PyErr_Occurred()) PyErr_Clear();
        PyArrayObject *g = as_array(b[0]), *ids = as_array(b[1]);
        fits = rows > 0 && PyArray_NDIM(g) >= PyArray_NDIM(ids) && padding < rows &&
               PyArray_CompareLists(PyArray_DIMS(g), PyArray_DIMS(ids), PyArray_NDIM(ids)) &&
               PyArray_NDIM(g) - PyArray_NDIM(ids) + 1 <= NPY_MAXDIMS && inside(data<npy_int64>(ids), PyArray_SIZE(ids), rows);
    }
    if (!fits) return backward_reference.call(args, nargs, names);
    Contiguous g(b[0]);
    if (!g) return nullptr;
    PyArrayObject* ids = as_array(b[1]);
    int nd = PyArray_NDIM(g.array) - PyArray_NDIM(ids) + 1;
    npy_intp shape[NPY_MAXDIMS] = {rows}, width = 1, n = PyArray_SIZE(ids);
    for (int i = 1; i < nd; i++) width *= shape[i] = PyArray_DIM(g.array, PyArray_NDIM(ids) + i - 1);
    PyArrayObject* out = as_array(PyArray_ZEROS(nd, shape, type, 0));
    if (!out) return nullptr;
    Unlocked unlocked(n * width >= serial_below);
    const npy_int64* at = data<npy_int64>(ids);
    if (type == NPY_FLOAT32) add_rows<float>(n, rows, width, at, data<float>(g.array), data<float>(out), 1);
    else add_rows<double>(n, rows, width, at, data<double>(g.array), data<double>(out), 1);
    if (padding >= 0) std::memset(data<char>(out) + padding * width * PyArray_ITEMSIZE(out), 0, width * PyArray_ITEMSIZE(out));
    return as_object(out);
}

static PyObject* index_add_(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "axis", "ids", "src", "alpha"};
    PyObject* b[5];
    double alpha = 1;
    bool fits = bind(wanted, args, nargs, names, b) && b[0] && b[1] && b[2] && b[3] && is_plain(b[0]) && is_contiguous(b[2], NPY_INT64) &&
                is_plain(b[3]) && PyLong_Check(b[1]) && PyLong_AsLong(b[1]) == 0 && (!b[4] || number(b[4], &alpha));
    if (PyErr_Occurred()) PyErr_Clear();
    int type = fits ? PyArray_TYPE(as_array(b[0])) : -1;
    if (fits) {
        PyArrayObject *a = as_array(b[0]), *ids = as_array(b[2]), *src = as_array(b[3]);
        int nd = PyArray_NDIM(a);
        fits = (type == NPY_FLOAT32 || type == NPY_FLOAT64) && PyArray_TYPE(src) == type && nd >= 1 && PyArray_NDIM(src) == nd &&
               PyArray_NDIM(ids) == 1 && PyArray_IS_C_CONTIGUOUS(a) && PyArray_ISWRITEABLE(a) && PyArray_IS_C_CONTIGUOUS(src) &&
               PyArray_DIM(ids, 0) == PyArray_DIM(src, 0) && PyArray_CompareLists(PyArray_DIMS(a) + 1, PyArray_DIMS(src) + 1, nd - 1) &&
               inside(data<npy_int64>(ids), PyArray_SIZE(ids), PyArray_DIM(a, 0)) &&
               !(data<char>(src) < data<char>(a) + PyArray_NBYTES(a) && data<char>(a) < data<char>(src) + PyArray_NBYTES(src));
    }
    if (!fits) return index_add_reference.call(args, nargs, names);
    PyArrayObject *a = as_array(b[0]), *ids = as_array(b[2]), *src = as_array(b[3]);
    npy_intp n = PyArray_SIZE(ids), width = n ? PyArray_SIZE(src) / n : 0;
    {
        Unlocked unlocked(n * width >= serial_below);
        const npy_int64* at = data<npy_int64>(ids);
        if (type == NPY_FLOAT32) add_rows<float>(n, PyArray_DIM(a, 0), width, at, data<float>(src), data<float>(a), static_cast<float>(alpha));
        else add_rows<double>(n, PyArray_DIM(a, 0), width, at, data<double>(src), data<double>(a), alpha);
    }
    Py_RETURN_NONE;
}

RL_END

RL_METHODS(index, RL_FAST(embedding, "embedding(w, ids)"),
           RL_FAST_KEYWORDS(embedding_backward, "embedding_backward(g, ids, rows, padding_idx=None, scale_by_freq=False)"),
           RL_FAST_KEYWORDS(index_add_, "index_add_(a, axis, ids, src, alpha=1)"))
