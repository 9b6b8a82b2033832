// Convolution of float32 and float64 in 1 to 3 dimensions, and its two gradients, by the direct kernels of direct.h.
#include "arguments.h"
#include "columns.h"

RL_BEGIN

static Reference forward_reference{"conv_forward"}, input_reference{"conv_grad_input"}, weight_reference{"conv_grad_weight"};

// Fewer than three spatial dimensions are three whose first have size one.
struct Shape {
    npy_intp n, c, o, groups, in[3], k[3], out[3], stride[3], pad[3], dilation[3];
    npy_intp taps() const { return k[0] * k[1] * k[2]; }
    npy_intp positions() const { return out[0] * out[1] * out[2]; }
    npy_intp work() const { return n * o * positions() * (c / groups) * taps(); }
};

static bool read_sizes(PyObject* const* bound, int nd, Shape* s) {
    npy_intp value[3][3];
    for (int i = 0; i < 3; i++)
        if (!sizes(bound[i], nd, value[i])) return false;
    s->groups = 1;
    if (bound[3]) {
        if (!PyLong_Check(bound[3])) return false;
        s->groups = PyLong_AsSsize_t(bound[3]);
    }
    for (int x = 0; x < 3; x++) {
        int i = x - (3 - nd);
        s->stride[x] = i < 0 ? 1 : value[0][i];
        s->pad[x] = i < 0 ? 0 : value[1][i];
        s->dilation[x] = i < 0 ? 1 : value[2][i];
        if (s->stride[x] < 1 || s->pad[x] < 0 || s->dilation[x] < 1) return false;
    }
    return s->groups >= 1;
}

// Input, weight and output shapes (out may be null: computed), checked against each other.
static bool read_shapes(const npy_intp* in, const npy_intp* w, const npy_intp* out, int nd, Shape* s) {
    s->n = in[0];
    s->c = in[1];
    s->o = w[0];
    if (s->c != w[1] * s->groups || s->o % s->groups || s->o < s->groups || s->c < 1 || s->n < 1) return false;
    if (out && (out[0] != s->n || out[1] != s->o)) return false;
    for (int x = 0; x < 3; x++) {
        int i = x - (3 - nd) + 2;
        s->in[x] = i < 2 ? 1 : in[i];
        s->k[x] = i < 2 ? 1 : w[i];
        if (s->in[x] < 1 || s->k[x] < 1) return false;
        npy_intp room = s->in[x] + 2 * s->pad[x] - s->dilation[x] * (s->k[x] - 1) - 1;
        if (room < 0) return false;
        s->out[x] = room / s->stride[x] + 1;
        if (!out) continue;
        npy_intp given = i < 2 ? 1 : out[i];
        if (given < 1 || given > s->out[x]) return false;
        s->out[x] = given;
    }
    return true;
}

// (batch, channel, three positions) in elements.
static void steps(PyArrayObject* a, npy_intp* to) {
    int nd = PyArray_NDIM(a) - 2;
    to[0] = step(a, 0);
    to[1] = step(a, 1);
    for (int x = 0; x < 3; x++) to[2 + x] = x < 3 - nd ? 0 : step(a, x - (3 - nd) + 2);
    // An axis of size 1 may have any stride; flattened positions need the true ones.
    if (PyArray_IS_C_CONTIGUOUS(a)) {
        npy_intp size = 1;
        for (int i = 1 + nd; i >= 2; i--) {
            to[2 + i - 2 + 3 - nd] = size;
            size *= PyArray_DIM(a, i);
        }
    }
}

// Where each window is one position, the positions of a contiguous array are a single dimension.
static void flatten(Shape* s, PyObject* a, PyObject* b) {
    if (s->taps() != 1 || !PyArray_IS_C_CONTIGUOUS(as_array(a)) || (b && !PyArray_IS_C_CONTIGUOUS(as_array(b)))) return;
    for (int x = 0; x < 3; x++)
        if (s->stride[x] != 1 || s->pad[x] != 0 || s->in[x] != s->out[x]) return;
    s->in[2] = s->out[2] = s->positions();
    s->in[0] = s->in[1] = s->out[0] = s->out[1] = 1;
}

