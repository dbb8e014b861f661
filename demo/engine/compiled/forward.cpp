// One pass of many rows through a Llama-like model: token ids, caches and adapters in, logits out.
//
// Nothing here depends on who else is in the call or on how a prompt was cut into calls: a token's
// logits are the same bit by bit. Keys and values are kept in half precision.
#include <limits>

#include "linear.hpp"
#include "team.hpp"

constexpr int MOST_TERMS = 2;
constexpr int STAGES = 12;  // of one layer
constexpr int SHARING = 4;  // heads that attend over the same keys at once

enum Kind { Q, K, V, O, GATE, UP, DOWN, KINDS };
enum Norm { BEFORE_ATTENTION, BEFORE_MLP, OF_QUERIES, OF_KEYS, NORMS };

struct Change {  // what an adapter does to one linear layer; mirrored by ctypes
    int32_t rank;
    int32_t width;             // outputs, padded to LANES
    const float* down;         // A [rank, in]
    const float* up;           // B [rank, width]
    const float* row_scale;    // [width] or null
    const float* input_scale;  // [in] or null
    int32_t narrow;            // numbers in a bottleneck's middle, 0 without one
    const float* narrow_down;  // [narrow, out]
    const float* narrow_bias;  // [narrow]
    const float* narrow_up;    // [narrow, out]
    const float* widen_bias;   // [out]
};

struct Adapter {
    std::vector<Change> linears;
    std::vector<const float*> norms;
};

struct Row {  // mirrored by ctypes
    uint16_t* keys;    // [layers, key heads, capacity / LANES, width, LANES]
    uint16_t* values;  // [layers, key heads, capacity, width padded to LANES]
    int32_t capacity;
    int32_t start;  // place of its first new token
    int32_t tokens;
    int32_t terms;
    const Adapter* adapters[MOST_TERMS];
    float strengths[MOST_TERMS];
};

struct Shape {  // mirrored by ctypes
    int32_t layers, hidden, heads, key_heads, width, inner;
    float epsilon, rotation_scale, attention_scale;
};

struct Call {
    const int32_t* ids;
    const float* soft;  // input embeddings [tokens, hidden] in place of ids, or null
    int wanted;
    const int32_t* which;  // tokens whose logits are wanted
    float* logits;         // [wanted, vocabulary]
    float* hidden;         // [wanted, hidden] what the head reads, or null
    float* attention;      // [layers, heads, places] of a call of one token, or null
};

static float product(const float* a, const float* b, int n) {
    // Four sums at once: a single one would wait for each addition before the next.
    Floats sums[4] = {zeros(), zeros(), zeros(), zeros()};
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int k = 0; k < 4; k++) sums[k] = multiply_add(load(a + i + k * LANES), load(b + i + k * LANES), sums[k]);
    for (; i + LANES <= n; i += LANES) sums[0] = multiply_add(load(a + i), load(b + i), sums[0]);
    float lanes[LANES], total = 0;
    store(lanes, add(add(sums[0], sums[1]), add(sums[2], sums[3])));
    for (float lane : lanes) total += lane;
    for (; i < n; i++) total += a[i] * b[i];
    return total;
}

// e^x within 2e-7, by range reduction and a polynomial (Cephes); the compiler vectorises it.
static inline float exponential(float x) {
    x = std::min(std::max(x, -87.0f), 88.0f);
    const float n = std::rint(x * 1.44269504f);
    const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    std::memcpy(&power, &bits, 4);
    return p * power;
}

class Model {
public:
    Model(const Shape& shape, int threads, int most, const float* frequencies)
        : shape(shape), linears(shape.layers * KINDS), norms(shape.layers * NORMS + 1), team(threads),
          frequencies(frequencies, frequencies + shape.width / 2),
          query_width(shape.heads * shape.width), key_width(shape.key_heads * shape.width),
          across(padded(query_width + 2 * key_width, LANES)), inner(padded(shape.inner, LANES)) {
        const size_t widest = padded(std::max({shape.hidden, shape.inner, query_width}), BLOCK);
        state.resize((size_t)most * shape.hidden);
        inputs.resize(most * widest);
        quantized.resize(most * widest);
        scales.resize(most * widest / BLOCK);
        sums.resize(most * widest / BLOCK);
        heads.resize((size_t)most * across);
        gates.resize((size_t)most * 2 * inner);
        turns.resize((size_t)most * shape.width);
        owner.resize(most);
        place.resize(most);
    }

    const Shape shape;
    Linear table, head;
    std::vector<Linear> linears;
    std::vector<const float*> norms;

