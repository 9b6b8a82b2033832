// Reductions of float32 and float64 arrays: sum, mean, var, amax, amin, argmax, argmin.
//
// The axes fall into neighbouring groups that are kept or reduced; up to three groups are handled here. A line is summed
// in blocks with vector accumulators and the blocks in double, always cut alike: the number of threads changes nothing.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "parallel.h"
#include "simd.h"

RL_BEGIN

namespace {

constexpr npy_intp block = 2048;    // elements summed in T
constexpr npy_intp stretch = 32768;  // elements of a line that one thread takes

template <class T> struct Lanes {
    static constexpr int n = vector_bytes / int(sizeof(T));
    typedef T V __attribute__((vector_size(vector_bytes)));
    static V load(const T* p) { V v; std::memcpy(&v, p, sizeof v); return v; }
};

// Each reduction: an accumulator, a line of elements into it, one element into it, two into one, and the result.
template <class T> struct Sum {
    using Accumulator = double;
    static double start() { return 0; }
    static double line(const T* a, npy_intp n) {
        using L = Lanes<T>;
        double total = 0;
        for (npy_intp from = 0; from < n; from += block) {
            npy_intp m = std::min(block, n - from), i = 0;
            const T* p = a + from;
            typename L::V s0 = {}, s1 = {}, s2 = {}, s3 = {};
            for (; i + 4 * L::n <= m; i += 4 * L::n) {
                s0 += L::load(p + i);
                s1 += L::load(p + i + L::n);
                s2 += L::load(p + i + 2 * L::n);
                s3 += L::load(p + i + 3 * L::n);
            }
            s0 = (s0 + s1) + (s2 + s3);
            double part = 0;
            for (int j = 0; j < L::n; j++) part += s0[j];
            for (; i < m; i++) part += p[i];
            total += part;
        }
        return total;
    }
    static double step(double s, T x) { return s + x; }
    static double join(double s, double t) { return s + t; }
};

template <class T, bool greatest> struct Extreme {
    using Accumulator = T;
    static T start() { return greatest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity(); }
    // nan wins, and once there stays.
    static T step(T s, T x) { return ((greatest ? x > s : x < s) | (x != x)) ? x : s; }
    static T join(T s, T x) { return step(s, x); }
    static T line(const T* a, npy_intp n) {
        using L = Lanes<T>;
        using V = typename L::V;
        T best = start();
        npy_intp i = 0;
        if (n >= 4 * L::n) {
            auto wide = [](V s, V x) { return ((greatest ? x > s : x < s) | (x != x)) ? x : s; };
            V s0 = L::load(a), s1 = L::load(a + L::n), s2 = L::load(a + 2 * L::n), s3 = L::load(a + 3 * L::n);
            for (i = 4 * L::n; i + 4 * L::n <= n; i += 4 * L::n) {
                s0 = wide(s0, L::load(a + i));
                s1 = wide(s1, L::load(a + i + L::n));
                s2 = wide(s2, L::load(a + i + 2 * L::n));
                s3 = wide(s3, L::load(a + i + 3 * L::n));
            }
            s0 = wide(wide(s0, s1), wide(s2, s3));
            for (int j = 0; j < L::n; j++) best = step(best, s0[j]);
        }
        for (; i < n; i++) best = step(best, a[i]);
        return best;
    }
};

template <class R, class T> typename R::Accumulator whole_line(const T* a, npy_intp n, bool parallel) {
    if (n <= stretch) return R::join(R::start(), R::line(a, n));
    npy_intp pieces = (n + stretch - 1) / stretch;
    std::vector<typename R::Accumulator> parts(pieces);
    auto some = [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) parts[i] = R::line(a + i * stretch, std::min(stretch, n - i * stretch));
    };
    if (parallel) parallel_for(pieces, 2, some);
    else some(0, pieces);
    auto total = R::start();
    for (auto part : parts) total = R::join(total, part);
    return total;
}

// The array as [first, second, third], where the middle is reduced and the others kept, or the reverse.
struct Groups {
    npy_intp first = 1, second = 1, third = 1;
    bool reduce_middle = true;
    npy_intp reduced() const { return reduce_middle ? second : first * third; }
    npy_intp kept() const { return reduce_middle ? first * third : second; }
};