// The padded input, with a plane for each remainder a tap falls on.
template <class T> static Source<T> source_of_input(const Shape& s, std::vector<npy_intp>* offset, npy_intp together) {
    Source<T> source;
    source.channels = s.c;
    source.together = together;
    std::vector<npy_intp> remainder[3];
    for (int x = 0; x < 3; x++) {
        for (npy_intp k = 0; k < s.k[x]; k++) {
            npy_intp r = k * s.dilation[x] % s.stride[x];
            if (std::find(remainder[x].begin(), remainder[x].end(), r) == remainder[x].end()) remainder[x].push_back(r);
        }
        Axis& axis = source.axis[x];
        axis.n = s.in[x];
        axis.stride = s.stride[x];
        axis.q = s.out[x] + (s.k[x] - 1) * s.dilation[x] / s.stride[x];
        for (npy_intp r : remainder[x]) axis.shift.push_back(r - s.pad[x]);
    }
    npy_intp row = source.axis[2].q, area = source.axis[1].q * row, plane = together * source.plane();
    auto find = [&](int x, npy_intp k) {
        npy_intp r = k * s.dilation[x] % s.stride[x];
        return static_cast<npy_intp>(std::find(remainder[x].begin(), remainder[x].end(), r) - remainder[x].begin());
    };
    offset->reserve(s.c / s.groups * s.taps());
    for (npy_intp c = 0; c < s.c / s.groups; c++)
        for (npy_intp k0 = 0; k0 < s.k[0]; k0++)
            for (npy_intp k1 = 0; k1 < s.k[1]; k1++)
                for (npy_intp k2 = 0; k2 < s.k[2]; k2++) {
                    npy_intp f = (find(0, k0) * remainder[1].size() + find(1, k1)) * remainder[2].size() + find(2, k2);
                    offset->push_back(c * source.channel() + f * plane + k0 * s.dilation[0] / s.stride[0] * area +
                                      k1 * s.dilation[1] / s.stride[1] * row + k2 * s.dilation[2] / s.stride[2]);
                }
    return source;
}

// --- Small planes: by columns -------------------------------------------------------------------------------------------

// Whether less than `percent` of the padded planes are outputs, and the product is large enough to pay for the copy.
static bool by_columns(const Shape& s, npy_intp percent) {
    npy_intp plane = 1;
    for (int x = 0; x < 3; x++) plane *= s.out[x] + (s.k[x] - 1) * s.dilation[x] / s.stride[x];
    return 100 * s.positions() < percent * plane && s.o / s.groups >= 32 && s.c / s.groups * s.taps() >= 64;
}

// Samples whose columns are built at a time: 4 MB of them.
static npy_intp column_samples(const Shape& s, npy_intp size) {
    npy_intp one = s.c / s.groups * s.taps() * s.positions() * size;
    return std::max(npy_intp(1), std::min(s.n, (npy_intp(4) << 20) / one));
}

template <class T> struct Columns {
    const Shape& s;
    npy_intp k, og, cg, together, wide;
    std::vector<npy_intp> offset;
    Source<T> source;
    T *memory = nullptr, *matrix, *other;
    bool enough;

    explicit Columns(const Shape& shape, bool padded)
        : s(shape), k(s.c / s.groups * s.taps()), og(s.o / s.groups), cg(s.c / s.groups), together(column_samples(s, sizeof(T))),
          wide(together * s.positions()) {
        if (padded) {
            source = source_of_input<T>(s, &offset, together);
            memory = scratch<T>(2, source.size());
        }
        matrix = scratch<T>(6, k * wide);
        other = scratch<T>(7, og * wide);
        enough = matrix && other && (memory || !padded);
    }
    // The padded planes of a block of samples.
    void fill(const T* a, const npy_intp* step, npy_intp first, npy_intp samples) {
        parallel_for(s.c, std::max(npy_intp(1), serial_below / (samples * source.plane())), [&](npy_intp begin, npy_intp end) {
            for (npy_intp i = 0; i < samples; i++) source.fill(a + (first + i) * step[0], step + 1, i, begin, end, memory);
        });
    }
    void unfold_group(npy_intp group, npy_intp samples) {
        parallel_for(k, std::max(npy_intp(1), serial_below / (samples * s.positions())), [&](npy_intp begin, npy_intp end) {
            unfold(source, offset.data(), s.out, memory + group * cg * source.channel(), samples, begin, end, matrix);
        });
    }
    void gather_group(const T* g, const npy_intp* step, npy_intp first, npy_intp group, npy_intp samples) {
        parallel_for(og, std::max(npy_intp(1), serial_below / (samples * s.positions())), [&](npy_intp begin, npy_intp end) {
            gather(g + first * step[0] + group * og * step[1], step, s.out, samples, begin, end, other);
        });
    }
};

