// The matrix product that every heavy kernel ends in: packed panels and a register-blocked inner kernel.
//
// C (m, n, rows contiguous) = A (m, k) B (k, n). B is cut into panels `panel_columns` wide and A into panels
// `panel_rows` high, so that the inner kernel reads both from front to back and keeps its tile of C in registers
// (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). k is cut by its own size alone:
// an element of C is the same sum in the same order however many threads share the tiles.
#pragma once
#include <algorithm>
#include <atomic>
#include <type_traits>
#include <utility>

#include "lanes.h"
#include "parallel.h"

RL_BEGIN

template <class T> struct Tile {
#if defined(RL_ISA_avx512)
    static constexpr int rows = 14;
#else
    static constexpr int rows = 6;
#endif
    static constexpr int columns = 2 * Lanes<T>::width;
    static constexpr npy_intp depth = 1280 / static_cast<npy_intp>(sizeof(T));  // of a packed panel: it stays in the L1 cache
    static constexpr npy_intp block = rows * 16;                              // rows of A that stay in the L2 cache
    static constexpr npy_intp width = 2048;                                   // columns of B packed at a time
};

// A matrix by its element strides, which may be anything.
template <class T> struct View {
    const T* data;
    npy_intp row, column;
    View turned() const { return {data, column, row}; }
};

// What becomes of a tile: C = alpha * tile + bias (of the column), or C += alpha * tile.
template <class T> struct Finish {
    T alpha = 1;
    bool accumulate = false;
    const T* bias = nullptr;
};

template <class T> inline void finish(const Finish<T>& f, Vec<T> v, T* c, const T* bias, int lanes) {
    constexpr int W = Lanes<T>::width;
    if (f.alpha != T(1)) v = v * f.alpha;
    if (f.accumulate) v = v + (lanes == W ? load(c) : load_some(c, lanes));
    else if (bias) v = v + (lanes == W ? load(bias) : load_some(bias, lanes));
    if (lanes == W) store(c, v);
    else store_some(c, lanes, v);
}

