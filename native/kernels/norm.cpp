// Batch, layer and group norm of float32, forward and backward, in one pass over memory for each statistic.
#include <algorithm>
#include <cmath>
#include <vector>

#include "arguments.h"
#include "lanes.h"
#include "parallel.h"

RL_BEGIN

static Reference batch_forward_reference{"batch_norm_forward"}, batch_backward_reference{"batch_norm_backward"},
    layer_forward_reference{"layer_norm_forward"}, layer_backward_reference{"layer_norm_backward"},
    group_forward_reference{"group_norm_forward"}, group_backward_reference{"group_norm_backward"};

// Sums of lanes run over this many elements before they go into a double.
constexpr npy_intp run_length = 64 * lanes;

template <class F> static double sum_of(npy_intp n, const F& f) {
    double total = 0;
    for (npy_intp i = 0; i < n; i += run_length) {
        vf s[4] = {};
        npy_intp stop = std::min(n, i + run_length), j = i;
        for (; j + 4 * lanes <= stop; j += 4 * lanes)
            for (int q = 0; q < 4; q++) s[q] += f(j + q * lanes, npy_intp(lanes));
        for (; j + lanes <= stop; j += lanes) s[0] += f(j, npy_intp(lanes));
        if (j < stop) {
            float rest[lanes] = {};
            store_up_to(rest, stop - j, f(j, stop - j));
            s[1] += load(rest);
        }
        total += sum_lanes<float>((s[0] + s[1]) + (s[2] + s[3]));
    }
    return total;
}
static double sum_row(const float* a, npy_intp n) {
    return sum_of(n, [=](npy_intp i, npy_intp some) { return load_or(a + i, some, 0); });
}
static double sum_squares(const float* a, npy_intp n, float mean) {
    return sum_of(n, [=](npy_intp i, npy_intp some) {
        vf d = load_or(a + i, some, 0) - mean;
        return d * d;
    });
}
template <class F> static void for_vectors(npy_intp n, const F& f) {
    for (npy_intp i = 0; i < n; i += lanes) f(i, std::min(npy_intp(lanes), n - i));
}
static float rstd_of(double var, double eps) { return 1.0f / std::sqrt(static_cast<float>(var) + static_cast<float>(eps)); }

// h = (a - mean) * rstd, then * w + b, over n contiguous elements.
static void scale_row(const float* a, npy_intp n, float mean, float rstd, float w, float b, float* out) {
    for_vectors(n, [&](npy_intp i, npy_intp some) { store_up_to(out + i, some, (load_or(a + i, some, 0) - mean) * rstd * w + b); });
}

static bool plain(PyObject* o) { return o && is_plain(o, NPY_FLOAT32); }
// None, or contiguous with n elements in whatever shape.
static bool fits(PyObject* o, npy_intp n) { return is_none(o) || (is_contiguous(o, NPY_FLOAT32) && PyArray_SIZE(as_array(o)) == n); }
static bool given(PyObject* o, npy_intp n) { return o && o != Py_None && fits(o, n); }

static PyObject* three(PyArrayObject* a, PyArrayObject* b, PyArrayObject* c) {
    if (a && b && c) return Py_BuildValue("NNN", a, b, c);
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(c);
    return nullptr;
}
static npy_intp grain(npy_intp elements) { return std::max(npy_intp(1), serial_below / std::max(npy_intp(1), elements)); }

// (N, C, everything else)
struct Channels {
    npy_intp n, c, inner;
    bool read(PyArrayObject* a) {
        if (PyArray_NDIM(a) < 2) return false;
        n = PyArray_DIM(a, 0);
        c = PyArray_DIM(a, 1);
        inner = 1;
        for (int i = 2; i < PyArray_NDIM(a); i++) inner *= PyArray_DIM(a, i);
        return n > 0 && c > 0 && inner > 0;
    }
    const float* at(const float* a, npy_intp i, npy_intp j) const { return a + (i * c + j) * inner; }
    float* at(float* a, npy_intp i, npy_intp j) const { return a + (i * c + j) * inner; }
};

// --- Batch norm -----------------------------------------------------------------------------------------------------------

