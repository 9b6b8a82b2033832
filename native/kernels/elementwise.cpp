// Eager element-wise kernels: K.add(a, b[, out]) and its like, programs of one instruction with a short way in.
#include "tile.h"

RL_BEGIN

namespace {

// A Python float or int against an array of type `type`; false where NumPy must decide.
inline bool read_number(PyObject* o, int type, Input& input) {
    input.array = nullptr;
    input.boolean = false;
    if (PyFloat_CheckExact(o)) {
        input.number = PyFloat_AS_DOUBLE(o);
        return type != NPY_INT64;
    }
    if (PyLong_CheckExact(o)) {
        if (type == NPY_INT64) {
            int overflow;
            input.integer = PyLong_AsLongLongAndOverflow(o, &overflow);
            return overflow == 0;
        }
        input.number = PyLong_AsDouble(o);
        if (input.number == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return false;
        }
        return true;
    }
    return false;
}

template <class T>
PyObject* run_one(const Operation* op, const Input* inputs, int arity, PyArrayObject* out, bool* unfit) {
    Instruction step = {op, arity, 0, arity > 1 ? 1 : 0, arity > 2 ? 2 : 0};
    Code code = {&step, 1, arity, 0, arity + 1, op->mask};
    return run_program<T>(code, inputs, nullptr, out, unfit);
}

constexpr npy_intp small = 256;

// Arrays of one shape in C order: no plan needed.
template <class T>
PyObject* run_in_line(const Operation* op, PyArrayObject* a, PyArrayObject* b, PyArrayObject* out) {
    PyArrayObject* result = out;
    if (out) Py_INCREF(out);
    else result = empty(PyArray_NDIM(a), PyArray_DIMS(a), type_number<T>());
    if (!result) return nullptr;
    npy_intp n = PyArray_SIZE(a);
    T* o = data<T>(result);
    const T *pa = data<T>(a), *pb = b ? data<T>(b) : pa;
    Primitive<T> loop = op->primitive<T>();
    npy_intp grain = grain_of(op->weight);
    if (n <= grain) {
        loop(o, pa, pb, pa, n);
    } else {
        Unlocked unlocked;
        parallel_for(n, grain, [&](npy_intp begin, npy_intp end) {
            loop(o + begin, pa + begin, pb + begin, pa, end - begin);
        });
    }
    return as_object(result);
}

// A small array in C order and a number, on either side.
template <class T>
PyObject* run_with_number(const Operation* op, PyArrayObject* a, PyObject* number, bool number_first) {
    npy_intp n = PyArray_SIZE(a);
    T tile_of_it[small];
    double value = PyFloat_AS_DOUBLE(number);
    PyArrayObject* result = empty(PyArray_NDIM(a), PyArray_DIMS(a), type_number<T>());
    if (!result) return nullptr;
    std::fill(tile_of_it, tile_of_it + n, T(value));
    const T *x = data<T>(a), *y = tile_of_it;
    if (number_first) std::swap(x, y);
    op->primitive<T>()(data<T>(result), x, y, x, n);
    return as_object(result);
}

PyObject* run_typed(int type, const Operation* op, const Input* inputs, int arity, PyArrayObject* out, bool* unfit) {
    switch (type) {
        case NPY_FLOAT32: return run_one<float>(op, inputs, arity, out, unfit);
        case NPY_FLOAT64: return run_one<double>(op, inputs, arity, out, unfit);
        case NPY_INT64:
            if (op->for_int64) return run_one<npy_int64>(op, inputs, arity, out, unfit);
            break;
    }
    *unfit = true;
    return nullptr;
}

inline bool too_slow(const Operation* op, int type, npy_intp n) {
    return n > small && (type == NPY_FLOAT32 ? op->slow_float : type == NPY_FLOAT64 ? op->slow_double : 0);
}

PyObject* elementwise(const Operation* op, Reference& reference, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    int arity = op->arity;
    PyObject* out = nullptr;
    Py_ssize_t given = nargs;
    if (names && PyTuple_GET_SIZE(names)) {
        if (PyTuple_GET_SIZE(names) != 1 || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "out"))
            return reference.call(args, nargs, names);
        out = args[nargs];
    } else if (nargs == arity + 1) {
        out = args[arity];
        given = arity;
    }
    if (out == Py_None) out = nullptr;
    // The reference takes `out` by name.
    auto hand_over = [&]() -> PyObject* {
        if (!out) return reference.call(args, given);
        PyObject* all[4] = {};
        if (given > 3) return reference.call(args, nargs, names);
        std::copy(args, args + given, all);
        all[given] = out;
        static PyObject* out_name = Py_BuildValue("(s)", "out");
        return reference.call(all, given, out_name);
    };
    if (given != arity) return hand_over();