// out[i] receives finish(accumulator) for each kept element i.
template <class R, class T, class Finish>
void reduce(const T* a, const Groups& g, const Finish& finish) {
    using A = typename R::Accumulator;
    npy_intp f = g.first, s = g.second, t = g.third;
    if (!g.reduce_middle) {
        auto one = [&](npy_intp i, bool parallel) {
            A total = R::start();
            for (npy_intp k = 0; k < f; k++) total = R::join(total, whole_line<R>(a + (k * s + i) * t, t, parallel));
            finish(i, total);
        };
        parallel_for(s, std::max<npy_intp>(1, stretch / std::max<npy_intp>(1, f * t)), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = begin; i < end; i++) one(i, false);
        });
    } else if (t == 1) {
        if (f == 1) {
            finish(0, whole_line<R>(a, s, true));
            return;
        }
        parallel_for(f, std::max<npy_intp>(1, stretch / std::max<npy_intp>(1, s)), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = begin; i < end; i++) finish(i, whole_line<R>(a + i * s, s, false));
        });
    } else {
        // Down the columns, a strip of them at a time, in runs of rows so that few columns keep all threads busy too.
        constexpr npy_intp strip = 128, run = 1024;
        npy_intp strips = (t + strip - 1) / strip, runs = std::max<npy_intp>(1, (s + run - 1) / run);
        std::vector<A> parts(runs > 1 ? runs * f * t : 0);
        npy_intp tasks = f * strips * runs, task_size = std::min(strip, t) * std::min(run, std::max<npy_intp>(s, 1));
        parallel_for(tasks, std::max<npy_intp>(1, stretch / task_size), [&](npy_intp begin, npy_intp end) {
            for (npy_intp task = begin; task < end; task++) {
                npy_intp k = task / (strips * runs), column = task / runs % strips * strip, part = task % runs;
                npy_intp width = std::min(strip, t - column), last = std::min(s, (part + 1) * run);
                A totals[strip];
                std::fill(totals, totals + width, R::start());
                for (npy_intp row = part * run; row < last; row++) {
                    const T* p = a + (k * s + row) * t + column;
                    for (npy_intp j = 0; j < width; j++) totals[j] = R::step(totals[j], p[j]);
                }
                if (runs == 1) {
                    for (npy_intp j = 0; j < width; j++) finish(k * t + column + j, totals[j]);
                } else {
                    std::copy(totals, totals + width, parts.begin() + part * f * t + k * t + column);
                }
            }
        });
        if (runs > 1) {
            for (npy_intp i = 0; i < f * t; i++) {
                A total = R::start();
                for (npy_intp part = 0; part < runs; part++) total = R::join(total, parts[part * f * t + i]);
                finish(i, total);
            }
        }
    }
}

// The arguments (a, axis=None, keepdims=False), understood; false where NumPy must.
struct Request {
    PyArrayObject* a = nullptr;
    PyArrayObject* copied = nullptr;  // in C order, where the argument is not
    bool reversed = false;            // in Fortran's order: read with the axes from last to first
    bool reduced[NPY_MAXDIMS] = {};
    bool keepdims = false;
    Groups groups;
    int axes = 0;

    Request() = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() { Py_XDECREF(copied); }

