// parallel_for: the one way a kernel uses more than one core.
#pragma once
#include "rushlight.h"
#ifdef _OPENMP
#include <omp.h>
#endif

RL_BEGIN

// Calls f(begin, end) over [0, n) in pieces of at least `grain` (a multiple of 64 elements, so pieces share no cache line).
// A result must not depend on where the pieces are cut: reductions cut by size themselves, one piece an index here.
template <class F> inline void parallel_for(npy_intp n, npy_intp grain, const F& f) {
    if (n <= 0) return;
    int workers = threads();
    npy_intp most = (n + grain - 1) / grain;
    if (workers > most) workers = static_cast<int>(most);
    if (workers <= 1) {
        f(npy_intp(0), n);
        return;
    }
#ifdef _OPENMP
    npy_intp piece = (n + workers - 1) / workers;
    if (grain >= 64) piece = (piece + 63) / 64 * 64;
#pragma omp parallel num_threads(workers)
    {
        npy_intp begin = omp_get_thread_num() * piece, end = begin + piece < n ? begin + piece : n;
        // Should OpenMP give fewer threads than asked, the last takes what is left.
        if (omp_get_thread_num() == omp_get_num_threads() - 1) end = n;
        if (begin < end) f(begin, end);
    }
#else
    f(npy_intp(0), n);
#endif
}

RL_END
