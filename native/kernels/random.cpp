// PyTorch's CPU random streams: backend/numpy/random.py is the specification, here are the same bits sooner.
//
// The words come from MT19937 one after another (serial: it is a recurrence); what is made of them is element-wise and
// runs on all threads. Multiply-adds are fused only where `fma` is written, so every instruction set gives one answer.
// The caller holds the generator's lock, so the state is ours while the GIL is released.
#include "rushlight.h"
#include "parallel.h"
#include "twister.h"

#include <cmath>
#include <cstring>

RL_BEGIN

static inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline int32_t bits(float x) { int32_t i; std::memcpy(&i, &x, 4); return i; }
static inline float from_bits(int32_t i) { float x; std::memcpy(&x, &i, 4); return x; }

static void uniforms(Twister t, float* out, npy_intp n) {
    t.runs<1>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
        for (npy_intp i = 0; i < count; i++)
            out[first + i] = static_cast<float>(static_cast<int32_t>(w[i] & 0xffffffu)) * 0x1p-24f;
    });
}
static void uniforms(Twister t, double* out, npy_intp n) {
    t.runs<2>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
        for (npy_intp i = 0; i < count; i++) out[first + i] = static_cast<double>(low53(w + 2 * i)) * 0x1p-53;
    });
}

static bool failed(double value) { return value == -1.0 && PyErr_Occurred(); }

// --- Uniform and friends ------------------------------------------------------------------------------------------------

template <class T> static void fill_uniform(Twister t, PyArrayObject* array, T low, T high, T width) {
    T* out = data<T>(array);
    const npy_intp n = PyArray_SIZE(array);
    Unlocked unlocked(n >= serial_below);
    uniforms(t, out, n);
    if (low == 0 && high == 1) return;
    parallel_for(n, serial_below, [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) {
            const T value = fma(out[i], width, low);
            out[i] = value == high ? low : value;
        }
    });
}

static Reference uniform_reference{"mt_uniform_"};
static PyObject* mt_uniform_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    const bool single = nargs == 4 && is_out(args[1], NPY_FLOAT32);
    if (nargs != 4 || !is_state(args[0]) || (!single && !is_out(args[1], NPY_FLOAT64)))
        return uniform_reference.call(args, nargs);
    const double low = PyFloat_AsDouble(args[2]), high = PyFloat_AsDouble(args[3]);
    if (failed(low) || failed(high)) return nullptr;
    const Twister t{data<uint32_t>(as_array(args[0]))};
    const float low32 = static_cast<float>(low), high32 = static_cast<float>(high);
    if (single) fill_uniform<float>(t, as_array(args[1]), low32, high32, high32 - low32);
    else fill_uniform<double>(t, as_array(args[1]), low, high, high - low);
    Py_RETURN_NONE;
}

static Reference bernoulli_reference{"mt_bernoulli_"};
static PyObject* mt_bernoulli_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 3 || !is_state(args[0]) || !is_out(args[1], NPY_BOOL)) return bernoulli_reference.call(args, nargs);
    const double p = PyFloat_AsDouble(args[2]);
    if (failed(p)) return nullptr;
    uint8_t* out = data<uint8_t>(as_array(args[1]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    // m * 2**-53 < p is m < ceil(p * 2**53): scaling by a power of two is exact.
    const int64_t threshold = static_cast<int64_t>(std::ceil(p * 0x1p53));
    Unlocked unlocked(n >= serial_below);
    Twister{data<uint32_t>(as_array(args[0]))}.runs<2>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
        for (npy_intp i = 0; i < count; i++) out[first + i] = low53(w + 2 * i) < threshold;
    });
    Py_RETURN_NONE;
}

// --- Integers -----------------------------------------------------------------------------------------------------------