    bool read(PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
        if (nargs < 1 || nargs > 3 || !is_plain(args[0])) return false;
        PyObject *axis = nargs > 1 ? args[1] : Py_None, *keep = nargs > 2 ? args[2] : Py_False;
        for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
            PyObject* name = PyTuple_GET_ITEM(names, i);
            if (PyUnicode_CompareWithASCIIString(name, "axis") == 0) axis = args[nargs + i];
            else if (PyUnicode_CompareWithASCIIString(name, "keepdims") == 0) keep = args[nargs + i];
            else return false;
        }
        if (keep != Py_True && keep != Py_False) return false;
        keepdims = keep == Py_True;
        a = as_array(args[0]);
        int type = PyArray_TYPE(a), nd = PyArray_NDIM(a);
        if ((type != NPY_FLOAT32 && type != NPY_FLOAT64) || PyArray_SIZE(a) == 0) return false;
        auto mark = [&](PyObject* o) {
            if (!PyLong_CheckExact(o)) return false;
            int overflow;
            long d = PyLong_AsLongAndOverflow(o, &overflow);
            if (d < 0) d += nd;
            if (overflow || d < 0 || d >= nd || reduced[d]) return false;
            axes++;
            return reduced[d] = true;
        };
        if (axis == Py_None) {
            std::fill(reduced, reduced + nd, true);
            axes = nd;
        } else if (PyTuple_CheckExact(axis)) {
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(axis); i++)
                if (!mark(PyTuple_GET_ITEM(axis, i))) return false;
        } else if (!mark(axis)) {
            return false;
        }
        if (!PyArray_IS_C_CONTIGUOUS(a)) {
            int kept = 0;
            for (int d = 0; d < nd; d++) kept += !reduced[d] && PyArray_DIM(a, d) != 1;
            reversed = PyArray_IS_F_CONTIGUOUS(a) && kept <= 1;
            if (!reversed) {
                copied = as_array(PyArray_NewCopy(a, NPY_CORDER));
                if (!copied) {
                    PyErr_Clear();
                    return false;
                }
                a = copied;
            }
        }
        // Runs of kept and reduced axes; those of length 1 count as either.
        npy_intp sizes[NPY_MAXDIMS];
        bool is_reduced[NPY_MAXDIMS];
        int n = 0;
        for (int k = 0; k < nd; k++) {
            int d = reversed ? nd - 1 - k : k;
            npy_intp size = PyArray_DIM(a, d);
            if (size == 1) continue;
            if (n > 0 && is_reduced[n - 1] == reduced[d]) {
                sizes[n - 1] *= size;
            } else {
                sizes[n] = size;
                is_reduced[n++] = reduced[d];
            }
        }
        if (n > 3) return false;
        Groups& g = groups;
        if (n == 0) return true;
        if (n == 3) {
            g = {sizes[0], sizes[1], sizes[2], is_reduced[1]};
        } else if (n == 2) {
            g = is_reduced[0] ? Groups{1, sizes[0], sizes[1], true} : Groups{sizes[0], sizes[1], 1, true};
        } else {
            g = is_reduced[0] ? Groups{1, sizes[0], 1, true} : Groups{sizes[0], 1, 1, true};
        }
        return true;
    }

    PyArrayObject* output(int type) const {
        npy_intp shape[NPY_MAXDIMS];
        int n = 0;
        for (int d = 0; d < PyArray_NDIM(a); d++) {
            if (!reduced[d]) shape[n++] = PyArray_DIM(a, d);
            else if (keepdims) shape[n++] = 1;
        }
        return empty(n, shape, type);
    }
};

template <template <class> class R, class Finish> PyObject* run(const Request& q, const Finish& finish) {
    int type = PyArray_TYPE(q.a);
    PyArrayObject* out = q.output(type);
    if (!out) return nullptr;
    npy_intp n = PyArray_SIZE(q.a);
    Unlocked unlocked(n >= serial_below);
    if (type == NPY_FLOAT32) {
        float* o = data<float>(out);
        reduce<R<float>>(data<float>(q.a), q.groups, [&](npy_intp i, auto x) { o[i] = float(finish(x)); });
    } else {
        double* o = data<double>(out);
        reduce<R<double>>(data<double>(q.a), q.groups, [&](npy_intp i, auto x) { o[i] = double(finish(x)); });
    }
    return as_object(out);
}

template <class T> using Greatest = Extreme<T, true>;
template <class T> using Least = Extreme<T, false>;
const auto as_it_is = [](auto x) { return x; };

Reference sum_reference{"sum"}, mean_reference{"mean"}, var_reference{"var"}, amax_reference{"amax"}, amin_reference{"amin"},
    argmax_reference{"argmax"}, argmin_reference{"argmin"};

PyObject* sum(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Request q;
    if (!q.read(args, nargs, names)) return sum_reference.call(args, nargs, names);
    return run<Sum>(q, as_it_is);
}

PyObject* mean(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Request q;
    if (!q.read(args, nargs, names)) return mean_reference.call(args, nargs, names);
    double n = double(q.groups.reduced());
    return run<Sum>(q, [n](double x) { return x / n; });
}

PyObject* amax(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Request q;
    if (!q.read(args, nargs, names)) return amax_reference.call(args, nargs, names);
    return run<Greatest>(q, as_it_is);
}

PyObject* amin(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Request q;
    if (!q.read(args, nargs, names)) return amin_reference.call(args, nargs, names);
    return run<Least>(q, as_it_is);
}

