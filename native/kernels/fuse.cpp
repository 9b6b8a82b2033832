// The callable that K.fuse returns: a formula traced on its first call and run by the tile engine from then on.
#include "tile.h"

#include <structmember.h>

#include <cstddef>
#include <vector>

RL_BEGIN

namespace {

// A formula is traced once for each number of inputs and choice of boolean ones; most have one variant.
struct Variant {
    int inputs;
    unsigned masks;
    bool traced;  // false: the engine cannot run it
    bool mask;
    int registers;
    std::vector<Instruction> code;
    std::vector<double> constants;
};

struct Program {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject* function;  // the formula
    PyObject* fallback;  // runs it step by step, for what the engine cannot
    PyObject* tracer;    // backend/expression.py's `trace`
    std::vector<Variant*>* variants;
};

// What `trace` returned, checked: a program that reads or writes outside its registers must not get in.
bool read_trace(PyObject* traced, Variant& v) {
    PyObject *constants, *code;
    int registers, mask;
    if (!PyTuple_Check(traced) || !PyArg_ParseTuple(traced, "O!O!ip", &PyList_Type, &constants, &PyList_Type, &code, &registers, &mask))
        return false;
    Py_ssize_t n_constants = PyList_GET_SIZE(constants), length = PyList_GET_SIZE(code);
    if (registers > max_registers || length == 0 || v.inputs + n_constants > registers) return false;
    for (Py_ssize_t i = 0; i < n_constants; i++) {
        v.constants.push_back(PyFloat_AsDouble(PyList_GET_ITEM(constants, i)));
        if (PyErr_Occurred()) return false;
    }
    int fixed = v.inputs + int(n_constants);
    for (Py_ssize_t i = 0; i < length; i++) {
        const char* name;
        Instruction step;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(code, i), "siiii", &name, &step.target, &step.a, &step.b, &step.c)) return false;
        step.op = find_operation(name);
        auto valid = [&](int r) { return r >= 0 && r < registers; };
        if (!step.op || !valid(step.target) || step.target < fixed || !valid(step.a) || !valid(step.b) || !valid(step.c))
            return false;
        v.code.push_back(step);
    }
    v.registers = registers;
    v.mask = mask;
    return true;
}

Variant* find_variant(Program* self, int inputs, unsigned masks) {
    for (Variant* v : *self->variants)
        if (v->inputs == inputs && v->masks == masks) return v;
    PyObject* flags = PyTuple_New(inputs);
    if (!flags) return nullptr;
    for (int i = 0; i < inputs; i++) PyTuple_SET_ITEM(flags, i, PyBool_FromLong(masks >> i & 1));
    PyObject* traced = PyObject_CallFunctionObjArgs(self->tracer, self->function, flags, nullptr);
    Py_DECREF(flags);
    if (!traced) return nullptr;
    Variant* v = new Variant{inputs, masks, false, false, 0, {}, {}};
    if (traced != Py_None) v->traced = read_trace(traced, *v);
    Py_DECREF(traced);
    if (PyErr_Occurred()) {
        delete v;
        return nullptr;
    }
    self->variants->push_back(v);
    return v;
}

PyObject* call(PyObject* object, PyObject* const* args, size_t nargsf, PyObject* names) {
    Program* self = reinterpret_cast<Program*>(object);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    auto step_by_step = [&] { return PyObject_Vectorcall(self->fallback, args, nargs, names); };
    if (names || nargs > max_inputs || nargs == 0) return step_by_step();
    Input inputs[max_inputs];
    int type = -1;
    unsigned masks = 0;
    for (int i = 0; i < nargs; i++) {
        PyObject* o = args[i];
        Input& input = inputs[i];
        input.integer = 0;
        input.number = 0;
        input.boolean = false;
        input.array = nullptr;
        if (is_plain(o)) {
            input.array = as_array(o);
            int t = PyArray_TYPE(input.array);
            if (t == NPY_BOOL) {
                input.boolean = true;
                masks |= 1u << i;
            } else if ((t != NPY_FLOAT32 && t != NPY_FLOAT64) || (type >= 0 && t != type)) {
                return step_by_step();
            } else {
                type = t;
            }
        } else if (PyFloat_CheckExact(o)) {
            input.number = PyFloat_AS_DOUBLE(o);
        } else if (PyLong_CheckExact(o)) {
            input.number = PyLong_AsDouble(o);
            if (input.number == -1.0 && PyErr_Occurred()) {
                PyErr_Clear();
                return step_by_step();
            }
        } else {
            return step_by_step();
        }
    }
    if (type < 0) return step_by_step();
    Variant* v = find_variant(self, int(nargs), masks);
    if (!v) return nullptr;
    if (!v->traced) return step_by_step();
    Code code = {v->code.data(), int(v->code.size()), v->inputs, int(v->constants.size()), v->registers, v->mask};
    bool unfit = false;
    PyObject* result = type == NPY_FLOAT32 ? run_program<float>(code, inputs, v->constants.data(), nullptr, &unfit)
                                           : run_program<double>(code, inputs, v->constants.data(), nullptr, &unfit);
    return unfit ? step_by_step() : result;
}

