#include <Random123/philox.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "lmrnn/random.hpp"

namespace lmrnn {
namespace {

using testing::ElementsAre;
using Words = std::array<std::uint32_t, 4>;

Words philox(const Words& counter, std::array<std::uint32_t, 2> key) {
  const auto block =
      r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
  return {block[0], block[1], block[2], block[3]};
}

// Known answers that come with Random123 (tests/kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

// The place of each part of a key is a promise: data sets are regenerated from it years later.
TEST(RandomBits, LaysTheKeySideBySideInCounterAndKey) {
  const Key key{Seed{0x0123456789abcdef}, RandomPurpose::recurrent_noise, Split::test, 77, 88};
  EXPECT_EQ(random_bits(key, 99), philox({99, 88, 77, 4 << 8 | 2}, {0x89abcdef, 0x01234567}));
  EXPECT_THAT(random_bits({Seed{0}, RandomPurpose{0}, Split{0}, 0, 0}, 0),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
}

TEST(RandomBits, DifferWhereverAnyPartOfTheKeyDiffers) {
  const Key base{Seed{5}, RandomPurpose::conditions, Split::train, 1, 1};
  std::vector<Key> keys(7, base);
  keys[1].seed.value = 6;
  keys[2].seed.value |= std::uint64_t{1} << 40;
  keys[3].purpose = RandomPurpose::input_noise;
  keys[4].split = Split::validation;
  keys[5].batch = 2;
  keys[6].row = 2;
  std::set<Words> blocks;
  for (const Key& key : keys)
    for (std::uint32_t index : {0u, 1u, 2u}) blocks.insert(random_bits(key, index));
  EXPECT_EQ(blocks.size(), keys.size() * 3);
}

TEST(Uniform, TakesTheTop53BitsOfTheFirstTwoWords) {
  const Key key{Seed{3}, RandomPurpose::conditions};
  const Words bits = random_bits(key, 12);
  const std::uint64_t word = (std::uint64_t{bits[0]} << 32) | bits[1];
  EXPECT_EQ(uniform(key, 12), static_cast<double>(word >> 11) / 9007199254740992.0);
}

// 4 standard errors for each moment: a wrong formula fails, the fixed seed does not.
TEST(Uniform, IsUniformOnTheUnitInterval) {
  const Key key{Seed{1}, RandomPurpose::conditions};
  const int n = 100000;
  double sum = 0, sum_of_squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = uniform(key, static_cast<std::uint32_t>(i));
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    sum_of_squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 4 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(sum_of_squares / n, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
}

TEST(Integer, IsUniformAndInRange) {
  const Key key{Seed{2}, RandomPurpose::task_choice};
  const std::uint32_t n_sides = 7;
  const int n = 70000;
  std::vector<int> counts(n_sides);
  for (int i = 0; i < n; ++i) {
    const std::uint32_t k = integer(key, static_cast<std::uint32_t>(i), n_sides);
    ASSERT_LT(k, n_sides);
    ++counts[k];
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 22.46);  // 6 degrees of freedom, p = 0.001
}

TEST(Integer, OfOneSideIsZero) {
  for (std::uint32_t i = 0; i < 100; ++i)
    EXPECT_EQ(integer({Seed{9}, RandomPurpose::lesion}, i, 1), 0u);
}

TEST(Integer, OfAllSidesIsTheFirstWord) {
  const Key key{Seed{9}, RandomPurpose::lesion};
  const Words bits = random_bits(key, 4);
  // floor(bits / 2^64 * n) for n = 2^32 - 1 differs from the first word by at most 1.
  EXPECT_NEAR(integer(key, 4, 0xffffffff), static_cast<double>(bits[0]), 1);
}

TEST(Normal, HasTheMomentsOfAStandardNormal) {
  const Key key{Seed{4}, RandomPurpose::input_noise};
  const int n = 200000;
  double moments[5] = {};
  for (int i = 0; i < n; ++i) {
    const double x = normal(key, static_cast<std::uint32_t>(i));
    ASSERT_TRUE(std::isfinite(x));
    double power = 1;
    for (double& moment : moments) moment += power / n, power *= x;
  }
  // Variances of x, x^2, x^3, x^4 are 1, 2, 15, 96.
  EXPECT_NEAR(moments[1], 0, 4 * std::sqrt(1.0 / n));
  EXPECT_NEAR(moments[2], 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(moments[3], 0, 4 * std::sqrt(15.0 / n));
  EXPECT_NEAR(moments[4], 3, 4 * std::sqrt(96.0 / n));
}

TEST(Normal, IsBoxMullerOfTheFourWords) {
  const Key key{Seed{11}, RandomPurpose::initialisation};
  const Words bits = random_bits(key, 0);
  const auto unit = [](std::uint32_t high, std::uint32_t low) {
    return static_cast<double>(((std::uint64_t{high} << 32) | low) >> 11) / 9007199254740992.0;
  };
  const double expected = std::sqrt(-2 * std::log(1 - unit(bits[0], bits[1]))) *
                          std::cos(2 * M_PI * unit(bits[2], bits[3]));
  EXPECT_DOUBLE_EQ(normal(key, 0), expected);
}

}  // namespace
}  // namespace lmrnn