// R rows by V vectors of C; a packed (k, R), b (k, at least V vectors) with ldb between its rows, n columns to write.
template <class T, int R, int V>
static void inner(npy_intp k, const T* a, const T* b, npy_intp ldb, T* c, npy_intp ldc, int n, const Finish<T>& f, const T* bias) {
    constexpr int W = Lanes<T>::width;
    Vec<T> sum[R][V];
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
        for (int j = 0; j < V; j++) sum[i][j] = Vec<T>{};
    for (npy_intp p = 0; p < k; p++, a += R, b += ldb) {
        Vec<T> right[V];
#pragma GCC unroll 4
        for (int j = 0; j < V; j++) right[j] = load(b + j * W);
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) {
            Vec<T> left = broadcast(a[i]);
#pragma GCC unroll 4
            for (int j = 0; j < V; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
        for (int j = 0; j < V; j++)
            finish(f, sum[i][j], c + i * ldc + j * W, bias ? bias + j * W : nullptr, j + 1 < V ? W : n - (V - 1) * W);
}

template <class T> using Inner = void (*)(npy_intp, const T*, const T*, npy_intp, T*, npy_intp, int, const Finish<T>&, const T*);
template <class T, int V, int... R> inline Inner<T> inner_of(int rows, std::integer_sequence<int, R...>) {
    static constexpr Inner<T> table[] = {inner<T, R + 1, V>...};
    return table[rows - 1];
}
template <class T> inline Inner<T> inner_for(int rows, int columns) {
    std::make_integer_sequence<int, Tile<T>::rows> all;
    return columns > Lanes<T>::width ? inner_of<T, 2>(rows, all) : inner_of<T, 1>(rows, all);
}

// Packs `rows` rows of A (k columns) as (k, rows). Writes up to a vector beyond the end.
template <class T> inline void pack_rows(View<T> a, int rows, npy_intp k, T* to) {
    constexpr int W = Lanes<T>::width, groups = (Tile<T>::rows + W - 1) / W;
    npy_intp p = 0;
    if (a.row == 1) {
        // Whole vectors, where they stay inside the row; what they write too much the next row overwrites.
        for (; p < k; p++) std::memcpy(to + p * rows, a.data + p * a.column, sizeof(T) * rows);
        return;
    }
    if (a.column == 1) {
        for (; p + W <= k; p += W) {
            Vec<T> square[groups][W];
            for (int g = 0; g * W < rows; g++) {
                for (int i = 0; i < W; i++) square[g][i] = load(a.data + std::min(g * W + i, rows - 1) * a.row + p);
                transpose<T>(square[g]);
            }
            for (int i = 0; i < W; i++)
                for (int g = 0; g * W < rows; g++) store(to + (p + i) * rows + g * W, square[g][i]);
        }
    }
    for (; p < k; p++)
        for (int i = 0; i < rows; i++) to[p * rows + i] = a.data[i * a.row + p * a.column];
}

// Packs `columns` columns of B (k rows) as (k, Tile::columns), zeros beyond.
template <class T> inline void pack_columns(View<T> b, int columns, npy_intp k, T* to) {
    constexpr int W = Lanes<T>::width, C = Tile<T>::columns;
    npy_intp p = 0;
    if (b.column == 1 && columns == C) {
        for (; p < k; p++)
            for (int j = 0; j < C; j += W) store(to + p * C + j, load(b.data + p * b.row + j));
        return;
    }
    if (b.row == 1) {
        for (; p + W <= k; p += W)
            for (int j = 0; j < C; j += W) {
                Vec<T> square[W];
                for (int i = 0; i < W; i++) square[i] = j + i < columns ? load(b.data + (j + i) * b.column + p) : Vec<T>{};
                transpose<T>(square);
                for (int i = 0; i < W; i++) store(to + (p + i) * C + j, square[i]);
            }
    }
    for (; p < k; p++) {
        for (int j = 0; j < columns; j++) to[p * C + j] = b.data[p * b.row + j * b.column];
        for (int j = columns; j < C; j++) to[p * C + j] = 0;
    }
}

// Below this many multiply-adds one thread is quicker than two.
constexpr npy_intp gemm_serial_below = 1 << 18;

// --- Both operands contiguous along k: dot products, nothing to pack ---------------------------------------------------

template <class T> struct Dots {
#if defined(RL_ISA_avx512)
    static constexpr int rows = 4, columns = 6;
#else
    static constexpr int rows = 3, columns = 3;
#endif
};

template <class T, int R, int C>
static void dots(npy_intp k, const T* a, npy_intp lda, const T* b, npy_intp ldb, T* c, npy_intp ldc, const Finish<T>& f, const T* bias) {
    constexpr int W = Lanes<T>::width;
    Vec<T> sum[R][C];
#pragma GCC unroll 8
    for (int i = 0; i < R; i++)
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) sum[i][j] = Vec<T>{};
    auto step = [&](auto read, npy_intp p) __attribute__((always_inline)) {
        Vec<T> right[C];
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) right[j] = read(b + j * ldb + p);
#pragma GCC unroll 8
        for (int i = 0; i < R; i++) {
            Vec<T> left = read(a + i * lda + p);
#pragma GCC unroll 8
            for (int j = 0; j < C; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
        }
    };
    npy_intp p = 0;
    for (; p + W <= k; p += W) step([](const T* q) { return load(q); }, p);
    int rest = static_cast<int>(k - p);
    if (rest) step([rest](const T* q) { return load_some(q, rest); }, p);
    T total[R * C];
    sum_each<T, R * C>(&sum[0][0], total);
    for (int i = 0; i < R; i++)
        for (int j = 0; j < C; j++) {
            T v = f.alpha * total[i * C + j];
            T& to = c[i * ldc + j];
            to = f.accumulate ? to + v : bias ? v + bias[j] : v;
        }
}

template <class T> using Dot = void (*)(npy_intp, const T*, npy_intp, const T*, npy_intp, T*, npy_intp, const Finish<T>&, const T*);
template <class T, int... S> inline Dot<T> dots_of(int rows, int columns, std::integer_sequence<int, S...>) {
    constexpr int C = Dots<T>::columns;
    static constexpr Dot<T> table[] = {dots<T, S / C + 1, S % C + 1>...};
    return table[(rows - 1) * C + columns - 1];
}
template <class T> inline Dot<T> dots_for(int rows, int columns) {
    return dots_of<T>(rows, columns, std::make_integer_sequence<int, Dots<T>::rows * Dots<T>::columns>{});
}

template <class T>
static void gemm_by_dots(npy_intp m, npy_intp n, npy_intp k, View<T> a, View<T> b, T* c, npy_intp ldc, const Finish<T>& f) {
    constexpr npy_intp R = Dots<T>::rows, C = Dots<T>::columns;
    npy_intp high = (m + R - 1) / R, wide = (n + C - 1) / C;
    parallel_for(high * wide, m * n * k < gemm_serial_below ? high * wide : 1, [&](npy_intp begin, npy_intp end) {
        for (npy_intp t = begin; t < end; t++) {
            npy_intp j = t / high * C, i = t % high * R;
            int rows = static_cast<int>(std::min(R, m - i)), columns = static_cast<int>(std::min(C, n - j));
            dots_for<T>(rows, columns)(k, a.data + i * a.row, a.row, b.data + j * b.column, b.column, c + i * ldc + j, ldc, f,
                                       f.bias ? f.bias + j : nullptr);
        }
    });
}

// --- One row times a matrix ------------------------------------------------------------------------------------------------

// Bands of eight vectors of b's columns, so that memory, not the latency of an addition, is what it waits for.
template <class T> static void row_times(npy_intp n, npy_intp k, const T* a, npy_intp a_step, View<T> b, T* c, const Finish<T>& f) {
    constexpr npy_intp W = Lanes<T>::width, band = 8 * W;
    npy_intp bands = (n + band - 1) / band;
    parallel_for(bands, n * k < gemm_serial_below ? bands : 1, [&](npy_intp begin, npy_intp end) {
        for (npy_intp t = begin; t < end; t++) {
            npy_intp j0 = t * band, some = std::min(band, n - j0);
            Vec<T> sum[8] = {};
            if (some == band) {
                for (npy_intp p = 0; p < k; p++) {
                    Vec<T> left = broadcast(a[p * a_step]);
                    for (int j = 0; j < 8; j++) sum[j] = fma(left, load(b.data + p * b.row + j0 + j * W), sum[j]);
                }
            } else {
                for (npy_intp p = 0; p < k; p++) {
                    Vec<T> left = broadcast(a[p * a_step]);
                    for (int j = 0; j * W < some; j++) {
                        const T* from = b.data + p * b.row + j0 + j * W;
                        npy_intp rest = some - j * W;
                        sum[j] = fma(left, rest < W ? load_some(from, static_cast<int>(rest)) : load(from), sum[j]);
                    }
                }
            }
            for (int j = 0; j * W < some; j++)
                finish(f, sum[j], c + j0 + j * W, f.bias ? f.bias + j0 + j * W : nullptr, static_cast<int>(std::min(W, some - j * W)));
        }
    });
}

// --- The general product ------------------------------------------------------------------------------------------------

template <class T>
static bool gemm(npy_intp m, npy_intp n, npy_intp k, View<T> a, View<T> b, T* c, npy_intp ldc, Finish<T> f = {}) {
    constexpr npy_intp R = Tile<T>::rows, C = Tile<T>::columns, W = Lanes<T>::width;
    if (m == 0 || n == 0) return true;
    if (k == 0) {
        for (npy_intp i = 0; i < m && !f.accumulate; i++)
            for (npy_intp j = 0; j < n; j++) c[i * ldc + j] = f.bias ? f.bias[j] : T(0);
        return true;
    }
    if (n == 1 && ldc == 1 && m > 1 && !f.bias && !(a.column == 1 && b.row == 1))
        return gemm(npy_intp(1), m, k, b.turned(), a.turned(), c, m, f);
    if (a.column == 1 && b.row == 1 && k >= W && (m <= 96 || n <= 16)) {
        gemm_by_dots(m, n, k, a, b, c, ldc, f);
        return true;
    }
    if (m == 1 && b.column == 1) {
        row_times(n, k, a.data, a.column, b, c, f);
        return true;
    }
    npy_intp pieces = (k + Tile<T>::depth - 1) / Tile<T>::depth, depth = (k + pieces - 1) / pieces;
    bool serial = m * n * k < gemm_serial_below, tall = m > 2 * Tile<T>::block;
    bool direct = b.column == 1 && (m <= 2 * R || k <= 4);
    npy_intp width = std::min(n, Tile<T>::width), panel = R * depth + W;  // pack_rows overruns by less than a vector
    T* packed_b = scratch<T>(0, (width + C - 1) / C * C * depth);
    T* packed_a = tall ? nullptr : scratch<T>(1, (m + R - 1) / R * panel);
    if (!packed_b || (!tall && !packed_a)) return false;
    const T* bias = f.bias;
    std::atomic<bool> enough{true};
    for (npy_intp k0 = 0; k0 < k; k0 += depth) {
        npy_intp kk = std::min(depth, k - k0);
        if (k0) f.accumulate = true;
        View<T> a_part{a.data + k0 * a.column, a.row, a.column};
        npy_intp high = (m + R - 1) / R;
        auto pack_a = [&](npy_intp i, T* to) {
            pack_rows(View<T>{a_part.data + i * a.row, a.row, a.column}, static_cast<int>(std::min(R, m - i)), kk, to);
        };
        for (npy_intp j0 = 0; j0 < n; j0 += width) {
            npy_intp columns = std::min(width, n - j0), wide = (columns + C - 1) / C;
            View<T> b_part{b.data + k0 * b.row + j0 * b.column, b.row, b.column};
            npy_intp first_b = direct ? columns / C : 0;
            npy_intp to_pack = wide - first_b, also = tall || j0 ? 0 : high;
            parallel_for(to_pack + also, serial ? to_pack + also : 1, [&](npy_intp begin, npy_intp end) {
                for (npy_intp s = begin; s < end; s++) {
                    npy_intp t = s + first_b;
                    if (t < wide)
                        pack_columns(View<T>{b_part.data + t * C * b.column, b.row, b.column},
                                     static_cast<int>(std::min(C, columns - t * C)), kk, packed_b + t * C * kk);
                    else pack_a((t - wide) * R, packed_a + (t - wide) * panel);
                }
            });
            auto multiply = [&](npy_intp i, npy_intp t, const T* panel) {
                int rows = static_cast<int>(std::min(R, m - i)), some = static_cast<int>(std::min(C, columns - t * C));
                bool packed = t >= first_b;
                inner_for<T>(rows, some)(kk, panel, packed ? packed_b + t * C * kk : b_part.data + t * C, packed ? C : b.row,
                                         c + i * ldc + j0 + t * C, ldc, some, f, bias ? bias + j0 + t * C : nullptr);
            };
            if (tall) {
                npy_intp blocks = (m + Tile<T>::block - 1) / Tile<T>::block;
                parallel_for(blocks, serial ? blocks : 1, [&](npy_intp begin, npy_intp end) {
                    T* own = scratch<T>(1, Tile<T>::block / R * panel);
                    if (!own) {
                        enough = false;
                        return;
                    }
                    for (npy_intp i0 = begin * Tile<T>::block; i0 < std::min(m, end * Tile<T>::block); i0 += Tile<T>::block) {
                        npy_intp stop = std::min(m, i0 + Tile<T>::block);
                        for (npy_intp i = i0; i < stop; i += R) pack_a(i, own + (i - i0) / R * panel);
                        for (npy_intp t = 0; t < wide; t++)
                            for (npy_intp i = i0; i < stop; i += R) multiply(i, t, own + (i - i0) / R * panel);
                    }
                });
            } else {
                parallel_for(high * wide, serial ? high * wide : 1, [&](npy_intp begin, npy_intp end) {
                    for (npy_intp t = begin; t < end; t++) multiply(t % high * R, t / high, packed_a + t % high * panel);
                });
            }
        }
    }
    return enough;
}

RL_END
