// The readable twin of noise.cpp, number by number.
#include <bit>
#include <cmath>

#include "kernels/noise.hpp"
#include "kernels/noise_constants.hpp"

namespace lmrnn::kernels {
namespace {

using namespace box_muller;

template <std::size_t n>
float polynomial(const std::array<float, n>& terms, float x) noexcept {
  float value = terms[n - 1];
  for (std::size_t k = n - 1; k-- > 0;) value = value * x + terms[k];
  return value;
}

/// sqrt(-2 log u), u = (word / 2 + 1/2) / 2^31.
float radius(std::uint32_t word) noexcept {
  const float v = static_cast<float>(static_cast<std::int32_t>(word >> 1)) + 0.5f;
  // v = 2^exponent (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(v) - sqrt_half_bits;
  const std::int32_t exponent = (static_cast<std::int32_t>(bits) >> 23) - scale_exponent;
  const float f = std::bit_cast<float>((bits & mantissa_bits) + sqrt_half_bits) - 1.0f;
  const float whole = static_cast<float>(exponent) * minus_two_log_two;
  return std::sqrt(whole + f * polynomial(log_terms, f));
}

float with_sign(float x, std::uint32_t sign) noexcept {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) ^ (sign & sign_bit));
}

/// A uniformly distributed point on the unit circle.
std::array<float, 2> point_on_circle(std::uint32_t word) noexcept {
  const float a =
      (static_cast<float>(static_cast<std::int32_t>(word & angle_bits)) + 0.5f) * angle_unit;
  const float a2 = a * a;
  const float sine = a + (a * a2) * polynomial(sine_terms, a2);
  const float cosine = 1.0f + a2 * polynomial(cosine_terms, a2);
  const bool exchange = (word & 0x20000000u) != 0;
  return {with_sign(exchange ? sine : cosine, word),
          with_sign(exchange ? cosine : sine, word << 1)};
}

float normal_number(const Key& key, std::uint64_t index) noexcept {
  const std::uint64_t group = index / 64, within = index % 64;
  const auto block = static_cast<std::uint32_t>(16 * group + within % 16);
  const std::uint64_t j = within / 16;
  const auto words = random_bits(key, block);
  return radius(words[j & 2]) * point_on_circle(words[(j & 2) + 1])[j & 1];
}

}  // namespace

void fill_normal_reference(const Key& key, std::uint64_t first_index,
                           std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = normal_number(key, first_index + i);
}

}  // namespace lmrnn::kernels
