// Optimizer steps: one pass over each parameter, every operation rounded as PyTorch's default loop rounds it.
#include <algorithm>
#include <cmath>

#include "parallel.h"

RL_BEGIN

namespace {

// A whole list of arrays or none: parameters whose arrays are all dense, alike in layout and of one type.
bool dense(PyArrayObject* a) { return PyArray_IS_C_CONTIGUOUS(a) || PyArray_IS_F_CONTIGUOUS(a); }

bool same_layout(PyArrayObject* a, PyArrayObject* b) {
    return PyArray_TYPE(a) == PyArray_TYPE(b) && PyArray_SAMESHAPE(a, b) &&
           ((PyArray_IS_C_CONTIGUOUS(a) && PyArray_IS_C_CONTIGUOUS(b)) ||
            (PyArray_IS_F_CONTIGUOUS(a) && PyArray_IS_F_CONTIGUOUS(b)));
}

struct Lists {
    static constexpr int most = 5;
    PyObject* list[most];
    int count = 0;
    Py_ssize_t length = 0;

    // The first `n` arguments as lists; empty ones (after the second) stand for nothing.
    bool read(PyObject* const* args, int n) {
        count = n;
        for (int k = 0; k < n; k++) {
            if (!PyList_CheckExact(args[k])) return false;
            list[k] = args[k];
        }
        length = PyList_GET_SIZE(list[0]);
        for (int k = 1; k < n; k++) {
            Py_ssize_t size = PyList_GET_SIZE(list[k]);
            if (size != length && !(k >= 2 && size == 0)) return false;
        }
        for (Py_ssize_t i = 0; i < length; i++) {
            PyObject* first = PyList_GET_ITEM(list[0], i);
            if (!is_plain(first) || !dense(as_array(first)) || !PyArray_ISWRITEABLE(as_array(first))) return false;
            int type = PyArray_TYPE(as_array(first));
            if (type != NPY_FLOAT32 && type != NPY_FLOAT64) return false;
            for (int k = 1; k < n; k++) {
                if (PyList_GET_SIZE(list[k]) == 0) continue;
                PyObject* other = PyList_GET_ITEM(list[k], i);
                if (k >= 2 && other == Py_None) continue;
                if (!is_plain(other) || !same_layout(as_array(first), as_array(other))) return false;
                if (k >= 2 && !PyArray_ISWRITEABLE(as_array(other))) return false;
            }
        }
        return true;
    }

    PyArrayObject* at(int k, Py_ssize_t i) const {
        if (PyList_GET_SIZE(list[k]) == 0) return nullptr;
        PyObject* o = PyList_GET_ITEM(list[k], i);
        return o == Py_None ? nullptr : as_array(o);
    }
};

// Keyword numbers and flags, all of them known by name; false where one is not a plain number.
struct Setting {
    const char* name;
    double* value;
};
bool read_settings(PyObject* const* values, PyObject* names, std::initializer_list<Setting> settings) {
    Py_ssize_t n = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        bool known = false;
        for (const Setting& s : settings) {
            if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), s.name)) continue;
            PyObject* o = values[i];
            if (!PyFloat_Check(o) && !PyLong_Check(o)) return false;
            *s.value = PyFloat_AsDouble(o);
            if (*s.value == -1 && PyErr_Occurred()) {
                PyErr_Clear();
                return false;
            }
            known = true;
        }
        if (!known) return false;
    }
    return true;
}

constexpr npy_intp grain = 16384;

// PyTorch's lerp goes from the nearer end.
template <class T> inline T lerp(T a, T b, T weight, bool near) {
    return near ? a + weight * (b - a) : b - (b - a) * (T(1) - weight);
}

struct Sgd {
    double lr, momentum, dampening, weight_decay, nesterov, maximize;

