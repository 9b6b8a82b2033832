// Convolution over small planes: there the padding that direct.h computes over would cost more than copying the windows
// out, once, as the columns of a matrix (one row for each channel and tap, one column for each sample and position).
#pragma once
#include "direct.h"

RL_BEGIN

// Rows [begin, end) of the matrix of one group, from the padded planes in `memory`.
template <class T>
static void unfold(const Source<T>& source, const npy_intp* offset, const npy_intp* out, const T* memory, npy_intp samples,
                   npy_intp begin, npy_intp end, T* to) {
    npy_intp row = source.axis[2].q, area = source.axis[1].q * row, plane = source.plane(), columns = samples * out[0] * out[1] * out[2];
    for (npy_intp k = begin; k < end; k++) {
        T* line = to + k * columns;
        for (npy_intp i = 0; i < samples; i++)
            for (npy_intp y = 0; y < out[0]; y++)
                for (npy_intp x = 0; x < out[1]; x++, line += out[2])
                    Source<T>::copy(line, memory + offset[k] + i * plane + y * area + x * row, out[2]);
    }
}

// (sample, channel, position) as (channel, sample and position) for some channels, and back with a number added a channel.
template <class T>
static void gather(const T* from, const npy_intp* step, const npy_intp* out, npy_intp samples, npy_intp begin, npy_intp end, T* to) {
    npy_intp positions = out[0] * out[1] * out[2];
    for (npy_intp c = begin; c < end; c++) {
        T* line = to + c * samples * positions;
        for (npy_intp i = 0; i < samples; i++)
            for (npy_intp y = 0; y < out[0]; y++)
                for (npy_intp x = 0; x < out[1]; x++, line += out[2]) {
                    const T* at = from + i * step[0] + c * step[1] + y * step[2] + x * step[3];
                    if (step[4] == 1) Source<T>::copy(line, at, out[2]);
                    else for (npy_intp j = 0; j < out[2]; j++) line[j] = at[j * step[4]];
                }
    }
}
template <class T>
static void spread(const T* from, npy_intp samples, npy_intp positions, npy_intp channels, npy_intp sample, const T* start, T* to) {
    parallel_for(channels, std::max(npy_intp(1), serial_below / (samples * positions)), [&](npy_intp begin, npy_intp end) {
        for (npy_intp c = begin; c < end; c++)
            for (npy_intp i = 0; i < samples; i++) {
                const T* __restrict p = from + (c * samples + i) * positions;
                T* __restrict q = to + i * sample + c * positions;
                T add = start ? start[c] : T(0);
                for (npy_intp j = 0; j < positions; j++) q[j] = p[j] + add;
            }
    });
}

// One dimension of the windows over the unpadded input: the outputs whose tap k lies inside.
struct Reach {
    npy_intp n, out, stride, padding, dilation;
    npy_intp at(npy_intp i, npy_intp k) const { return i * stride - padding + k * dilation; }
    npy_intp first(npy_intp k) const {
        npy_intp low = padding - k * dilation;
        return low <= 0 ? 0 : std::min(out, (low + stride - 1) / stride);
    }
    npy_intp last(npy_intp k) const {
        npy_intp room = n + padding - k * dilation;
        return room <= 0 ? 0 : std::min(out, (room + stride - 1) / stride);
    }
};

// Adds the rows of one channel back to where its windows were: the transpose of `unfold`. `planes` are unpadded.
template <class T>
static void fold(const Reach* reach, const npy_intp* kernel, npy_intp samples, const T* rows, npy_intp sample, T* planes) {
    npy_intp positions = reach[0].out * reach[1].out * reach[2].out, area = reach[1].n * reach[2].n;
    for (npy_intp i = 0; i < samples; i++) std::fill_n(planes + i * sample, reach[0].n * area, T(0));
    for (npy_intp k0 = 0; k0 < kernel[0]; k0++)
        for (npy_intp k1 = 0; k1 < kernel[1]; k1++)
            for (npy_intp k2 = 0; k2 < kernel[2]; k2++, rows += samples * positions) {
                npy_intp first = reach[2].first(k2), n = reach[2].last(k2) - first, s = reach[2].stride;
                for (npy_intp i = 0; i < samples && n > 0; i++)
                    for (npy_intp y = reach[0].first(k0); y < reach[0].last(k0); y++)
                        for (npy_intp x = reach[1].first(k1); x < reach[1].last(k1); x++) {
                            const T* __restrict from = rows + ((i * reach[0].out + y) * reach[1].out + x) * reach[2].out + first;
                            T* __restrict to = planes + i * sample + reach[0].at(y, k0) * area + reach[1].at(x, k1) * reach[2].n +
                                               reach[2].at(first, k2);
                            if (s == 1)
                                for (npy_intp j = 0; j < n; j++) to[j] += from[j];
                            else
                                for (npy_intp j = 0; j < n; j++) to[j * s] += from[j];
                        }
            }
}

RL_END
