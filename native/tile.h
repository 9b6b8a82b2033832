// The tile engine: runs a short element-wise program in one pass over memory, a tile of each operand at a time.
//
// Broadcasting and strides are settled once (`Plan`), in the order of the output's memory; after that every operand is
// a line of n elements that is contiguous (read in place), constant (a tile filled once) or gathered tile by tile.
#pragma once
#include <algorithm>
#include <cmath>

#include "parallel.h"
#include "primitives.h"

RL_BEGIN

constexpr int max_inputs = 12;
constexpr int max_registers = 40;
constexpr int max_dims = 16;
constexpr npy_intp tile = 512;

// The elements that are worth a thread, some 10 microseconds' work.
inline npy_intp grain_of(int weight) { return std::max<npy_intp>(2 * serial_below / weight, 2048); }

struct Instruction {
    const Operation* op;
    int target, a, b, c;
};

// The inputs' registers come first, then the constants'; the last instruction writes the output.
struct Code {
    const Instruction* instructions;
    int length;
    int inputs, constants, registers;
    bool mask;  // the output is boolean
};

// An input: an array of the engine's type, a boolean array, or (array == nullptr) a number.
struct Input {
    PyArrayObject* array;
    double number;
    npy_int64 integer;
    bool boolean;
};

struct Line {
    char* data;
    npy_intp strides[max_dims];
    npy_intp item;  // bytes an element
    bool contiguous, constant;
};

struct Plan {
    int nd = 0;
    npy_intp n = 1;
    npy_intp shape[max_dims];
    Line lines[max_inputs + 1];  // inputs, then the output
};

template <class T> constexpr int type_number();
template <> constexpr int type_number<float>() { return NPY_FLOAT32; }
template <> constexpr int type_number<double>() { return NPY_FLOAT64; }
template <> constexpr int type_number<npy_int64>() { return NPY_INT64; }

// Reads m elements from `start` of a line into `out`, as T.
template <class T, class S>
inline void gather_as(T* out, const Plan& plan, const Line& line, npy_intp start, npy_intp m) {
    npy_intp at[max_dims], rest = start;
    const char* p = line.data;
    for (int d = plan.nd - 1; d >= 0; d--) {
        at[d] = rest % plan.shape[d];
        rest /= plan.shape[d];
        p += at[d] * line.strides[d];
    }
    int last = plan.nd - 1;
    npy_intp step = line.strides[last];
    while (m > 0) {
        npy_intp row = std::min(plan.shape[last] - at[last], m);
        if (step == 0) {
            T value = T(*reinterpret_cast<const S*>(p));
            for (npy_intp i = 0; i < row; i++) out[i] = value;
        } else if (step == npy_intp(sizeof(S))) {
            const S* q = reinterpret_cast<const S*>(p);
            for (npy_intp i = 0; i < row; i++) out[i] = T(q[i]);
        } else {
            for (npy_intp i = 0; i < row; i++) out[i] = T(*reinterpret_cast<const S*>(p + i * step));
        }
        out += row;
        m -= row;
        p += row * step;
        at[last] += row;
        for (int d = last; d > 0 && at[d] == plan.shape[d]; d--) {
            p += line.strides[d - 1] - plan.shape[d] * line.strides[d];
            at[d] = 0;
            at[d - 1]++;
        }
    }
}

template <class T> inline void gather(T* out, const Plan& plan, const Line& line, npy_intp start, npy_intp m) {
    if (line.item == npy_intp(sizeof(T))) gather_as<T, T>(out, plan, line, start, m);
    else gather_as<T, npy_uint8>(out, plan, line, start, m);
}