    template <class T> void step(T* p, const T* g, T* buffer, bool fresh, npy_intp n) const {
        const T rate = T(-lr), mu = T(momentum), keep = T(1 - dampening), decay = T(weight_decay), sign = maximize ? T(-1) : T(1);
        const bool ahead = nesterov != 0;
        parallel_for(n, grain, [=](npy_intp begin, npy_intp end) {
            if (!buffer) {
                if (decay == 0) {
#pragma GCC ivdep
                    for (npy_intp i = begin; i < end; i++) p[i] += rate * (sign * g[i]);
                } else {
#pragma GCC ivdep
                    for (npy_intp i = begin; i < end; i++) p[i] += rate * (sign * g[i] + decay * p[i]);
                }
                return;
            }
#pragma GCC ivdep
            for (npy_intp i = begin; i < end; i++) {
                T d = sign * g[i];
                d = decay != 0 ? d + decay * p[i] : d;
                T b = fresh ? d : mu * buffer[i] + keep * d;
                buffer[i] = b;
                p[i] += rate * (ahead ? d + mu * b : b);
            }
        });
    }
};

struct Adam {
    double lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled;

    template <class T>
    void step(T* p, const T* g, T* mean, T* square, T* greatest, double count, npy_intp n) const {
        const T sign = maximize ? T(-1) : T(1), decay = decoupled ? T(0) : T(weight_decay);
        const T shrink = decoupled && weight_decay != 0 ? T(1 - lr * weight_decay) : T(1);
        const T w = T(1 - beta1), b2 = T(beta2), rest = T(1 - beta2), e = T(eps);
        const T size = T(-(lr / (1 - std::pow(beta1, count)))), correction = T(std::sqrt(1 - std::pow(beta2, count)));
        const bool near = 1 - beta1 < 0.5;
        auto loop = [=](auto with_greatest, npy_intp begin, npy_intp end) {
#pragma GCC ivdep
            for (npy_intp i = begin; i < end; i++) {
                T x = p[i] * shrink, d = sign * g[i];
                d = decay != 0 ? d + decay * x : d;
                T m = lerp(mean[i], d, w, near);
                T v = square[i] * b2 + rest * d * d;
                mean[i] = m;
                square[i] = v;
                if (with_greatest.value) {
                    v = (greatest[i] >= v) | (greatest[i] != greatest[i]) ? greatest[i] : v;
                    greatest[i] = v;
                }
                p[i] = x + size * m / (std::sqrt(v) / correction + e);
            }
        };
        parallel_for(n, grain, [=](npy_intp begin, npy_intp end) {
            if (greatest) loop(std::true_type{}, begin, end);
            else loop(std::false_type{}, begin, end);
        });
    }
};

struct RmsProp {
    double lr, alpha, eps, weight_decay, momentum, centered, maximize;

    template <class T> void step(T* p, const T* g, T* square, T* mean, T* buffer, npy_intp n) const {
        const T sign = maximize ? T(-1) : T(1), decay = T(weight_decay), a = T(alpha), rest = T(1 - alpha), e = T(eps);
        const T rate = T(-lr), mu = T(momentum);
        const bool near = 1 - alpha < 0.5, pull = momentum > 0;
        parallel_for(n, grain, [=](npy_intp begin, npy_intp end) {
#pragma GCC ivdep
            for (npy_intp i = begin; i < end; i++) {
                T d = sign * g[i];
                d = decay != 0 ? d + decay * p[i] : d;
                T v = square[i] * a + rest * d * d;
                square[i] = v;
                if (mean) {
                    T m = lerp(mean[i], d, rest, near);
                    mean[i] = m;
                    v = v - m * m;
                }
                T root = std::sqrt(v) + e;
                if (pull) {
                    T b = buffer[i] * mu + d / root;
                    buffer[i] = b;
                    p[i] += rate * b;
                } else {
                    p[i] += rate * d / root;
                }
            }
        });
    }
};

Reference sgd_reference{"sgd_"}, adam_reference{"adam_"}, rmsprop_reference{"rmsprop_"}, accumulate_reference{"accumulate_"},
    copy_reference{"copy"};

