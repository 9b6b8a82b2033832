// Pooling of float32 and float64 over one or two dimensions: a row of outputs at a time, one pass for each tap.
#include <algorithm>
#include <atomic>
#include <vector>

#include "arguments.h"
#include "parallel.h"
#if defined(RL_ISA_avx512)
#include <immintrin.h>
#endif

RL_BEGIN

static Reference max_forward_reference{"max_pool_forward"}, max_backward_reference{"max_pool_backward"},
    avg_forward_reference{"avg_pool_forward"}, avg_backward_reference{"avg_pool_backward"},
    adaptive_reference{"adaptive_avg_pool_forward"}, adaptive_backward_reference{"adaptive_avg_pool_backward"};

// One dimension of the windows.
struct Span {
    npy_intp n, kernel, stride, padding, dilation, out;
    // The outputs whose tap k lies inside the input.
    npy_intp first(npy_intp k) const {
        npy_intp at = padding - k * dilation;
        return at <= 0 ? 0 : std::min(out, (at + stride - 1) / stride);
    }
    npy_intp last(npy_intp k) const {
        npy_intp room = n + padding - k * dilation;
        return room <= 0 ? 0 : std::min(out, (room + stride - 1) / stride);
    }
    npy_intp at(npy_intp i, npy_intp k) const { return i * stride - padding + k * dilation; }
    bool fit(bool ceil_mode) {
        npy_intp room = n + 2 * padding - dilation * (kernel - 1) - 1;
        if (n < 1 || kernel < 1 || stride < 1 || padding < 0 || dilation < 1 || room < 0) return false;
        out = (ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
        if (ceil_mode && (out - 1) * stride >= n + padding) out--;
        return out >= 1;
    }
    // What the window of output i is divided by.
    npy_intp divisor(npy_intp i, bool with_padding) const {
        npy_intp start = i * stride - padding, stop = std::min(start + kernel, n + padding);
        return with_padding ? stop - start : std::min(stop, n) - std::max(start, npy_intp(0));
    }
};

// Vertical and horizontal; a single dimension is the horizontal one.
static bool read_spans(const npy_intp* shape, int nd, PyObject* kernel, PyObject* stride, PyObject* padding, PyObject* dilation, Span* span) {
    if (nd < 3 || nd > 4) return false;
    npy_intp value[4][2] = {{1, 1}, {1, 1}, {0, 0}, {1, 1}};
    int dims = nd - 2;
    if (!sizes(kernel, dims, value[0]) || !sizes(stride, dims, value[1]) || !sizes(padding, dims, value[2])) return false;
    if (dilation && !sizes(dilation, dims, value[3])) return false;
    if (dims == 2) span[0] = {shape[2], value[0][0], value[1][0], value[2][0], value[3][0], 0};
    else span[0] = {1, 1, 1, 0, 1, 0};
    span[1] = {shape[nd - 1], value[0][dims - 1], value[1][dims - 1], value[2][dims - 1], value[3][dims - 1], 0};
    return true;
}

static bool truth(PyObject* o, bool otherwise) { return o ? PyObject_IsTrue(o) == 1 : otherwise; }

// best[i] and where[i] take what the tap sees where it is larger, nan, or the first seen at all (where < 0).
template <int S, class T, class I>
static void take_larger(npy_intp n, const T* __restrict from, npy_intp stride, I index, T* __restrict best, I* __restrict where) {
    if (S) stride = S;
    for (npy_intp i = 0; i < n; i++) {
        T v = from[i * stride];
        bool better = (where[i] < 0) | (v > best[i]) | (v != v);
        best[i] = better ? v : best[i];
        where[i] = better ? index + static_cast<I>(i * stride) : where[i];
    }
}

template <class T> static void max_plane(const Span& y, const Span& x, const T* a, T* out, npy_int64* indices, npy_int32* where) {
    for (npy_intp i = 0; i < y.out; i++, out += x.out, indices += x.out) {
        std::fill_n(where, x.out, -1);
        std::fill_n(out, x.out, T(0));
        for (npy_intp ky = 0; ky < y.kernel; ky++) {
            npy_intp row = y.at(i, ky);
            if (row < 0 || row >= y.n) continue;
            for (npy_intp kx = 0; kx < x.kernel; kx++) {
                npy_intp first = x.first(kx), last = x.last(kx);
                if (first >= last) continue;
                npy_intp at = row * x.n + x.at(first, kx);
                auto take = x.stride == 1 ? take_larger<1, T, npy_int32> : x.stride == 2 ? take_larger<2, T, npy_int32> : take_larger<0, T, npy_int32>;
                take(last - first, a + at, x.stride, static_cast<npy_int32>(at), out + first, where + first);
            }
        }
        for (npy_intp j = 0; j < x.out; j++) indices[j] = where[j];
    }
}

#if defined(RL_ISA_avx512)
// Windows of 2 by 2 side by side, 16 at a time: the larger of each pair and its index by compare and blend.
static void max_plane_2x2(npy_intp height, npy_intp width, npy_intp n, const float* a, float* out, npy_int64* indices) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    for (npy_intp i = 0; i < height; i++) {
        const float* row = a + 2 * i * n;
        for (npy_intp j = 0; j < width; j += 16) {
            npy_intp some = std::min(npy_intp(16), width - j), reads = 2 * some;
            __mmask16 keep = static_cast<__mmask16>((1u << some) - 1);
            __mmask16 m0 = static_cast<__mmask16>(reads >= 16 ? 0xffff : (1u << reads) - 1);
            __mmask16 m1 = static_cast<__mmask16>(reads >= 32 ? 0xffff : reads > 16 ? (1u << (reads - 16)) - 1 : 0);
            const float *p = row + 2 * j, *q = p + n;
            __m512 p0 = _mm512_maskz_loadu_ps(m0, p), p1 = _mm512_maskz_loadu_ps(m1, p + 16);
            __m512 q0 = _mm512_maskz_loadu_ps(m0, q), q1 = _mm512_maskz_loadu_ps(m1, q + 16);
            __m512i at = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(2 * i * n + 2 * j)), even);
            __m512 best = _mm512_permutex2var_ps(p0, even, p1);
            __m512i where = at;
            auto take = [&](__m512 v, int offset) {
                // Greater, or not ordered because v is nan.
                __mmask16 better = _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ) | _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
                best = _mm512_mask_mov_ps(best, better, v);
                where = _mm512_mask_add_epi32(where, better, at, _mm512_set1_epi32(offset));
            };
            take(_mm512_permutex2var_ps(p0, odd, p1), 1);
            take(_mm512_permutex2var_ps(q0, even, q1), static_cast<int>(n));
            take(_mm512_permutex2var_ps(q0, odd, q1), static_cast<int>(n) + 1);
            _mm512_mask_storeu_ps(out + j, keep, best);
            _mm512_mask_storeu_epi64(indices + j, static_cast<__mmask8>(keep), _mm512_maskz_cvtepi32_epi64(0xff, _mm512_castsi512_si256(where)));
            if (some > 8)
                _mm512_mask_storeu_epi64(indices + j + 8, static_cast<__mmask8>(keep >> 8), _mm512_maskz_cvtepi32_epi64(0xff, _mm512_maskz_extracti64x4_epi64(0xf, where, 1)));
        }
        out += width;
        indices += width;
    }
}
#endif

