// Softmax, log-softmax and cross entropy of float32 rows, each in as few passes over the row as it takes.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "arguments.h"
#include "lanes.h"
#include "parallel.h"

RL_BEGIN

static Reference softmax_reference{"softmax"}, softmax_backward_reference{"softmax_backward"}, log_softmax_reference{"log_softmax"},
    log_softmax_backward_reference{"log_softmax_backward"}, forward_reference{"cross_entropy_forward"},
    backward_reference{"cross_entropy_backward"}, nll_forward_reference{"nll_forward"}, nll_backward_reference{"nll_backward"};

constexpr float infinity = __builtin_inff();

// Four vectors at a time, so that none waits for the one before.
static inline float row_max(const float* a, npy_intp n) {
    vf m[4] = {splat(-infinity), splat(-infinity), splat(-infinity), splat(-infinity)};
    npy_intp i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes)
        for (int j = 0; j < 4; j++) {
            vf v = load(a + i + j * lanes);
            m[j] = v > m[j] ? v : m[j];
        }
    for (; i < n; i += lanes) {
        vf v = load_or(a + i, n - i, -infinity);
        m[0] = v > m[0] ? v : m[0];
    }
    for (int j = 1; j < 4; j++) m[0] = m[j] > m[0] ? m[j] : m[0];
    return max_lanes(m[0]);
}
// f(i, how many) is the vector of the elements from i on.
template <class F> static inline float row_sum(npy_intp n, const F& f) {
    vf s[4] = {};
    npy_intp i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes)
        for (int j = 0; j < 4; j++) s[j] += f(i + j * lanes, npy_intp(lanes));
    for (; i < n; i += lanes) s[0] += f(i, n - i);
    return sum_lanes<float>((s[0] + s[1]) + (s[2] + s[3]));
}
static inline float row_sum_exp(const float* a, npy_intp n, float max) {
    return row_sum(n, [=](npy_intp i, npy_intp some) { return vexp(load_or(a + i, some, -infinity) - max); });
}

// Rows of n along an axis: contiguous where `inner` is 1, otherwise `inner` of them side by side.
struct Rows {
    npy_intp outer, n, inner;
};
static bool rows_along(PyArrayObject* a, PyObject* axis, Rows* rows) {
    int nd = PyArray_NDIM(a);
    if (!axis || !PyLong_Check(axis) || nd < 1) return false;
    long at = PyLong_AsLong(axis);
    if (at == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    if (at < 0) at += nd;
    if (at < 0 || at >= nd) return false;
    *rows = {1, PyArray_DIM(a, static_cast<int>(at)), 1};
    for (int i = 0; i < nd; i++) (i < at ? rows->outer : i > at ? rows->inner : rows->n) *= i == at ? 1 : PyArray_DIM(a, i);
    return rows->outer && rows->n && rows->inner;
}

// f(row) for whole rows, or f(block, at, how many) for a vector's width of columns.
template <class Row, class Columns> static void for_rows(const Rows& r, const Row& row, const Columns& columns) {
    if (r.inner == 1) {
        parallel_for(r.outer, std::max(npy_intp(1), serial_below / 4 / r.n), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = begin; i < end; i++) row(i * r.n);
        });
        return;
    }
    npy_intp bands = (r.inner + lanes - 1) / lanes;
    parallel_for(r.outer * bands, std::max(npy_intp(1), serial_below / 4 / (r.n * lanes)), [&](npy_intp begin, npy_intp end) {
        for (npy_intp t = begin; t < end; t++) {
            npy_intp i = t / bands, j = t % bands * lanes;
            columns(i * r.n * r.inner + j, std::min(npy_intp(lanes), r.inner - j));
        }
    });
}

