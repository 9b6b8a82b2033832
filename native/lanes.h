// Vectors of any number type for the blocked kernels: load, store, transpose, sum; and scratch memory.
#pragma once
#include "simd.h"

#include <cstdlib>
#include <cstring>
#include <type_traits>

RL_BEGIN

template <class T> struct Lanes {
    static constexpr int width = vector_bytes / sizeof(T);
    typedef T type __attribute__((vector_size(vector_bytes), may_alias));
    typedef T loose __attribute__((vector_size(vector_bytes), may_alias, aligned(alignof(T))));
};
template <> struct Lanes<npy_int32> {
    static constexpr int width = vector_bytes / 4;
    typedef npy_int32 type __attribute__((vector_size(vector_bytes), may_alias));
    typedef npy_int32 loose __attribute__((vector_size(vector_bytes), may_alias, aligned(4)));
};
template <class T> using Vec = typename Lanes<T>::type;

template <class T> inline Vec<T> load(const T* p) { return *reinterpret_cast<const typename Lanes<T>::loose*>(p); }
template <class T> inline void store(T* p, Vec<T> v) { *reinterpret_cast<typename Lanes<T>::loose*>(p) = v; }
template <class T> inline Vec<T> broadcast(T x) { return x - Vec<T>{}; }

// The first n lanes; the others are 0 and their memory is not touched.
template <class T> inline Vec<T> load_some(const T* p, int n) {
#ifdef RL_ISA_avx512
    if constexpr (sizeof(T) == 4 && std::is_same<T, float>::value) return (Vec<T>)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
    if constexpr (std::is_same<T, double>::value) return (Vec<T>)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#endif
    T buffer[Lanes<T>::width] = {};
    std::memcpy(buffer, p, sizeof(T) * n);
    return load(buffer);
}
template <class T> inline void store_some(T* p, int n, Vec<T> v) {
#ifdef RL_ISA_avx512
    if constexpr (std::is_same<T, float>::value) return _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
    if constexpr (std::is_same<T, double>::value) return _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
#endif
    T buffer[Lanes<T>::width];
    store(buffer, v);
    std::memcpy(p, buffer, sizeof(T) * n);
}

// The sister of simd.h's.
inline Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
#if defined(RL_ISA_avx512)
    return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(RL_ISA_avx2)
    return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}

template <class T> struct Mask { typedef npy_int32 lane; };
template <> struct Mask<double> { typedef npy_int64 lane; };

// Lane l of the result is lane l ^ S.
template <class T, int S> inline Vec<T> swap_lanes(Vec<T> v) {
    typedef typename Mask<T>::lane L;
    typedef L Picks __attribute__((vector_size(vector_bytes)));
    Picks pick;
    for (int l = 0; l < Lanes<T>::width; l++) pick[l] = l ^ S;
    return __builtin_shuffle(v, pick);
}
// The sum of the lanes, halves upon halves.
template <class T> inline T sum_lanes(Vec<T> v) {
    constexpr int W = Lanes<T>::width;
    if constexpr (W >= 16) v = v + swap_lanes<T, 8>(v);
    if constexpr (W >= 8) v = v + swap_lanes<T, 4>(v);
    if constexpr (W >= 4) v = v + swap_lanes<T, 2>(v);
    v = v + swap_lanes<T, 1>(v);
    return v[0];
}
// The largest lane; of a nan nothing is promised.
inline float max_lanes(vf v) {
    auto larger = [](vf a, vf b) { return a > b ? a : b; };
    if constexpr (lanes >= 16) v = larger(v, (vf)swap_lanes<float, 8>(v));
    if constexpr (lanes >= 8) v = larger(v, (vf)swap_lanes<float, 4>(v));
    v = larger(v, (vf)swap_lanes<float, 2>(v));
    v = larger(v, (vf)swap_lanes<float, 1>(v));
    return v[0];
}
// The first n lanes of p, `other` in the rest.
inline vf load_or(const float* p, npy_intp n, float other) {
    if (n >= lanes) return load(p);
#ifdef RL_ISA_avx512
    return (vf)_mm512_mask_loadu_ps(_mm512_set1_ps(other), static_cast<__mmask16>((1u << n) - 1), p);
#else
    float lane[lanes];
    for (int i = 0; i < lanes; i++) lane[i] = i < n ? p[i] : other;
    return load(lane);
#endif
}
inline void store_up_to(float* p, npy_intp n, vf v) {
    if (n >= lanes) store(p, v);
    else store_some<float>(p, static_cast<int>(n), v);
}

