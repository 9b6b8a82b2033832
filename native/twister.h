// The word stream of PyTorch's generator, and what a kernel that draws from it needs: random.cpp and rejection.cpp.
#pragma once
#include "rushlight.h"

#include <algorithm>
#include <cstdint>

RL_BEGIN

// --- MT19937 ----------------------------------------------------------------------------------------------------------

struct Twister {
    static constexpr int N = 624, M = 397;
    uint32_t* mt;  // N words of state, then the position of the next

    static inline uint32_t mix(uint32_t high, uint32_t low) {
        uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
        return (y >> 1) ^ ((0u - (y & 1u)) & 0x9908b0dfu);
    }
    void twist() {
        for (int i = 0; i < N - M; i++) mt[i] = mt[i + M] ^ mix(mt[i], mt[i + 1]);
        for (int i = N - M; i < N - 1; i++) mt[i] = mt[i + M - N] ^ mix(mt[i], mt[i + 1]);
        mt[N - 1] = mt[M - 1] ^ mix(mt[N - 1], mt[0]);
    }
    static inline uint32_t temper(uint32_t y) {
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680u;
        y ^= (y << 15) & 0xefc60000u;
        return y ^ (y >> 18);
    }
    void words(uint32_t* __restrict out, npy_intp n) {
        while (n > 0) {
            if (mt[N] >= static_cast<uint32_t>(N)) {
                twist();
                mt[N] = 0;
            }
            const npy_intp count = std::min<npy_intp>(N - static_cast<npy_intp>(mt[N]), n);
            const uint32_t* from = mt + mt[N];
            for (npy_intp i = 0; i < count; i++) out[i] = temper(from[i]);
            mt[N] += static_cast<uint32_t>(count);
            out += count;
            n -= count;
        }
    }
    // Calls f(index of the first, pointer to the words, count) for runs of n values of `words_each` words.
    template <int words_each, class F> void runs(npy_intp n, const F& f) {
        constexpr npy_intp run = 1024 / words_each;
        alignas(64) uint32_t w[1024];
        for (npy_intp first = 0; first < n; first += run) {
            const npy_intp count = std::min(run, n - first);
            words(w, count * words_each);
            f(first, static_cast<const uint32_t*>(w), count);
        }
    }
};

static inline uint64_t join(const uint32_t* w) { return static_cast<uint64_t>(w[0]) << 32 | w[1]; }
static inline int64_t low53(const uint32_t* w) { return static_cast<int64_t>(join(w) & ((uint64_t(1) << 53) - 1)); }

// --- Arguments --------------------------------------------------------------------------------------------------------

static inline bool is_state(PyObject* o) {
    return is_contiguous(o, NPY_UINT32) && PyArray_SIZE(as_array(o)) == Twister::N + 1 && PyArray_ISWRITEABLE(as_array(o));
}
static inline bool is_out(PyObject* o, int type) { return is_contiguous(o, type) && PyArray_ISWRITEABLE(as_array(o)); }

RL_END
