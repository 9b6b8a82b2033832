// Matrix products of float32 and float64 with any strides, broadcast over leading dimensions.
#include "gemm.h"

#include "arguments.h"

RL_BEGIN

static Reference matmul_reference{"matmul"}, linear_reference{"linear"}, addmm_reference{"addmm"};

// The operands as batches of matrices, broadcast against each other.
struct Product {
    int nd = 0;  // batch dimensions
    npy_intp shape[NPY_MAXDIMS], a_step[NPY_MAXDIMS], b_step[NPY_MAXDIMS];
    npy_intp m, n, k, a_row, a_column, b_row, b_column, batches = 1;
};

static bool describe(PyArrayObject* a, PyArrayObject* b, Product* p) {
    int na = PyArray_NDIM(a), nb = PyArray_NDIM(b);
    if (na < 1 || nb < 1) return false;
    bool left = na == 1, right = nb == 1;
    p->m = left ? 1 : PyArray_DIM(a, na - 2);
    p->k = PyArray_DIM(a, na - 1);
    p->a_row = left ? 0 : step(a, na - 2);
    p->a_column = step(a, na - 1);
    if (PyArray_DIM(b, right ? 0 : nb - 2) != p->k) return false;
    p->n = right ? 1 : PyArray_DIM(b, nb - 1);
    p->b_row = step(b, right ? 0 : nb - 2);
    p->b_column = right ? 0 : step(b, nb - 1);
    int da = left ? 0 : na - 2, db = right ? 0 : nb - 2;
    p->nd = std::max(da, db);
    for (int i = 0; i < p->nd; i++) {
        int ia = i - p->nd + da, ib = i - p->nd + db;
        npy_intp sa = ia < 0 ? 1 : PyArray_DIM(a, ia), sb = ib < 0 ? 1 : PyArray_DIM(b, ib);
        if (sa != sb && sa != 1 && sb != 1) return false;
        p->shape[i] = sa == 1 ? sb : sa;
        p->a_step[i] = sa == 1 ? 0 : step(a, ia);
        p->b_step[i] = sb == 1 ? 0 : step(b, ib);
    }
    if (p->m == 1 && p->nd) p->a_row = p->a_step[p->nd - 1];
    // Rows of a that follow each other evenly meet one matrix b as one tall matrix.
    while (p->nd && p->b_step[p->nd - 1] == 0 && p->a_step[p->nd - 1] == p->m * p->a_row && p->shape[p->nd - 1] > 0 && p->m > 0)
        p->m *= p->shape[--p->nd];
    for (int i = 0; i < p->nd; i++) p->batches *= p->shape[i];
    return true;
}

template <class T> static bool multiply(const Product& p, const T* a, const T* b, T* c, Finish<T> f) {
    std::atomic<bool> enough{true};
    npy_intp work = p.m * p.n * p.k;
    bool by_batch = p.batches > 1 && (work < 8 * gemm_serial_below || p.batches >= 8);
    auto some = [&](npy_intp begin, npy_intp end) {
        for (npy_intp t = begin; t < end; t++) {
            npy_intp rest = t, a_at = 0, b_at = 0;
            for (int i = p.nd - 1; i >= 0; i--) {
                a_at += rest % p.shape[i] * p.a_step[i];
                b_at += rest % p.shape[i] * p.b_step[i];
                rest /= p.shape[i];
            }
            if (!gemm<T>(p.m, p.n, p.k, {a + a_at, p.a_row, p.a_column}, {b + b_at, p.b_row, p.b_column}, c + t * p.m * p.n, p.n, f))
                enough = false;
        }
    };
    if (by_batch) parallel_for(p.batches, std::max(npy_intp(1), gemm_serial_below / std::max(npy_intp(1), work)), some);
    else some(0, p.batches);
    return enough;
}

template <class T>
static PyObject* run(const Product& p, PyArrayObject* a, PyArrayObject* b, PyArrayObject* out, Finish<T> f) {
    if (!out) return nullptr;
    bool enough;
    {
        Unlocked unlocked(p.batches * p.m * p.n * p.k >= serial_below);
        enough = multiply<T>(p, data<T>(a), data<T>(b), data<T>(out), f);
    }
    if (!enough) {
        Py_DECREF(out);
        return PyErr_NoMemory();
    }
    return as_object(out);
}

static PyArrayObject* result(PyArrayObject* a, PyArrayObject* b) {
    npy_intp shape[NPY_MAXDIMS];
    int na = PyArray_NDIM(a), nb = PyArray_NDIM(b), da = na == 1 ? 0 : na - 2, db = nb == 1 ? 0 : nb - 2, nd = std::max(da, db);
    for (int i = 0; i < nd; i++) {
        int ia = i - nd + da, ib = i - nd + db;
        npy_intp sa = ia < 0 ? 1 : PyArray_DIM(a, ia);
        shape[i] = sa == 1 && ib >= 0 ? PyArray_DIM(b, ib) : sa;
    }
    if (na > 1) shape[nd++] = PyArray_DIM(a, na - 2);
    if (nb > 1) shape[nd++] = PyArray_DIM(b, nb - 1);
    return empty(nd, shape, PyArray_TYPE(a));
}