// (N, C): the lanes are channels. f(row) summed over the rows, 64 at a time before they go into doubles.
template <class F> static void sum_rows(npy_intp n, double* total, const F& f) {
    std::fill_n(total, lanes, 0.0);
    for (npy_intp i = 0; i < n; i += 64) {
        vf s{};
        for (npy_intp j = i; j < std::min(n, i + 64); j++) s += f(j);
        for (int l = 0; l < lanes; l++) total[l] += s[l];
    }
}
static vf means(const double* total, npy_intp n) {
    vf v;
    for (int l = 0; l < lanes; l++) v[l] = static_cast<float>(total[l] / n);
    return v;
}
template <class F> static void for_bands(const Channels& d, const F& f) {
    parallel_for((d.c + lanes - 1) / lanes, grain(d.n * lanes), [&](npy_intp begin, npy_intp end) {
        for (npy_intp c = begin * lanes; c < std::min(d.c, end * lanes); c += lanes) f(c, std::min(npy_intp(lanes), d.c - c));
    });
}
static void batch_rows(const Channels& d, const float* a, const float* w, const float* bias, double eps, float* to, float* mean, float* invstd, float* var) {
    for_bands(d, [&](npy_intp c, npy_intp some) {
        double total[lanes];
        auto at = [&](npy_intp i) { return load_or(a + i * d.c + c, some, 0); };
        sum_rows(d.n, total, at);
        vf m = means(total, d.n), r, scale = w ? load_or(w + c, some, 0) : splat(1), shift = bias ? load_or(bias + c, some, 0) : vf{};
        sum_rows(d.n, total, [&](npy_intp i) { return (at(i) - m) * (at(i) - m); });
        for (int l = 0; l < lanes; l++) r[l] = rstd_of(total[l] / d.n, eps);
        store_up_to(mean + c, some, m);
        store_up_to(invstd + c, some, r);
        if (var) store_up_to(var + c, some, means(total, d.n));
        for (npy_intp i = 0; i < d.n; i++) store_up_to(to + i * d.c + c, some, (at(i) - m) * r * scale + shift);
    });
}
static void batch_rows_backward(const Channels& d, const float* g, const float* a, const float* w, const float* mean, const float* invstd,
                                bool training, float* ga, float* gw, float* gb) {
    for_bands(d, [&](npy_intp c, npy_intp some) {
        double sum[lanes], dot[lanes];
        vf m = load_or(mean + c, some, 0), r = load_or(invstd + c, some, 0), scale = w ? load_or(w + c, some, 0) * r : r;
        auto u = [&](npy_intp i) { return load_or(g + i * d.c + c, some, 0); };
        auto h = [&](npy_intp i) { return (load_or(a + i * d.c + c, some, 0) - m) * r; };
        sum_rows(d.n, sum, u);
        sum_rows(d.n, dot, [&](npy_intp i) { return u(i) * h(i); });
        for (npy_intp l = 0; l < some; l++) {
            gb[c + l] = static_cast<float>(sum[l]);
            gw[c + l] = static_cast<float>(dot[l]);
        }
        vf s1 = means(sum, d.n), s2 = means(dot, d.n);
        for (npy_intp i = 0; i < d.n; i++) store_up_to(ga + i * d.c + c, some, (training ? u(i) - s1 - h(i) * s2 : u(i)) * scale);
    });
}

