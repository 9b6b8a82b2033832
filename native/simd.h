// Vectors of float of the instruction set's width, and the elementary functions on them.
//
// Accurate to about 2 units in the last place, with nan, infinities, signed zeros and denormals as IEEE 754 has them.
// Each polynomial is the minimax one on its interval (fitted with mpmath in 40 digits; the error is beside it).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "rushlight.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

RL_BEGIN

#if defined(RL_ISA_avx512)
constexpr int vector_bytes = 64;
#elif defined(RL_ISA_avx2)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif
constexpr int lanes = vector_bytes / 4;

typedef float vf __attribute__((vector_size(vector_bytes)));
typedef std::int32_t vi __attribute__((vector_size(vector_bytes)));
typedef std::uint32_t vu __attribute__((vector_size(vector_bytes)));  // integers that may wrap around

static inline vf load(const float* p) { vf v; std::memcpy(&v, p, sizeof v); return v; }
static inline void store(float* p, vf v) { std::memcpy(p, &v, sizeof v); }
static inline vf splat(float x) { return x - vf{}; }
static inline vf bits(vi v) { return (vf)v; }
static inline vi bits(vf v) { return (vi)v; }
static inline vf power_of_two(vi k) { return (vf)(((vu)k + 127u) << 23); }
static inline vi difference(vf a, vf b) { return (vi)((vu)a - (vu)b); }  // of their bits
static inline vf vabs(vf x) { return bits(bits(x) & 0x7fffffff); }
static inline vf with_sign_of(vf magnitude, vf x) {
    return bits((bits(magnitude) & 0x7fffffff) | (bits(x) & int(0x80000000)));
}

// a * b + c, in one rounding where the set has it.
static inline vf fma(vf a, vf b, vf c) {
#if defined(RL_ISA_avx512)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(RL_ISA_avx2)
    return _mm256_fmadd_ps(a, b, c);
#else
    return a * b + c;
#endif
}
static inline vf fma(vf a, vf b, float c) { return fma(a, b, splat(c)); }
static inline vf fma(vf a, float b, vf c) { return fma(a, splat(b), c); }

static inline bool any(vi mask) {
#if defined(RL_ISA_avx512)
    return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(RL_ISA_avx2)
    return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__x86_64__)
    return _mm_movemask_ps((__m128)mask) != 0;
#else
    int some = 0;
    for (int i = 0; i < lanes; i++) some |= mask[i];
    return some != 0;
#endif
}

// Horner's rule, highest coefficient first.
template <class... C> static inline vf polynomial(vf x, float first, C... rest) {
    vf p = splat(first);
    ((p = fma(p, x, rest)), ...);
    return p;
}

// Adding 1.5 * 2**23 rounds to an integer, left in the low bits.
constexpr float rounding = 12582912.0f;

// exp and expm1 share the reduction x = n ln 2 + r; ln 2 in two parts, so that n times the first is exact.
struct Reduced { vf r; vf n; vi k; };
static inline Reduced reduce_exp(vf x) {
    vf t = fma(x, 1.44269504f, splat(rounding));
    vf n = t - rounding;
    vf r = fma(n, -0.693359375f, x);
    r = fma(n, 2.12194440e-4f, r);
    return {r, n, difference(t, splat(rounding))};
}

static inline vf vexp(vf x) {
    vf y = x > 89.0f ? splat(89.0f) : x;
    y = y < -104.0f ? splat(-104.0f) : y;
    Reduced d = reduce_exp(y);
    vf q = polynomial(d.r, 1.381459986e-03f, 8.368715412e-03f, 4.166838793e-02f, 1.666652064e-01f, 4.999999345e-01f);  // 3e-9
    vf p = fma(q * d.r, d.r, d.r) + 1.0f;
    // 2**n in two factors: n reaches 128 and, for denormal results, -150.
    vi half = d.k >> 1;
    p = p * power_of_two(half) * power_of_two((vi)((vu)d.k - (vu)half));
    return x != x ? x : p;
}

static inline vf vexpm1(vf x) {
    vf y = x > 89.0f ? splat(89.0f) : x;
    y = y < -20.0f ? splat(-20.0f) : y;
    Reduced d = reduce_exp(y);
    vf q = polynomial(d.r, 1.991357108e-04f, 1.394101968e-03f, 8.333274138e-03f, 4.166635445e-02f, 1.666666681e-01f,
                      5.000000047e-01f);  // 2e-10
    vf p = fma(q * d.r, d.r, d.r);
    // 2**n (1 + p) - 1; half of 2**n first, as n reaches 128.
    vf s = power_of_two((vi)((vu)d.k - 1u));
    vf e = fma(p, s, s - 0.5f) * 2.0f;
    e = d.n == 0.0f ? p : e;
    e = x == 0.0f ? x : e;
    return x != x ? x : e;
}

