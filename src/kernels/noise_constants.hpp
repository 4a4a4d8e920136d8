// Constants that the normal generator and its readable twin share.
#pragma once

#include <array>
#include <cstdint>

namespace lmrnn::kernels {

namespace philox {
inline constexpr std::uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
inline constexpr std::uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;
inline constexpr int n_rounds = 10;
}  // namespace philox

namespace box_muller {
// Minimax polynomials (relative error below 2e-7, 4e-9; absolute 4e-8), lowest order first.
/// -2 log(1 + f) / f for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
inline constexpr std::array<float, 8> log_terms{-1.9999999f, 1.0000073f, -0.6667012f,  0.49939817f,
                                                -0.3980033f, 0.3450166f, -0.32445163f, 0.20213792f};
/// (sin a - a) / a^3 for 0 <= a <= pi/4, in powers of a^2.
inline constexpr std::array<float, 3> sine_terms{-0.16666655f, 0.00833216f, -0.00019515282f};
/// (cos a - 1) / a^2, likewise.
inline constexpr std::array<float, 3> cosine_terms{-0.49999896f, 0.041656293f, -0.0013597823f};

inline constexpr float minus_two_log_two = -1.38629436f;
inline constexpr float angle_unit = 1.46291807926716e-09f;  ///< pi/4 / 2^29
inline constexpr std::uint32_t sqrt_half_bits = 0x3F3504F3u;
inline constexpr std::uint32_t mantissa_bits = 0x007FFFFFu;
inline constexpr std::uint32_t angle_bits = 0x1FFFFFFFu;
inline constexpr std::uint32_t sign_bit = 0x80000000u;
/// u = v / 2^31, so the exponent of v counts from 31.
inline constexpr std::int32_t scale_exponent = 31;
}  // namespace box_muller

}  // namespace lmrnn::kernels