static PyObject* batch_norm_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "weight", "bias", "eps", "var_out"};
    PyObject* b[5];
    Channels d;
    double eps;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !d.read(as_array(b[0])) || !fits(b[1], d.c) ||
        !fits(b[2], d.c) || !number(b[3], &eps) || !fits(b[4], d.c))
        return batch_forward_reference.call(args, nargs, names);
    Contiguous array(b[0]);
    if (!array) return nullptr;
    PyArrayObject *out = empty(PyArray_NDIM(array.array), PyArray_DIMS(array.array), NPY_FLOAT32), *mean = empty(1, &d.c, NPY_FLOAT32),
                  *invstd = empty(1, &d.c, NPY_FLOAT32);
    if (out && mean && invstd) {
        const float *a = data<float>(array.array), *w = data_or_null<float>(b[1]), *bias = data_or_null<float>(b[2]);
        float *to = data<float>(out), *m = data<float>(mean), *r = data<float>(invstd);
        float* v = is_none(b[4]) ? nullptr : data<float>(as_array(b[4]));
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        if (d.inner == 1) batch_rows(d, a, w, bias, eps, to, m, r, v);
        else parallel_for(d.c, grain(d.n * d.inner), [&](npy_intp begin, npy_intp end) {
            for (npy_intp c = begin; c < end; c++) {
                double sum = 0, squares = 0, count = static_cast<double>(d.n) * d.inner;
                for (npy_intp i = 0; i < d.n; i++) sum += sum_row(d.at(a, i, c), d.inner);
                m[c] = static_cast<float>(sum / count);
                for (npy_intp i = 0; i < d.n; i++) squares += sum_squares(d.at(a, i, c), d.inner, m[c]);
                r[c] = rstd_of(squares / count, eps);
                if (v) v[c] = static_cast<float>(squares / count);
                for (npy_intp i = 0; i < d.n; i++)
                    scale_row(d.at(a, i, c), d.inner, m[c], r[c], w ? w[c] : 1.0f, bias ? bias[c] : 0.0f, d.at(to, i, c));
            }
        });
    }
    return three(out, mean, invstd);
}

static PyObject* batch_norm_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "a", "weight", "mean", "invstd", "training"};
    PyObject* b[6];
    Channels d;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !plain(b[1]) || !d.read(as_array(b[1])) ||
        !PyArray_SAMESHAPE(as_array(b[0]), as_array(b[1])) || !fits(b[2], d.c) || !given(b[3], d.c) || !given(b[4], d.c))
        return batch_backward_reference.call(args, nargs, names);
    bool training = !b[5] || PyObject_IsTrue(b[5]) == 1;
    Contiguous g_array(b[0]), a_array(b[1]);
    if (!g_array || !a_array) return nullptr;
    PyArrayObject *out = empty(PyArray_NDIM(a_array.array), PyArray_DIMS(a_array.array), NPY_FLOAT32), *gw = empty(1, &d.c, NPY_FLOAT32),
                  *gb = empty(1, &d.c, NPY_FLOAT32);
    if (out && gw && gb) {
        const float *g = data<float>(g_array.array), *a = data<float>(a_array.array), *w = data_or_null<float>(b[2]);
        const float *mean = data<float>(as_array(b[3])), *invstd = data<float>(as_array(b[4]));
        float *ga = data<float>(out), *to_w = data<float>(gw), *to_b = data<float>(gb);
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        if (d.inner == 1) batch_rows_backward(d, g, a, w, mean, invstd, training, ga, to_w, to_b);
        else parallel_for(d.c, grain(d.n * d.inner), [&](npy_intp begin, npy_intp end) {
            for (npy_intp c = begin; c < end; c++) {
                double sum = 0, dot = 0, count = static_cast<double>(d.n) * d.inner;
                float m = mean[c], r = invstd[c], scale = (w ? w[c] : 1.0f) * r;
                for (npy_intp i = 0; i < d.n; i++) {
                    const float *p = d.at(g, i, c), *q = d.at(a, i, c);
                    sum += sum_row(p, d.inner);
                    dot += sum_of(d.inner, [=](npy_intp j, npy_intp some) { return load_or(p + j, some, 0) * ((load_or(q + j, some, 0) - m) * r); });
                }
                to_b[c] = static_cast<float>(sum);
                to_w[c] = static_cast<float>(dot);
                float s1 = training ? static_cast<float>(sum / count) : 0, s2 = training ? static_cast<float>(dot / count) : 0;
                for (npy_intp i = 0; i < d.n; i++) {
                    const float *p = d.at(g, i, c), *q = d.at(a, i, c);
                    float* to = d.at(ga, i, c);
                    for_vectors(d.inner, [&](npy_intp j, npy_intp some) {
                        vf h = (load_or(q + j, some, 0) - m) * r, u = load_or(p + j, some, 0);
                        store_up_to(to + j, some, (training ? u - s1 - h * s2 : u) * scale);
                    });
                }
            }
        });
    }
    return three(out, gw, gb);
}

// --- Layer norm -----------------------------------------------------------------------------------------------------------