template <class T> static void max_planes(npy_intp planes, const Span& y, const Span& x, const T* a, T* out, npy_int64* indices) {
    npy_intp in_size = y.n * x.n, out_size = y.out * x.out;
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in_size + out_size)), [&](npy_intp begin, npy_intp end) {
        std::vector<npy_int32> where(x.out);
        for (npy_intp p = begin; p < end; p++) {
#if defined(RL_ISA_avx512)
            if constexpr (sizeof(T) == 4) {
                auto halves = [](const Span& s) { return s.kernel == 2 && s.stride == 2 && s.padding == 0 && s.dilation == 1 && 2 * s.out <= s.n; };
                if (halves(y) && halves(x)) {
                    max_plane_2x2(y.out, x.out, x.n, a + p * in_size, out + p * out_size, indices + p * out_size);
                    continue;
                }
            }
#endif
            max_plane(y, x, a + p * in_size, out + p * out_size, indices + p * out_size, where.data());
        }
    });
}

static int float_type(PyObject* a) {
    return !a ? -1 : is_plain(a, NPY_FLOAT32) ? NPY_FLOAT32 : is_plain(a, NPY_FLOAT64) ? NPY_FLOAT64 : -1;
}

static PyObject* max_pool_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "kernel", "stride", "padding", "dilation", "ceil_mode"};
    PyObject* b[6];
    Span span[2];
    int type = bind(wanted, args, nargs, names, b) ? float_type(b[0]) : -1;
    int nd = type < 0 ? 0 : PyArray_NDIM(as_array(b[0]));
    if (type < 0 || !read_spans(PyArray_DIMS(as_array(b[0])), nd, b[1], b[2], b[3], b[4], span) || !b[4] ||
        !span[0].fit(truth(b[5], false)) || !span[1].fit(truth(b[5], false)) || span[0].n * span[1].n > 0x7fffffff)
        return max_forward_reference.call(args, nargs, names);
    Contiguous a(b[0]);
    if (!a) return nullptr;
    npy_intp shape[4];
    std::copy_n(PyArray_DIMS(a.array), nd, shape);
    if (nd == 4) shape[2] = span[0].out;
    shape[nd - 1] = span[1].out;
    PyArrayObject *out = empty(nd, shape, type), *indices = out ? empty(nd, shape, NPY_INT64) : nullptr;
    if (!indices) {
        Py_XDECREF(out);
        return nullptr;
    }
    {
        Unlocked unlocked(PyArray_SIZE(a.array) >= serial_below);
        npy_intp planes = shape[0] * shape[1];
        if (type == NPY_FLOAT32) max_planes(planes, span[0], span[1], data<float>(a.array), data<float>(out), data<npy_int64>(indices));
        else max_planes(planes, span[0], span[1], data<double>(a.array), data<double>(out), data<npy_int64>(indices));
    }
    return Py_BuildValue("NN", out, indices);
}