    int type = -1;
    npy_intp n = 0;
    Input inputs[3];
    for (int i = 0; i < arity; i++) {
        if (!is_plain(args[i])) continue;
        PyArrayObject* a = as_array(args[i]);
        if (op == operations + op_where && i == 0 && PyArray_TYPE(a) == NPY_BOOL) continue;
        if (type >= 0 && PyArray_TYPE(a) != type) return hand_over();
        type = PyArray_TYPE(a);
        n = std::max(n, PyArray_SIZE(a));
    }
    if ((type != NPY_FLOAT32 && type != NPY_FLOAT64 && type != NPY_INT64) || too_slow(op, type, n)) return hand_over();
    for (int i = 0; i < arity; i++) {
        if (is_plain(args[i])) {
            PyArrayObject* a = as_array(args[i]);
            inputs[i] = {a, 0.0, 0, PyArray_TYPE(a) == NPY_BOOL};
        } else if (!read_number(args[i], type, inputs[i])) {
            return hand_over();
        }
    }
    bool unfit = false;
    PyArrayObject* target = out ? as_array(out) : nullptr;
    PyObject* result = nullptr;
    if (out && !is_plain(out)) unfit = true;
    else result = run_typed(type, op, inputs, arity, target, &unfit);
    return unfit ? hand_over() : result;
}

#define X(name, arity, mask) Reference{#name},
Reference references[] = {RL_FOR_EACH_OPERATION(X)};
#undef X

inline bool in_line(PyObject* o) {
    return Py_TYPE(o) == &PyArray_Type &&
           (PyArray_FLAGS(as_array(o)) & (NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED)) ==
               (NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED) && PyArray_ISNOTSWAPPED(as_array(o));
}

// The short way: float32 (or float64, where NumPy is no faster) arrays of one shape, or an array and a number.
template <int index>
PyObject* entry(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    const Operation* op = operations + index;
    if (op->arity <= 2 && !op->mask && nargs == op->arity && !names && in_line(args[0])) {
        PyArrayObject* a = as_array(args[0]);
        int type = PyArray_TYPE(a);
        if (op->arity == 1) {
            if (type == NPY_FLOAT32 && !(op->slow_float && PyArray_SIZE(a) > small)) return run_in_line<float>(op, a, nullptr, nullptr);
        } else if (in_line(args[1])) {
            PyArrayObject* b = as_array(args[1]);
            if (PyArray_TYPE(b) == type && PyArray_SAMESHAPE(a, b)) {
                if (type == NPY_FLOAT32 && !(op->slow_float && PyArray_SIZE(a) > small)) return run_in_line<float>(op, a, b, nullptr);
                if (type == NPY_FLOAT64 && !op->slow_double) return run_in_line<double>(op, a, b, nullptr);
            }
        } else if (PyFloat_CheckExact(args[1]) && PyArray_SIZE(a) <= small) {
            if (type == NPY_FLOAT32) return run_with_number<float>(op, a, args[1], false);
            if (type == NPY_FLOAT64) return run_with_number<double>(op, a, args[1], false);
        }
    }
    return elementwise(op, references[index], args, nargs, names);
}

#define X(name, arity, mask)                                                                        \
    {#name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entry<op_##name>)),             \
     METH_FASTCALL | METH_KEYWORDS, "Element-wise " #name "; see rushlight.backend.numpy.elementwise."},
PyMethodDef methods[] = {RL_FOR_EACH_OPERATION(X){nullptr, nullptr, 0, nullptr}};
#undef X

}  // namespace

PyMethodDef* elementwise_methods() { return methods; }

RL_END
