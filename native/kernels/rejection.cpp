// Poisson, binomial and gamma samples: backend/numpy/rejection.py, which names the methods, is the specification.
#include "rushlight.h"
#include "twister.h"

#include <cmath>

RL_BEGIN

namespace {

struct Uniform {
    Twister twister;
    double operator()() {
        uint32_t w[2];
        twister.words(w, 2);
        return static_cast<double>(low53(w)) * 0x1p-53;
    }
};

double poisson(double rate, Uniform& uniform) {
    if (rate == 0 || std::isinf(rate)) return rate == 0 ? 0 : NAN;
    if (rate < 10) {
        const double limit = std::exp(-rate);
        double count = 0;
        for (double product = uniform(); product > limit; product *= uniform()) count++;
        return count;
    }
    const double log_rate = std::log(rate), b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), squeeze = 0.9277 - 3.6224 / (b - 2.0);
    for (;;) {
        const double u = uniform() - 0.5, v = uniform(), edge = 0.5 - std::fabs(u);
        const double k = std::floor((2.0 * a / edge + b) * u + rate + 0.43);
        if (edge >= 0.07 && v <= squeeze) return k;
        if (k < 0 || (edge < 0.013 && v > edge)) continue;
        if (std::log(v) + std::log(inverse_alpha) - std::log(a / (edge * edge) + b) <=
            k * log_rate - rate - std::lgamma(k + 1))
            return k;
    }
}

double stirling_rest(double k) {
    static const double table[] = {0.08106146679532726,  0.04134069595540929,  0.02767792568499834, 0.02079067210376509,
                                   0.01664469118982119,  0.01387612882307075,  0.01189670994589177, 0.01041126526197209,
                                   0.009255462182712733, 0.008330563433362871};
    if (k < 10) return table[static_cast<int>(k)];
    const double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

template <class T> double binomial_waiting(T count, T p, Uniform& uniform) {
    const T log_miss = static_cast<T>(std::log1p(-static_cast<double>(p)));
    T trials = 0;
    for (double successes = 0;; successes++) {
        trials += std::ceil(static_cast<T>(std::log(uniform())) / log_miss);
        if (trials > count) return successes;
    }
}

double binomial_rejection(double n, double p, Uniform& uniform) {
    const double spread = std::sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
    const double centre = n * p + 0.5, squeeze = 0.92 - 4.2 / b, odds = p / (1 - p);
    const double alpha = (2.83 + 5.1 / b) * spread, mode = std::floor((n + 1) * p);
    for (;;) {
        const double u = uniform() - 0.5, v = uniform(), edge = 0.5 - std::fabs(u);
        const double k = std::floor((2 * a / edge + b) * u + centre);
        if (edge >= 0.07 && v <= squeeze) return k;
        if (k < 0 || k > n) continue;
        const double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (n - mode + 1))) +
                             (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                             (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_rest(mode) +
                             stirling_rest(n - mode) - stirling_rest(k) - stirling_rest(n - k);
        if (std::log(v * alpha / (a / (edge * edge) + b)) <= bound) return k;
    }
}

template <class T> double binomial(T count, T p, Uniform& uniform) {
    if (count <= 0 || p <= 0) return 0;
    if (p >= 1) return count;
    if (count != count || p != p) return NAN;
    auto successes = [&](T chance) {
        return count * chance >= 10 ? binomial_rejection(count, chance, uniform)
                                    : binomial_waiting(count, chance, uniform);
    };
    if (p <= T(0.5)) return successes(p);
    return count - successes(1 - p);
}

double normal(Uniform& uniform, double* spare) {
    if (spare[1] != 0) {
        const double value = spare[0];
        spare[0] = spare[1] = 0;
        return value;
    }
    const double u1 = uniform(), u2 = uniform();
    const double radius = std::sqrt(-2.0 * std::log1p(-u2)), theta = 2.0 * M_PI * u1;
    spare[0] = radius * std::sin(theta);
    spare[1] = 1;
    return radius * std::cos(theta);
}

template <class T> double gamma(T shape, Uniform& uniform, double* spare) {
    double scale = 1;
    if (shape < 1) {
        if (shape == 0) return 0;
        scale = std::pow(1 - uniform(), static_cast<double>(1 / shape));
        shape += 1;
    }
    const double d = shape - 1.0f / 3.0f, c = 1.0 / std::sqrt(9.0 * d), squeeze = 0.0331f;
    for (;;) {
        const double x = normal(uniform, spare), y = 1.0 + c * x;
        if (y <= 0) continue;
        const double v = y * y * y, u = 1 - uniform(), square = x * x;
        if (u < 1 - squeeze * square * square || std::log(u) < 0.5 * square + d * (1 - v + std::log(v)))
            return scale * d * v;
    }
}

// The arguments' arrays from `first` on are all contiguous, of `type` and of one size.
bool are_alike(PyObject* const* args, Py_ssize_t nargs, Py_ssize_t first, int type, npy_intp size) {
    for (Py_ssize_t i = first; i < nargs; i++)
        if (!is_contiguous(args[i], type) || PyArray_SIZE(as_array(args[i])) != size) return false;
    return true;
}

}  // namespace