template <class T>
static bool scatter_planes(npy_intp planes, npy_intp in_size, npy_intp out_size, const T* g, const npy_int64* indices, T* ga) {
    std::atomic<bool> inside{true};
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in_size + out_size + 1)), [&](npy_intp begin, npy_intp end) {
        for (npy_intp p = begin; p < end; p++) {
            T* to = ga + p * in_size;
            std::fill_n(to, in_size, T(0));
            for (npy_intp j = p * out_size; j < (p + 1) * out_size; j++) {
                npy_int64 at = read_once(indices + j);
                if (at < 0 || at >= in_size) {
                    inside = false;
                    return;
                }
                to[at] += g[j];
            }
        }
    });
    return inside;
}

static PyObject* max_pool_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    npy_intp shape[5];
    int type = nargs == 3 ? float_type(args[0]) : -1;
    int nd = type < 0 ? 0 : PyArray_NDIM(as_array(args[0]));
    if (nd < 3 || nd > 5 || !is_plain(args[1], NPY_INT64) || PyArray_NDIM(as_array(args[1])) != nd ||
        !PyArray_CompareLists(PyArray_DIMS(as_array(args[0])), PyArray_DIMS(as_array(args[1])), nd) || !sizes(args[2], nd, shape) ||
        shape[0] != PyArray_DIM(as_array(args[0]), 0) || shape[1] != PyArray_DIM(as_array(args[0]), 1))
        return max_backward_reference.call(args, nargs);
    Contiguous g(args[0]), indices(args[1]);
    if (!g || !indices) return nullptr;
    PyArrayObject* out = empty(nd, shape, type);
    if (!out) return nullptr;
    npy_intp planes = shape[0] * shape[1], in_size = 1, out_size = 1;
    for (int i = 2; i < nd; i++) {
        in_size *= shape[i];
        out_size *= PyArray_DIM(g.array, i);
    }
    bool inside;
    {
        Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
        const npy_int64* at = data<npy_int64>(indices.array);
        inside = type == NPY_FLOAT32 ? scatter_planes(planes, in_size, out_size, data<float>(g.array), at, data<float>(out))
                                     : scatter_planes(planes, in_size, out_size, data<double>(g.array), at, data<double>(out));
    }
    if (inside) return as_object(out);
    Py_DECREF(out);
    return max_backward_reference.call(args, nargs);
}

// --- Means --------------------------------------------------------------------------------------------------------------

struct Means {
    Span y, x;
    bool with_padding;
    npy_intp divisor;  // 0: the size of the window
    // The divisors of a row of outputs; `columns` holds those of the horizontal dimension.
    template <class T> void counts(npy_intp i, const T* columns, T* to) const {
        T rows = divisor ? T(1) : static_cast<T>(y.divisor(i, with_padding));
        for (npy_intp j = 0; j < x.out; j++) to[j] = rows * columns[j];
    }
    template <class T> std::vector<T> columns() const {
        std::vector<T> count(x.out);
        for (npy_intp j = 0; j < x.out; j++) count[j] = static_cast<T>(divisor ? divisor : x.divisor(j, with_padding));
        return count;
    }
};

