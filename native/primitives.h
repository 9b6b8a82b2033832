// The tile engine's instructions: loops over contiguous elements, one for each operation and element type.
#pragma once
#include "rushlight.h"

RL_BEGIN

// o may be a, b or c; masks are read and written as 0 and 1 in T.
template <class T> using Primitive = void (*)(T* o, const T* a, const T* b, const T* c, npy_intp n);

struct Operation {
    const char* name;
    int arity;
    bool mask;       // gives booleans
    int slow_float;  // NumPy's own vectorised loop is faster for many elements
    int slow_double;
    int weight;      // the cost of an element, in additions
    Primitive<float> for_float;
    Primitive<double> for_double;
    Primitive<npy_int64> for_int64;  // or null

    template <class T> Primitive<T> primitive() const;
};
template <> inline Primitive<float> Operation::primitive<float>() const { return for_float; }
template <> inline Primitive<double> Operation::primitive<double>() const { return for_double; }
template <> inline Primitive<npy_int64> Operation::primitive<npy_int64>() const { return for_int64; }

// All operations; the order is that of the enumeration below.
extern const Operation operations[];
const Operation* find_operation(const char* name);

// X(name, arity, mask)
#define RL_FOR_EACH_OPERATION(X)                                                                                   \
    X(neg, 1, 0) X(abs, 1, 0) X(sign, 1, 0) X(exp, 1, 0) X(exp2, 1, 0) X(expm1, 1, 0) X(log, 1, 0) X(log2, 1, 0)      \
    X(log10, 1, 0) X(log1p, 1, 0) X(sqrt, 1, 0) X(rsqrt, 1, 0) X(reciprocal, 1, 0) X(square, 1, 0) X(sin, 1, 0)       \
    X(cos, 1, 0) X(tan, 1, 0) X(asin, 1, 0) X(acos, 1, 0) X(atan, 1, 0) X(sinh, 1, 0) X(cosh, 1, 0) X(tanh, 1, 0)     \
    X(asinh, 1, 0) X(acosh, 1, 0) X(atanh, 1, 0) X(sigmoid, 1, 0) X(erf, 1, 0) X(erfc, 1, 0) X(lgamma, 1, 0)          \
    X(floor, 1, 0) X(ceil, 1, 0) X(round, 1, 0) X(trunc, 1, 0) X(frac, 1, 0) X(relu, 1, 0) X(logical_not, 1, 1)       \
    X(isnan, 1, 1) X(isinf, 1, 1) X(isfinite, 1, 1) X(signbit, 1, 1)                                                  \
    X(add, 2, 0) X(sub, 2, 0) X(mul, 2, 0) X(div, 2, 0) X(floor_divide, 2, 0) X(remainder, 2, 0) X(fmod, 2, 0)        \
    X(pow, 2, 0) X(atan2, 2, 0) X(maximum, 2, 0) X(minimum, 2, 0) X(fmax, 2, 0) X(fmin, 2, 0) X(copysign, 2, 0)       \
    X(hypot, 2, 0) X(eq, 2, 1) X(ne, 2, 1) X(lt, 2, 1) X(le, 2, 1) X(gt, 2, 1) X(ge, 2, 1) X(logical_and, 2, 1)       \
    X(logical_or, 2, 1) X(logical_xor, 2, 1) X(where, 3, 0) X(clamp, 3, 0)

enum OperationIndex {
#define X(name, arity, mask) op_##name,
    RL_FOR_EACH_OPERATION(X)
#undef X
    n_operations
};

RL_END