struct Layers {
    npy_intp rows = 1, n = 1, shape[NPY_MAXDIMS];  // shape: of mean and rstd
    int nd, inner;
    bool read(PyArrayObject* a, PyObject* n_dims) {
        nd = PyArray_NDIM(a);
        if (!n_dims || !PyLong_Check(n_dims)) return false;
        long k = PyLong_AsLong(n_dims);
        if (k < 1 || k > nd) {
            PyErr_Clear();
            return false;
        }
        inner = static_cast<int>(k);
        for (int i = 0; i < nd; i++) {
            shape[i] = i < nd - inner ? PyArray_DIM(a, i) : 1;
            (i < nd - inner ? rows : n) *= PyArray_DIM(a, i);
        }
        return rows > 0 && n > 0;
    }
};

static PyObject* layer_norm_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "n_dims", "weight", "bias", "eps"};
    PyObject* b[5];
    Layers d;
    double eps;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !d.read(as_array(b[0]), b[1]) || !fits(b[2], d.n) || !fits(b[3], d.n) ||
        !number(b[4], &eps))
        return layer_forward_reference.call(args, nargs, names);
    Contiguous array(b[0]);
    if (!array) return nullptr;
    PyArrayObject *out = empty(d.nd, PyArray_DIMS(array.array), NPY_FLOAT32), *mean = empty(d.nd, d.shape, NPY_FLOAT32),
                  *rstd = empty(d.nd, d.shape, NPY_FLOAT32);
    if (out && mean && rstd) {
        const float *a = data<float>(array.array), *w = data_or_null<float>(b[2]), *bias = data_or_null<float>(b[3]);
        float *to = data<float>(out), *m = data<float>(mean), *r = data<float>(rstd);
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        parallel_for(d.rows, grain(d.n), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = begin; i < end; i++) {
                const float* row = a + i * d.n;
                float* line = to + i * d.n;
                float mu = m[i] = static_cast<float>(sum_row(row, d.n) / d.n);
                float s = r[i] = rstd_of(sum_squares(row, d.n, mu) / d.n, eps);
                for_vectors(d.n, [&](npy_intp j, npy_intp some) {
                    vf h = (load_or(row + j, some, 0) - mu) * s;
                    if (w) h = h * load_or(w + j, some, 0);
                    if (bias) h = h + load_or(bias + j, some, 0);
                    store_up_to(line + j, some, h);
                });
            }
        });
    }
    return three(out, mean, rstd);
}

