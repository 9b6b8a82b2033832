// Convolution without patches: the input, padded once, is read in place.
//
// The padded input of one channel is split into one plane for each remainder of the stride, so that with any stride a
// tap of the kernel meets the windows of consecutive outputs at consecutive addresses: output q, counted over the
// *padded* plane, sees tap t at q + offset[t]. A tile of the output is then a product like gemm's whose rows of B are
// found by an offset; what falls into the padding is computed and not stored. The gradient of the input is the same
// with other offsets, once for each remainder of the stride; the gradient of the weight is dot products along q.
#pragma once
#include <vector>

#include "gemm.h"

RL_BEGIN

// One spatial dimension of a source: position q of plane f holds element q * stride + shift[f], zero outside [0, n).
struct Axis {
    npy_intp n, q, stride;
    std::vector<npy_intp> shift;
};

// Padded planes of `together` samples: (channel, plane, sample, q0, q1, q2), and a vector's overrun of zeros.
template <class T> struct Source {
    Axis axis[3];
    npy_intp channels, together = 1, round = 1;  // a plane's size is a multiple of `round`
    npy_intp planes() const { return axis[0].shift.size() * axis[1].shift.size() * axis[2].shift.size(); }
    npy_intp plane() const { return (axis[0].q * axis[1].q * axis[2].q + round - 1) / round * round; }
    npy_intp channel() const { return planes() * together * plane(); }
    npy_intp size() const { return channels * channel() + 16 * Lanes<T>::width; }

    // Copies channels [begin, end) of one sample. `step` holds the element strides of channel and positions.
    void fill(const T* sample, const npy_intp* step, npy_intp at, npy_intp begin, npy_intp end, T* memory) const {
        npy_intp area = axis[1].q * axis[2].q, row = axis[2].q;
        for (npy_intp c = begin; c < end; c++) {
            T* to = memory + c * channel() + at * plane();
            for (npy_intp s0 : axis[0].shift)
                for (npy_intp s1 : axis[1].shift)
                    for (npy_intp s2 : axis[2].shift) {
                        npy_intp stride = axis[2].stride, n = axis[2].n;
                        npy_intp low = std::min(row, s2 < 0 ? (stride - 1 - s2) / stride : 0);
                        npy_intp high = n > s2 ? std::min(row, (n - s2 + stride - 1) / stride) : 0;
                        high = std::max(high, low);
                        for (npy_intp q0 = 0; q0 < axis[0].q; q0++) {
                            npy_intp i0 = q0 * axis[0].stride + s0;
                            T* plane0 = to + q0 * area;
                            if (i0 < 0 || i0 >= axis[0].n) {
                                std::fill_n(plane0, area, T(0));
                                continue;
                            }
                            for (npy_intp q1 = 0; q1 < axis[1].q; q1++) {
                                npy_intp i1 = q1 * axis[1].stride + s1;
                                T* line = plane0 + q1 * row;
                                if (i1 < 0 || i1 >= axis[1].n) {
                                    std::fill_n(line, row, T(0));
                                    continue;
                                }
                                const T* from = sample + c * step[0] + i0 * step[1] + i1 * step[2];
                                npy_intp jump = stride * step[3];
                                for (npy_intp q = 0; q < low; q++) line[q] = 0;
                                if (low < high) {
                                    from += (low * stride + s2) * step[3];
                                    if (jump == 1) copy(line + low, from, high - low);
                                    else for (npy_intp q = low; q < high; q++, from += jump) line[q] = *from;
                                }
                                for (npy_intp q = high; q < row; q++) line[q] = 0;
                            }
                        }
                        to += together * plane();
                    }
        }
    }
    static void copy(T* to, const T* from, npy_intp n) {
        constexpr int W = Lanes<T>::width;
        npy_intp i = 0;
        for (; i + W <= n; i += W) store(to + i, load(from + i));
        if (i < n) store_some(to + i, static_cast<int>(n - i), load_some(from + i, static_cast<int>(n - i)));
    }
    void zero_end(T* memory) const { std::fill_n(memory + channels * channel(), 16 * Lanes<T>::width, T(0)); }
};

// --- Output tiles -----------------------------------------------------------------------------------------------------

#if defined(RL_ISA_avx512)
constexpr int direct_rows = 14;
constexpr int vectors_for(npy_intp rows) { return rows <= 2 ? 8 : rows <= 6 ? 4 : rows <= 9 ? 3 : 2; }
constexpr int rows_for(int vectors) { return vectors == 8 ? 2 : vectors == 4 ? 6 : vectors == 3 ? 9 : 14; }
#else
constexpr int direct_rows = 6;
constexpr int vectors_for(npy_intp rows) { return rows <= 1 ? 8 : rows <= 2 ? 4 : rows <= 3 ? 3 : 2; }
constexpr int rows_for(int vectors) { return vectors == 8 ? 1 : vectors == 4 ? 2 : vectors == 3 ? 3 : 6; }
#endif