template <class T> static bool forward_by_columns(const Shape& s, PyArrayObject* a, const T* w, const T* bias, T* out) {
    npy_intp step[5];
    steps(a, step);
    Columns<T> c(s, true);
    for (npy_intp first = 0; first < s.n && c.enough; first += c.together) {
        npy_intp samples = std::min(c.together, s.n - first), wide = samples * s.positions();
        c.fill(data<T>(a), step, first, samples);
        for (npy_intp group = 0; group < s.groups; group++) {
            c.unfold_group(group, samples);
            c.enough = c.enough && gemm<T>(c.og, wide, c.k, {w + group * c.og * c.k, c.k, 1}, {c.matrix, wide, 1}, c.other, wide);
            spread(c.other, samples, s.positions(), c.og, s.o * s.positions(), bias ? bias + group * c.og : nullptr,
                   out + (first * s.o + group * c.og) * s.positions());
        }
    }
    return c.enough;
}

template <class T> static bool grad_input_by_columns(const Shape& s, PyArrayObject* g, const T* w, T* out) {
    npy_intp step[5], plane = s.in[0] * s.in[1] * s.in[2];
    steps(g, step);
    Columns<T> c(s, false);
    Reach reach[3];
    for (int x = 0; x < 3; x++) reach[x] = {s.in[x], s.out[x], s.stride[x], s.pad[x], s.dilation[x]};
    for (npy_intp first = 0; first < s.n && c.enough; first += c.together) {
        npy_intp samples = std::min(c.together, s.n - first), wide = samples * s.positions();
        for (npy_intp group = 0; group < s.groups; group++) {
            c.gather_group(data<T>(g), step, first, group, samples);
            c.enough = c.enough && gemm<T>(c.k, wide, c.og, {w + group * c.og * c.k, 1, c.k}, {c.other, wide, 1}, c.matrix, wide);
            parallel_for(c.cg, std::max(npy_intp(1), serial_below / (s.taps() * wide)), [&](npy_intp begin, npy_intp end) {
                for (npy_intp i = begin; i < end; i++)
                    fold(reach, s.k, samples, c.matrix + i * s.taps() * wide, s.c * plane, out + (first * s.c + group * c.cg + i) * plane);
            });
        }
    }
    return c.enough;
}

template <class T> static bool grad_weight_by_columns(const Shape& s, PyArrayObject* g, PyArrayObject* a, T* out) {
    npy_intp g_step[5], a_step[5];
    steps(g, g_step);
    steps(a, a_step);
    Columns<T> c(s, true);
    for (npy_intp first = 0; first < s.n && c.enough; first += c.together) {
        npy_intp samples = std::min(c.together, s.n - first), wide = samples * s.positions();
        c.fill(data<T>(a), a_step, first, samples);
        for (npy_intp group = 0; group < s.groups; group++) {
            c.unfold_group(group, samples);
            c.gather_group(data<T>(g), g_step, first, group, samples);
            Finish<T> finish;
            finish.accumulate = first > 0;
            c.enough = c.enough && gemm<T>(c.og, c.k, wide, {c.other, wide, 1}, {c.matrix, 1, wide}, out + group * c.og * c.k, c.k, finish);
        }
    }
    return c.enough;
}

// --- Other planes: direct ------------------------------------------------------------------------------------------

// Small planes are laid side by side, so that a tile is full.
template <class T> static npy_intp side_by_side(npy_intp n, npy_intp plane, npy_intp rows) {
    npy_intp panels = (rows + direct_rows - 1) / direct_rows, wide = vectors_for((rows + panels - 1) / panels) * Lanes<T>::width;
    return plane >= 2 * wide ? 1 : std::max(npy_intp(1), std::min(n, 4 * wide / plane));
}

