// Positions that sort rows, where equal elements stand as PyTorch leaves them: in the order of the C++ library's
// std::sort, std::partial_sort and std::nth_element (GCC's, in both) on pairs of a key and its position.
#include <algorithm>
#include <utility>
#include <vector>

#include "parallel.h"

RL_BEGIN

static Reference argsort_reference{"argsort"}, argtop_reference{"argtop"}, argselect_reference{"argselect"};

// nan counts as the largest.
template <class T> struct Less {
    using Pair = std::pair<T, npy_int64>;
    bool operator()(const Pair& a, const Pair& b) const { return (a.first == a.first && b.first != b.first) || a.first < b.first; }
};
template <class T> struct Greater {
    using Pair = std::pair<T, npy_int64>;
    bool operator()(const Pair& a, const Pair& b) const { return (a.first != a.first && b.first == b.first) || a.first > b.first; }
};

// The first k of a row in order. k == n sorts everything.
template <class T, class Compare>
static void first_of(std::vector<std::pair<T, npy_int64>>& row, npy_intp k, bool whole, bool in_order, Compare before) {
    auto begin = row.begin(), end = row.end();
    if (whole) std::sort(begin, end, before);
    else if (k * 64 <= npy_intp(row.size())) std::partial_sort(begin, begin + k, end, before);
    else {
        std::nth_element(begin, begin + k - 1, end, before);
        if (in_order) std::sort(begin, begin + k - 1, before);
    }
}

template <class T>
static void rows_of(const T* from, npy_intp rows, npy_intp n, npy_intp k, bool whole, bool descending, bool in_order, npy_int64* to) {
    parallel_for(rows, std::max(npy_intp(1), serial_below / (4 * n)), [&](npy_intp begin, npy_intp end) {
        std::vector<std::pair<T, npy_int64>> row(n);
        for (npy_intp r = begin; r < end; r++) {
            for (npy_intp i = 0; i < n; i++) row[i] = {from[r * n + i], i};
            if (descending) first_of(row, k, whole, in_order, Greater<T>());
            else first_of(row, k, whole, in_order, Less<T>());
            for (npy_intp i = 0; i < k; i++) to[r * k + i] = row[i].second;
        }
    });
}

static PyObject* picked(PyObject* keys, npy_intp k, bool whole, bool descending, bool in_order) {
    PyArrayObject* a = as_array(keys);
    npy_intp rows = PyArray_DIM(a, 0), n = PyArray_DIM(a, 1), shape[2] = {rows, k};
    PyArrayObject* out = as_array(PyArray_SimpleNew(2, shape, NPY_INT64));
    if (!out || rows == 0 || k == 0) return as_object(out);
    Unlocked unlocked(rows * n >= 1024);
    if (PyArray_TYPE(a) == NPY_FLOAT64) rows_of(data<double>(a), rows, n, k, whole, descending, in_order, data<npy_int64>(out));
    else rows_of(data<npy_int64>(a), rows, n, k, whole, descending, in_order, data<npy_int64>(out));
    return as_object(out);
}

// Where the element of rank k is once Hoare's selection (median of three, as in Numerical Recipes) has ended on a row.
template <class T> static npy_int64 selected(std::vector<std::pair<T, npy_int64>>& row, npy_intp k) {
    Greater<T> above;
    npy_intp left = 0, right = npy_intp(row.size()) - 1;
    while (right > left + 1) {
        std::swap(row[(left + right) >> 1], row[left + 1]);
        if (above(row[left + 1], row[right])) std::swap(row[left + 1], row[right]);
        if (above(row[left], row[right])) std::swap(row[left], row[right]);
        if (above(row[left + 1], row[left])) std::swap(row[left + 1], row[left]);
        npy_intp i = left + 1, j = right;
        const std::pair<T, npy_int64> pivot = row[left];
        for (;;) {
            do i++; while (above(pivot, row[i]));
            do j--; while (above(row[j], pivot));
            if (j < i) break;
            std::swap(row[i], row[j]);
        }
        std::swap(row[left], row[j]);
        if (j <= k) left = i;
        if (j >= k) right = j - 1;
    }
    if (right == left + 1 && above(row[left], row[right])) std::swap(row[left], row[right]);
    return row[k].second;
}

template <class T> static void select_rows(const T* from, npy_intp rows, npy_intp n, npy_intp k, npy_int64* to) {
    parallel_for(rows, std::max(npy_intp(1), serial_below / (4 * n)), [&](npy_intp begin, npy_intp end) {
        std::vector<std::pair<T, npy_int64>> row(n);
        for (npy_intp r = begin; r < end; r++) {
            for (npy_intp i = 0; i < n; i++) row[i] = {from[r * n + i], i};
            to[r] = selected(row, k);
        }
    });
}

static bool is_keys(PyObject* o) {
    return (is_contiguous(o, NPY_FLOAT64) || is_contiguous(o, NPY_INT64)) && PyArray_NDIM(as_array(o)) == 2;
}

static PyObject* argsort(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_keys(args[0])) return argsort_reference.call(args, nargs);
    return picked(args[0], PyArray_DIM(as_array(args[0]), 1), true, args[1] == Py_True, true);
}

static PyObject* argtop(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 4 || !is_keys(args[0]) || !PyLong_Check(args[1])) return argtop_reference.call(args, nargs);
    npy_intp k = PyLong_AsSsize_t(args[1]);
    if (k < 1 || k > PyArray_DIM(as_array(args[0]), 1)) {
        PyErr_Clear();
        return argtop_reference.call(args, nargs);
    }
    return picked(args[0], k, false, args[2] == Py_True, args[3] == Py_True);
}

static PyObject* argselect(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_keys(args[0]) || !PyLong_Check(args[1])) return argselect_reference.call(args, nargs);
    PyArrayObject* a = as_array(args[0]);
    npy_intp k = PyLong_AsSsize_t(args[1]), rows = PyArray_DIM(a, 0), n = PyArray_DIM(a, 1);
    if (k < 0 || k >= n) {
        PyErr_Clear();
        return argselect_reference.call(args, nargs);
    }
    PyArrayObject* out = as_array(PyArray_SimpleNew(1, &rows, NPY_INT64));
    if (!out) return nullptr;
    Unlocked unlocked(rows * n >= 1024);
    if (PyArray_TYPE(a) == NPY_FLOAT64) select_rows(data<double>(a), rows, n, k, data<npy_int64>(out));
    else select_rows(data<npy_int64>(a), rows, n, k, data<npy_int64>(out));
    return as_object(out);
}

RL_END

RL_METHODS(order, RL_FAST(argsort, "Positions that sort rows."), RL_FAST(argtop, "Positions of the k first of rows."),
           RL_FAST(argselect, "Positions of the elements of one rank."))