// to[j] += from[j * s], with the common strides known to the compiler.
template <class T> static inline void add_strided(npy_intp n, const T* __restrict from, npy_intp s, T* __restrict to) {
    if (s == 1)
        for (npy_intp j = 0; j < n; j++) to[j] += from[j];
    else if (s == 2)
        for (npy_intp j = 0; j < n; j++) to[j] += from[2 * j];
    else
        for (npy_intp j = 0; j < n; j++) to[j] += from[s * j];
}

template <class T> static void avg_planes(npy_intp planes, const Means& m, const T* a, T* out) {
    npy_intp in_size = m.y.n * m.x.n, out_size = m.y.out * m.x.out;
    std::vector<T> columns = m.columns<T>();
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in_size + out_size)), [&](npy_intp begin, npy_intp end) {
        std::vector<T> count(m.x.out);
        for (npy_intp p = begin; p < end; p++)
            for (npy_intp i = 0; i < m.y.out; i++) {
                T* __restrict to = out + p * out_size + i * m.x.out;
                std::fill_n(to, m.x.out, T(0));
                for (npy_intp ky = 0; ky < m.y.kernel; ky++) {
                    npy_intp row = m.y.at(i, ky);
                    if (row < 0 || row >= m.y.n) continue;
                    for (npy_intp kx = 0; kx < m.x.kernel; kx++) {
                        npy_intp first = m.x.first(kx), n = m.x.last(kx) - first, s = m.x.stride;
                        if (n > 0) add_strided(n, a + p * in_size + row * m.x.n + m.x.at(first, kx), s, to + first);
                    }
                }
                m.counts(i, columns.data(), count.data());
                for (npy_intp j = 0; j < m.x.out; j++) to[j] /= count[j];
            }
    });
}

template <class T> static void avg_planes_backward(npy_intp planes, const Means& m, const T* g, T* ga) {
    npy_intp in_size = m.y.n * m.x.n, out_size = m.y.out * m.x.out;
    std::vector<T> columns = m.columns<T>();
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in_size + out_size)), [&](npy_intp begin, npy_intp end) {
        std::vector<T> share(m.x.out), count(m.x.out);
        for (npy_intp p = begin; p < end; p++) {
            std::fill_n(ga + p * in_size, in_size, T(0));
            for (npy_intp i = 0; i < m.y.out; i++) {
                m.counts(i, columns.data(), count.data());
                for (npy_intp j = 0; j < m.x.out; j++) share[j] = g[p * out_size + i * m.x.out + j] / count[j];
                for (npy_intp ky = 0; ky < m.y.kernel; ky++) {
                    npy_intp row = m.y.at(i, ky);
                    if (row < 0 || row >= m.y.n) continue;
                    for (npy_intp kx = 0; kx < m.x.kernel; kx++) {
                        npy_intp first = m.x.first(kx), n = m.x.last(kx) - first, s = m.x.stride;
                        if (n <= 0) continue;
                        T* __restrict to = ga + p * in_size + row * m.x.n + m.x.at(first, kx);
                        for (npy_intp j = 0; j < n; j++) to[s * j] += share[first + j];
                    }
                }
            }
        }
    });
}

// `divisor` None or missing: 0. False: not a positive integer, which the reference may make something of.
static bool read_divisor(PyObject* o, npy_intp* to) {
    *to = 0;
    if (is_none(o)) return true;
    if (!PyLong_Check(o)) return false;
    *to = PyLong_AsSsize_t(o);
    if (*to == -1 && PyErr_Occurred()) PyErr_Clear();
    return *to > 0;
}

