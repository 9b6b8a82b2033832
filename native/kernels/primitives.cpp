// The arithmetic of the tile engine: each operation once, as a formula on one element or on one vector.
#include <cmath>
#include <cstring>
#include <limits>

#include "primitives.h"
#include "simd.h"

RL_BEGIN

namespace {

// Each loop names its formula as a struct with a static `of`. Writing where it reads is no dependency between elements.
template <class T, class F> void loop1(T* o, const T* a, const T*, const T*, npy_intp n) {
#pragma GCC ivdep
    for (npy_intp i = 0; i < n; i++) o[i] = F::of(a[i]);
}
template <class T, class F> void loop2(T* o, const T* a, const T* b, const T*, npy_intp n) {
#pragma GCC ivdep
    for (npy_intp i = 0; i < n; i++) o[i] = F::of(a[i], b[i]);
}
template <class T, class F> void loop3(T* o, const T* a, const T* b, const T* c, npy_intp n) {
#pragma GCC ivdep
    for (npy_intp i = 0; i < n; i++) o[i] = F::of(a[i], b[i], c[i]);
}

#define RL_ONE(name, ...) struct name##_formula { template <class T> static T of(T a) { return T(__VA_ARGS__); } };
#define RL_TWO(name, ...) struct name##_formula { template <class T> static T of(T a, T b) { return T(__VA_ARGS__); } };
#define RL_THREE(name, ...) \
    struct name##_formula { template <class T> static T of(T a, T b, T c) { return T(__VA_ARGS__); } };

RL_ONE(neg, -a)
RL_ONE(abs, std::fabs(a))
RL_ONE(sign, T(a > 0) - T(a < 0))
RL_ONE(exp, std::exp(a))
RL_ONE(exp2, std::exp2(a))
RL_ONE(expm1, std::expm1(a))
RL_ONE(log, std::log(a))
RL_ONE(log2, std::log2(a))
RL_ONE(log10, std::log10(a))
RL_ONE(log1p, std::log1p(a))
RL_ONE(sqrt, std::sqrt(a))
RL_ONE(rsqrt, T(1) / std::sqrt(a))
RL_ONE(reciprocal, T(1) / a)
RL_ONE(square, a * a)
RL_ONE(sin, std::sin(a))
RL_ONE(cos, std::cos(a))
RL_ONE(tan, std::tan(a))
RL_ONE(asin, std::asin(a))
RL_ONE(acos, std::acos(a))
RL_ONE(atan, std::atan(a))
RL_ONE(sinh, std::sinh(a))
RL_ONE(cosh, std::cosh(a))
RL_ONE(tanh, std::tanh(a))
RL_ONE(asinh, std::asinh(a))
RL_ONE(acosh, std::acosh(a))
RL_ONE(atanh, std::atanh(a))
RL_ONE(sigmoid, T(1) / (T(1) + std::exp(-a)))
RL_ONE(erf, std::erf(a))
RL_ONE(erfc, std::erfc(a))
RL_ONE(floor, std::floor(a))
RL_ONE(ceil, std::ceil(a))
RL_ONE(round, std::rint(a))
RL_ONE(trunc, std::trunc(a))
RL_ONE(frac, a - std::trunc(a))
RL_ONE(relu, a < 0 ? T(0) : a)
RL_ONE(logical_not, a == 0)
RL_ONE(isnan, a != a)
RL_ONE(isinf, std::fabs(a) == std::numeric_limits<T>::infinity())
RL_ONE(isfinite, std::fabs(a) < std::numeric_limits<T>::infinity())
RL_ONE(signbit, std::copysign(T(1), a) < 0)

// std::lgamma writes the global `signgam`; the reentrant one does not race.
struct lgamma_formula {
    static float of(float a) { int sign; return lgammaf_r(a, &sign); }
    static double of(double a) { int sign; return lgamma_r(a, &sign); }
};

RL_TWO(add, a + b)
RL_TWO(sub, a - b)
RL_TWO(mul, a * b)
RL_TWO(div, a / b)
RL_TWO(fmod, std::fmod(a, b))
RL_TWO(pow, std::pow(a, b))
RL_TWO(atan2, std::atan2(a, b))
RL_TWO(maximum, (a >= b) | (a != a) ? a : b)
RL_TWO(minimum, (a <= b) | (a != a) ? a : b)
RL_TWO(fmax, (b > a) | (a != a) ? b : a)
RL_TWO(fmin, (b < a) | (a != a) ? b : a)
RL_TWO(copysign, std::copysign(a, b))
RL_TWO(hypot, std::hypot(a, b))
RL_TWO(eq, a == b)
RL_TWO(ne, a != b)
RL_TWO(lt, a < b)
RL_TWO(le, a <= b)
RL_TWO(gt, a > b)
RL_TWO(ge, a >= b)
RL_TWO(logical_and, (a != 0) & (b != 0))
RL_TWO(logical_or, (a != 0) | (b != 0))
RL_TWO(logical_xor, (a != 0) ^ (b != 0))
RL_THREE(where, a != 0 ? b : c)
RL_THREE(clamp, minimum_formula::of(maximum_formula::of(a, b), c))

struct remainder_formula {
    template <class T> static T of(T a, T b) {
        T rest = std::fmod(a, b);
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
};
// Python's: the quotient of a less its remainder is nearly whole, and is rounded to it.
struct floor_divide_formula {
    template <class T> static T of(T a, T b) {
        if (b == 0) return a / b;
        T rest = std::fmod(a, b), quotient = (a - rest) / b;
        if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
        if (quotient == 0) return std::copysign(T(0), a / b);
        T whole = std::floor(quotient);
        return quotient - whole > T(0.5) ? whole + 1 : whole;
    }
};

// Integers wrap around.
#define RL_WRAP(name, op)                                                                          \
    struct name##_int64 {                                                                          \
        static npy_int64 of(npy_int64 a, npy_int64 b) { return npy_int64(npy_uint64(a) op npy_uint64(b)); } \
    };
RL_WRAP(add, +)
RL_WRAP(sub, -)
RL_WRAP(mul, *)

template <vf (*f)(vf)> void loop_vector(float* o, const float* a, const float*, const float*, npy_intp n) {
    map_vector(o, a, n, f);
}

template <class T, int arity, class F> constexpr Primitive<T> loop_of() {
    if constexpr (arity == 1) return loop1<T, F>;
    else if constexpr (arity == 2) return loop2<T, F>;
    else return loop3<T, F>;
}

Primitive<float> vector_loop(int op) {
    switch (op) {
        case op_exp: return loop_vector<vexp>;
        case op_expm1: return loop_vector<vexpm1>;
        case op_log: return loop_vector<vlog>;
        case op_log1p: return loop_vector<vlog1p>;
        case op_sigmoid: return loop_vector<vsigmoid>;
        case op_tanh: return loop_vector<vtanh>;
        case op_erf: return loop_vector<verf>;
        case op_sin: return loop_vector<vsin>;
        case op_cos: return loop_vector<vcos>;
        default: return nullptr;
    }
}

Primitive<npy_int64> int64_loop(int op) {
    using I = npy_int64;
    switch (op) {
        case op_add: return loop2<I, add_int64>;
        case op_sub: return loop2<I, sub_int64>;
        case op_mul: return loop2<I, mul_int64>;
        case op_maximum: return loop2<I, maximum_formula>;
        case op_minimum: return loop2<I, minimum_formula>;
        case op_eq: return loop2<I, eq_formula>;
        case op_ne: return loop2<I, ne_formula>;
        case op_lt: return loop2<I, lt_formula>;
        case op_le: return loop2<I, le_formula>;
        case op_gt: return loop2<I, gt_formula>;
        case op_ge: return loop2<I, ge_formula>;
        case op_where: return loop3<I, where_formula>;
        default: return nullptr;
    }
}

// One call of the C library an element, where NumPy has a vectorised loop of its own (or one as good).
bool calls_library(int op) {
    switch (op) {
        case op_exp: case op_exp2: case op_expm1: case op_log: case op_log2: case op_log10: case op_log1p: case op_sin:
        case op_cos: case op_tan: case op_asin: case op_acos: case op_atan: case op_sinh: case op_cosh: case op_tanh:
        case op_asinh: case op_acosh: case op_atanh: case op_sigmoid: case op_pow: case op_atan2:
            return true;
        default: return false;
    }
}

int weight_of(int op) {
    if (vector_loop(op)) return 8;
    switch (op) {
        case op_fmod: case op_remainder: case op_floor_divide: case op_hypot: case op_lgamma: case op_erfc: return 32;
        default: return calls_library(op) ? 32 : 1;
    }
}

}  // namespace

extern const Operation operations[];
const Operation operations[] = {
#define X(name, arity, mask)                                                                            \
    {#name, arity, mask, calls_library(op_##name) && !vector_loop(op_##name), calls_library(op_##name), \
     weight_of(op_##name),                                                                               \
     vector_loop(op_##name) ? vector_loop(op_##name) : loop_of<float, arity, name##_formula>(),          \
     loop_of<double, arity, name##_formula>(), int64_loop(op_##name)},
    RL_FOR_EACH_OPERATION(X)
#undef X
};

const Operation* find_operation(const char* name) {
    for (const Operation& op : operations)
        if (!std::strcmp(op.name, name)) return &op;
    return nullptr;
}

RL_END

RL_NO_METHODS(primitives)