    void run(const Row* given, int count, const Call& call) {
        rows = given;
        tokens = 0;
        attention = call.attention;
        int longest = 0, rank = 0;
        narrow = 0;
        for (int r = 0; r < count; r++) {
            longest = std::max(longest, rows[r].start + rows[r].tokens);
            for (int i = 0; i < rows[r].tokens; i++, tokens++) owner[tokens] = r, place[tokens] = rows[r].start + i;
            for (int k = 0; k < rows[r].terms; k++)
                for (const Change& change : rows[r].adapters[k]->linears)
                    rank = std::max(rank, change.rank), narrow = std::max(narrow, change.narrow);
        }
        low_room = std::max(1, MOST_TERMS * rank);
        low.resize((size_t)tokens * 3 * low_room);
        if (narrow) outputs.resize((size_t)tokens * shape.hidden);
        score_room = padded(longest, LANES);
        scores.resize((size_t)team.size * SHARING * score_room);
        team.run(shape.layers * STAGES + 3, [&](int thread) { walk(thread, call); });
    }

private:
    Team team;
    const std::vector<float> frequencies;
    const int query_width, key_width, across, inner;
    std::vector<float> state, inputs, scales, sums, heads, gates, turns, low, scores, outputs;
    std::vector<int16_t> quantized;
    std::vector<int> owner, place;
    const Row* rows = nullptr;
    float* attention = nullptr;
    int tokens = 0, low_room = 0, score_room = 0, narrow = 0;

    template <class Item> void for_tokens(int stage, Item item) { team.share(stage, tokens, 1, item); }
    float* input(int t, int width) { return &inputs[(size_t)t * padded(width, BLOCK)]; }
    float* low_of(int t, int k) { return &low[((size_t)t * 3 + k) * low_room]; }

    void walk(int thread, const Call& call) {
        int stage = 0;
        for_tokens(stage++, [&](int t) { begin(t, call); });
        for (int layer = 0; layer < shape.layers; layer++) {
            for_tokens(stage++, [&](int t) {
                normalize(t, t, layer * NORMS + BEFORE_ATTENTION);
                ready(t, shape.hidden, layer, Q, 3);
            });
            products(stage++, layer, Q, 3, [&](int t, int k) {
                return Target{&heads[(size_t)t * across] + (k > 0 ? query_width : 0) + (k > 1 ? key_width : 0), false};
            });
            for_tokens(stage++, [&](int t) { remember(t, layer); });
            team.share(stage++, tokens * shape.key_heads, 1, [&](int i) {
                attend(thread, i / shape.key_heads, i % shape.key_heads, layer);
            });
            for_tokens(stage++, [&](int t) { ready(t, query_width, layer, O, 1); });
            onward(stage, layer, O);
            for_tokens(stage++, [&](int t) {
                normalize(t, t, layer * NORMS + BEFORE_MLP);
                ready(t, shape.hidden, layer, GATE, 2);
            });
            products(stage++, layer, GATE, 2, [&](int t, int k) { return Target{&gates[((size_t)t * 2 + k) * inner], false}; });
            for_tokens(stage++, [&](int t) {
                const float *gate = &gates[(size_t)t * 2 * inner], *up = gate + inner;
                float* out = input(t, shape.inner);
                for (int i = 0; i < shape.inner; i++) out[i] = gate[i] / (1.0f + exponential(-gate[i])) * up[i];
                ready(t, shape.inner, layer, DOWN, 1);
            });
            onward(stage, layer, DOWN);
        }
        team.share(stage++, call.wanted, 1, [&](int i) {
            normalize(call.which[i], i, shape.layers * NORMS);
            if (call.hidden) std::memcpy(call.hidden + (size_t)i * shape.hidden, input(i, shape.hidden), sizeof(float) * shape.hidden);
            quantize_input(i, shape.hidden);
        });
        team.share(stage++, head.items(), grain(head.items()), [&](int item) {
            take_item(head, item, activations(), call.wanted, [&](int i, int output, Floats y) {
                put(head, call.logits + (size_t)i * head.out, output, y, false);
            });
        });
    }

    int grain(int items) const { return std::max(1, items / (team.size * 8)); }
    Activations activations() const { return {quantized.data(), scales.data(), sums.data()}; }

    void quantize_input(int t, int width) {
        const size_t full = padded(width, BLOCK), blocks = full / BLOCK;
        quantize(input(t, width), width, &quantized[t * full], &scales[t * blocks], &sums[t * blocks]);
    }

