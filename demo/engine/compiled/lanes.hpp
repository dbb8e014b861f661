// Vectors of LANES numbers on whatever this machine has: AVX-512, AVX2, or plain C++.
// Every operation rounds the same way wherever it stands, so results never depend on tiling.
#pragma once
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__)
constexpr int LANES = 16;
using Floats = __m512;
using Ints = __m512i;
inline Floats zeros() { return _mm512_setzero_ps(); }
inline Floats all(float x) { return _mm512_set1_ps(x); }
inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Floats a) { _mm512_storeu_ps(p, a); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats from_half(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }
inline Ints no_ints() { return _mm512_setzero_si512(); }
inline Floats to_floats(Ints a) { return _mm512_cvtepi32_ps(a); }
// 2 * LANES weights of one byte, two of them for every lane.
inline Ints widen(const int8_t* p) { return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i*)p)); }
inline Ints broadcast_pair(const int16_t* p) {
    int32_t two;
    std::memcpy(&two, p, 4);
    return _mm512_set1_epi32(two);
}
// sum += first product + second product, in every lane; exact.
inline Ints add_products(Ints sum, Ints a, Ints b) {
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
constexpr int LANES = 8;
using Floats = __m256;
using Ints = __m256i;
inline Floats zeros() { return _mm256_setzero_ps(); }
inline Floats all(float x) { return _mm256_set1_ps(x); }
inline Floats load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Floats a) { _mm256_storeu_ps(p, a); }
inline Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats from_half(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }
inline Ints no_ints() { return _mm256_setzero_si256(); }
inline Floats to_floats(Ints a) { return _mm256_cvtepi32_ps(a); }
inline Ints widen(const int8_t* p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)p)); }
inline Ints broadcast_pair(const int16_t* p) {
    int32_t two;
    std::memcpy(&two, p, 4);
    return _mm256_set1_epi32(two);
}
inline Ints add_products(Ints sum, Ints a, Ints b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
#else
constexpr int LANES = 8;
struct Floats { float at[LANES]; };
struct Ints { int32_t at[LANES]; };
struct Pairs { int16_t at[2 * LANES]; };
#define EACH_LANE for (int i = 0; i < LANES; i++)
inline Floats all(float x) { Floats r; EACH_LANE r.at[i] = x; return r; }
inline Floats zeros() { return all(0.0f); }
inline Floats load(const float* p) { Floats r; std::memcpy(r.at, p, sizeof r); return r; }
inline void store(float* p, Floats a) { std::memcpy(p, a.at, sizeof a); }
inline Floats add(Floats a, Floats b) { EACH_LANE a.at[i] += b.at[i]; return a; }
inline Floats multiply(Floats a, Floats b) { EACH_LANE a.at[i] *= b.at[i]; return a; }
inline Floats multiply_add(Floats a, Floats b, Floats c) { EACH_LANE c.at[i] += a.at[i] * b.at[i]; return c; }
inline Floats from_half(const uint16_t* p) {
    _Float16 half[LANES];
    std::memcpy(half, p, sizeof half);
    Floats r;
    EACH_LANE r.at[i] = (float)half[i];
    return r;
}
inline Ints no_ints() { Ints r; EACH_LANE r.at[i] = 0; return r; }
inline Floats to_floats(Ints a) { Floats r; EACH_LANE r.at[i] = (float)a.at[i]; return r; }
inline Pairs widen(const int8_t* p) { Pairs r; for (int i = 0; i < 2 * LANES; i++) r.at[i] = p[i]; return r; }
inline Pairs broadcast_pair(const int16_t* p) { Pairs r; for (int i = 0; i < 2 * LANES; i++) r.at[i] = p[i & 1]; return r; }
inline Ints add_products(Ints sum, Pairs a, Pairs b) {
    EACH_LANE sum.at[i] += a.at[2 * i] * b.at[2 * i] + a.at[2 * i + 1] * b.at[2 * i + 1];
    return sum;
}
#undef EACH_LANE
#endif

inline uint16_t to_half(float x) {
#if defined(__F16C__)
    return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT);
#else
    _Float16 half = (_Float16)x;
    uint16_t bits;
    std::memcpy(&bits, &half, 2);
    return bits;
#endif
}