static PyObject* avg_pool_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "kernel", "stride", "padding", "ceil_mode", "count_include_pad", "divisor"};
    PyObject* b[7];
    Span span[2];
    Means m;
    int type = bind(wanted, args, nargs, names, b) ? float_type(b[0]) : -1;
    int nd = type < 0 ? 0 : PyArray_NDIM(as_array(b[0]));
    if (type < 0 || !read_spans(PyArray_DIMS(as_array(b[0])), nd, b[1], b[2], b[3], nullptr, span) ||
        !span[0].fit(truth(b[4], false)) || !span[1].fit(truth(b[4], false)) || !read_divisor(b[6], &m.divisor))
        return avg_forward_reference.call(args, nargs, names);
    Contiguous a(b[0]);
    if (!a) return nullptr;
    m.y = span[0];
    m.x = span[1];
    m.with_padding = truth(b[5], true);
    npy_intp shape[4];
    std::copy_n(PyArray_DIMS(a.array), nd, shape);
    if (nd == 4) shape[2] = m.y.out;
    shape[nd - 1] = m.x.out;
    PyArrayObject* out = empty(nd, shape, type);
    if (!out) return nullptr;
    Unlocked unlocked(PyArray_SIZE(a.array) >= serial_below);
    if (type == NPY_FLOAT32) avg_planes(shape[0] * shape[1], m, data<float>(a.array), data<float>(out));
    else avg_planes(shape[0] * shape[1], m, data<double>(a.array), data<double>(out));
    return as_object(out);
}

static PyObject* avg_pool_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "input_shape", "kernel", "stride", "padding", "count_include_pad", "divisor"};
    PyObject* b[7];
    Span span[2];
    Means m;
    npy_intp shape[4];
    int type = bind(wanted, args, nargs, names, b) ? float_type(b[0]) : -1;
    int nd = type < 0 ? 0 : PyArray_NDIM(as_array(b[0]));
    bool fits = nd >= 3 && nd <= 4 && sizes(b[1], nd, shape) && read_spans(shape, nd, b[2], b[3], b[4], nullptr, span) &&
                read_divisor(b[6], &m.divisor);
    if (fits) {
        // The output's own size: in ceil mode it is one more than the windows that fit.
        const npy_intp* given = PyArray_DIMS(as_array(b[0]));
        for (int x = 0; x < 2; x++) {
            fits = fits && span[x].fit(true);
            npy_intp most = span[x].out;
            span[x].out = x == 1 ? given[nd - 1] : nd == 4 ? given[2] : 1;
            fits = fits && span[x].out >= 1 && span[x].out <= most;
        }
        fits = fits && given[0] == shape[0] && given[1] == shape[1];
    }
    if (!fits) return avg_backward_reference.call(args, nargs, names);
    Contiguous g(b[0]);
    if (!g) return nullptr;
    m.y = span[0];
    m.x = span[1];
    m.with_padding = truth(b[5], true);
    PyArrayObject* out = empty(nd, shape, type);
    if (!out) return nullptr;
    Unlocked unlocked(PyArray_SIZE(out) >= serial_below);
    if (type == NPY_FLOAT32) avg_planes_backward(shape[0] * shape[1], m, data<float>(g.array), data<float>(out));
    else avg_planes_backward(shape[0] * shape[1], m, data<double>(g.array), data<double>(out));
    return as_object(out);
}

// --- Adaptive means -----------------------------------------------------------------------------------------------------

// Window i of `out` over n elements: they cover them evenly and may overlap.
static npy_intp segment_start(npy_intp n, npy_intp out, npy_intp i) { return i * n / out; }
static npy_intp segment_stop(npy_intp n, npy_intp out, npy_intp i) { return ((i + 1) * n + out - 1) / out; }

template <class T> static T sum_run(const T* a, npy_intp n) {
    constexpr int width = 16;
    T part[width] = {}, total = 0;
    npy_intp j = 0;
    for (; j + width <= n; j += width)
        for (int l = 0; l < width; l++) part[l] += a[j + l];
    for (; j < n; j++) total += a[j];
    for (int l = 0; l < width; l++) total += part[l];
    return total;
}