static int type_of(PyObject* a, PyObject* b) {
    if (is_strided(a, NPY_FLOAT32) && is_strided(b, NPY_FLOAT32)) return NPY_FLOAT32;
    if (is_strided(a, NPY_FLOAT64) && is_strided(b, NPY_FLOAT64)) return NPY_FLOAT64;
    return -1;
}

static PyObject* matmul(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    Product p;
    int type = nargs == 2 ? type_of(args[0], args[1]) : -1;
    if (type < 0 || !describe(as_array(args[0]), as_array(args[1]), &p)) return matmul_reference.call(args, nargs);
    PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
    return type == NPY_FLOAT32 ? run<float>(p, a, b, result(a, b), {}) : run<double>(p, a, b, result(a, b), {});
}

// a @ w.T, which is a product whose second operand has its strides exchanged.
template <class T> static PyObject* linear_of(PyArrayObject* a, PyArrayObject* w, const T* bias) {
    int nd = PyArray_NDIM(a);
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(PyArray_DIMS(a), nd, shape);
    shape[nd - 1] = PyArray_DIM(w, 0);
    Product p;
    p.k = PyArray_DIM(a, nd - 1);
    p.n = shape[nd - 1];
    p.m = 1;
    for (int i = 0; i < nd - 1; i++) p.m *= shape[i];
    // Contiguous rows follow each other whatever NumPy says the stride of a dimension of size 1 is.
    p.a_row = nd > 2 ? p.k : nd > 1 ? step(a, nd - 2) : 0;
    p.a_column = step(a, nd - 1);
    p.b_row = step(w, 1);
    p.b_column = step(w, 0);
    Finish<T> f;
    f.bias = bias;
    return run<T>(p, a, w, empty(nd, shape, PyArray_TYPE(a)), f);
}

static PyObject* linear(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "w", "bias"};
    PyObject* bound[3];
    int type = bind(wanted, args, nargs, names, bound) && bound[0] && bound[1] ? type_of(bound[0], bound[1]) : -1;
    if (type < 0) return linear_reference.call(args, nargs, names);
    PyArrayObject *a = as_array(bound[0]), *w = as_array(bound[1]);
    int nd = PyArray_NDIM(a);
    if (nd < 1 || PyArray_NDIM(w) != 2 || PyArray_DIM(a, nd - 1) != PyArray_DIM(w, 1) ||
        !is_vector_or_none(bound[2], type, PyArray_DIM(w, 0)))
        return linear_reference.call(args, nargs, names);
    // More than two dimensions are one matrix if they are contiguous.
    PyArrayObject* rows = a;
    if (nd > 2 && !PyArray_IS_C_CONTIGUOUS(a)) {
        rows = as_array(PyArray_NewCopy(a, NPY_CORDER));
        if (!rows) return nullptr;
    }
    PyObject* out = type == NPY_FLOAT32 ? linear_of<float>(rows, w, data_or_null<float>(bound[2]))
                                        : linear_of<double>(rows, w, data_or_null<double>(bound[2]));
    if (rows != a) Py_DECREF(rows);
    return out;
}

template <class T>
static PyObject* addmm_of(const Product& p, PyArrayObject* c, PyArrayObject* a, PyArrayObject* b, double beta, double alpha) {
    PyArrayObject* out = result(a, b);
    if (!out) return nullptr;
    Finish<T> f;
    f.alpha = static_cast<T>(alpha);
    npy_intp n = p.n;
    if (beta == 1 && PyArray_NDIM(c) == 1 && PyArray_DIM(c, 0) == n && PyArray_NDIM(b) > 1 && PyArray_IS_C_CONTIGUOUS(c)) {
        f.bias = data<T>(c);
    } else if (beta != 0) {
        if (PyArray_CopyInto(out, c) < 0) {
            Py_DECREF(out);
            return nullptr;
        }
        T* to = data<T>(out);
        T scale = static_cast<T>(beta);
        if (beta != 1)
            for (npy_intp i = 0, size = PyArray_SIZE(out); i < size; i++) to[i] *= scale;
        f.accumulate = true;
    }
    return run<T>(p, a, b, out, f);
}

static PyObject* addmm(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"c", "a", "b", "beta", "alpha"};
    PyObject* bound[5];
    Product p;
    double beta = 1, alpha = 1;
    int type = bind(wanted, args, nargs, names, bound) && bound[1] && bound[2] ? type_of(bound[1], bound[2]) : -1;
    if (type < 0 || !is_strided(bound[0], type) || (bound[3] && !number(bound[3], &beta)) || (bound[4] && !number(bound[4], &alpha)) ||
        !describe(as_array(bound[1]), as_array(bound[2]), &p))
        return addmm_reference.call(args, nargs, names);
    PyArrayObject *c = as_array(bound[0]), *a = as_array(bound[1]), *b = as_array(bound[2]);
    return type == NPY_FLOAT32 ? addmm_of<float>(p, c, a, b, beta, alpha) : addmm_of<double>(p, c, a, b, beta, alpha);
}

RL_END

RL_METHODS(gemm, RL_FAST(matmul, "matmul(a, b)"), RL_FAST_KEYWORDS(linear, "linear(a, w, bias=None)"),
           RL_FAST_KEYWORDS(addmm, "addmm(c, a, b, beta=1, alpha=1)"))