// Fills the source block after block and runs every part over it. `start`: a number a row of all groups.
template <class T>
static bool run_parts(const Source<T>& source, const std::vector<Part<T>>& parts, npy_intp n, npy_intp groups, const T* a,
                      const npy_intp* step, const T* start, T* out, bool serial) {
    std::atomic<bool> enough{true};
    npy_intp together = source.together, blocks = (n + together - 1) / together, workers = threads();
    auto run = [&](const T* memory, npy_intp block, npy_intp group, npy_intp begin, npy_intp end) {
        npy_intp samples = std::min(together, n - block * together);
        for (const Part<T>& part : parts)
            if (!part.run(source, memory + group * (source.channels / groups) * source.channel(), group, samples, begin, end,
                          start + group * part.rows, out + block * together * part.sample + group * part.rows * part.channel))
                enough = false;
    };
    auto fill = [&](T* memory, npy_intp block, npy_intp begin, npy_intp end) {
        for (npy_intp i = 0; i < std::min(together, n - block * together); i++)
            source.fill(a + (block * together + i) * step[0], step + 1, i, begin, end, memory);
    };
    npy_intp all = together * source.plane();
    if (serial || blocks % workers == 0 || blocks >= 4 * workers) {
        parallel_for(blocks, serial ? blocks : 1, [&](npy_intp begin, npy_intp end) {
            T* memory = scratch<T>(2, source.size());
            if (!memory) {
                enough = false;
                return;
            }
            source.zero_end(memory);
            for (npy_intp block = begin; block < end; block++) {
                fill(memory, block, 0, source.channels);
                for (npy_intp group = 0; group < groups; group++) run(memory, block, group, 0, all);
            }
        });
        return enough;
    }
    T* memory = scratch<T>(2, source.size());
    if (!memory) return false;
    source.zero_end(memory);
    for (npy_intp block = 0; block < blocks; block++) {
        parallel_for(source.channels, 1, [&](npy_intp begin, npy_intp end) { fill(memory, block, begin, end); });
        if (groups >= workers)
            parallel_for(groups, 1, [&](npy_intp begin, npy_intp end) {
                for (npy_intp group = begin; group < end; group++) run(memory, block, group, 0, all);
            });
        else
            for (npy_intp group = 0; group < groups; group++)
                parallel_for(all, 64, [&](npy_intp begin, npy_intp end) { run(memory, block, group, begin, end); });
    }
    return enough;
}

template <class T> static bool forward(const Shape& s, PyArrayObject* a, const T* w, const T* bias, T* out) {
    if (by_columns(s, 75)) return forward_by_columns(s, a, w, bias, out);
    npy_intp step[5], cg = s.c / s.groups, plane = 1;
    steps(a, step);
    for (int x = 0; x < 3; x++) plane *= s.out[x] + (s.k[x] - 1) * s.dilation[x] / s.stride[x];
    std::vector<Part<T>> parts(1);
    Part<T>& part = parts[0];
    part.rows = s.o / s.groups;
    Source<T> source = source_of_input<T>(s, &part.offset, side_by_side<T>(s.n, plane, part.rows));
    npy_intp k = cg * s.taps();
    std::copy_n(s.out, 3, part.count);
    part.at = 0;
    part.channel = s.positions();
    part.sample = s.o * part.channel;
    part.step[0] = s.out[1] * s.out[2];
    part.step[1] = s.out[2];
    part.step[2] = 1;
    T* packed = scratch<T>(4, s.o * k);
    if (!packed) return false;
    for (npy_intp group = 0; group < s.groups; group++) {
        const T* from = w + group * part.rows * k;
        part.pack(packed + group * part.rows * k, [&](npy_intp row, npy_intp tap) { return from[row * k + tap]; });
    }
    part.weight = packed;
    std::vector<T> zeros(bias ? 0 : s.o);
    return run_parts(source, parts, s.n, s.groups, data<T>(a), step, bias ? bias : zeros.data(), out, s.work() < gemm_serial_below);
}

