// rushlight._native: picks the instruction set, gathers the families' methods, hands the rest to the NumPy kernels.
//
// To add a family of kernels, write native/kernels/FAMILY.cpp and build again; nothing else needs an edit:
//
//     #include "rushlight.h"          // Python, NumPy, rl::is_contiguous, rl::empty, rl::Unlocked, RL_METHODS
//     #include "parallel.h"           // rl::parallel_for(n, grain, [&](npy_intp begin, npy_intp end) { ... })
//     RL_BEGIN                        // the namespace of the instruction set this file is being compiled for
//     static Reference twice_reference{"twice"};                       // backend/numpy/FAMILY.py's `twice`
//     static PyObject* twice(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
//         if (nargs != 1 || !is_contiguous(args[0], NPY_FLOAT32)) return twice_reference.call(args, nargs);
//         ...                                                          // RL_ISA_avx512, RL_ISA_avx2 tell the set
//     }
//     RL_END
//     RL_METHODS(FAMILY, RL_FAST(twice, "Doubles."))
//
// The file is compiled once per set with the set's flags, so a plain loop vectorises; `Reference` is how a case the
// kernel is not built for goes to NumPy. backend/native.py registers the references and replaces the names in
// backend/kernels.py. docs/native.md says more.
#define RL_MODULE
#include "rushlight.h"

#include <cstdlib>
#include <cstring>

#include "families.h"

namespace rl {

Reference* Reference::first = nullptr;

#define RL_DECLARE(family) PyMethodDef* family##_methods();
#ifdef RL_HAVE_baseline
namespace baseline { RL_FOR_EACH_FAMILY(RL_DECLARE) }
#endif
#ifdef RL_HAVE_avx2
namespace avx2 { RL_FOR_EACH_FAMILY(RL_DECLARE) }
#endif
#ifdef RL_HAVE_avx512
namespace avx512 { RL_FOR_EACH_FAMILY(RL_DECLARE) }
#endif

PyMethodDef* allocator_methods();

namespace {

const char* isa = "baseline";

#define RL_ADD(family) if (PyModule_AddFunctions(module, family##_methods()) < 0) return -1;
int add_baseline(PyObject* module) { using namespace baseline; RL_FOR_EACH_FAMILY(RL_ADD) return 0; }
#ifdef RL_HAVE_avx2
int add_avx2(PyObject* module) { using namespace avx2; RL_FOR_EACH_FAMILY(RL_ADD) return 0; }
#endif
#ifdef RL_HAVE_avx512
int add_avx512(PyObject* module) { using namespace avx512; RL_FOR_EACH_FAMILY(RL_ADD) return 0; }
#endif

// RUSHLIGHT_ISA can ask for less than the processor has, never for more.
int add_families(PyObject* module) {
    const char* asked = std::getenv("RUSHLIGHT_ISA");
    if (asked && !*asked) asked = nullptr;
    if (asked && std::strcmp(asked, "baseline") && std::strcmp(asked, "avx2") && std::strcmp(asked, "avx512")) {
        PyErr_Format(PyExc_ImportError, "RUSHLIGHT_ISA must be baseline, avx2 or avx512, got '%s'", asked);
        return -1;
    }
    [[maybe_unused]] auto may = [&](const char* name) { return !asked || !std::strcmp(asked, name); };
#ifdef RL_HAVE_avx512
    if (may("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
        isa = "avx512";
        return add_avx512(module);
    }
#endif
#ifdef RL_HAVE_avx2
    if ((may("avx2") || may("avx512")) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        isa = "avx2";
        return add_avx2(module);
    }
#endif
    return add_baseline(module);
}

PyObject* register_reference(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "register_reference(name, function)");
        return nullptr;
    }
    for (Reference* r = Reference::first; r; r = r->next) {
        if (PyUnicode_CompareWithASCIIString(args[0], r->name) == 0) {
            Py_INCREF(args[1]);
            Py_XSETREF(r->function, args[1]);
        }
    }
    Py_RETURN_NONE;
}

PyObject* get_num_threads(PyObject*, PyObject*) { return PyLong_FromLong(chosen_threads()); }

PyObject* set_num_threads(PyObject*, PyObject* n) {
    long value = PyLong_AsLong(n);
    if (value == -1 && PyErr_Occurred()) return nullptr;
    if (value < 1 || value > 4096) {
        PyErr_SetString(PyExc_RuntimeError, "set_num_threads expects a positive integer");
        return nullptr;
    }
    set_threads(static_cast<int>(value));
    Py_RETURN_NONE;
}

PyObject* info(PyObject*, PyObject*) {
    return Py_BuildValue("{s:s,s:i}", "isa", isa, "threads", chosen_threads());
}

PyMethodDef methods[] = {
    {"register_reference", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(register_reference)), METH_FASTCALL,
     "register_reference(name, function): the NumPy kernel that gets the cases the native one is not built for."},
    {"get_num_threads", get_num_threads, METH_NOARGS, "The number of threads a kernel may use now."},
    {"set_num_threads", set_num_threads, METH_O, "Sets the number of threads a kernel may use."},
    {"info", info, METH_NOARGS, "A dict: isa, threads."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "rushlight._native", "Kernels in C++.", -1, methods,
                          nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace rl

PyMODINIT_FUNC PyInit__native() {
    if (PyArray_ImportNumPyAPI() < 0) return nullptr;
    PyObject* module = PyModule_Create(&rl::definition);
    if (!module) return nullptr;
    if (rl::add_families(module) < 0 || PyModule_AddFunctions(module, rl::allocator_methods()) < 0) {
        Py_DECREF(module);
        return nullptr;
    }
    return module;
}