static Reference integers_reference{"mt_integers_"};
static PyObject* mt_integers_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 5 || !is_state(args[0]) || !is_out(args[1], NPY_INT64)) return integers_reference.call(args, nargs);
    const uint64_t span = PyLong_AsUnsignedLongLong(args[2]);
    if (PyErr_Occurred()) return nullptr;
    const uint64_t base = PyLong_AsUnsignedLongLongMask(args[3]);
    const int wide = PyObject_IsTrue(args[4]);
    if (wide < 0 || PyErr_Occurred()) return nullptr;
    uint64_t* out = data<uint64_t>(as_array(args[1]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    Twister t{data<uint32_t>(as_array(args[0]))};
    Unlocked unlocked(n >= serial_below);
    if (wide || span >> 32) {
        auto fill = [&](npy_intp i, uint64_t value) { out[i] = (span ? value % span : value) + base; };
        if (wide)
            t.runs<2>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
                for (npy_intp i = 0; i < count; i++) fill(first + i, join(w + 2 * i));
            });
        else
            t.runs<1>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
                for (npy_intp i = 0; i < count; i++) fill(first + i, w[i]);
            });
    } else if (span > 1) {
        // word mod span without a division: Lemire, Kaser, Kurz, "Faster remainder by direct computation", 2019.
        const uint64_t inverse = UINT64_MAX / span + 1;
        t.runs<1>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
            for (npy_intp i = 0; i < count; i++) {
                const auto product = static_cast<unsigned __int128>(inverse * w[i]) * span;
                out[first + i] = static_cast<uint64_t>(product >> 64) + base;
            }
        });
    } else {
        t.runs<1>(n, [&](npy_intp first, const uint32_t* w, npy_intp count) {
            for (npy_intp i = 0; i < count; i++) out[first + i] = (span ? 0 : w[i]) + base;
        });
    }
    Py_RETURN_NONE;
}

