// Linear layers: int8 weights in blocks of 32 inputs, each with a scale and an offset, and int16
// activations in the same blocks. Products and sums within a block are exact integers and the order
// of the blocks is fixed, so an output depends on its own inputs alone, whatever tile it was in.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "lanes.hpp"

constexpr int BLOCK = 32;
constexpr int SCALES = BLOCK * LANES;             // a piece: LANES outputs x 32 weights, then
constexpr int OFFSETS = SCALES + 4 * LANES;       // LANES scales, then LANES offsets
constexpr int PIECE = OFFSETS + 4 * LANES;
constexpr int ROWS = 4, STRIPS = 2;               // a tile: tokens x (LANES outputs)

inline int padded(int n, int to) { return (n + to - 1) / to * to; }

struct Linear {
    int in = 0, out = 0;
    const int8_t* weights = nullptr;
    const float* bias = nullptr;

    int blocks() const { return padded(in, BLOCK) / BLOCK; }
    int strips() const { return padded(out, LANES) / LANES; }
    int items() const { return (strips() + STRIPS - 1) / STRIPS; }
    const int8_t* strip(int i) const { return weights + (size_t)i * blocks() * PIECE; }

    // The weights of one output, as an embedding is looked up.
    void read(int output, float* to) const {
        const int lane = output % LANES;
        for (int i = 0; i < in; i++) {
            const int8_t* piece = strip(output / LANES) + (size_t)(i / BLOCK) * PIECE;
            float scale, offset;
            std::memcpy(&scale, piece + SCALES + 4 * lane, 4);
            std::memcpy(&offset, piece + OFFSETS + 4 * lane, 4);
            to[i] = scale * piece[(i % BLOCK / 2) * 2 * LANES + 2 * lane + i % 2] + offset;
        }
    }
};

struct Activations {  // of some tokens, as a linear layer reads them
    const int16_t* values;  // [tokens, blocks, BLOCK]
    const float* scales;    // [tokens, blocks]
    const float* sums;      // [tokens, blocks], of the activations themselves
};

struct Grid {  // the 256 numbers scale * q + offset, q from -128 to 127
    float scale, offset;

    int nearest(float weight) const {
        const float q = scale > 0 ? std::rint((weight - offset) / scale) : 0.0f;
        return (int)std::min(127.0f, std::max(-128.0f, q));
    }
    bool holds(const float* weights, int count) const {
        for (int i = 0; i < count; i++)
            if (std::fabs(scale * nearest(weights[i]) + offset - weights[i]) > 1e-3f * scale) return false;
        return true;
    }
};

// A grid on which every weight of a block lies, if the block was stored as Q4_1, that is on at most 16
// levels; or else the grid around zero, which also holds blocks of Q8_0. Weights that were tuned lie on no
// level any more: the first grid would round each back to its level, and so undo the tuning.
inline Grid grid_of(const float* weights, int count) {
    float low = weights[0], high = weights[0];
    for (int i = 1; i < count; i++) low = std::min(low, weights[i]), high = std::max(high, weights[i]);
    const Grid even{std::max(high, -low) / 127.0f, 0.0f};
    if (even.holds(weights, count)) return even;
    for (int levels = 15; levels > 0; levels--) {
        const int steps = 255 / levels * levels;
        const float step = (high - low) / steps;
        const Grid stored{step, low + 128.0f * step};
        if (stored.holds(weights, count)) return stored;
    }
    return even;
}

// fp32 [out, in] to pieces; `to` has strips x blocks x PIECE bytes.
inline void pack(const float* weights, int out, int in, int8_t* to) {
    const int blocks = padded(in, BLOCK) / BLOCK;
    std::memset(to, 0, (size_t)padded(out, LANES) / LANES * blocks * PIECE);
    for (int o = 0; o < out; o++) {
        const float* row = weights + (size_t)o * in;
        const int lane = o % LANES;
        for (int block = 0; block < blocks; block++) {
            const int first = block * BLOCK, last = std::min(in, first + BLOCK);
            const Grid grid = grid_of(row + first, last - first);
            int8_t* piece = to + ((size_t)(o / LANES) * blocks + block) * PIECE;
            std::memcpy(piece + SCALES + 4 * lane, &grid.scale, 4);
            std::memcpy(piece + OFFSETS + 4 * lane, &grid.offset, 4);
            for (int i = first; i < last; i++)
                piece[((i - first) / 2) * 2 * LANES + 2 * lane + (i - first) % 2] = (int8_t)grid.nearest(row[i]);
        }
    }
}