template <bool logarithm> static void softmax_rows(const Rows& r, const float* a, float* out) {
    for_rows(r, [&](npy_intp at) {
        const float* from = a + at;
        float *to = out + at, max = row_max(from, r.n);
        if (logarithm) {
            float log_sum = std::log(row_sum_exp(from, r.n, max));
            for (npy_intp i = 0; i < r.n; i += lanes) store_up_to(to + i, r.n - i, (load_or(from + i, r.n - i, 0) - max) - log_sum);
            return;
        }
        float sum = row_sum(r.n, [=](npy_intp i, npy_intp some) {
            vf e = vexp(load_or(from + i, some, -infinity) - max);
            store_up_to(to + i, some, e);
            return e;
        });
        for (npy_intp i = 0; i < r.n; i += lanes) store_up_to(to + i, r.n - i, load_or(to + i, r.n - i, 0) / sum);
    }, [&](npy_intp at, npy_intp some) {
        vf max = splat(-infinity), s{};
        for (npy_intp i = 0; i < r.n; i++) {
            vf v = load_or(a + at + i * r.inner, some, 0);
            max = v > max ? v : max;
        }
        for (npy_intp i = 0; i < r.n; i++) {
            vf e = vexp(load_or(a + at + i * r.inner, some, 0) - max);
            s += e;
            if (!logarithm) store_up_to(out + at + i * r.inner, some, e);
        }
        vf log_sum = logarithm ? vlog(s) : vf{};
        for (npy_intp i = 0; i < r.n; i++) {
            float* to = out + at + i * r.inner;
            store_up_to(to, some, logarithm ? (load_or(a + at + i * r.inner, some, 0) - max) - log_sum : load_or(to, some, 0) / s);
        }
    });
}

template <bool logarithm> static void softmax_rows_backward(const Rows& r, const float* g, const float* out, float* ga) {
    auto part = [](vf g, vf o) { return logarithm ? g : g * o; };
    auto value = [](vf g, vf o, vf s) { return logarithm ? g - vexp(o) * s : o * (g - s); };
    for_rows(r, [&](npy_intp at) {
        vf sum = splat(row_sum(r.n, [=](npy_intp i, npy_intp some) { return part(load_or(g + at + i, some, 0), load_or(out + at + i, some, 0)); }));
        for (npy_intp i = 0; i < r.n; i += lanes)
            store_up_to(ga + at + i, r.n - i, value(load_or(g + at + i, r.n - i, 0), load_or(out + at + i, r.n - i, 0), sum));
    }, [&](npy_intp at, npy_intp some) {
        vf s{};
        for (npy_intp i = at; i < at + r.n * r.inner; i += r.inner) s += part(load_or(g + i, some, 0), load_or(out + i, some, 0));
        for (npy_intp i = at; i < at + r.n * r.inner; i += r.inner)
            store_up_to(ga + i, some, value(load_or(g + i, some, 0), load_or(out + i, some, 0), s));
    });
}

template <bool logarithm> static PyObject* softmax_entry(Reference& reference, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "axis"};
    PyObject* b[2];
    Rows rows;
    if (!bind(wanted, args, nargs, names, b) || !b[0] || !is_plain(b[0], NPY_FLOAT32) || !rows_along(as_array(b[0]), b[1], &rows))
        return reference.call(args, nargs, names);
    Contiguous a(b[0]);
    if (!a) return nullptr;
    PyArrayObject* out = empty(PyArray_NDIM(a.array), PyArray_DIMS(a.array), NPY_FLOAT32);
    if (!out) return nullptr;
    Unlocked unlocked(PyArray_SIZE(out) >= serial_below / 4);
    softmax_rows<logarithm>(rows, data<float>(a.array), data<float>(out));
    return as_object(out);
}
template <bool logarithm> static PyObject* softmax_backward_entry(Reference& reference, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "out", "axis"};
    PyObject* b[3];
    Rows rows;
    if (!bind(wanted, args, nargs, names, b) || !b[0] || !b[1] || !is_plain(b[0], NPY_FLOAT32) || !is_plain(b[1], NPY_FLOAT32) ||
        !PyArray_SAMESHAPE(as_array(b[0]), as_array(b[1])) || !rows_along(as_array(b[0]), b[2], &rows))
        return reference.call(args, nargs, names);
    Contiguous g(b[0]), out(b[1]);
    if (!g || !out) return nullptr;
    PyArrayObject* ga = empty(PyArray_NDIM(g.array), PyArray_DIMS(g.array), NPY_FLOAT32);
    if (!ga) return nullptr;
    Unlocked unlocked(PyArray_SIZE(ga) >= serial_below / 4);
    softmax_rows_backward<logarithm>(rows, data<float>(g.array), data<float>(out.array), data<float>(ga));
    return as_object(ga);
}
static PyObject* softmax(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return softmax_entry<false>(softmax_reference, args, nargs, names);
}
static PyObject* log_softmax(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return softmax_entry<true>(log_softmax_reference, args, nargs, names);
}
static PyObject* softmax_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return softmax_backward_entry<false>(softmax_backward_reference, args, nargs, names);
}
static PyObject* log_softmax_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    return softmax_backward_entry<true>(log_softmax_backward_reference, args, nargs, names);
}