static Reference permutation_reference{"mt_permutation_"};
static PyObject* mt_permutation_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_state(args[0]) || !is_out(args[1], NPY_INT64)) return permutation_reference.call(args, nargs);
    int64_t* out = data<int64_t>(as_array(args[1]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    Twister t{data<uint32_t>(as_array(args[0]))};
    Unlocked unlocked(n >= serial_below);
    for (npy_intp i = 0; i < n; i++) out[i] = i;
    auto swap = [&](npy_intp i, npy_intp step) { std::swap(out[i], out[i + step]); };
    if (n < (npy_intp(1) << 32) / 20)
        t.runs<1>(n - 1, [&](npy_intp first, const uint32_t* w, npy_intp count) {
            for (npy_intp i = 0; i < count; i++) swap(first + i, w[i] % static_cast<uint32_t>(n - first - i));
        });
    else
        t.runs<2>(n - 1, [&](npy_intp first, const uint32_t* w, npy_intp count) {
            for (npy_intp i = 0; i < count; i++)
                swap(first + i, static_cast<npy_intp>(join(w + 2 * i) % static_cast<uint64_t>(n - first - i)));
        });
    Py_RETURN_NONE;
}

// --- Normal -------------------------------------------------------------------------------------------------------------

// The polynomials of Cephes (S. Moshier, 1992), with fused multiply-adds; random.py says more.
static inline float log_unit(float x) {
    const int32_t i = bits(x);
    float exponent = static_cast<float>((i >> 23) - 126);
    const float mantissa = from_bits((i & 0x007fffff) | 0x3f000000);
    const bool small = mantissa < 0.707106781186547524f;
    exponent -= small ? 1.0f : 0.0f;
    x = (mantissa - 1.0f) + (small ? mantissa : 0.0f);
    const float square = x * x;
    float y = 7.0376836292e-2f;
    y = fma(y, x, -1.1514610310e-1f);
    y = fma(y, x, 1.1676998740e-1f);
    y = fma(y, x, -1.2420140846e-1f);
    y = fma(y, x, 1.4249322787e-1f);
    y = fma(y, x, -1.6668057665e-1f);
    y = fma(y, x, 2.0000714765e-1f);
    y = fma(y, x, -2.4999993993e-1f);
    y = fma(y, x, 3.3333331174e-1f);
    y = fma(y * x, square, exponent * -2.12194440e-4f);
    y = y - square * 0.5f;
    return fma(exponent, 0.693359375f, x + y);
}

static inline void sin_cos(float x, float& sine, float& cosine) {
    const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
    const float y = static_cast<float>(octant);
    x = fma(y, -0.78515625f, x);
    x = fma(y, -2.4187564849853515625e-4f, x);
    x = fma(y, -3.77489497744594108e-8f, x);
    const float square = x * x;
    float c = fma(fma(2.443315711809948e-5f, square, -1.388731625493765e-3f), square, 4.166664568298827e-2f);
    c = fma(c * square, square, -(square * 0.5f)) + 1.0f;
    float s = fma(fma(-1.9515295891e-4f, square, 8.3321608736e-3f), square, -1.6666654611e-1f);
    s = fma(s * square, x, x);
    const float a = octant & 2 ? c : s, b = octant & 2 ? s : c;
    sine = from_bits(bits(a) ^ ((octant & 4) << 29));
    cosine = from_bits(bits(b) ^ ((~(octant - 2) & 4) << 29));
}

// Makes normals of `blocks` times 16 uniforms, in place; groups of blocks go through straight arrays, any width deep.
static void box_muller(float* out, npy_intp blocks, float mean, float std) {
    constexpr npy_intp group = 16;
    alignas(64) float u[2][8 * group];
    for (npy_intp first = 0; first < blocks; first += group) {
        const npy_intp count = std::min(group, blocks - first);
        float* o = out + 16 * first;
        for (npy_intp b = 0; b < count; b++)
            for (int half = 0; half < 2; half++) std::memcpy(u[half] + 8 * b, o + 16 * b + 8 * half, 32);
        for (npy_intp i = 0; i < 8 * count; i++) {
            const float radius = __builtin_sqrtf(-2.0f * log_unit(1.0f - u[0][i]));
            float sine, cosine;
            sin_cos(6.283185307179586f * u[1][i], sine, cosine);
            u[0][i] = fma(radius * cosine, std, mean);
            u[1][i] = fma(radius * sine, std, mean);
        }
        for (npy_intp b = 0; b < count; b++)
            for (int half = 0; half < 2; half++) std::memcpy(o + 16 * b + 8 * half, u[half] + 8 * b, 32);
    }
}
static void box_muller(double* out, npy_intp blocks, double mean, double std) {
    for (double* o = out; o < out + 16 * blocks; o += 16)
        for (int i = 0; i < 8; i++) {
            const double radius = std::sqrt(-2.0 * std::log(1.0 - o[i])), theta = 2.0 * M_PI * o[i + 8];
            o[i] = fma(radius * std::cos(theta), std, mean);
            o[i + 8] = fma(radius * std::sin(theta), std, mean);
        }
}

template <class T> static void fill_normal(Twister t, PyArrayObject* array, T mean, T std) {
    T* out = data<T>(array);
    const npy_intp n = PyArray_SIZE(array);
    Unlocked unlocked(n >= serial_below);
    uniforms(t, out, n);
    parallel_for(n / 16, 1024, [&](npy_intp begin, npy_intp end) {
        box_muller(out + 16 * begin, end - begin, mean, std);
    });
    if (n % 16) {
        uniforms(t, out + n - 16, 16);
        box_muller(out + n - 16, 1, mean, std);
    }
}

static Reference normal_reference{"mt_normal_"};
static PyObject* mt_normal_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    const bool single = nargs == 4 && is_out(args[1], NPY_FLOAT32);
    if (nargs != 4 || !is_state(args[0]) || (!single && !is_out(args[1], NPY_FLOAT64)) ||
        PyArray_SIZE(as_array(args[1])) < 16)
        return normal_reference.call(args, nargs);
    const double mean = PyFloat_AsDouble(args[2]), std = PyFloat_AsDouble(args[3]);
    if (failed(mean) || failed(std)) return nullptr;
    const Twister t{data<uint32_t>(as_array(args[0]))};
    if (single) fill_normal<float>(t, as_array(args[1]), static_cast<float>(mean), static_cast<float>(std));
    else fill_normal<double>(t, as_array(args[1]), mean, std);
    Py_RETURN_NONE;
}