    void begin(int t, const Call& call) {
        float* x = &state[(size_t)t * shape.hidden];
        if (call.soft) std::memcpy(x, call.soft + (size_t)t * shape.hidden, sizeof(float) * shape.hidden);
        else table.read(call.ids[t], x);
        float* turn = &turns[(size_t)t * shape.width];
        for (int i = 0; i < shape.width / 2; i++) {
            const float angle = (float)place[t] * frequencies[i];
            turn[2 * i] = std::cos(angle) * shape.rotation_scale;
            turn[2 * i + 1] = std::sin(angle) * shape.rotation_scale;
        }
    }

    // Root mean square norm (Zhang & Sennrich 2019); adapters may change its weights.
    void normalize(int t, int slot, int index) {
        const float* x = &state[(size_t)t * shape.hidden];
        scale_by_norm(rows[owner[t]], x, shape.hidden, index, input(slot, shape.hidden));
    }

    void scale_by_norm(const Row& row, const float* x, int width, int index, float* out) const {
        const float scale = 1.0f / std::sqrt(product(x, x, width) / width + shape.epsilon);
        const float* weights = norms[index];
        float* to = out;
        const float *first = nullptr, *second = nullptr;
        if (row.terms > 0) first = row.adapters[0]->norms[index];
        if (row.terms > 1) second = row.adapters[1]->norms[index];
        for (int i = 0; i < width; i++) {
            float weight = weights[i];
            if (first) weight += row.strengths[0] * first[i];
            if (second) weight += row.strengths[1] * second[i];
            to[i] = x[i] * scale * weight;
        }
    }

    // A token's inputs of `kinds` layers: through the adapters' first matrices, then to int16.
    void ready(int t, int width, int layer, int kind, int kinds) {
        float* x = input(t, width);
        const Row& row = rows[owner[t]];
        for (int j = 0; j < kinds; j++) {
            float* out = low_of(t, j);
            for (int k = 0; k < row.terms; k++) {
                const Change& change = row.adapters[k]->linears[layer * KINDS + kind + j];
                for (int r = 0; r < change.rank; r++)
                    *out++ = row.strengths[k] * product(change.down + (size_t)r * width, x, width);
            }
        }
        scale_inputs(row, x, width, layer * KINDS + kind);
        quantize_input(t, width);
    }

    static void scale_inputs(const Row& row, float* x, int width, int index) {
        const float* changes[MOST_TERMS] = {};
        for (int k = 0; k < row.terms; k++) changes[k] = row.adapters[k]->linears[index].input_scale;
        if (!changes[0] && !changes[1]) return;
        for (int i = 0; i < width; i++) {
            float factor = 1.0f;
            for (int k = 0; k < row.terms; k++)
                if (changes[k]) factor += row.strengths[k] * changes[k][i];
            x[i] *= factor;
        }
    }

    // Outputs of attention or feed-forward to the state; where a row has a bottleneck, through that first.
    void onward(int& stage, int layer, int kind) {
        const int index = layer * KINDS + kind;
        products(stage++, layer, kind, 1, [&](int t, int) {
            const bool first = is_narrow(rows[owner[t]], index);
            return Target{(first ? outputs.data() : state.data()) + (size_t)t * shape.hidden, !first};
        });
        if (narrow) for_tokens(stage++, [&](int t) { if (is_narrow(rows[owner[t]], index)) squeeze(t, index); });
    }

    static bool is_narrow(const Row& row, int index) {
        for (int k = 0; k < row.terms; k++)
            if (row.adapters[k]->linears[index].narrow) return true;
        return false;
    }

    // Bottleneck adapters (Houlsby et al. 2019) on a token's output; all terms look at the same one.
    void squeeze(int t, int index) {
        const Row& row = rows[owner[t]];
        const int width = shape.hidden;
        const float* y = &outputs[(size_t)t * width];
        float* x = &state[(size_t)t * width];
        for (int i = 0; i < width; i++) x[i] += y[i];
        for (int k = 0; k < row.terms; k++) {
            const Change& change = row.adapters[k]->linears[index];
            if (!change.narrow) continue;
            for (int i = 0; i < width; i++) x[i] += row.strengths[k] * change.widen_bias[i];
            for (int r = 0; r < change.narrow; r++) {
                const float middle = change.narrow_bias[r] + product(change.narrow_down + (size_t)r * width, y, width);
                if (middle <= 0) continue;
                const float weight = row.strengths[k] * middle;
                const float* up = change.narrow_up + (size_t)r * width;
                for (int i = 0; i < width; i++) x[i] += weight * up[i];
            }
        }
    }