// --- Cross entropy --------------------------------------------------------------------------------------------------------

struct Loss {
    npy_intp n, classes;
    const float *a, *weight;
    const npy_int64* target;
    npy_int64 ignore;
    double smoothing;
    enum { none, sum, mean } reduction;
    // The class of row i, or -1 where it does not count; read once, since another thread may write meanwhile.
    npy_int64 at(npy_intp i) const {
        npy_int64 c = read_once(target + i);
        return c == ignore ? -1 : clamped(c, classes);
    }
    float share(npy_int64 c) const { return c < 0 ? 0.0f : weight ? weight[c] : 1.0f; }
};

// Reads what forward and backward share. False: the reference's case, an error among them.
static bool read_targets(const npy_intp* shape, PyObject* target, PyObject* weight, PyObject* ignore, PyObject* smoothing,
                         PyObject* reduction, Loss* loss) {
    if (!target || !is_contiguous(target, NPY_INT64) || PyArray_NDIM(as_array(target)) != 1) return false;
    loss->n = shape[0];
    loss->classes = shape[1];
    if (loss->n < 1 || loss->classes < 1 || PyArray_DIM(as_array(target), 0) != loss->n ||
        !is_vector_or_none(weight, NPY_FLOAT32, loss->classes))
        return false;
    loss->target = data<npy_int64>(as_array(target));
    loss->weight = data_or_null<float>(weight);
    loss->ignore = -100;
    if (ignore) {
        if (!PyLong_Check(ignore)) return false;
        loss->ignore = PyLong_AsLongLong(ignore);
        if (loss->ignore == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            return false;
        }
    }
    loss->smoothing = 0;
    if (smoothing && !number(smoothing, &loss->smoothing)) return false;
    loss->reduction = Loss::mean;
    if (reduction) {
        if (!PyUnicode_Check(reduction)) return false;
        if (!PyUnicode_CompareWithASCIIString(reduction, "none")) loss->reduction = Loss::none;
        else if (!PyUnicode_CompareWithASCIIString(reduction, "sum")) loss->reduction = Loss::sum;
        else if (PyUnicode_CompareWithASCIIString(reduction, "mean")) return false;
    }
    for (npy_intp i = 0; i < loss->n; i++)
        if (loss->target[i] != loss->ignore && (loss->target[i] < 0 || loss->target[i] >= loss->classes)) return false;
    return true;
}
static bool read_loss(PyObject* a, PyObject* target, PyObject* weight, PyObject* ignore, PyObject* smoothing, PyObject* reduction, Loss* loss) {
    if (!a || !is_contiguous(a, NPY_FLOAT32) || PyArray_NDIM(as_array(a)) != 2) return false;
    loss->a = data<float>(as_array(a));
    return read_targets(PyArray_DIMS(as_array(a)), target, weight, ignore, smoothing, reduction, loss);
}

// The losses of all rows, reduced as asked: `out` has its entry for each or the one number, `total` the sum of weights.
static void reduce_losses(const Loss& loss, const float* losses, float* out, float* total) {
    double sum = 0, shares = 0;
    for (npy_intp i = 0; i < loss.n; i++) {
        sum += losses[i];
        shares += loss.share(loss.at(i));
    }
    *total = static_cast<float>(shares);
    if (loss.reduction == Loss::sum) *out = static_cast<float>(sum);
    if (loss.reduction == Loss::mean) *out = static_cast<float>(sum / shares);
}