// R rows by V vectors of `tile`: from `start` (one number a row) or, without it, on top of what the tile holds.
template <class T, int R, int V>
static void direct(npy_intp k, const T* a, const T* b, const npy_intp* offset, const T* start, T* tile) {
    constexpr int W = Lanes<T>::width;
    Vec<T> sum[R][V];
    if (start) {
#pragma GCC unroll 16
        for (int i = 0; i < R; i++)
#pragma GCC unroll 8
            for (int j = 0; j < V; j++) sum[i][j] = broadcast(start[i]);
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < R; i++)
#pragma GCC unroll 8
            for (int j = 0; j < V; j++) sum[i][j] = load(tile + (i * V + j) * W);
    }
    for (npy_intp p = 0; p < k; p++, a += R) {
        const T* from = b + offset[p];
        Vec<T> right[V];
#pragma GCC unroll 8
        for (int j = 0; j < V; j++) right[j] = load(from + j * W);
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) {
            Vec<T> left = broadcast(a[i]);
#pragma GCC unroll 8
            for (int j = 0; j < V; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 8
        for (int j = 0; j < V; j++) store(tile + (i * V + j) * W, sum[i][j]);
}

template <class T> using Direct = void (*)(npy_intp, const T*, const T*, const npy_intp*, const T*, T*);
template <class T, int V, int... R> inline Direct<T> direct_of(npy_intp rows, std::integer_sequence<int, R...>) {
    static constexpr Direct<T> table[] = {direct<T, R + 1, V>...};
    return table[rows - 1];
}
template <class T> inline Direct<T> direct_for(npy_intp rows, int vectors) {
    switch (vectors) {
        case 8: return direct_of<T, 8>(rows, std::make_integer_sequence<int, rows_for(8)>{});
        case 4: return direct_of<T, 4>(rows, std::make_integer_sequence<int, rows_for(4)>{});
        case 3: return direct_of<T, 3>(rows, std::make_integer_sequence<int, rows_for(3)>{});
        default: return direct_of<T, 2>(rows, std::make_integer_sequence<int, rows_for(2)>{});
    }
}

// The outputs that one list of taps makes: all of them, or those with one remainder of the stride.
template <class T> struct Part {
    npy_intp rows, count[3];          // channels a group; positions
    npy_intp at, step[3], channel, sample;  // where they go, in elements
    std::vector<npy_intp> offset;     // of each tap, within a group of the source
    const T* weight = nullptr;        // of each group: pieces of taps, panels of rows, (taps, rows)
    static constexpr npy_intp depth = 512;

    npy_intp panels() const { return (rows + direct_rows - 1) / direct_rows; }
    npy_intp high() const { return (rows + panels() - 1) / panels(); }

    // `value(row, tap)`, in the order the tiles read it.
    template <class F> void pack(T* to, const F& value) const {
        npy_intp k = offset.size(), h = high(), pieces = (k + depth - 1) / depth;
        parallel_for(pieces, rows * k < serial_below ? pieces : 1, [&](npy_intp begin, npy_intp end) {
            for (npy_intp k0 = begin * depth; k0 < std::min(k, end * depth); k0 += depth) {
                npy_intp stop = std::min(k, k0 + depth);
                T* at = to + rows * k0;
                for (npy_intp r = 0; r < rows; r += h)
                    for (npy_intp p = k0; p < stop; p++)
                        for (npy_intp i = r; i < std::min(rows, r + h); i++) *at++ = value(i, p);
            }
        });
    }

    // Positions [begin, end) of the padded planes of all the samples in `memory`, for one group.
    bool run(const Source<T>& source, const T* memory, npy_intp group, npy_intp samples, npy_intp begin, npy_intp end,
             const T* start, T* out) const {
        constexpr int W = Lanes<T>::width;
        npy_intp row = source.axis[2].q, area = source.axis[1].q * row, plane = source.plane(), h = high(), k = offset.size();
        int vectors = vectors_for(h);
        npy_intp wide = vectors * W;
        T* tile = scratch<T>(3, rows * wide);
        if (!tile) return false;
        end = std::min(end, samples * plane);
        struct { npy_intp tile, n, out; } runs[8 * W];
        // Position p is (i0, i1, i2) of sample b; `settle` moves it on to the next that is an output.
        npy_intp p = begin, b = p / plane, i0 = p % plane / area, i1 = p % area / row, i2 = p % row;
        auto settle = [&] {
            if (i2 >= count[2]) {
                p += row - i2;
                i2 = 0;
                i1++;
            }
            if (i1 >= count[1]) {
                p += (source.axis[1].q - i1) * row - i2;
                i1 = i2 = 0;
                i0++;
            }
            if (i0 >= count[0]) {
                p += (source.axis[0].q - i0) * area - i1 * row - i2;
                i0 = i1 = i2 = 0;
                b++;
            }
        };
        for (settle(); p < end;) {
            npy_intp first = p, stop = std::min(end, first + wide);
            int n_runs = 0;
            while (p < stop) {
                npy_intp n = std::min(count[2] - i2, stop - p);
                runs[n_runs++] = {p - first, n, at + b * sample + i0 * step[0] + i1 * step[1] + i2 * step[2]};
                p += n;
                i2 += n;
                settle();
            }
            const T* a = weight + group * rows * k;
            for (npy_intp k0 = 0; k0 < k || k0 == 0; k0 += depth) {
                npy_intp kk = std::min(k - k0, depth);
                for (npy_intp r = 0; r < rows; r += h) {
                    npy_intp some = std::min(h, rows - r);
                    direct_for<T>(some, vectors)(kk, a, memory + first, offset.data() + k0, k0 ? nullptr : start + r, tile + r * wide);
                    a += kk * some;
                }
            }
            for (npy_intp r = 0; r < rows; r++) {
                const T* from = tile + r * wide;
                T* to = out + r * channel;
                if (step[2] == 1)
                    for (int i = 0; i < n_runs; i++) Source<T>::copy(to + runs[i].out, from + runs[i].tile, runs[i].n);
                else
                    for (int i = 0; i < n_runs; i++)
                        for (npy_intp j = 0; j < runs[i].n; j++) to[runs[i].out + j * step[2]] = from[runs[i].tile + j];
            }
        }
        return true;
    }
};

// --- The gradient of the weight -----------------------------------------------------------------------------------------

// total[i * C + j] of R rows of g and C taps: the sum over samples and positions, `length` a multiple of the width.
template <class T, int R, int C>
static void correlate(npy_intp samples, npy_intp length, const T* g, npy_intp g_row, npy_intp g_sample, const T* a,
                      const npy_intp* offset, npy_intp a_sample, T* total) {
    constexpr int W = Lanes<T>::width;
    Vec<T> sum[R][C];
#pragma GCC unroll 8
    for (int i = 0; i < R; i++)
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) sum[i][j] = Vec<T>{};
    const T* tap[C];
    for (int j = 0; j < C; j++) tap[j] = a + offset[j];
    for (npy_intp s = 0; s < samples; s++) {
        for (npy_intp q = 0; q < length; q += W) {
            Vec<T> right[C];
#pragma GCC unroll 8
            for (int j = 0; j < C; j++) right[j] = load(tap[j] + s * a_sample + q);
#pragma GCC unroll 8
            for (int i = 0; i < R; i++) {
                Vec<T> left = load(g + i * g_row + s * g_sample + q);
#pragma GCC unroll 8
                for (int j = 0; j < C; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
            }
        }
    }
    sum_each<T, R * C>(&sum[0][0], total);
}

template <class T> using Correlate = void (*)(npy_intp, npy_intp, const T*, npy_intp, npy_intp, const T*, const npy_intp*, npy_intp, T*);
template <class T, int... S> inline Correlate<T> correlate_of(npy_intp rows, npy_intp taps, std::integer_sequence<int, S...>) {
    constexpr int C = Dots<T>::columns;
    static constexpr Correlate<T> table[] = {correlate<T, S / C + 1, S % C + 1>...};
    return table[(rows - 1) * C + taps - 1];
}
template <class T> inline Correlate<T> correlate_for(npy_intp rows, npy_intp taps) {
    return correlate_of<T>(rows, taps, std::make_integer_sequence<int, Dots<T>::rows * Dots<T>::columns>{});
}

// Whether all n numbers are finite: what is computed in the padding is multiplied by 0, which must give 0.
inline bool all_finite(const float* p, npy_intp n) {
    npy_uint32 wrong = 0;
    for (npy_intp i = 0; i < n; i++) {
        npy_uint32 bits;
        std::memcpy(&bits, p + i, 4);
        wrong |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !wrong;
}
inline bool all_finite(const double* p, npy_intp n) {
    npy_uint64 wrong = 0;
    for (npy_intp i = 0; i < n; i++) {
        npy_uint64 bits;
        std::memcpy(&bits, p + i, 8);
        wrong |= (bits & 0x7ff0000000000000u) == 0x7ff0000000000000u;
    }
    return !wrong;
}

RL_END
