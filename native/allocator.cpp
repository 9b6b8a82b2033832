// A caching allocator behind NumPy's memory hook (NEP 49).
//
// A fresh page costs some 2 microseconds of page fault, more than most kernels spend on it; so freed blocks are kept, in
// size classes (four to a power of two), and handed out again. Blocks of 2 MB and more ask for huge pages. Data is 64-byte
// aligned; the 64 bytes before it say which class the block is of, so nothing depends on the size NumPy passes to free.
#include "rushlight.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#define RL_HAVE_MMAP 1
#endif

namespace rl {
namespace {

constexpr std::size_t header_bytes = 64, huge = std::size_t(2) << 20, smallest = 128;
constexpr int n_classes = 4 * 40;

struct Block {
    Block* next;       // in the cache
    std::size_t size;  // of the whole block
    int kind;          // its class, or -1: too large to keep
};
static_assert(sizeof(Block) <= header_bytes, "a block's header precedes its data");

struct Cache {
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    Block* free[n_classes] = {};
    std::size_t kept = 0, used = 0, peak = 0, limit = std::size_t(1) << 30;
    std::size_t hits = 0, misses = 0;
} cache;

struct Lock {
    Lock() { while (cache.busy.test_and_set(std::memory_order_acquire)) {} }
    ~Lock() { cache.busy.clear(std::memory_order_release); }
};

// The class of a block of at least `size` bytes, and the class's size.
inline int class_of(std::size_t size, std::size_t* whole) {
    if (size <= smallest) {
        *whole = smallest;
        return 0;
    }
    int power = 63 - __builtin_clzll(size - 1);          // 2**power < size <= 2**(power + 1)
    std::size_t quarter = std::size_t(1) << (power - 2);
    std::size_t steps = (size - (std::size_t(1) << power) + quarter - 1) / quarter;  // 1 to 4
    *whole = (std::size_t(1) << power) + steps * quarter;
    int kind = (power - 7) * 4 + int(steps);
    return kind < n_classes ? kind : -1;
}

Block* from_system(std::size_t size) {
#ifdef RL_HAVE_MMAP
    if (size >= huge) {
        std::size_t reserve = size + huge;
        void* p = mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) return nullptr;
        std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(p), aligned = (begin + huge - 1) / huge * huge;
        if (aligned > begin) munmap(p, aligned - begin);
        if (begin + reserve > aligned + size) munmap(reinterpret_cast<void*>(aligned + size), begin + reserve - aligned - size);
#ifdef MADV_HUGEPAGE
        madvise(reinterpret_cast<void*>(aligned), size, MADV_HUGEPAGE);
#endif
        return reinterpret_cast<Block*>(aligned);
    }
#endif
    return static_cast<Block*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
}

void to_system(Block* block) {
#ifdef RL_HAVE_MMAP
    if (block->size >= huge) {
        munmap(block, block->size);
        return;
    }
#endif
    std::free(block);
}

inline Block* block_of(void* data) { return reinterpret_cast<Block*>(static_cast<char*>(data) - header_bytes); }
inline void* data_of(Block* block) { return reinterpret_cast<char*>(block) + header_bytes; }

// Takes the whole cache off the lists, to be given back without the lock.
Block* take_all() {
    Block* all = nullptr;
    for (Block*& list : cache.free) {
        while (list) {
            Block* block = list;
            list = block->next;
            block->next = all;
            all = block;
        }
    }
    cache.kept = 0;
    return all;
}

void release(Block* list) {
    while (list) {
        Block* next = list->next;
        to_system(list);
        list = next;
    }
}

void* allocate(std::size_t size, bool* fresh) {
    if (size > PTRDIFF_MAX - 4 * huge) return nullptr;
    std::size_t whole;
    int kind = class_of(size + header_bytes, &whole);
#ifdef RL_HAVE_MMAP
    if (whole >= huge) whole = (whole + 4095) / 4096 * 4096;
#endif
    Block* block = nullptr;
    {
        Lock lock;
        if (kind >= 0 && (block = cache.free[kind])) {
            cache.free[kind] = block->next;
            cache.kept -= block->size;
            cache.hits++;
        } else {
            cache.misses++;
        }
        cache.used += whole;
        if (cache.used > cache.peak) cache.peak = cache.used;
    }
    if (block) {
        *fresh = false;
        return data_of(block);
    }
    block = from_system(whole);
    if (!block) {
        // What is kept may be what is missing.
        Block* all;
        {
            Lock lock;
            all = take_all();
        }
        release(all);
        block = from_system(whole);
    }
    if (!block) {
        Lock lock;
        cache.used -= whole;
        return nullptr;
    }
    block->size = whole;
    block->kind = kind;
    *fresh = true;
    return data_of(block);
}

void* hook_malloc(void*, std::size_t size) {
    bool fresh;
    return allocate(size, &fresh);
}

void* hook_calloc(void*, std::size_t count, std::size_t size) {
    std::size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
    bool fresh;
    void* p = allocate(bytes, &fresh);
#ifdef RL_HAVE_MMAP
    if (p && fresh && block_of(p)->size >= huge) return p;  // new pages are zeros, and may never be touched
#endif
    if (p) std::memset(p, 0, bytes);
    return p;
}

void hook_free(void*, void* data, std::size_t) {
    if (!data) return;
    Block* block = block_of(data);
    Block* excess = nullptr;
    {
        Lock lock;
        cache.used -= block->size;
        if (block->kind < 0 || block->size > cache.limit / 2) {
            excess = block;
            block->next = nullptr;
        } else {
            // A full cache holds the sizes of some earlier work: start over with this one's.
            if (cache.kept + block->size > cache.limit) excess = take_all();
            block->next = cache.free[block->kind];
            cache.free[block->kind] = block;
            cache.kept += block->size;
        }
    }
    release(excess);
}

void* hook_realloc(void*, void* data, std::size_t size) {
    if (!data) return hook_malloc(nullptr, size);
    Block* block = block_of(data);
    std::size_t room = block->size - header_bytes, whole;
    if (size <= room && class_of(size + header_bytes, &whole) == block->kind && block->kind >= 0) return data;
    void* fresh = hook_malloc(nullptr, size);
    if (!fresh) return nullptr;
    std::memcpy(fresh, data, size < room ? size : room);
    hook_free(nullptr, data, 0);
    return fresh;
}

PyDataMem_Handler handler = {"rushlight", 1, {nullptr, hook_malloc, hook_calloc, hook_realloc, hook_free}};

PyObject* use_allocator(PyObject*, PyObject*) {
    static PyObject* capsule = nullptr;
    if (!capsule) {
        capsule = PyCapsule_New(&handler, "mem_handler", nullptr);
        if (!capsule) return nullptr;
#ifdef RL_HAVE_MMAP
        // An eighth of the memory, at most 1 GB. A fork must not copy the lock as another thread holds it.
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        if (pages > 0 && page > 0 && std::size_t(pages) * page / 8 < cache.limit) cache.limit = std::size_t(pages) * page / 8;
        pthread_atfork([] { while (cache.busy.test_and_set(std::memory_order_acquire)) {} },
                       [] { cache.busy.clear(std::memory_order_release); },
                       [] { cache.busy.clear(std::memory_order_release); });
#endif
    }
    PyObject* old = PyDataMem_SetHandler(capsule);
    if (!old) return nullptr;
    Py_DECREF(old);
    Py_RETURN_NONE;
}

PyObject* empty_cache(PyObject*, PyObject*) {
    Block* all;
    {
        Lock lock;
        all = take_all();
    }
    release(all);
    Py_RETURN_NONE;
}

PyObject* memory_stats(PyObject*, PyObject*) {
    std::size_t used, kept, peak, limit, hits, misses;
    {
        Lock lock;
        used = cache.used, kept = cache.kept, peak = cache.peak, limit = cache.limit;
        hits = cache.hits, misses = cache.misses;
    }
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n}", "used", Py_ssize_t(used), "kept", Py_ssize_t(kept), "peak",
                         Py_ssize_t(peak), "limit", Py_ssize_t(limit), "hits", Py_ssize_t(hits), "misses", Py_ssize_t(misses));
}

PyMethodDef methods[] = {
    {"use_allocator", use_allocator, METH_NOARGS, "Let NumPy allocate array data here, in this context."},
    {"empty_cache", empty_cache, METH_NOARGS, "Give the unused blocks back to the system."},
    {"memory_stats", memory_stats, METH_NOARGS, "A dict: bytes used, kept, peak and limit; hits and misses of the cache."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyMethodDef* allocator_methods() { return methods; }

}  // namespace rl
