// The number of threads: the user's choice, one in a forked child, one inside a parallel region.
#include "rushlight.h"

#include <atomic>
#include <cstdlib>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define RL_HAVE_FORK 1
#endif

namespace rl {
namespace {

std::atomic<int> chosen{0};
bool forked = false;

int start() {
#ifdef _OPENMP
#ifdef RL_HAVE_FORK
    // libgomp's threads do not survive a fork: a parallel region in the child would wait for them for ever.
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif
    return omp_get_max_threads();
#else
    return 1;
#endif
}

}  // namespace

int threads() {
    int n = chosen.load(std::memory_order_relaxed);
    if (n == 0) {
        static const int initial = start();
        int expected = 0;
        chosen.compare_exchange_strong(expected, initial);
        n = chosen.load(std::memory_order_relaxed);
    }
#ifdef _OPENMP
    if (n == 1 || forked || omp_in_parallel()) return 1;
    return n;
#else
    return 1;
#endif
}

void set_threads(int n) {
    threads();
    chosen.store(n < 1 ? 1 : n);
}

}  // namespace rl
