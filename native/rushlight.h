// What every family of kernels starts from: Python and NumPy, the namespace of the instruction set, registration.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL rushlight_array_api
#ifndef RL_MODULE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#ifndef RL_ISA
#define RL_ISA baseline
#endif

// Everything in a family's file lives between RL_BEGIN and RL_END: rl::baseline, rl::avx2 or rl::avx512.
#define RL_BEGIN namespace rl { namespace RL_ISA {
#define RL_END } }

namespace rl {

// --- Threads (threads.cpp) -----------------------------------------------------------------------------------------

// How many threads a kernel may use now: 1 inside a parallel region, and in a forked child until it sets a number.
int threads();
int chosen_threads();
void set_threads(int n);
// Calls f(context, i) for each i below count, on several threads; parallel.h has the face of it.
void run_pieces(npy_intp count, void (*f)(const void*, npy_intp), const void* context);
constexpr npy_intp serial_below = 32768;  // elements; waking a worker costs a few microseconds

// --- References -----------------------------------------------------------------------------------------------------

// The NumPy kernel of the same name, which gets the cases that the native one is not built for.
struct Reference {
    const char* name;
    PyObject* function = nullptr;
    Reference* next;
    static Reference* first;
    explicit Reference(const char* n) : name(n), next(first) { first = this; }
    PyObject* call(PyObject* const* args, Py_ssize_t nargs, PyObject* names = nullptr) {
        if (!function) {
            PyErr_Format(PyExc_RuntimeError, "rushlight._native: no reference kernel is registered for '%s'", name);
            return nullptr;
        }
        return PyObject_Vectorcall(function, args, static_cast<size_t>(nargs), names);
    }
};

// Releases the GIL for as long as it lives.
struct Unlocked {
    PyThreadState* state;
    explicit Unlocked(bool release = true) : state(release ? PyEval_SaveThread() : nullptr) {}
    ~Unlocked() { if (state) PyEval_RestoreThread(state); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;
};

// --- Arrays -----------------------------------------------------------------------------------------------------------

inline PyArrayObject* as_array(PyObject* o) { return reinterpret_cast<PyArrayObject*>(o); }
inline PyObject* as_object(PyArrayObject* a) { return reinterpret_cast<PyObject*>(a); }

// An exact ndarray (not a subclass), aligned, in the machine's byte order.
inline bool is_plain(PyObject* o) {
    return Py_TYPE(o) == &PyArray_Type && PyArray_ISALIGNED(as_array(o)) && PyArray_ISNOTSWAPPED(as_array(o));
}
inline bool is_plain(PyObject* o, int type) { return is_plain(o) && PyArray_TYPE(as_array(o)) == type; }
inline bool is_contiguous(PyObject* o, int type) { return is_plain(o, type) && PyArray_IS_C_CONTIGUOUS(as_array(o)); }
inline PyArrayObject* empty(int nd, const npy_intp* shape, int type) {
    return as_array(PyArray_SimpleNew(nd, const_cast<npy_intp*>(shape), type));
}
template <class T> T* data(PyArrayObject* a) { return static_cast<T*>(PyArray_DATA(a)); }

}  // namespace rl

// The methods of a family, at the end of its file:  RL_METHODS(gemm, RL_FAST(matmul, "Matrix product."), ...)
// RL_FAST's function is  static PyObject* matmul(PyObject*, PyObject* const* args, Py_ssize_t nargs).
#define RL_FAST(name, doc) {#name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(name)), METH_FASTCALL, doc}
#define RL_FAST_KEYWORDS(name, doc) \
    {#name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(name)), METH_FASTCALL | METH_KEYWORDS, doc}
#define RL_METHODS(family, ...)                                         \
    RL_BEGIN                                                            \
    static PyMethodDef family##_table[] = {__VA_ARGS__, {nullptr, nullptr, 0, nullptr}}; \
    PyMethodDef* family##_methods() { return family##_table; }          \
    RL_END
// A file that only serves other families.
#define RL_NO_METHODS(family)                                                    \
    RL_BEGIN                                                                     \
    static PyMethodDef family##_table[] = {{nullptr, nullptr, 0, nullptr}};      \
    PyMethodDef* family##_methods() { return family##_table; }                   \
    RL_END