PyObject* create(PyTypeObject* type, PyObject* args, PyObject*) {
    PyObject *function, *fallback, *tracer;
    if (!PyArg_ParseTuple(args, "OOO", &function, &fallback, &tracer)) return nullptr;
    Program* self = reinterpret_cast<Program*>(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    self->vectorcall = call;
    self->function = Py_NewRef(function);
    self->fallback = Py_NewRef(fallback);
    self->tracer = Py_NewRef(tracer);
    self->variants = new std::vector<Variant*>;
    return reinterpret_cast<PyObject*>(self);
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    Program* self = reinterpret_cast<Program*>(object);
    Py_VISIT(self->function);
    Py_VISIT(self->fallback);
    Py_VISIT(self->tracer);
    return 0;
}

int clear(PyObject* object) {
    Program* self = reinterpret_cast<Program*>(object);
    Py_CLEAR(self->function);
    Py_CLEAR(self->fallback);
    Py_CLEAR(self->tracer);
    return 0;
}

void destroy(PyObject* object) {
    Program* self = reinterpret_cast<Program*>(object);
    PyObject_GC_UnTrack(object);
    clear(object);
    for (Variant* v : *self->variants) delete v;
    delete self->variants;
    Py_TYPE(object)->tp_free(object);
}

// The traced variants: [(inputs, runs natively, instructions)]; None before the first call.
PyObject* plan_of(PyObject* object, void*) {
    Program* self = reinterpret_cast<Program*>(object);
    PyObject* list = PyList_New(0);
    if (!list) return nullptr;
    for (Variant* v : *self->variants) {
        PyObject* item = Py_BuildValue("(iOi)", v->inputs, v->traced ? Py_True : Py_False, int(v->code.size()));
        if (!item || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            Py_DECREF(list);
            return nullptr;
        }
        Py_DECREF(item);
    }
    return list;
}

PyGetSetDef properties[] = {
    {"variants", plan_of, nullptr, "What was traced so far: (inputs, runs natively, instructions) each.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"formula", T_OBJECT, offsetof(Program, function), READONLY, "The function that was traced."},
    {nullptr, 0, 0, 0, nullptr},
};

PyTypeObject program_type = {PyVarObject_HEAD_INIT(nullptr, 0)};

PyObject* program(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    return PyObject_Vectorcall(reinterpret_cast<PyObject*>(&program_type), args, nargs, nullptr);
}

PyMethodDef methods[] = {
    {"Program", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(program)), METH_FASTCALL,
     "Program(function, fallback, tracer): a formula that the tile engine runs; see backend/expression.py."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyMethodDef* fuse_methods() {
    program_type.tp_name = "rushlight._native.Program";
    program_type.tp_basicsize = sizeof(Program);
    program_type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL;
    program_type.tp_new = create;
    program_type.tp_dealloc = destroy;
    program_type.tp_traverse = traverse;
    program_type.tp_clear = clear;
    program_type.tp_getset = properties;
    program_type.tp_members = members;
    program_type.tp_call = PyVectorcall_Call;
    program_type.tp_vectorcall_offset = offsetof(Program, vectorcall);
    program_type.tp_doc = "An element-wise formula.";
    PyType_Ready(&program_type);
    return methods;
}

RL_END