// Whether g is the gradient of a loss so reduced, and `total` there where the mean needs it.
static bool reads_gradient(const Loss& loss, PyObject* g, PyObject* total, npy_intp* g_step) {
    PyArrayObject* a = as_array(g);
    *g_step = 0;
    if (loss.reduction == Loss::none) {
        if (PyArray_NDIM(a) != 1 || PyArray_DIM(a, 0) != loss.n) return false;
        *g_step = step(a, 0);
    } else if (PyArray_SIZE(a) != 1) {
        return false;
    }
    return loss.reduction != Loss::mean || (total && is_plain(total, NPY_FLOAT32) && PyArray_SIZE(as_array(total)) == 1);
}

static PyObject* nll_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "target", "weight", "ignore_index", "reduction"};
    PyObject* b[5];
    Loss loss;
    if (!bind(wanted, args, nargs, names, b) || !read_loss(b[0], b[1], b[2], b[3], nullptr, b[4], &loss))
        return nll_forward_reference.call(args, nargs, names);
    PyArrayObject *out = empty(loss.reduction == Loss::none, &loss.n, NPY_FLOAT32), *total = empty(0, nullptr, NPY_FLOAT32);
    if (!out || !total) {
        Py_XDECREF(out);
        Py_XDECREF(total);
        return nullptr;
    }
    std::vector<float> own(loss.reduction == Loss::none ? 0 : loss.n);
    float* losses = loss.reduction == Loss::none ? data<float>(out) : own.data();
    for (npy_intp i = 0; i < loss.n; i++) {
        npy_int64 c = loss.at(i);
        losses[i] = c < 0 ? 0.0f : -loss.a[i * loss.classes + c] * loss.share(c);
    }
    reduce_losses(loss, losses, data<float>(out), data<float>(total));
    return Py_BuildValue("NN", out, total);
}

static PyObject* nll_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "input_shape", "target", "weight", "ignore_index", "reduction", "total"};
    PyObject* b[7];
    npy_intp shape[2], g_step = 0;
    Loss loss;
    bool fits = bind(wanted, args, nargs, names, b) && b[0] && is_strided(b[0], NPY_FLOAT32) && sizes(b[1], 2, shape) &&
                read_targets(shape, b[2], b[3], b[4], nullptr, b[5], &loss) && reads_gradient(loss, b[0], b[6], &g_step);
    if (!fits) return nll_backward_reference.call(args, nargs, names);
    PyArrayObject* out = as_array(PyArray_ZEROS(2, shape, NPY_FLOAT32, 0));
    if (!out) return nullptr;
    const float* g = data<float>(as_array(b[0]));
    float total = loss.reduction == Loss::mean ? *data<float>(as_array(b[6])) : 1.0f, *ga = data<float>(out);
    for (npy_intp i = 0; i < loss.n; i++) {
        npy_int64 c = loss.at(i);
        if (c >= 0) ga[i * loss.classes + c] = -loss.share(c) * (g[i * g_step] / total);
    }
    return as_object(out);
}

static PyObject* cross_entropy_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "target", "weight", "ignore_index", "smoothing", "reduction"};
    PyObject* b[6];
    Loss loss;
    if (!bind(wanted, args, nargs, names, b) || !read_loss(b[0], b[1], b[2], b[3], b[4], b[5], &loss))
        return forward_reference.call(args, nargs, names);
    npy_intp shape[2] = {2, loss.n};
    PyArrayObject *out = empty(loss.reduction == Loss::none, &loss.n, NPY_FLOAT32), *stats = empty(2, shape, NPY_FLOAT32),
                  *total = empty(0, nullptr, NPY_FLOAT32);
    if (!out || !stats || !total) {
        Py_XDECREF(out);
        Py_XDECREF(stats);
        Py_XDECREF(total);
        return nullptr;
    }
    {
        Unlocked unlocked(loss.n * loss.classes >= serial_below / 4);
        npy_intp n = loss.n, classes = loss.classes;
        std::vector<float> own(loss.reduction == Loss::none ? 0 : n);
        float *losses = loss.reduction == Loss::none ? data<float>(out) : own.data(), *max = data<float>(stats), *log_sum = max + n;
        parallel_for(n, std::max(npy_intp(1), serial_below / 4 / classes), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = begin; i < end; i++) {
                const float* row = loss.a + i * classes;
                max[i] = row_max(row, classes);
                log_sum[i] = std::log(row_sum_exp(row, classes, max[i]));
                losses[i] = 0;
                npy_int64 wanted = loss.at(i);
                if (wanted < 0) continue;
                float value = (log_sum[i] - (row[wanted] - max[i])) * loss.share(wanted);
                if (loss.smoothing != 0) {
                    double every = 0;
                    for (npy_intp c = 0; c < classes; c++) {
                        float one = log_sum[i] - (row[c] - max[i]);
                        every += loss.weight ? one * loss.weight[c] : one;
                    }
                    value = static_cast<float>((1 - loss.smoothing) * value + loss.smoothing / classes * every);
                }
                losses[i] = value;
            }
        });
        reduce_losses(loss, losses, data<float>(out), data<float>(total));
    }
    return Py_BuildValue("NNN", out, stats, total);
}