template <class T> static bool grad_input(const Shape& s, PyArrayObject* g, const T* w, T* out) {
    if (by_columns(s, 75)) return grad_input_by_columns(s, g, w, out);
    npy_intp step[5], cg = s.c / s.groups, og = s.o / s.groups, plane = 1;
    steps(g, step);
    Source<T> source;
    source.channels = s.o;
    // For each remainder of the input position: its taps and how far from the output position they look.
    std::vector<std::vector<std::pair<npy_intp, npy_intp>>> found[3];
    npy_intp low[3];
    for (int x = 0; x < 3; x++) {
        npy_intp least = 0, reach = 1;
        for (npy_intp r = 0; r < std::min(s.stride[x], s.in[x]); r++) {
            found[x].emplace_back();
            npy_intp count = (s.in[x] - r + s.stride[x] - 1) / s.stride[x];
            reach = std::max(reach, count);
            for (npy_intp k = 0; k < s.k[x]; k++) {
                npy_intp from = r + s.pad[x] - k * s.dilation[x];
                if (from % s.stride[x]) continue;
                npy_intp e = from / s.stride[x];
                found[x].back().push_back({k, e});
                least = std::min(least, e);
                reach = std::max(reach, count + e);
            }
        }
        low[x] = -least;
        source.axis[x] = Axis{s.out[x], reach + low[x], 1, {-low[x]}};
        plane *= source.axis[x].q;
    }
    source.together = side_by_side<T>(s.n, plane, cg);
    npy_intp row = source.axis[2].q, area = source.axis[1].q * row, taps = s.taps();
    T* packed = scratch<T>(4, s.o * cg * taps);
    if (!packed) return false;
    std::vector<Part<T>> parts;
    for (size_t r0 = 0; r0 < found[0].size(); r0++)
        for (size_t r1 = 0; r1 < found[1].size(); r1++)
            for (size_t r2 = 0; r2 < found[2].size(); r2++) {
                Part<T> part;
                part.rows = cg;
                part.step[2] = s.stride[2];
                part.step[1] = s.stride[1] * s.in[2];
                part.step[0] = s.stride[0] * s.in[1] * s.in[2];
                part.channel = s.in[0] * s.in[1] * s.in[2];
                part.sample = s.c * part.channel;
                part.at = (r0 * s.in[1] + r1) * s.in[2] + r2;
                const size_t r[3] = {r0, r1, r2};
                for (int x = 0; x < 3; x++)
                    part.count[x] = (s.in[x] - static_cast<npy_intp>(r[x]) + s.stride[x] - 1) / s.stride[x];
                std::vector<npy_intp> from;  // where the tap of output channel o and input channel 0 lies in the weight
                for (npy_intp o = 0; o < og; o++)
                    for (auto [k0, e0] : found[0][r0])
                        for (auto [k1, e1] : found[1][r1])
                            for (auto [k2, e2] : found[2][r2]) {
                                part.offset.push_back(o * source.channel() + (e0 + low[0]) * area + (e1 + low[1]) * row + e2 + low[2]);
                                from.push_back(o * cg * taps + (k0 * s.k[1] + k1) * s.k[2] + k2);
                            }
                npy_intp size = cg * part.offset.size();
                for (npy_intp group = 0; group < s.groups; group++) {
                    const T* weight = w + group * og * cg * taps;
                    part.pack(packed + group * size, [&](npy_intp c, npy_intp tap) { return weight[from[tap] + c * taps]; });
                }
                part.weight = packed;
                packed += s.groups * size;
                parts.push_back(std::move(part));
            }
    std::vector<T> zeros(s.c);
    return run_parts(source, parts, s.n, s.groups, data<T>(g), step, zeros.data(), out, s.work() < gemm_serial_below);
}

enum class Outcome { done, no_memory, not_finite };