static PyObject* layer_norm_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "a", "n_dims", "weight", "mean", "rstd"};
    PyObject* b[6];
    Layers d;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !plain(b[1]) || !d.read(as_array(b[1]), b[2]) ||
        !PyArray_SAMESHAPE(as_array(b[0]), as_array(b[1])) || !fits(b[3], d.n) || !given(b[4], d.rows) || !given(b[5], d.rows))
        return layer_backward_reference.call(args, nargs, names);
    Contiguous g_array(b[0]), a_array(b[1]);
    if (!g_array || !a_array) return nullptr;
    const npy_intp* shape = PyArray_DIMS(a_array.array);
    PyArrayObject *out = empty(d.nd, shape, NPY_FLOAT32), *gw = empty(d.inner, shape + d.nd - d.inner, NPY_FLOAT32),
                  *gb = empty(d.inner, shape + d.nd - d.inner, NPY_FLOAT32);
    if (out && gw && gb) {
        const float *g = data<float>(g_array.array), *a = data<float>(a_array.array), *w = data_or_null<float>(b[3]);
        const float *mean = data<float>(as_array(b[4])), *rstd = data<float>(as_array(b[5]));
        float *ga = data<float>(out), *to_w = data<float>(gw), *to_b = data<float>(gb);
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        // The sums over rows: by blocks whose number is the array's affair, then over the blocks.
        npy_intp high = std::max(npy_intp(16), (d.rows + 31) / 32), blocks = (d.rows + high - 1) / high;
        std::vector<float> part(2 * blocks * d.n);
        parallel_for(blocks, grain(high * d.n), [&](npy_intp begin, npy_intp end) {
            for (npy_intp block = begin; block < end; block++) {
                float *pw = part.data() + 2 * block * d.n, *pb = pw + d.n;
                for (npy_intp i = block * high; i < std::min(d.rows, (block + 1) * high); i++) {
                    const float *p = g + i * d.n, *q = a + i * d.n;
                    float *to = ga + i * d.n, m = mean[i], r = rstd[i];
                    double dot = 0, sum = 0;
                    for (npy_intp first = 0; first < d.n; first += run_length) {
                        vf s1{}, s2{};
                        for (npy_intp j = first; j < std::min(d.n, first + run_length); j += lanes) {
                            npy_intp some = std::min(npy_intp(lanes), d.n - j);
                            vf u = load_or(p + j, some, 0), h = (load_or(q + j, some, m) - m) * r;
                            store_up_to(pw + j, some, load_or(pw + j, some, 0) + u * h);
                            store_up_to(pb + j, some, load_or(pb + j, some, 0) + u);
                            if (w) u = u * load_or(w + j, some, 0);
                            s1 += u;
                            s2 += u * h;
                        }
                        sum += sum_lanes<float>(s1);
                        dot += sum_lanes<float>(s2);
                    }
                    float c1 = static_cast<float>(sum / d.n), c2 = static_cast<float>(dot / d.n);
                    for_vectors(d.n, [&](npy_intp j, npy_intp some) {
                        vf u = load_or(p + j, some, 0), h = (load_or(q + j, some, 0) - m) * r;
                        if (w) u = u * load_or(w + j, some, 0);
                        store_up_to(to + j, some, (u - c1 - h * c2) * r);
                    });
                }
            }
        });
        std::fill_n(to_w, d.n, 0.0f);
        std::fill_n(to_b, d.n, 0.0f);
        for (npy_intp block = 0; block < blocks; block++) {
            const float* pw = part.data() + 2 * block * d.n;
            for (npy_intp j = 0; j < d.n; j++) {
                to_w[j] += pw[j];
                to_b[j] += pw[d.n + j];
            }
        }
    }
    return three(out, gw, gb);
}

// --- Group norm -----------------------------------------------------------------------------------------------------------

static bool read_groups(PyObject* o, npy_intp channels, npy_intp* groups) {
    if (!o || !PyLong_Check(o)) return false;
    *groups = PyLong_AsSsize_t(o);
    if (*groups == -1 && PyErr_Occurred()) PyErr_Clear();
    return *groups > 0 && channels % *groups == 0;
}

static PyObject* group_norm_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "groups", "weight", "bias", "eps"};
    PyObject* b[5];
    Channels d;
    npy_intp groups;
    double eps;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !d.read(as_array(b[0])) || !read_groups(b[1], d.c, &groups) ||
        !fits(b[2], d.c) || !fits(b[3], d.c) || !number(b[4], &eps))
        return group_forward_reference.call(args, nargs, names);
    Contiguous array(b[0]);
    if (!array) return nullptr;
    npy_intp shape[2] = {d.n, groups}, wide = d.c / groups, n = wide * d.inner;
    PyArrayObject *out = empty(PyArray_NDIM(array.array), PyArray_DIMS(array.array), NPY_FLOAT32), *mean = empty(2, shape, NPY_FLOAT32),
                  *rstd = empty(2, shape, NPY_FLOAT32);
    if (out && mean && rstd) {
        const float *a = data<float>(array.array), *w = data_or_null<float>(b[2]), *bias = data_or_null<float>(b[3]);
        float *to = data<float>(out), *m = data<float>(mean), *r = data<float>(rstd);
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        parallel_for(d.n * groups, grain(n), [&](npy_intp begin, npy_intp end) {
            for (npy_intp t = begin; t < end; t++) {
                const float* row = a + t * n;
                m[t] = static_cast<float>(sum_row(row, n) / n);
                r[t] = rstd_of(sum_squares(row, n, m[t]) / n, eps);
                for (npy_intp j = 0; j < wide; j++) {
                    npy_intp c = t % groups * wide + j;
                    scale_row(row + j * d.inner, d.inner, m[t], r[t], w ? w[c] : 1.0f, bias ? bias[c] : 0.0f, to + t * n + j * d.inner);
                }
            }
        });
    }
    return three(out, mean, rstd);
}