template <class T, class S>
inline void scatter(const T* in, const Plan& plan, const Line& line, npy_intp start, npy_intp m) {
    npy_intp at[max_dims], rest = start;
    char* p = line.data;
    for (int d = plan.nd - 1; d >= 0; d--) {
        at[d] = rest % plan.shape[d];
        rest /= plan.shape[d];
        p += at[d] * line.strides[d];
    }
    int last = plan.nd - 1;
    npy_intp step = line.strides[last];
    while (m > 0) {
        npy_intp row = std::min(plan.shape[last] - at[last], m);
        for (npy_intp i = 0; i < row; i++) *reinterpret_cast<S*>(p + i * step) = S(in[i]);
        in += row;
        m -= row;
        p += row * step;
        at[last] += row;
        for (int d = last; d > 0 && at[d] == plan.shape[d]; d--) {
            p += line.strides[d - 1] - plan.shape[d] * line.strides[d];
            at[d] = 0;
            at[d - 1]++;
        }
    }
}

template <class T>
inline void run_piece(const Code& code, const Plan& plan, const double* numbers, const npy_int64* integers,
                      npy_intp begin, npy_intp end) {
    // One program step straight over memory needs no tiles.
    const Line& target = plan.lines[code.inputs];
    bool direct_target = target.contiguous && !code.mask;
    if (code.length == 1 && direct_target) {
        bool direct = code.constants == 0;
        for (int i = 0; i < code.inputs; i++) direct = direct && plan.lines[i].contiguous && plan.lines[i].item == sizeof(T);
        if (direct) {
            const T* in[3];
            for (int i = 0; i < 3; i++) {
                int from = i < code.inputs ? i : 0;
                in[i] = reinterpret_cast<const T*>(plan.lines[from].data) + begin;
            }
            const Instruction& step = code.instructions[0];
            step.op->template primitive<T>()(reinterpret_cast<T*>(target.data) + begin, in[step.a], in[step.b], in[step.c],
                                             end - begin);
            return;
        }
    }
    alignas(64) T store[max_registers * tile];
    T* registers[max_registers];
    bool refill[max_inputs];
    npy_intp first = std::min(tile, end - begin);
    for (int r = 0; r < code.registers; r++) registers[r] = store + r * tile;
    for (int i = 0; i < code.inputs; i++) {
        const Line& line = plan.lines[i];
        refill[i] = false;
        if (line.data == nullptr) {
            T value = std::is_integral<T>::value ? T(integers[i]) : T(numbers[i]);
            std::fill(registers[i], registers[i] + first, value);
        } else if (line.constant) {
            T value = line.item == npy_intp(sizeof(T)) ? *reinterpret_cast<const T*>(line.data)
                                                       : T(*reinterpret_cast<const npy_uint8*>(line.data));
            std::fill(registers[i], registers[i] + first, value);
        } else {
            refill[i] = !line.contiguous || line.item != npy_intp(sizeof(T));
        }
    }
    for (int k = 0; k < code.constants; k++) {
        T* r = registers[code.inputs + k];
        std::fill(r, r + first, T(numbers[code.inputs + k]));
    }
    const Instruction* final = code.instructions + code.length - 1;
    for (npy_intp start = begin; start < end; start += tile) {
        npy_intp m = std::min(tile, end - start);
        for (int i = 0; i < code.inputs; i++) {
            const Line& line = plan.lines[i];
            if (refill[i]) {
                gather(registers[i], plan, line, start, m);
            } else if (line.data != nullptr && !line.constant) {
                registers[i] = reinterpret_cast<T*>(line.data) + start;
            }
        }
        for (const Instruction* step = code.instructions; step < final; step++)
            step->op->template primitive<T>()(registers[step->target], registers[step->a], registers[step->b],
                                              registers[step->c], m);
        // The result has a register of its own only where it cannot go straight to memory.
        T* result = direct_target ? reinterpret_cast<T*>(target.data) + start : registers[final->target];
        final->op->template primitive<T>()(result, registers[final->a], registers[final->b], registers[final->c], m);
        if (direct_target) continue;
        if (!code.mask) {
            scatter<T, T>(result, plan, target, start, m);
        } else if (target.contiguous) {
            npy_uint8* out = reinterpret_cast<npy_uint8*>(target.data) + start;
            for (npy_intp i = 0; i < m; i++) out[i] = result[i] != 0;
        } else {
            scatter<T, npy_uint8>(result, plan, target, start, m);
        }
    }
}