template <class F>
static PyObject* fill_pairs(Reference& reference, PyObject* const* args, Py_ssize_t nargs, F then) {
    if (nargs != 5 || !is_state(args[0]) || !is_out(args[1], NPY_FLOAT64) || PyArray_SIZE(as_array(args[1])) != 2 ||
        !is_out(args[2], NPY_FLOAT64))
        return reference.call(args, nargs);
    const double mean = PyFloat_AsDouble(args[3]), std = PyFloat_AsDouble(args[4]);
    if (failed(mean) || failed(std)) return nullptr;
    double *spare = data<double>(as_array(args[1])), *out = data<double>(as_array(args[2]));
    const npy_intp n = PyArray_SIZE(as_array(args[2]));
    Twister t{data<uint32_t>(as_array(args[0]))};
    Unlocked unlocked(n >= 1024);
    for (npy_intp i = 0; i < n; i++) {
        double value = spare[0];
        if (spare[1] != 0) {
            spare[0] = spare[1] = 0;
        } else {
            double u[2];
            uniforms(t, u, 2);
            const double radius = std::sqrt(-2.0 * std::log1p(-u[1])), theta = 2.0 * M_PI * u[0];
            value = radius * std::cos(theta);
            spare[0] = radius * std::sin(theta);
            spare[1] = 1;
        }
        out[i] = then(fma(value, std, mean));
    }
    Py_RETURN_NONE;
}

static Reference normal_pairs_reference{"mt_normal_pairs_"};
static PyObject* mt_normal_pairs_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return fill_pairs(normal_pairs_reference, args, nargs, [](double x) { return x; });
}
static Reference log_normal_reference{"mt_log_normal_"};
static PyObject* mt_log_normal_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return fill_pairs(log_normal_reference, args, nargs, [](double x) { return std::exp(x); });
}

// --- Inverses of distribution functions -----------------------------------------------------------------------------------

template <class F>
static PyObject* fill_inverse(Reference& reference, PyObject* const* args, Py_ssize_t nargs, Py_ssize_t expected, F inverse) {
    if (nargs != expected || !is_state(args[0]) || !is_out(args[1], NPY_FLOAT64)) return reference.call(args, nargs);
    const double a = PyFloat_AsDouble(args[2]), b = expected == 4 ? PyFloat_AsDouble(args[3]) : 0.0;
    if (failed(a) || failed(b)) return nullptr;
    double* out = data<double>(as_array(args[1]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    Unlocked unlocked(n >= 1024);
    uniforms(Twister{data<uint32_t>(as_array(args[0]))}, out, n);
    parallel_for(n, 4096, [&](npy_intp begin, npy_intp end) {
        for (npy_intp i = begin; i < end; i++) out[i] = inverse(out[i], a, b);
    });
    Py_RETURN_NONE;
}

static Reference exponential_reference{"mt_exponential_"};
static PyObject* mt_exponential_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return fill_inverse(exponential_reference, args, nargs, 3,
                        [](double u, double rate, double) { return -1.0 / rate * std::log1p(-u); });
}
static Reference geometric_reference{"mt_geometric_"};
static PyObject* mt_geometric_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return fill_inverse(geometric_reference, args, nargs, 3,
                        [](double u, double p, double) { return std::ceil(std::log(u) / std::log1p(-p)); });
}
static Reference cauchy_reference{"mt_cauchy_"};
static PyObject* mt_cauchy_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return fill_inverse(cauchy_reference, args, nargs, 4, [](double u, double median, double sigma) {
        return fma(sigma, std::tan(M_PI * (u - 0.5)), median);
    });
}

RL_END

RL_METHODS(random, RL_FAST(mt_uniform_, "mt_uniform_(mt, out, low, high)"),
           RL_FAST(mt_bernoulli_, "mt_bernoulli_(mt, out, p)"),
           RL_FAST(mt_integers_, "mt_integers_(mt, out, span, base, wide)"),
           RL_FAST(mt_permutation_, "mt_permutation_(mt, out)"), RL_FAST(mt_normal_, "mt_normal_(mt, out, mean, std)"),
           RL_FAST(mt_normal_pairs_, "mt_normal_pairs_(mt, spare, out, mean, std)"),
           RL_FAST(mt_log_normal_, "mt_log_normal_(mt, spare, out, mean, std)"),
           RL_FAST(mt_exponential_, "mt_exponential_(mt, out, rate)"), RL_FAST(mt_geometric_, "mt_geometric_(mt, out, p)"),
           RL_FAST(mt_cauchy_, "mt_cauchy_(mt, out, median, sigma)"))