// fp32 [width] to int16 in blocks; `x` has room for zeros up to a whole block.
inline void quantize(float* x, int width, int16_t* values, float* scales, float* sums) {
    const int full = padded(width, BLOCK);
    for (int i = width; i < full; i++) x[i] = 0;
    for (int first = 0; first < full; first += BLOCK) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) largest = std::max(largest, std::fabs(x[first + i]));
        const float per = largest > 0 ? 32767.0f / largest : 0.0f;
        scales[first / BLOCK] = largest / 32767.0f;
        int32_t sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            const int32_t value = (int32_t)std::rint(x[first + i] * per);
            values[first + i] = (int16_t)value;
            sum += value;
        }
        sums[first / BLOCK] = scales[first / BLOCK] * sum;
    }
}

template <int R, int S>
[[gnu::noinline]] void tile(const Linear& linear, int strip, Activations x, int token, Floats out[R][S]) {
    const int blocks = linear.blocks();
    const int16_t* inputs = x.values + (size_t)token * blocks * BLOCK;
    const float* scales = x.scales + (size_t)token * blocks;
    const float* totals = x.sums + (size_t)token * blocks;
    for (int r = 0; r < R; r++)
        for (int s = 0; s < S; s++) out[r][s] = zeros();
    for (int block = 0; block < blocks; block++) {
        const int8_t* piece[S];
        Ints sums[R][S];
        for (int s = 0; s < S; s++) piece[s] = linear.strip(strip + s) + (size_t)block * PIECE;
        for (int r = 0; r < R; r++)
            for (int s = 0; s < S; s++) sums[r][s] = no_ints();
#pragma GCC unroll 16
        for (int pair = 0; pair < BLOCK / 2; pair++) {
            decltype(widen(nullptr)) weights[S];
            for (int s = 0; s < S; s++) weights[s] = widen(piece[s] + pair * 2 * LANES);
            for (int r = 0; r < R; r++) {
                const auto two = broadcast_pair(inputs + ((size_t)r * blocks + block) * BLOCK + 2 * pair);
                for (int s = 0; s < S; s++) sums[r][s] = add_products(sums[r][s], weights[s], two);
            }
        }
        for (int s = 0; s < S; s++) {
            const Floats scale = load((const float*)(piece[s] + SCALES));
            const Floats offset = load((const float*)(piece[s] + OFFSETS));
            for (int r = 0; r < R; r++) {
                const size_t at = (size_t)r * blocks + block;
                out[r][s] = multiply_add(to_floats(sums[r][s]), multiply(scale, all(scales[at])), out[r][s]);
                out[r][s] = multiply_add(offset, all(totals[at]), out[r][s]);
            }
        }
    }
}

template <int R, int S, class Take>
inline void take_tile(const Linear& linear, int strip, Activations x, int token, Take& take) {
    Floats out[R][S];
    tile<R, S>(linear, strip, x, token, out);
    for (int r = 0; r < R; r++)
        for (int s = 0; s < S; s++) take(token + r, (strip + s) * LANES, out[r][s]);
}

template <int S, class Take>
inline void take_strips(const Linear& linear, int strip, Activations x, int tokens, Take& take) {
    int t = 0;
    for (; t + ROWS <= tokens; t += ROWS) take_tile<ROWS, S>(linear, strip, x, t, take);
    switch (tokens - t) {
        case 3: take_tile<3, S>(linear, strip, x, t, take); break;
        case 2: take_tile<2, S>(linear, strip, x, t, take); break;
        case 1: take_tile<1, S>(linear, strip, x, t, take); break;
    }
}

// Item `item` of a layer's products: `take(token, output, LANES results)` for every token.
template <class Take>
inline void take_item(const Linear& linear, int item, Activations x, int tokens, Take take) {
    const int strip = item * STRIPS;
    if (strip + STRIPS <= linear.strips()) take_strips<STRIPS>(linear, strip, x, tokens, take);
    else take_strips<1>(linear, strip, x, tokens, take);
}

// LANES results to where they belong; the last strip may be wider than the layer.
inline void put(const Linear& linear, float* to, int output, Floats y, bool add_to) {
    float lanes[LANES];
    store(lanes, y);
    const int count = std::min(LANES, linear.out - output);
    for (int i = 0; i < count; i++) {
        const float value = linear.bias ? lanes[i] + linear.bias[output + i] : lanes[i];
        to[output + i] = add_to ? to[output + i] + value : value;
    }
}