template <class T>
inline void run_code(const Code& code, const Plan& plan, const double* numbers, const npy_int64* integers) {
    int weight = 0;
    for (int i = 0; i < code.length; i++) weight += code.instructions[i].op->weight;
    npy_intp grain = grain_of(weight);
    if (plan.n <= grain) {
        if (plan.n > 0) run_piece<T>(code, plan, numbers, integers, 0, plan.n);
        return;
    }
    Unlocked unlocked;
    parallel_for(plan.n, grain, [&](npy_intp begin, npy_intp end) {
        run_piece<T>(code, plan, numbers, integers, begin, end);
    });
}

// Sets a line's strides over the plan's dimensions, before they are permuted and merged; false if it does not broadcast.
inline bool align(Plan& plan, Line& line, PyArrayObject* a, npy_intp item) {
    line.data = PyArray_BYTES(a);
    line.item = item;
    int nd = PyArray_NDIM(a), offset = plan.nd - nd;
    for (int d = 0; d < offset; d++) line.strides[d] = 0;
    for (int d = 0; d < nd; d++) {
        npy_intp size = PyArray_DIM(a, d);
        // Where the result has length 1 too, the stride does not count, but PyTorch orders dimensions by it.
        line.strides[offset + d] = size == 1 && plan.shape[offset + d] != 1 ? 0 : PyArray_STRIDE(a, d);
    }
    return true;
}

inline bool overlaps(PyArrayObject* a, PyArrayObject* b) {
    auto bounds = [](PyArrayObject* x, npy_uintp& low, npy_uintp& high) {
        low = high = reinterpret_cast<npy_uintp>(PyArray_DATA(x));
        for (int d = 0; d < PyArray_NDIM(x); d++) {
            if (PyArray_DIM(x, d) == 0) { high = low; return; }
            npy_intp reach = (PyArray_DIM(x, d) - 1) * PyArray_STRIDE(x, d);
            if (reach > 0) high += reach;
            else low += reach;
        }
        high += PyArray_ITEMSIZE(x);
    };
    npy_uintp a0, a1, b0, b1;
    bounds(a, a0, a1);
    bounds(b, b0, b1);
    return a0 < b1 && b0 < a1;
}

inline bool same_memory(PyArrayObject* a, PyArrayObject* b) {
    if (PyArray_DATA(a) != PyArray_DATA(b) || PyArray_NDIM(a) != PyArray_NDIM(b) ||
        PyArray_ITEMSIZE(a) != PyArray_ITEMSIZE(b))
        return false;
    for (int d = 0; d < PyArray_NDIM(a); d++)
        if (PyArray_DIM(a, d) != PyArray_DIM(b, d) || (PyArray_DIM(a, d) > 1 && PyArray_STRIDE(a, d) != PyArray_STRIDE(b, d)))
            return false;
    return true;
}

// The output's dimensions from the slowest to the fastest in memory: as the inputs have them, the first input that
// tells two dimensions apart deciding; C order where none does. These are PyTorch's rules for a new output.
inline void memory_order(const Plan& plan, int inputs, int* order) {
    for (int d = 0; d < plan.nd; d++) order[d] = d;
    auto compare = [&](int x, int y) {  // > 0: x is faster than y
        for (int i = 0; i < inputs; i++) {
            const Line& line = plan.lines[i];
            if (line.data == nullptr) continue;
            npy_intp sx = std::abs(line.strides[x]), sy = std::abs(line.strides[y]);
            if (sx == 0 || sy == 0) continue;
            if (sx != sy) return sx < sy ? 1 : -1;
            if (plan.shape[x] < plan.shape[y]) return 1;
        }
        return 0;
    };
    // Insertion from the fastest dimension outwards; a pair that nothing tells apart is stepped over.
    for (int d = plan.nd - 2; d >= 0; d--) {
        int at = d;
        for (int e = d + 1; e < plan.nd; e++) {
            int c = compare(order[at], order[e]);
            if (c > 0) {
                std::swap(order[at], order[e]);
                at = e;
            } else if (c < 0) {
                break;
            }
        }
    }
}