// Two passes over each line, the mean first; the squares add up in double.
template <class T> double line_variance(const T* a, npy_intp n, double divisor) {
    double mean = whole_line<Sum<T>>(a, n, true) / double(n), total = 0;
    for (npy_intp from = 0; from < n; from += block) {
        npy_intp m = std::min(block, n - from), i = 0;
        double part[8] = {};
        for (; i + 8 <= m; i += 8)
            for (int j = 0; j < 8; j++) {
                double d = a[from + i + j] - mean;
                part[j] += d * d;
            }
        for (; i < m; i++) {
            double d = a[from + i] - mean;
            part[0] += d * d;
        }
        total += ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    }
    return total / divisor;
}

PyObject* var(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    // var(a, axis, keepdims, correction): the last may be missing, a number, or by name.
    Request q;
    PyObject* correction = nargs == 4 && !names ? args[3] : nullptr;
    double less = 1;
    if (correction) {
        less = PyFloat_AsDouble(correction);
        if (less == -1 && PyErr_Occurred()) return nullptr;
    }
    if (!q.read(args, std::min<Py_ssize_t>(nargs, 3), names) || nargs > 4 || !q.groups.reduce_middle || q.groups.third != 1)
        return var_reference.call(args, nargs, names);
    int type = PyArray_TYPE(q.a);
    PyArrayObject* out = q.output(type);
    if (!out) return nullptr;
    npy_intp n = q.groups.second, lines = q.groups.first;
    double divisor = std::max(double(n) - less, 0.0);
    Unlocked unlocked(n * lines >= serial_below);
    parallel_for(lines, std::max<npy_intp>(1, stretch / n), [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) {
            if (type == NPY_FLOAT32) data<float>(out)[i] = float(line_variance(data<float>(q.a) + i * n, n, divisor));
            else data<double>(out)[i] = line_variance(data<double>(q.a) + i * n, n, divisor);
        }
    });
    return as_object(out);
}

template <class T, bool greatest> npy_int64 where_extreme(const T* a, npy_intp n) {
    T best = whole_line<Extreme<T, greatest>>(a, n, true);
    npy_intp i = 0;  // bounded, since another thread may have overwritten the extreme
    if (best != best) while (i < n - 1 && a[i] == a[i]) i++;
    else while (i < n - 1 && a[i] != best) i++;
    return i;
}

template <bool greatest> PyObject* arg(Reference& reference, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Request q;
    if (!q.read(args, nargs, names) || !q.groups.reduce_middle || q.groups.third != 1 ||
        (q.axes != 1 && (q.reversed || q.axes != PyArray_NDIM(q.a))))
        return reference.call(args, nargs, names);
    PyArrayObject* out = q.output(NPY_INT64);
    if (!out) return nullptr;
    npy_intp n = q.groups.second, lines = q.groups.first;
    int type = PyArray_TYPE(q.a);
    npy_int64* o = data<npy_int64>(out);
    Unlocked unlocked(n * lines >= serial_below);
    parallel_for(lines, std::max<npy_intp>(1, stretch / n), [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++)
            o[i] = type == NPY_FLOAT32 ? where_extreme<float, greatest>(data<float>(q.a) + i * n, n)
                                       : where_extreme<double, greatest>(data<double>(q.a) + i * n, n);
    });
    return as_object(out);
}

PyObject* argmax(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return arg<true>(argmax_reference, args, nargs, names);
}
PyObject* argmin(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return arg<false>(argmin_reference, args, nargs, names);
}

}  // namespace

RL_END

RL_METHODS(reduce, RL_FAST_KEYWORDS(sum, "sum(a, axis=None, keepdims=False)"),
           RL_FAST_KEYWORDS(mean, "mean(a, axis=None, keepdims=False)"),
           RL_FAST_KEYWORDS(var, "var(a, axis=None, keepdims=False, correction=1)"),
           RL_FAST_KEYWORDS(amax, "amax(a, axis=None, keepdims=False)"),
           RL_FAST_KEYWORDS(amin, "amin(a, axis=None, keepdims=False)"),
           RL_FAST_KEYWORDS(argmax, "argmax(a, axis=None, keepdims=False)"),
           RL_FAST_KEYWORDS(argmin, "argmin(a, axis=None, keepdims=False)"))