template <class T> static Outcome grad_weight(const Shape& s, PyArrayObject* g, PyArrayObject* a, T* out) {
    // A sum over few positions is over before a tile of dot products pays.
    bool few = s.positions() <= 256 && s.o / s.groups > 16 && s.c / s.groups * s.taps() > 16;
    if (few || by_columns(s, s.stride[2] > 1 && s.c >= 16 * s.groups ? 100 : 85))
        return grad_weight_by_columns(s, g, a, out) ? Outcome::done : Outcome::no_memory;
    constexpr npy_intp W = Lanes<T>::width, C = Dots<T>::columns;
    npy_intp g_step[5], a_step[5], cg = s.c / s.groups, og = s.o / s.groups, k = cg * s.taps();
    steps(g, g_step);
    steps(a, a_step);
    std::vector<npy_intp> offset;
    Source<T> input = source_of_input<T>(s, &offset, 1), gradient;
    npy_intp row = input.axis[2].q, area = input.axis[1].q * row;
    npy_intp length = ((s.out[0] - 1) * area + (s.out[1] - 1) * row + s.out[2] + W - 1) / W * W;
    gradient.channels = s.o;
    gradient.axis[0] = Axis{s.out[0], s.out[0], 1, {0}};
    gradient.round = W;  // aligned, and zeros up to whole vectors
    gradient.axis[1] = Axis{s.out[1], input.axis[1].q, 1, {0}};
    gradient.axis[2] = Axis{s.out[2], row, 1, {0}};
    // As many samples at a time as the L2 cache holds; the choice, like the order of the sums, is by size alone.
    npy_intp bytes = (input.channels * input.channel() + gradient.channels * gradient.channel()) * sizeof(T);
    npy_intp together = std::max(npy_intp(1), std::min(s.n, 512 * 1024 / bytes)), run = std::max(npy_intp(1), 1024 / length);
    offset.clear();
    input = source_of_input<T>(s, &offset, together);
    gradient.together = together;
    T *a_memory = scratch<T>(2, input.size()), *g_memory = scratch<T>(5, gradient.size());
    if (!a_memory || !g_memory) return Outcome::no_memory;
    input.zero_end(a_memory);
    std::fill_n(g_memory, gradient.size(), T(0));
    std::fill_n(out, s.o * k, T(0));
    npy_intp tiles = (og + Dots<T>::rows - 1) / Dots<T>::rows, high = (og + tiles - 1) / tiles;
    npy_intp bands = (k + C - 1) / C, tasks = s.groups * bands * tiles;
    bool serial = s.work() < gemm_serial_below;
    std::atomic<bool> finite{true};
    for (npy_intp first = 0; first < s.n; first += together) {
        npy_intp samples = std::min(together, s.n - first);
        parallel_for(s.c + s.o, serial ? s.c + s.o : 1, [&](npy_intp begin, npy_intp end) {
            npy_intp c0 = std::min(begin, s.c), c1 = std::min(end, s.c), o0 = std::max(begin - s.c, npy_intp(0)), o1 = end - s.c;
            for (npy_intp i = 0; i < samples; i++) {
                input.fill(data<T>(a) + (first + i) * a_step[0], a_step + 1, i, c0, c1, a_memory);
                if (o1 > o0) gradient.fill(data<T>(g) + (first + i) * g_step[0], g_step + 1, i, o0, o1, g_memory);
            }
            for (npy_intp c = c0; c < c1; c++)
                for (npy_intp f = 0; f < input.planes(); f++)
                    if (!all_finite(a_memory + c * input.channel() + f * together * input.plane(), samples * input.plane())) finite = false;
        });
        if (!finite) return Outcome::not_finite;
        parallel_for(tasks, serial ? tasks : 1, [&](npy_intp begin, npy_intp end) {
            for (npy_intp from = 0; from < samples; from += run)
                for (npy_intp t = begin; t < end; t++) {
                    npy_intp group = t / (bands * tiles), j = t / tiles % bands * C, i = t % tiles * high;
                    npy_intp rows = std::min(high, og - i), taps = std::min(C, k - j);
                    if (rows <= 0) continue;
                    T total[Dots<T>::rows * C];
                    correlate_for<T>(rows, taps)(std::min(run, samples - from), length,
                                                 g_memory + (group * og + i) * gradient.channel() + from * gradient.plane(),
                                                 gradient.channel(), gradient.plane(),
                                                 a_memory + group * cg * input.channel() + from * input.plane(), offset.data() + j,
                                                 input.plane(), total);
                    T* to = out + (group * og + i) * k + j;
                    for (npy_intp y = 0; y < rows; y++)
                        for (npy_intp x = 0; x < taps; x++) to[y * k + x] += total[y * taps + x];
                }
        });
    }
    return Outcome::done;
}

static int conv_type(PyObject* a, PyObject* b) {
    for (int type : {NPY_FLOAT32, NPY_FLOAT64})
        if (is_strided(a, type) && is_strided(b, type)) return type;
    return -1;
}
static bool has_dimensions(PyObject* a, int* nd) {
    *nd = PyArray_NDIM(as_array(a)) - 2;
    return *nd >= 1 && *nd <= 3;
}
static PyObject* deliver(PyArrayObject* out, bool done) {
    if (done) return as_object(out);
    Py_DECREF(out);
    return PyErr_NoMemory();
}