static PyObject* group_norm_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "a", "groups", "weight", "mean", "rstd"};
    PyObject* b[6];
    Channels d;
    npy_intp groups;
    if (!bind(wanted, args, nargs, names, b) || !plain(b[0]) || !plain(b[1]) || !d.read(as_array(b[1])) ||
        !PyArray_SAMESHAPE(as_array(b[0]), as_array(b[1])) || !read_groups(b[2], d.c, &groups) || !fits(b[3], d.c) ||
        !given(b[4], d.n * groups) || !given(b[5], d.n * groups))
        return group_backward_reference.call(args, nargs, names);
    Contiguous g_array(b[0]), a_array(b[1]);
    if (!g_array || !a_array) return nullptr;
    npy_intp wide = d.c / groups, n = wide * d.inner;
    PyArrayObject *out = empty(PyArray_NDIM(a_array.array), PyArray_DIMS(a_array.array), NPY_FLOAT32), *gw = empty(1, &d.c, NPY_FLOAT32),
                  *gb = empty(1, &d.c, NPY_FLOAT32);
    if (out && gw && gb) {
        const float *g = data<float>(g_array.array), *a = data<float>(a_array.array), *w = data_or_null<float>(b[3]);
        const float *mean = data<float>(as_array(b[4])), *rstd = data<float>(as_array(b[5]));
        float* ga = data<float>(out);
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        std::vector<double> dots(d.n * d.c), sums(d.n * d.c);  // of each sample's channel
        parallel_for(d.n * groups, grain(n), [&](npy_intp begin, npy_intp end) {
            for (npy_intp t = begin; t < end; t++) {
                float m = mean[t], r = rstd[t];
                double sum = 0, dot = 0;
                for (npy_intp j = 0; j < wide; j++) {
                    const float *p = g + t * n + j * d.inner, *q = a + t * n + j * d.inner;
                    npy_intp at = t * wide + j;
                    sums[at] = sum_row(p, d.inner);
                    dots[at] = sum_of(d.inner, [=](npy_intp i, npy_intp some) { return load_or(p + i, some, 0) * ((load_or(q + i, some, 0) - m) * r); });
                    double scale = w ? w[at % d.c] : 1.0;
                    sum += scale * sums[at];
                    dot += scale * dots[at];
                }
                float s1 = static_cast<float>(sum / n), s2 = static_cast<float>(dot / n);
                for (npy_intp j = 0; j < wide; j++) {
                    npy_intp from = t * n + j * d.inner;
                    float scale = w ? w[(t * wide + j) % d.c] : 1.0f;
                    for_vectors(d.inner, [&](npy_intp i, npy_intp some) {
                        vf h = (load_or(a + from + i, some, 0) - m) * r, u = load_or(g + from + i, some, 0) * scale;
                        store_up_to(ga + from + i, some, (u - s1 - h * s2) * r);
                    });
                }
            }
        });
        for (npy_intp c = 0; c < d.c; c++) {
            double dot = 0, sum = 0;
            for (npy_intp i = 0; i < d.n; i++) {
                dot += dots[i * d.c + c];
                sum += sums[i * d.c + c];
            }
            data<float>(gw)[c] = static_cast<float>(dot);
            data<float>(gb)[c] = static_cast<float>(sum);
        }
    }
    return three(out, gw, gb);
}

RL_END

RL_METHODS(norm, RL_FAST_KEYWORDS(batch_norm_forward, "batch_norm_forward(a, weight, bias, eps, var_out=None)"),
           RL_FAST_KEYWORDS(batch_norm_backward, "batch_norm_backward(g, a, weight, mean, invstd, training=True)"),
           RL_FAST_KEYWORDS(layer_norm_forward, "layer_norm_forward(a, n_dims, weight, bias, eps)"),
           RL_FAST_KEYWORDS(layer_norm_backward, "layer_norm_backward(g, a, n_dims, weight, mean, rstd)"),
           RL_FAST_KEYWORDS(group_norm_forward, "group_norm_forward(a, groups, weight, bias, eps)"),
           RL_FAST_KEYWORDS(group_norm_backward, "group_norm_backward(g, a, groups, weight, mean, rstd)"))