template <class T> T* maybe(PyArrayObject* a) { return a ? data<T>(a) : nullptr; }

PyObject* sgd_(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Lists lists;
    Sgd s = {NAN, 0, 0, 0, 0, 0};
    if (nargs != 3 || !lists.read(args, 3) ||
        !read_settings(args + nargs, names, {{"lr", &s.lr}, {"momentum", &s.momentum}, {"dampening", &s.dampening},
                                             {"weight_decay", &s.weight_decay}, {"nesterov", &s.nesterov},
                                             {"maximize", &s.maximize}}) ||
        std::isnan(s.lr) || (s.momentum != 0 && PyList_GET_SIZE(lists.list[2]) != lists.length))
        return sgd_reference.call(args, nargs, names);
    for (Py_ssize_t i = 0; i < lists.length; i++) {
        PyArrayObject *p = lists.at(0, i), *buffer = s.momentum != 0 ? lists.at(2, i) : nullptr;
        bool fresh = s.momentum != 0 && !buffer;
        if (fresh) {
            buffer = as_array(PyArray_NewLikeArray(p, NPY_KEEPORDER, nullptr, 0));
            if (!buffer || PyList_SetItem(lists.list[2], i, as_object(buffer)) < 0) return nullptr;
        }
        npy_intp n = PyArray_SIZE(p);
        Unlocked unlocked(n >= serial_below);
        if (PyArray_TYPE(p) == NPY_FLOAT32) s.step(data<float>(p), data<float>(lists.at(1, i)), maybe<float>(buffer), fresh, n);
        else s.step(data<double>(p), data<double>(lists.at(1, i)), maybe<double>(buffer), fresh, n);
    }
    Py_RETURN_NONE;
}

PyObject* adam_(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Lists lists;
    Adam s = {NAN, NAN, NAN, NAN, 0, 0, 0, 0};
    auto missing = [&](int k) { return PyList_GET_SIZE(lists.list[k]) != lists.length; };
    if (nargs != 6 || !PyList_CheckExact(args[5]) || !lists.read(args, 5) ||
        !read_settings(args + nargs, names, {{"lr", &s.lr}, {"beta1", &s.beta1}, {"beta2", &s.beta2}, {"eps", &s.eps},
                                             {"weight_decay", &s.weight_decay}, {"amsgrad", &s.amsgrad},
                                             {"maximize", &s.maximize}, {"decoupled", &s.decoupled}}) ||
        std::isnan(s.lr + s.beta1 + s.beta2 + s.eps) || missing(2) || missing(3) || (s.amsgrad != 0 && missing(4)) ||
        PyList_GET_SIZE(args[5]) != lists.length)
        return adam_reference.call(args, nargs, names);
    for (Py_ssize_t i = 0; i < lists.length; i++) {
        PyArrayObject *p = lists.at(0, i), *g = lists.at(1, i), *mean = lists.at(2, i), *square = lists.at(3, i);
        PyArrayObject* greatest = s.amsgrad != 0 ? lists.at(4, i) : nullptr;
        if (!mean || !square || (s.amsgrad != 0 && !greatest)) {
            PyErr_SetString(PyExc_TypeError, "adam_: the running averages must be arrays");
            return nullptr;
        }
        double count = PyFloat_AsDouble(PyList_GET_ITEM(args[5], i));
        if (count == -1 && PyErr_Occurred()) return nullptr;
        npy_intp n = PyArray_SIZE(p);
        Unlocked unlocked(n >= serial_below);
        if (PyArray_TYPE(p) == NPY_FLOAT32)
            s.step(data<float>(p), data<float>(g), data<float>(mean), data<float>(square), maybe<float>(greatest), count, n);
        else
            s.step(data<double>(p), data<double>(g), data<double>(mean), data<double>(square), maybe<double>(greatest), count, n);
    }
    Py_RETURN_NONE;
}