    struct Target { float* to; bool add; };

    // Neighbouring layers with the same inputs; `where(token, which)` is where outputs go.
    template <class Where> void products(int stage, int layer, int kind, int kinds, Where where) {
        int ends[3], items = 0;
        for (int j = 0; j < kinds; j++) ends[j] = items += linears[layer * KINDS + kind + j].items();
        team.share(stage, items, grain(items), [&](int item) {
            int j = 0;
            while (item >= ends[j]) j++;
            const int index = layer * KINDS + kind + j;
            const Linear& linear = linears[index];
            take_item(linear, item - (j ? ends[j - 1] : 0), activations(), tokens, [&](int t, int output, Floats y) {
                const Row& row = rows[owner[t]];
                if (row.terms) y = adapted(row, index, output, low_of(t, j), y);
                const Target target = where(t, j);
                put(linear, target.to, output, y, target.add);
            });
        });
    }

    static Floats adapted(const Row& row, int index, int output, const float* low, Floats y) {
        Floats factor = all(1.0f), change = zeros();
        for (int k = 0; k < row.terms; k++) {
            const Change& term = row.adapters[k]->linears[index];
            if (term.row_scale) factor = multiply_add(all(row.strengths[k]), load(term.row_scale + output), factor);
            for (int r = 0; r < term.rank; r++)
                change = multiply_add(all(*low++), load(term.up + (size_t)r * term.width + output), change);
        }
        return multiply_add(y, factor, change);
    }

    uint16_t* keys_of(const Row& row, int layer, int head) const {
        return row.keys + (size_t)(layer * shape.key_heads + head) * row.capacity * shape.width;
    }
    uint16_t* values_of(const Row& row, int layer, int head) const {
        return row.values + (size_t)(layer * shape.key_heads + head) * row.capacity * padded(shape.width, LANES);
    }

    // Turn queries and keys by their place (RoPE, Su et al. 2021); keep keys and values.
    void remember(int t, int layer) {
        const Row& row = rows[owner[t]];
        float* own = &heads[(size_t)t * across];
        const int width = shape.width, at = place[t];
        for (int h = 0; h < shape.heads + shape.key_heads; h++) {
            float* x = own + (size_t)h * width;
            const int index = layer * NORMS + (h < shape.heads ? OF_QUERIES : OF_KEYS);
            if (norms[index]) scale_by_norm(row, x, width, index, x);
            const float* turn = &turns[(size_t)t * width];
            for (int i = 0; i < width / 2; i++) {
                const float a = x[i], b = x[i + width / 2], c = turn[2 * i], s = turn[2 * i + 1];
                x[i] = a * c - b * s;
                x[i + width / 2] = b * c + a * s;
            }
        }
        for (int h = 0; h < shape.key_heads; h++) {
            const float* key = own + query_width + (size_t)h * width;
            const float* value = key + key_width;
            uint16_t* k = keys_of(row, layer, h) + (size_t)(at / LANES) * width * LANES + at % LANES;
            uint16_t* v = values_of(row, layer, h) + (size_t)at * padded(width, LANES);
            for (int d = 0; d < width; d++) k[d * LANES] = to_half(key[d]), v[d] = to_half(value[d]);
        }
    }

    void attend(int thread, int t, int key_head, int layer) {
        const int group = shape.heads / shape.key_heads;
        for (int g = 0; g < group; g += SHARING) {
            const int first = key_head * group + g;
            switch (std::min(SHARING, group - g)) {
                case 4: attend_heads<4>(thread, t, key_head, first, layer); break;
                case 3: attend_heads<3>(thread, t, key_head, first, layer); break;
                case 2: attend_heads<2>(thread, t, key_head, first, layer); break;
                default: attend_heads<1>(thread, t, key_head, first, layer);
            }
        }
    }