static PyObject* conv_forward(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"a", "w", "bias", "stride", "padding", "dilation", "groups"};
    PyObject* bound[7];
    Shape s;
    int nd, type = bind(wanted, args, nargs, names, bound) ? conv_type(bound[0], bound[1]) : -1;
    if (type < 0 || !has_dimensions(bound[0], &nd) || PyArray_NDIM(as_array(bound[1])) != nd + 2 || !read_sizes(bound + 3, nd, &s) ||
        !read_shapes(PyArray_DIMS(as_array(bound[0])), PyArray_DIMS(as_array(bound[1])), nullptr, nd, &s) ||
        !is_vector_or_none(bound[2], type, s.o))
        return forward_reference.call(args, nargs, names);
    Contiguous w(bound[1]);
    if (!w) return nullptr;
    npy_intp shape[5] = {s.n, s.o};
    std::copy_n(s.out + 3 - nd, nd, shape + 2);
    PyArrayObject *a = as_array(bound[0]), *out = empty(nd + 2, shape, type);
    if (!out) return nullptr;
    flatten(&s, bound[0], nullptr);
    bool done;
    {
        Unlocked unlocked;
        done = type == NPY_FLOAT32 ? forward<float>(s, a, data<float>(w.array), data_or_null<float>(bound[2]), data<float>(out))
                                   : forward<double>(s, a, data<double>(w.array), data_or_null<double>(bound[2]), data<double>(out));
    }
    return deliver(out, done);
}

static PyObject* conv_grad_input(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "w", "input_shape", "stride", "padding", "dilation", "groups"};
    PyObject* bound[7];
    Shape s;
    npy_intp shape[5];
    int nd, type = bind(wanted, args, nargs, names, bound) ? conv_type(bound[0], bound[1]) : -1;
    if (type < 0 || !has_dimensions(bound[0], &nd) || PyArray_NDIM(as_array(bound[1])) != nd + 2 || !sizes(bound[2], nd + 2, shape) ||
        !read_sizes(bound + 3, nd, &s) ||
        !read_shapes(shape, PyArray_DIMS(as_array(bound[1])), PyArray_DIMS(as_array(bound[0])), nd, &s))
        return input_reference.call(args, nargs, names);
    Contiguous w(bound[1]);
    if (!w) return nullptr;
    PyArrayObject *g = as_array(bound[0]), *out = empty(nd + 2, shape, type);
    if (!out) return nullptr;
    flatten(&s, bound[0], nullptr);
    bool done;
    {
        Unlocked unlocked;
        done = type == NPY_FLOAT32 ? grad_input<float>(s, g, data<float>(w.array), data<float>(out))
                                   : grad_input<double>(s, g, data<double>(w.array), data<double>(out));
    }
    return deliver(out, done);
}

static PyObject* conv_grad_weight(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    static const char* const wanted[] = {"g", "a", "weight_shape", "stride", "padding", "dilation", "groups"};
    PyObject* bound[7];
    Shape s;
    npy_intp shape[5];
    int nd, type = bind(wanted, args, nargs, names, bound) ? conv_type(bound[0], bound[1]) : -1;
    if (type < 0 || !has_dimensions(bound[0], &nd) || PyArray_NDIM(as_array(bound[1])) != nd + 2 || !sizes(bound[2], nd + 2, shape) ||
        !read_sizes(bound + 3, nd, &s) ||
        !read_shapes(PyArray_DIMS(as_array(bound[1])), shape, PyArray_DIMS(as_array(bound[0])), nd, &s))
        return weight_reference.call(args, nargs, names);
    PyArrayObject *g = as_array(bound[0]), *a = as_array(bound[1]), *out = empty(nd + 2, shape, type);
    if (!out) return nullptr;
    flatten(&s, bound[0], bound[1]);
    Outcome outcome;
    {
        Unlocked unlocked;
        outcome = type == NPY_FLOAT32 ? grad_weight<float>(s, g, a, data<float>(out)) : grad_weight<double>(s, g, a, data<double>(out));
    }
    if (outcome != Outcome::not_finite) return deliver(out, outcome == Outcome::done);
    Py_DECREF(out);
    return weight_reference.call(args, nargs, names);
}

RL_END

RL_METHODS(conv, RL_FAST_KEYWORDS(conv_forward, "conv_forward(a, w, bias, stride, padding, dilation, groups=1)"),
           RL_FAST_KEYWORDS(conv_grad_input, "conv_grad_input(g, w, input_shape, stride, padding, dilation, groups=1)"),
           RL_FAST_KEYWORDS(conv_grad_weight, "conv_grad_weight(g, a, weight_shape, stride, padding, dilation, groups=1)"))