PyObject* rmsprop_(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    Lists lists;
    RmsProp s = {NAN, NAN, NAN, 0, 0, 0, 0};
    auto missing = [&](int k) { return PyList_GET_SIZE(lists.list[k]) != lists.length; };
    if (nargs != 5 || !lists.read(args, 5) ||
        !read_settings(args + nargs, names, {{"lr", &s.lr}, {"alpha", &s.alpha}, {"eps", &s.eps},
                                             {"weight_decay", &s.weight_decay}, {"momentum", &s.momentum},
                                             {"centered", &s.centered}, {"maximize", &s.maximize}}) ||
        std::isnan(s.lr + s.alpha + s.eps) || missing(2) || (s.centered != 0 && missing(3)) || (s.momentum > 0 && missing(4)))
        return rmsprop_reference.call(args, nargs, names);
    for (Py_ssize_t i = 0; i < lists.length; i++) {
        PyArrayObject *p = lists.at(0, i), *g = lists.at(1, i), *square = lists.at(2, i);
        PyArrayObject* mean = s.centered != 0 ? lists.at(3, i) : nullptr;
        PyArrayObject* buffer = s.momentum > 0 ? lists.at(4, i) : nullptr;
        if (!square || (s.centered != 0 && !mean) || (s.momentum > 0 && !buffer)) {
            PyErr_SetString(PyExc_TypeError, "rmsprop_: the running averages must be arrays");
            return nullptr;
        }
        npy_intp n = PyArray_SIZE(p);
        Unlocked unlocked(n >= serial_below);
        if (PyArray_TYPE(p) == NPY_FLOAT32)
            s.step(data<float>(p), data<float>(g), data<float>(square), maybe<float>(mean), maybe<float>(buffer), n);
        else
            s.step(data<double>(p), data<double>(g), data<double>(square), maybe<double>(mean), maybe<double>(buffer), n);
    }
    Py_RETURN_NONE;
}

PyObject* accumulate_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 2 || !is_plain(args[0]) || !is_plain(args[1])) return accumulate_reference.call(args, nargs);
    PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
    int type = PyArray_TYPE(a);
    if ((type != NPY_FLOAT32 && type != NPY_FLOAT64) || !same_layout(a, b) || !PyArray_ISWRITEABLE(a))
        return accumulate_reference.call(args, nargs);
    npy_intp n = PyArray_SIZE(a), bytes = n * PyArray_ITEMSIZE(a);
    char *x = PyArray_BYTES(a), *y = PyArray_BYTES(b);
    if (x != y && x < y + bytes && y < x + bytes) return accumulate_reference.call(args, nargs);
    Unlocked unlocked(n >= serial_below);
    auto add = [&](auto* o, const auto* p) {
        parallel_for(n, 2 * serial_below, [=](npy_intp begin, npy_intp end) {
#pragma GCC ivdep
            for (npy_intp i = begin; i < end; i++) o[i] += p[i];
        });
    };
    if (type == NPY_FLOAT32) add(data<float>(a), data<float>(b));
    else add(data<double>(a), data<double>(b));
    Py_INCREF(a);
    return as_object(a);
}

PyObject* copy(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 1 || Py_TYPE(args[0]) != &PyArray_Type) return copy_reference.call(args, nargs);
    return PyArray_NewCopy(as_array(args[0]), NPY_KEEPORDER);
}

}  // namespace

RL_END

RL_METHODS(optimizer, RL_FAST_KEYWORDS(sgd_, "sgd_(params, grads, buffers, *, lr, ...)"),
           RL_FAST_KEYWORDS(adam_, "adam_(params, grads, means, squares, max_squares, steps, *, lr, beta1, beta2, eps, ...)"),
           RL_FAST_KEYWORDS(rmsprop_, "rmsprop_(params, grads, squares, means, buffers, *, lr, alpha, eps, ...)"),
           RL_FAST(accumulate_, "accumulate_(a, b): a += b"), RL_FAST(copy, "copy(a)"))