    template <int G> void attend_heads(int thread, int t, int key_head, int first, int layer) {
        const Row& row = rows[owner[t]];
        const int width = shape.width, count = place[t] + 1;
        const float* queries = &heads[(size_t)t * across] + (size_t)first * width;
        float* weights = &scores[(size_t)thread * SHARING * score_room];
        const uint16_t* keys = keys_of(row, layer, key_head);
        for (int p = 0; p < count; p += LANES, keys += (size_t)width * LANES) {
            Floats sums[G];
            for (int g = 0; g < G; g++) sums[g] = zeros();
            for (int d = 0; d < width; d++) {
                const Floats key = from_half(keys + (size_t)d * LANES);
                for (int g = 0; g < G; g++) sums[g] = multiply_add(all(queries[g * width + d]), key, sums[g]);
            }
            for (int g = 0; g < G; g++) store(weights + (size_t)g * score_room + p, multiply(sums[g], all(shape.attention_scale)));
        }
        float shares[G];
        for (int g = 0; g < G; g++) shares[g] = 1.0f / soften(weights + (size_t)g * score_room, count);
        if (attention) tell<G>(weights, shares, attention + (size_t)(layer * shape.heads + first) * count, count);
        const uint16_t* values = values_of(row, layer, key_head);
        const int across_value = padded(width, LANES);
        float* out = input(t, query_width) + (size_t)first * width;
        for (int d = 0; d < width; d += 2 * LANES) {
            const int second = d + LANES < across_value ? d + LANES : d;
            Floats sums[G][2];
            for (int g = 0; g < G; g++) sums[g][0] = sums[g][1] = zeros();
            for (int p = 0; p < count; p++) {
                const uint16_t* value = values + (size_t)p * across_value;
                const Floats a = from_half(value + d), b = from_half(value + second);
                for (int g = 0; g < G; g++) {
                    const Floats weight = all(weights[(size_t)g * score_room + p]);
                    sums[g][0] = multiply_add(weight, a, sums[g][0]);
                    sums[g][1] = multiply_add(weight, b, sums[g][1]);
                }
            }
            for (int g = 0; g < G; g++)
                for (int half = 0; half < 2; half++) {
                    float lanes[LANES];
                    store(lanes, multiply(sums[g][half], all(shares[g])));
                    const int from = d + half * LANES;
                    for (int i = 0; i < LANES && from + i < width; i++) out[g * width + from + i] = lanes[i];
                }
        }
    }

    template <int G> void tell(const float* weights, const float* shares, float* out, int count) const {
        for (int g = 0; g < G; g++)
            for (int p = 0; p < count; p++) out[(size_t)g * count + p] = weights[(size_t)g * score_room + p] * shares[g];
    }

    // Scores to e^(score - largest), in place; returns their sum.
    static float soften(float* scores, int count) {
        float largest = -std::numeric_limits<float>::infinity();
        for (int i = 0; i < count; i++) largest = std::max(largest, scores[i]);
        for (int i = 0; i < count; i++) scores[i] = exponential(scores[i] - largest);
        float lanes[LANES] = {}, sum = 0;
        int i = 0;
        for (; i + LANES <= count; i += LANES)
            for (int lane = 0; lane < LANES; lane++) lanes[lane] += scores[i + lane];
        for (float lane : lanes) sum += lane;
        for (; i < count; i++) sum += scores[i];
        return sum;
    }
};

extern "C" {

int lanes() { return LANES; }
int64_t packed_bytes(int out, int in) { return (int64_t)padded(out, LANES) / LANES * (padded(in, BLOCK) / BLOCK) * PIECE; }
void pack_weights(const float* weights, int out, int in, int8_t* to) { pack(weights, out, in, to); }

Model* model_new(const Shape* shape, int threads, int most_tokens, const float* frequencies) {
    try {
        return new Model(*shape, threads, most_tokens, frequencies);
    } catch (...) {
        return nullptr;
    }
}
void model_delete(Model* model) { delete model; }

// `index`: layer * 7 + kind; -1 the head, -2 the table of embeddings.
void model_linear(Model* model, int index, int in, int out, const int8_t* weights, const float* bias) {
    Linear& linear = index == -1 ? model->head : index == -2 ? model->table : model->linears[index];
    linear.in = in, linear.out = out, linear.weights = weights, linear.bias = bias;
}
void model_norm(Model* model, int index, const float* weights) { model->norms[index] = weights; }

Adapter* adapter_new(const Model* model) {
    return new Adapter{std::vector<Change>(model->linears.size(), Change{}), std::vector<const float*>(model->norms.size(), nullptr)};
}
void adapter_delete(Adapter* adapter) { delete adapter; }
void adapter_linear(Adapter* adapter, int index, const Change* change) { adapter->linears[index] = *change; }
void adapter_norm(Adapter* adapter, int index, const float* change) { adapter->norms[index] = change; }

// 0, or 1 when there is not enough memory.
int model_run(Model* model, const Row* rows, int count, const int32_t* ids, const float* soft, int wanted,
              const int32_t* which, float* logits, float* hidden, float* attention) {
    try {
        model->run(rows, count, Call{ids, soft, wanted, which, logits, hidden, attention});
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}
}