static Reference poisson_reference{"mt_poisson_"};
static PyObject* mt_poisson_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 3 || !is_state(args[0]) || !is_out(args[1], NPY_FLOAT64) ||
        !are_alike(args, nargs, 2, NPY_FLOAT64, PyArray_SIZE(as_array(args[1]))))
        return poisson_reference.call(args, nargs);
    Uniform uniform{{data<uint32_t>(as_array(args[0]))}};
    double *out = data<double>(as_array(args[1])), *rate = data<double>(as_array(args[2]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    Unlocked unlocked(n >= 1024);
    for (npy_intp i = 0; i < n; i++) out[i] = poisson(rate[i], uniform);
    Py_RETURN_NONE;
}

template <class T> static void fill_binomial(Uniform uniform, PyObject* const* args) {
    double* out = data<double>(as_array(args[1]));
    const T *count = data<T>(as_array(args[2])), *p = data<T>(as_array(args[3]));
    const npy_intp n = PyArray_SIZE(as_array(args[1]));
    Unlocked unlocked(n >= 1024);
    for (npy_intp i = 0; i < n; i++) out[i] = binomial(count[i], p[i], uniform);
}

static Reference binomial_reference{"mt_binomial_"};
static PyObject* mt_binomial_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 4 || !is_state(args[0]) || !is_out(args[1], NPY_FLOAT64))
        return binomial_reference.call(args, nargs);
    const npy_intp size = PyArray_SIZE(as_array(args[1]));
    const Uniform uniform{{data<uint32_t>(as_array(args[0]))}};
    if (are_alike(args, nargs, 2, NPY_FLOAT32, size)) fill_binomial<float>(uniform, args);
    else if (are_alike(args, nargs, 2, NPY_FLOAT64, size)) fill_binomial<double>(uniform, args);
    else return binomial_reference.call(args, nargs);
    Py_RETURN_NONE;
}

template <class T> static void fill_gamma(Uniform uniform, PyObject* const* args) {
    double *spare = data<double>(as_array(args[1])), *out = data<double>(as_array(args[2]));
    const T* shape = data<T>(as_array(args[3]));
    const npy_intp n = PyArray_SIZE(as_array(args[2]));
    Unlocked unlocked(n >= 1024);
    for (npy_intp i = 0; i < n; i++) out[i] = gamma(shape[i], uniform, spare);
}

static Reference gamma_reference{"mt_gamma_"};
static PyObject* mt_gamma_(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 4 || !is_state(args[0]) || !is_out(args[1], NPY_FLOAT64) || PyArray_SIZE(as_array(args[1])) != 2 ||
        !is_out(args[2], NPY_FLOAT64))
        return gamma_reference.call(args, nargs);
    const npy_intp size = PyArray_SIZE(as_array(args[2]));
    const Uniform uniform{{data<uint32_t>(as_array(args[0]))}};
    if (are_alike(args, nargs, 3, NPY_FLOAT32, size)) fill_gamma<float>(uniform, args);
    else if (are_alike(args, nargs, 3, NPY_FLOAT64, size)) fill_gamma<double>(uniform, args);
    else return gamma_reference.call(args, nargs);
    Py_RETURN_NONE;
}

RL_END

RL_METHODS(rejection, RL_FAST(mt_poisson_, "mt_poisson_(mt, out, rate)"),
           RL_FAST(mt_binomial_, "mt_binomial_(mt, out, count, p)"),
           RL_FAST(mt_gamma_, "mt_gamma_(mt, spare, out, shape)"))