template <class T, int S> inline void exchange(Vec<T>& x, Vec<T>& y) {
    constexpr int W = Lanes<T>::width;
    typedef typename Mask<T>::lane L;
    typedef L Picks __attribute__((vector_size(vector_bytes)));
    Picks low, high;
    for (int l = 0; l < W; l++) {
        low[l] = (l & S) ? W + l - S : l;
        high[l] = (l & S) ? W + l : l + S;
    }
    Vec<T> first = __builtin_shuffle(x, y, low), second = __builtin_shuffle(x, y, high);
    x = first;
    y = second;
}
template <class T, int S> inline void transpose_stage(Vec<T>* rows) {
    constexpr int W = Lanes<T>::width;
#pragma GCC unroll 16
    for (int i = 0; i < W; i++)
        if (!(i & S)) exchange<T, S>(rows[i], rows[i + S]);
}
// A square of width x width, in registers.
template <class T> inline void transpose(Vec<T>* rows) {
    constexpr int W = Lanes<T>::width;
    if constexpr (W >= 16) transpose_stage<T, 8>(rows);
    if constexpr (W >= 8) transpose_stage<T, 4>(rows);
    if constexpr (W >= 4) transpose_stage<T, 2>(rows);
    if constexpr (W >= 2) transpose_stage<T, 1>(rows);
}

// Lane i becomes the sum over the lanes of v[i], for `width` vectors: halves are exchanged and added.
template <class T, int S> inline void fold_stage(Vec<T>* v) {
#pragma GCC unroll 8
    for (int i = 0; i < S; i++) {
        exchange<T, S>(v[i], v[i + S]);
        v[i] = v[i] + v[i + S];
    }
}
template <class T> inline Vec<T> sum_vectors(Vec<T>* v) {
    constexpr int W = Lanes<T>::width;
    if constexpr (W >= 16) fold_stage<T, 8>(v);
    if constexpr (W >= 8) fold_stage<T, 4>(v);
    if constexpr (W >= 4) fold_stage<T, 2>(v);
    fold_stage<T, 1>(v);
    return v[0];
}
// The sums of n vectors, into consecutive places.
template <class T, int N> inline void sum_each(const Vec<T>* v, T* to) {
    constexpr int W = Lanes<T>::width;
#pragma GCC unroll 16
    for (int first = 0; first < N; first += W) {
        Vec<T> some[W];
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) some[i] = first + i < N ? v[first + i] : Vec<T>{};
        store_some(to + first, N - first < W ? N - first : W, sum_vectors<T>(some));
    }
}

// Memory that a thread keeps from call to call, one block a slot. What it held is lost when it grows.
template <class T> inline T* scratch(int slot, npy_intp n) {
    struct Block {
        void* memory = nullptr;
        size_t bytes = 0;
        ~Block() { std::free(memory); }
    };
    static thread_local Block blocks[8];
    Block& block = blocks[slot];
    size_t bytes = (static_cast<size_t>(n) * sizeof(T) + 4095) / 4096 * 4096;
    if (bytes > block.bytes) {
        std::free(block.memory);
        block.memory = std::aligned_alloc(4096, bytes);
        block.bytes = block.memory ? bytes : 0;
    }
    return static_cast<T*>(block.memory);
}

RL_END
