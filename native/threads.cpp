// The pool of threads behind parallel_for.
//
// The caller works too and never waits for a worker to wake up, only for pieces a worker has begun. With OpenMP's pool,
// whose regions end in a barrier, a kernel of 5 microseconds took 8 milliseconds as soon as another process had the
// second core; here it takes the 5 it takes alone. Workers look for work for a while after each job, then sleep.
#include "rushlight.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define RL_HAVE_FORK 1
#endif

namespace rl {
namespace {

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

constexpr auto patience = std::chrono::microseconds(100);

struct Pool {
    // The high half counts jobs, the low half is the next piece: who moves it from p to p + 1 has piece p of that job,
    // and the job cannot end, nor its fields change, before the piece is done.
    std::atomic<std::uint64_t> ticket{0};
    std::atomic<std::uint32_t> pieces{0}, done{0};
    std::atomic<int> helpers{0};
    std::atomic<void (*)(const void*, npy_intp)> function{nullptr};
    std::atomic<const void*> context{nullptr};

    std::mutex caller;  // one job at a time; a second caller does without
    std::mutex bed;
    std::condition_variable alarm;
    std::atomic<int> sleepers{0};
    int workers = 0;

    static std::uint32_t piece_of(std::uint64_t t) { return std::uint32_t(t); }

    // Does pieces until none is left to begin.
    void work() {
        for (;;) {
            std::uint64_t t = ticket.load(std::memory_order_acquire);
            std::uint32_t piece = piece_of(t);
            auto f = function.load(std::memory_order_relaxed);
            const void* c = context.load(std::memory_order_relaxed);
            if (piece >= pieces.load(std::memory_order_relaxed)) return;
            if (!ticket.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel)) continue;
            f(c, piece);
            done.fetch_add(1, std::memory_order_release);
        }
    }

    bool has_work(int me) { return me < helpers.load() && piece_of(ticket.load()) < pieces.load(); }

    void worker(int me);
    void run(npy_intp count, int threads, void (*f)(const void*, npy_intp), const void* c);
};

thread_local bool inside = false;

void Pool::worker(int me) {
    inside = true;
    for (;;) {
        auto since = std::chrono::steady_clock::now();
        while (!has_work(me)) {
            for (int i = 0; i < 32 && !has_work(me); i++) pause();
            if (std::chrono::steady_clock::now() - since < patience) continue;
            std::unique_lock<std::mutex> lock(bed);
            sleepers.fetch_add(1);
            alarm.wait(lock, [&] { return has_work(me); });
            sleepers.fetch_sub(1);
        }
        work();
    }
}

void Pool::run(npy_intp count, int threads, void (*f)(const void*, npy_intp), const void* c) {
    while (workers < threads - 1) {
        try {
            std::thread([this, me = workers] { worker(me); }).detach();
        } catch (...) {
            break;  // the system has no thread to give: fewer will do
        }
        workers++;
    }
    // A worker late from the last job sees no piece until the ticket changes.
    std::uint64_t job = (ticket.load() >> 32) + 1;
    ticket.store((job << 32) | 0xffffffffu);
    function.store(f);
    context.store(c);
    done.store(0);
    helpers.store(threads - 1);
    pieces.store(static_cast<std::uint32_t>(count));
    ticket.store((job + 1) << 32);
    if (sleepers.load() > 0) {
        { std::lock_guard<std::mutex> lock(bed); }
        alarm.notify_all();
    }
    work();
    for (int spins = 0; done.load(std::memory_order_acquire) != static_cast<std::uint32_t>(count);) {
        pause();
        if (++spins > 2000) std::this_thread::yield();
    }
}

std::atomic<Pool*> pool{nullptr};
std::atomic<int> chosen{0};
std::atomic<bool> forked{false};

int start() {
#ifdef RL_HAVE_FORK
    // The workers do not survive a fork, and a child is one of many as a rule: it works alone until told otherwise.
    pthread_atfork(nullptr, nullptr, [] {
        pool = nullptr;
        forked = true;
        inside = false;
    });
#endif
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    unsigned n = std::thread::hardware_concurrency();
    return n ? static_cast<int>(n) : 1;
}

int read_environment(int most) {
    for (const char* name : {"RUSHLIGHT_NUM_THREADS", "OMP_NUM_THREADS"}) {
        const char* text = std::getenv(name);
        int n = text ? std::atoi(text) : 0;
        if (n > 0) return n;
    }
    return most;
}

}  // namespace

int chosen_threads() {
    int n = chosen.load(std::memory_order_relaxed);
    if (n == 0) {
        static const int initial = read_environment(start());
        int expected = 0;
        chosen.compare_exchange_strong(expected, initial);
        n = chosen.load(std::memory_order_relaxed);
    }
    return forked.load(std::memory_order_relaxed) ? 1 : n;
}

int threads() { return inside ? 1 : chosen_threads(); }

void set_threads(int n) {
    chosen_threads();
    chosen = n < 1 ? 1 : n;
    forked = false;
}

void run_pieces(npy_intp count, void (*f)(const void*, npy_intp), const void* context) {
    int n = threads();
    if (n > 1 && count > 1) {
        Pool* p = pool.load();
        if (!p) {
            Pool* fresh = new Pool;  // never freed: workers may sleep in it when the process ends
            if (pool.compare_exchange_strong(p, fresh)) p = fresh;
            else delete fresh;
        }
        if (p->caller.try_lock()) {
            inside = true;
            p->run(count, n, f, context);
            inside = false;
            p->caller.unlock();
            return;
        }
    }
    for (npy_intp i = 0; i < count; i++) f(context, i);
}

}  // namespace rl