template <class T> static void adaptive_planes(npy_intp planes, const npy_intp* in, const npy_intp* out, const T* a, T* to) {
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in[0] * in[1])), [&](npy_intp begin, npy_intp end) {
        for (npy_intp p = begin; p < end; p++)
            for (npy_intp i = 0; i < out[0]; i++)
                for (npy_intp j = 0; j < out[1]; j++) {
                    npy_intp y0 = segment_start(in[0], out[0], i), y1 = segment_stop(in[0], out[0], i);
                    npy_intp x0 = segment_start(in[1], out[1], j), x1 = segment_stop(in[1], out[1], j);
                    const T* plane = a + p * in[0] * in[1];
                    T sum = 0;
                    if (x1 - x0 == in[1]) sum = sum_run(plane + y0 * in[1], (y1 - y0) * in[1]);
                    else
                        for (npy_intp y = y0; y < y1; y++) sum += sum_run(plane + y * in[1] + x0, x1 - x0);
                    to[(p * out[0] + i) * out[1] + j] = sum / static_cast<T>((y1 - y0) * (x1 - x0));
                }
    });
}
template <class T> static void adaptive_planes_backward(npy_intp planes, const npy_intp* in, const npy_intp* out, const T* g, T* to) {
    parallel_for(planes, std::max(npy_intp(1), serial_below / (in[0] * in[1])), [&](npy_intp begin, npy_intp end) {
        for (npy_intp p = begin; p < end; p++) {
            T* plane = to + p * in[0] * in[1];
            std::fill_n(plane, in[0] * in[1], T(0));
            for (npy_intp i = 0; i < out[0]; i++)
                for (npy_intp j = 0; j < out[1]; j++) {
                    npy_intp y0 = segment_start(in[0], out[0], i), y1 = segment_stop(in[0], out[0], i);
                    npy_intp x0 = segment_start(in[1], out[1], j), x1 = segment_stop(in[1], out[1], j);
                    T share = g[(p * out[0] + i) * out[1] + j] / static_cast<T>((y1 - y0) * (x1 - x0));
                    for (npy_intp y = y0; y < y1; y++)
                        for (npy_intp x = x0; x < x1; x++) plane[y * in[1] + x] += share;
                }
        }
    });
}

// Forward (`shape` of the output's spatial dimensions) and backward (of the whole input) differ in what they are told.
static PyObject* adaptive(Reference& reference, bool backward, PyObject* const* args, Py_ssize_t nargs) {
    npy_intp shape[4], in[2] = {1, 1}, out[2] = {1, 1};
    int type = nargs == 2 ? float_type(args[0]) : -1, nd = type < 0 ? 0 : PyArray_NDIM(as_array(args[0])), skip = backward ? 0 : 2;
    if (nd < 3 || nd > 4 || !sizes(args[1], nd - skip, shape + skip)) return reference.call(args, nargs);
    const npy_intp* given = PyArray_DIMS(as_array(args[0]));
    if (!backward) std::copy_n(given, 2, shape);
    for (int i = 0; i < nd; i++)
        if (shape[i] < 1 || given[i] < 1 || (i < 2 && shape[i] != given[i])) return reference.call(args, nargs);
    for (int i = 2; i < nd; i++) {
        in[i - nd + 2] = backward ? shape[i] : given[i];
        out[i - nd + 2] = backward ? given[i] : shape[i];
    }
    Contiguous a(args[0]);
    if (!a) return nullptr;
    PyArrayObject* result = empty(nd, shape, type);
    if (!result) return nullptr;
    npy_intp planes = shape[0] * shape[1];
    Unlocked unlocked(planes * in[0] * in[1] >= serial_below);
    if (type == NPY_FLOAT32)
        (backward ? adaptive_planes_backward<float> : adaptive_planes<float>)(planes, in, out, data<float>(a.array), data<float>(result));
    else
        (backward ? adaptive_planes_backward<double> : adaptive_planes<double>)(planes, in, out, data<double>(a.array), data<double>(result));
    return as_object(result);
}
static PyObject* adaptive_avg_pool_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return adaptive(adaptive_reference, false, args, nargs);
}
static PyObject* adaptive_avg_pool_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return adaptive(adaptive_backward_reference, true, args, nargs);
}

RL_END

RL_METHODS(pool, RL_FAST_KEYWORDS(max_pool_forward, "max_pool_forward(a, kernel, stride, padding, dilation, ceil_mode=False)"),
           RL_FAST(max_pool_backward, "max_pool_backward(g, indices, input_shape)"),
           RL_FAST(adaptive_avg_pool_forward, "adaptive_avg_pool_forward(a, output_size)"),
           RL_FAST(adaptive_avg_pool_backward, "adaptive_avg_pool_backward(g, input_shape)"),
           RL_FAST_KEYWORDS(avg_pool_forward, "avg_pool_forward(a, kernel, stride, padding, ceil_mode, count_include_pad, divisor)"),
           RL_FAST_KEYWORDS(avg_pool_backward, "avg_pool_backward(g, input_shape, kernel, stride, padding, count_include_pad, divisor)"))
