// The bulk normal generator: on every SIMD target the same bits as the readable twin, Philox as in
// Random123, and numbers with a standard normal distribution.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/noise.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/simd.hpp"

namespace lmrnn::kernels {
namespace {

constexpr Key key{Seed{0x0123456789abcdefull}, RandomPurpose::input_noise, Split::validation, 17,
                  5};

std::vector<std::uint32_t> bits_of(std::span<const float> x) {
  std::vector<std::uint32_t> bits;
  for (const float value : x) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

class OnEveryTarget : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    choose_simd(GetParam());
    ASSERT_EQ(simd_target(), GetParam());
  }
  void TearDown() override { choose_simd("auto"); }
};

TEST_P(OnEveryTarget, GivesTheBitsOfTheTwin) {
  for (const std::uint64_t first : {0ull, 64ull, 5ull, 130ull, (1ull << 34) - 2048}) {
    Buffer<float> fast(1531), plain(1531);
    fill_normal(key, first, fast);
    fill_normal_reference(key, first, plain);
    EXPECT_EQ(bits_of(fast), bits_of(plain)) << "first index " << first;
  }
}

TEST_P(OnEveryTarget, AnyWindowIsAPartOfTheWhole) {
  Buffer<float> whole(700), window(300);
  fill_normal(key, 0, whole);
  for (std::size_t first = 0; first <= 400; first += 23)
    for (const std::size_t n : {0u, 1u, 63u, 64u, 65u, 300u}) {
      const std::span<float> out(window.data(), n);
      fill_normal(key, first, out);
      EXPECT_TRUE(std::ranges::equal(out, std::span(whole).subspan(first, n)))
          << first << ", " << n;
    }
}

TEST_P(OnEveryTarget, UnalignedOutputIsTheSame) {
  Buffer<float> aligned(256), shifted(257);
  fill_normal(key, 64, aligned);
  fill_normal(key, 64, std::span(shifted).subspan(1));
  EXPECT_TRUE(std::ranges::equal(aligned, std::span(shifted).subspan(1)));
}

INSTANTIATE_TEST_SUITE_P(Noise, OnEveryTarget, testing::ValuesIn(simd_targets()),
                         [](const auto& info) {
                           std::string name(info.param);
                           std::erase_if(name, [](char c) { return !std::isalnum(c); });
                           return name;
                         });

/// Box-Muller in double precision on the words that Random123 gives.
double expected_normal(std::uint64_t index) {
  const auto words = random_bits(key, static_cast<std::uint32_t>(16 * (index / 64) + index % 16));
  const std::size_t pair = (index % 64) / 32 * 2;
  // u is rounded to single precision, which matters where u is near 1 and the radius near 0.
  const double u = (static_cast<float>(words[pair] / 2) + 0.5f) * 0x1p-31;
  const std::uint32_t w = words[pair + 1];
  const double a = ((w & 0x1fffffff) + 0.5) * 0x1p-29 * std::numbers::pi / 4;
  const bool second = (index % 32) >= 16, exchange = w >> 29 & 1;
  const double sign = (second ? w >> 30 & 1 : w >> 31) ? -1 : 1;
  return sign * std::sqrt(-2 * std::log(u)) * (second != exchange ? std::sin(a) : std::cos(a));
}

TEST(Noise, IsBoxMullerOfRandom123) {
  Buffer<float> z(20000);
  fill_normal(key, 640, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double expected = expected_normal(640 + i);
    ASSERT_NEAR(z[i], expected, 2e-6 * (0.1 + std::abs(expected))) << i;
  }
}

TEST(Noise, ChangesWithEveryPartOfTheKey) {
  Key other[5] = {key, key, key, key, key};
  other[0].seed.value ^= 1ull << 40;
  other[1].purpose = RandomPurpose::recurrent_noise;
  other[2].split = Split::test;
  other[3].batch += 1;
  other[4].row += 1;
  Buffer<float> z(64), y(64);
  fill_normal(key, 0, z);
  for (const Key& k : other) {
    fill_normal(k, 0, y);
    std::size_t n_equal = 0;
    for (std::size_t i = 0; i < z.size(); ++i) n_equal += z[i] == y[i];
    EXPECT_LE(n_equal, 1u);
  }
}

class NormalSample : public testing::Test {
 protected:
  NormalSample() : z(1 << 20) { fill_normal(key, 0, z); }
  Buffer<float> z;
};

TEST_F(NormalSample, HasTheMomentsOfANormal) {
  double moment[5] = {};
  for (const double x : z)
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k);
  const double n = static_cast<double>(z.size());
  // Five standard errors: the variances of x, x^2, x^3, x^4 are 1, 2, 15, 96.
  EXPECT_NEAR(moment[1] / n, 0, 5 * std::sqrt(1 / n));
  EXPECT_NEAR(moment[2] / n, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(moment[3] / n, 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(moment[4] / n, 3, 5 * std::sqrt(96 / n));
  EXPECT_GT(*std::ranges::max_element(z), 4.2);
  EXPECT_LT(*std::ranges::max_element(z), 6.7);
  EXPECT_TRUE(std::ranges::all_of(z, [](float x) { return std::isfinite(x); }));
}

TEST_F(NormalSample, PassesKolmogorovSmirnov) {
  std::ranges::sort(z);
  const double n = static_cast<double>(z.size());
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double cdf = 0.5 * std::erfc(-z[i] / std::numbers::sqrt2);
    worst =
        std::max({worst, cdf - static_cast<double>(i) / n, (static_cast<double>(i) + 1) / n - cdf});
  }
  EXPECT_LT(worst * std::sqrt(n), 1.95);  // p = 0.001
}

TEST_F(NormalSample, NeighboursAreUncorrelated) {
  for (const std::size_t lag : {1u, 16u, 32u, 48u, 64u}) {
    double product = 0, squares = 0;
    for (std::size_t i = 0; i + lag < z.size(); ++i) {
      product += static_cast<double>(z[i]) * z[i + lag];
      squares += static_cast<double>(z[i] * z[i]) * (z[i + lag] * z[i + lag]);
    }
    const double n = static_cast<double>(z.size() - lag);
    EXPECT_NEAR(product / n, 0, 5 / std::sqrt(n)) << lag;
    EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(8 / n)) << lag;
  }
}

}  // namespace
}  // namespace lmrnn::kernels