// The result of planning: an array (new reference), or nullptr with `*unfit` set where the engine is not built for the
// case, or nullptr with a Python error.
inline PyArrayObject* make_plan(Plan& plan, const Input* inputs, int n_inputs, int type, npy_intp item, bool mask,
                                PyArrayObject* out, bool* unfit) {
    *unfit = true;
    plan.nd = 0;
    for (int i = 0; i < n_inputs; i++)
        if (inputs[i].array) plan.nd = std::max(plan.nd, PyArray_NDIM(inputs[i].array));
    if (plan.nd > max_dims) return nullptr;
    for (int d = 0; d < plan.nd; d++) plan.shape[d] = 1;
    bool all_c = true;
    PyArrayObject* shaper = nullptr;
    for (int i = 0; i < n_inputs; i++) {
        PyArrayObject* a = inputs[i].array;
        if (!a) {
            plan.lines[i].data = nullptr;
            plan.lines[i].constant = true;
            plan.lines[i].contiguous = false;
            continue;
        }
        int nd = PyArray_NDIM(a), offset = plan.nd - nd;
        for (int d = 0; d < nd; d++) {
            npy_intp size = PyArray_DIM(a, d), &whole = plan.shape[offset + d];
            if (size == whole || size == 1) continue;
            if (whole != 1) return nullptr;  // NumPy words the error
            whole = size;
        }
        all_c = all_c && PyArray_IS_C_CONTIGUOUS(a);
        shaper = a;
    }
    if (!shaper) return nullptr;
    plan.n = 1;
    for (int d = 0; d < plan.nd; d++) plan.n *= plan.shape[d];
    for (int i = 0; i < n_inputs; i++)
        if (inputs[i].array) align(plan, plan.lines[i], inputs[i].array, inputs[i].boolean ? 1 : item);

    int order[max_dims];
    bool c_order = true;
    PyArrayObject* result = out;
    Line& target = plan.lines[n_inputs];
    target.item = mask ? 1 : item;
    if (out) {
        if (PyArray_NDIM(out) != plan.nd || !PyArray_ISWRITEABLE(out)) return nullptr;
        for (int d = 0; d < plan.nd; d++) {
            if (PyArray_DIM(out, d) != plan.shape[d]) return nullptr;
            if (PyArray_DIM(out, d) > 1 && PyArray_STRIDE(out, d) == 0) return nullptr;
        }
        for (int i = 0; i < n_inputs; i++) {
            PyArrayObject* a = inputs[i].array;
            if (a && overlaps(a, out) && !same_memory(a, out)) return nullptr;
        }
        Py_INCREF(out);
        // In the order of the output's memory, so that a dense one is written in line.
        Line written;
        align(plan, written, out, target.item);
        Plan& whole = plan;
        std::copy(written.strides, written.strides + plan.nd, target.strides);
        target.data = PyArray_BYTES(out);
        if (!PyArray_IS_C_CONTIGUOUS(out)) {
            Plan only;
            only.nd = whole.nd;
            std::copy(whole.shape, whole.shape + whole.nd, only.shape);
            only.lines[0].data = target.data;
            std::copy(target.strides, target.strides + whole.nd, only.lines[0].strides);
            memory_order(only, 1, order);
            c_order = false;
        }
    } else {
        *unfit = false;
        int out_type = mask ? NPY_BOOL : type;
        if (!all_c) {
            memory_order(plan, n_inputs, order);
            for (int d = 0; d < plan.nd; d++) c_order = c_order && order[d] == d;
        }
        npy_intp sizes[max_dims];
        for (int d = 0; d < plan.nd; d++) sizes[d] = plan.shape[c_order ? d : order[d]];
        result = empty(plan.nd, sizes, out_type);
        if (!result) return nullptr;
        target.data = PyArray_BYTES(result);
        npy_intp stride = target.item;
        for (int k = plan.nd - 1; k >= 0; k--) {
            int d = c_order ? k : order[k];
            target.strides[d] = stride;
            stride *= std::max<npy_intp>(plan.shape[d], 1);
        }
        if (!c_order) {
            for (int d = 0; d < plan.nd; d++) {
                PyArray_DIMS(result)[d] = plan.shape[d];
                PyArray_STRIDES(result)[d] = target.strides[d];
            }
            PyArray_UpdateFlags(result, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS);
        }
    }
    *unfit = false;

    // Permute, then merge neighbours that every line steps through alike.
    int count = n_inputs + 1;
    if (!c_order) {
        npy_intp old[max_dims] = {};
        std::copy(plan.shape, plan.shape + plan.nd, old);
        for (int d = 0; d < plan.nd; d++) plan.shape[d] = old[order[d]];
        for (int i = 0; i < count; i++) {
            Line& line = plan.lines[i];
            if (i < n_inputs && line.data == nullptr) continue;
            std::copy(line.strides, line.strides + plan.nd, old);
            for (int d = 0; d < plan.nd; d++) line.strides[d] = old[order[d]];
        }
    }
    int kept = 0;
    for (int d = 0; d < plan.nd; d++) {
        if (plan.shape[d] == 1) continue;
        bool merge = kept > 0;
        for (int i = 0; merge && i < count; i++) {
            const Line& line = plan.lines[i];
            if (line.data != nullptr) merge = line.strides[kept - 1] == line.strides[d] * plan.shape[d];
        }
        int to = merge ? kept - 1 : kept++;
        plan.shape[to] = merge ? plan.shape[to] * plan.shape[d] : plan.shape[d];
        for (int i = 0; i < count; i++)
            if (plan.lines[i].data != nullptr) plan.lines[i].strides[to] = plan.lines[i].strides[d];
    }
    plan.nd = kept;
    if (kept == 0) {
        plan.nd = 1;
        plan.shape[0] = 1;
        for (int i = 0; i < count; i++) plan.lines[i].strides[0] = 0;
    }
    for (int i = 0; i < count; i++) {
        Line& line = plan.lines[i];
        if (line.data == nullptr) continue;
        line.constant = line.contiguous = true;
        npy_intp stride = line.item;
        for (int d = plan.nd - 1; d >= 0; d--) {
            if (line.strides[d] != 0) line.constant = false;
            if (line.strides[d] != stride) line.contiguous = false;
            stride *= plan.shape[d];
        }
    }
    if (plan.n == 1) {
        // A single element is a line of one, whatever its strides were.
        for (int i = 0; i < count; i++) {
            plan.lines[i].contiguous = plan.lines[i].data != nullptr;
            plan.lines[i].constant = i < n_inputs;
        }
    }
    return result;
}

// Runs a program on its inputs: the output (new reference), or nullptr with `*unfit` set or an error raised.
template <class T>
inline PyObject* run_program(const Code& code, const Input* inputs, const double* constants, PyArrayObject* out, bool* unfit) {
    if (out && (!is_plain(as_object(out), code.mask ? NPY_BOOL : type_number<T>()))) {
        *unfit = true;
        return nullptr;
    }
    Plan plan;
    PyArrayObject* result = make_plan(plan, inputs, code.inputs, type_number<T>(), sizeof(T), code.mask, out, unfit);
    if (!result) return nullptr;
    double numbers[max_registers];
    npy_int64 integers[max_inputs];
    for (int i = 0; i < code.inputs; i++) {
        numbers[i] = inputs[i].number;
        integers[i] = inputs[i].integer;
    }
    for (int k = 0; k < code.constants; k++) numbers[code.inputs + k] = constants[k];
    run_code<T>(code, plan, numbers, integers);
    return as_object(result);
}

RL_END
