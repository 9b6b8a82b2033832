// parallel_for: the one way a kernel uses more than one core.
#pragma once
#include "rushlight.h"

RL_BEGIN

// Calls f(begin, end) over [0, n) in pieces of at least `grain`, a few to a thread. f must not throw, nor touch Python.
// A result must not depend on where the pieces are cut: reductions cut by size themselves, one piece an index here.
template <class F> inline void parallel_for(npy_intp n, npy_intp grain, const F& f) {
    if (n <= 0) return;
    int workers = n > grain ? threads() : 1;
    if (workers <= 1) {
        f(npy_intp(0), n);
        return;
    }
    struct Job {
        const F& f;
        npy_intp n, piece;
    };
    npy_intp most = (n + grain - 1) / grain, count = most < 4 * workers ? most : 4 * workers;
    npy_intp piece = (n + count - 1) / count;
    if (grain >= 64) piece = (piece + 63) / 64 * 64;  // pieces of an array share no cache line
    Job job{f, n, piece};
    run_pieces((n + piece - 1) / piece, [](const void* context, npy_intp i) {
        const Job& j = *static_cast<const Job*>(context);
        npy_intp begin = i * j.piece, end = begin + j.piece;
        j.f(begin, end < j.n ? end : j.n);
    }, &job);
}

RL_END
