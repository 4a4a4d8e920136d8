#include "lmrnn/random.hpp"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

namespace lmrnn {
namespace {

__extension__ using Wide = unsigned __int128;  // GCC and Clang; not in the standard

std::uint64_t two_words(const std::array<std::uint32_t, 4>& bits, int first) noexcept {
  return (std::uint64_t{bits[first]} << 32) | bits[first + 1];
}

double to_unit_interval(std::uint64_t bits) noexcept {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> random_bits(const Key& key, std::uint32_t index) noexcept {
  const std::uint32_t domain =
      (static_cast<std::uint32_t>(key.purpose) << 8) | static_cast<std::uint32_t>(key.split);
  const r123::Philox4x32::ctr_type counter = {{index, key.row, key.batch, domain}};
  const r123::Philox4x32::key_type words = {{static_cast<std::uint32_t>(key.seed.value),
                                             static_cast<std::uint32_t>(key.seed.value >> 32)}};
  const auto block = r123::Philox4x32()(counter, words);
  return {block[0], block[1], block[2], block[3]};
}

double uniform(const Key& key, std::uint32_t index) noexcept {
  return to_unit_interval(two_words(random_bits(key, index), 0));
}

std::uint32_t integer(const Key& key, std::uint32_t index, std::uint32_t n) noexcept {
  const std::uint64_t bits = two_words(random_bits(key, index), 0);
  return static_cast<std::uint32_t>((static_cast<Wide>(bits) * n) >> 64);
}

double normal(const Key& key, std::uint32_t index) noexcept {
  const auto bits = random_bits(key, index);
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - to_unit_interval(two_words(bits, 0))));
  return radius * std::cos(2.0 * std::numbers::pi * to_unit_interval(two_words(bits, 2)));
}

}  // namespace lmrnn