static inline vf vlog(vf x) {
    vi tiny = x < 1.17549435e-38f;
    vf y = tiny ? x * 8388608.0f : x;
    vu i = (vu)y;
    vi k = (vi)(i - 0x3f3504f3u) >> 23;  // the mantissa between sqrt(1/2) and sqrt(2)
    vf f = (vf)(i - ((vu)k << 23)) - 1.0f;
    vf e = __builtin_convertvector(k, vf) - (tiny ? splat(23.0f) : vf{});
    vf z = f * f;
    vf p = polynomial(f, 6.746601319e-02f, -1.167564130e-01f, 1.188817460e-01f, -1.240559142e-01f, 1.421955091e-01f,
                      -1.666799567e-01f, 2.000211873e-01f, -2.500000960e-01f, 3.333331260e-01f);  // 7e-10
    p = p * z * f;
    p = fma(e, -2.12194440e-4f, p);
    p = fma(z, -0.5f, p);
    vf r = fma(e, 0.693359375f, f + p);
    const float inf = __builtin_inff();
    r = x == inf ? x : r;
    r = x == 0.0f ? splat(-inf) : r;
    r = x < 0.0f ? splat(__builtin_nanf("")) : r;
    return x != x ? x : r;
}

// The rounding error of 1 + x is put back to first order.
static inline vf vlog1p(vf x) {
    vf u = x + 1.0f;
    vf lost = x - (u - 1.0f);
    vf r = vlog(u) + lost / u;
    const float inf = __builtin_inff();
    r = x == inf ? x : r;
    r = u == 0.0f ? splat(-inf) : r;
    return x == 0.0f ? x : r;
}

static inline vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

static inline vf vtanh(vf x) {
    vf a = vabs(x), z = x * x;
    vf small = polynomial(z, -5.717036561e-03f, 2.065057900e-02f, -5.374349526e-02f, 1.333149125e-01f,
                          -3.333328392e-01f);  // 4e-9
    small = fma(small * z, x, x);
    vf large = 1.0f - 2.0f / (vexp(a + a) + 1.0f);
    return with_sign_of(a < 0.625f ? small : large, x);  // nan takes the second branch and stays nan
}

static inline vf verf(vf x) {
    vf a = vabs(x), z = x * x;
    vf small = polynomial(z, 7.889119493e-05f, -8.020841268e-04f, 5.189535338e-03f, -2.685444459e-02f, 1.128360018e-01f,
                          -3.761262714e-01f, 1.283791659e-01f);  // 1e-9
    small = fma(small, x, x);
    vf t = a > 4.0f ? splat(4.0f) : a;
    vf tail = polynomial(t, -5.150880530e-06f, 4.820223107e-05f, 3.606475676e-05f, -2.892300826e-03f, 2.261200989e-02f,
                         -1.052029123e-01f, -6.356565231e-01f, -1.128544900e+00f);  // log(erfc(t)) / t, 2e-10
    vf large = 1.0f - vexp(tail * t);
    return with_sign_of(a < 1.0f ? small : large, x);
}

// sin (quarter = 0) and cos (quarter = 1). Beyond 8192 pi / 2 in four parts no longer suffices: the C library's turn.
template <int quarter> static inline vf vsincos(vf x) {
    vi wide = vabs(x) > 8192.0f;
    vf t = fma(x, 0.636619772f, splat(rounding));
    vf n = t - rounding;
    vu k = (vu)difference(t, splat(rounding)) + unsigned(quarter);
    vf r = fma(n, -1.5703125f, x);
    r = fma(n, -4.837512969970703e-4f, r);
    r = fma(n, -7.549790126e-8f, r);
    r = fma(n, 1.715124499e-15f, r);
    vf z = r * r;
    vf s = polynomial(z, 2.718301936e-06f, -1.983933384e-04f, 8.333329383e-03f, -1.666666664e-01f);  // 5e-12
    s = fma(s * z, r, r);
    vf c = polynomial(z, -2.721014767e-07f, 2.479951893e-05f, -1.388888375e-03f, 4.166666662e-02f);  // 1e-13
    c = fma(c * z, z, fma(z, -0.5f, splat(1.0f)));
    vf y = (k & 1u) != 0u ? c : s;
    y = (vf)((vu)y ^ ((k & 2u) << 30));
    if (!quarter) y = x == 0.0f ? x : y;
    if (any(wide)) {
        for (int i = 0; i < lanes; i++)
            if (!(std::fabs(x[i]) <= 8192.0f)) y[i] = quarter ? std::cos(x[i]) : std::sin(x[i]);
    }
    return x != x ? x : y;
}
static inline vf vsin(vf x) { return vsincos<0>(x); }
static inline vf vcos(vf x) { return vsincos<1>(x); }

// o[i] = f(a[i]); o may be a.
template <class F> static inline void map_vector(float* o, const float* a, npy_intp n, F f) {
    npy_intp i = 0;
    for (; i + lanes <= n; i += lanes) store(o + i, f(load(a + i)));
    if (i < n) {
        float rest[lanes] = {};
        std::memcpy(rest, a + i, (n - i) * sizeof(float));
        store(rest, f(load(rest)));
        std::memcpy(o + i, rest, (n - i) * sizeof(float));
    }
}

RL_END