static PyObject* cross_entropy_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "a", "target", "stats", "weight", "ignore_index", "smoothing", "reduction", "total"};
    PyObject* b[9];
    Loss loss;
    bool fits = bind(wanted, args, nargs, names, b) && b[0] && b[3] && is_strided(b[0], NPY_FLOAT32) && is_contiguous(b[3], NPY_FLOAT32) &&
                read_loss(b[1], b[2], b[4], b[5], b[6], b[7], &loss) && PyArray_SIZE(as_array(b[3])) == 2 * loss.n;
    npy_intp g_step = 0;
    fits = fits && reads_gradient(loss, b[0], b[8], &g_step);
    if (!fits) return backward_reference.call(args, nargs, names);
    PyArrayObject* out = empty(2, PyArray_DIMS(as_array(b[1])), NPY_FLOAT32);
    if (!out) return nullptr;
    Unlocked unlocked(loss.n * loss.classes >= serial_below / 4);
    npy_intp n = loss.n, classes = loss.classes;
    const float *g = data<float>(as_array(b[0])), *max = data<float>(as_array(b[3])), *log_sum = max + n;
    float total = loss.reduction == Loss::mean ? *data<float>(as_array(b[8])) : 1.0f;
    double weights = classes;
    if (loss.weight) {
        weights = 0;
        for (npy_intp c = 0; c < classes; c++) weights += loss.weight[c];
    }
    float* ga = data<float>(out);
    parallel_for(n, std::max(npy_intp(1), serial_below / 4 / classes), [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) {
            float* to = ga + i * classes;
            npy_int64 wanted = loss.at(i);
            if (wanted < 0) {
                std::fill_n(to, classes, 0.0f);
                continue;
            }
            const float* row = loss.a + i * classes;
            float entry = g[i * g_step] / total, hit = static_cast<float>(entry * loss.share(wanted) * (1 - loss.smoothing));
            float each = static_cast<float>(entry * loss.smoothing / classes), scale = static_cast<float>(hit + each * weights);
            for (npy_intp c = 0; c < classes; c += lanes)
                store_up_to(to + c, classes - c, vexp((load_or(row + c, classes - c, 0) - max[i]) - log_sum[i]) * scale);
            if (loss.smoothing != 0)
                for (npy_intp c = 0; c < classes; c++) to[c] -= loss.weight ? each * loss.weight[c] : each;
            to[wanted] -= hit;
        }
    });
    return as_object(out);
}

RL_END

RL_METHODS(softmax, RL_FAST_KEYWORDS(softmax, "softmax(a, axis)"), RL_FAST_KEYWORDS(log_softmax, "log_softmax(a, axis)"),
           RL_FAST_KEYWORDS(softmax_backward, "softmax_backward(g, out, axis)"),
           RL_FAST_KEYWORDS(log_softmax_backward, "log_softmax_backward(g, out, axis)"),
           RL_FAST_KEYWORDS(nll_forward, "nll_forward(a, target, weight, ignore_index, reduction)"),
           RL_FAST_KEYWORDS(nll_backward, "nll_backward(g, input_shape, target, weight, ignore_index, reduction, total)"),
           RL_FAST_KEYWORDS(cross_entropy_forward, "cross_entropy_forward(a, target, weight, ignore_index, smoothing, reduction)"),
           RL_FAST_KEYWORDS(cross_entropy_backward,
                            "cross_entropy_backward(g, a, target, stats, weight, ignore_index, smoothing, reduction, total)"))
