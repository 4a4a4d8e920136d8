#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/shared/choose.hpp"

namespace lmrnn {
namespace {

const Key kKey{Seed{7}, RandomPurpose::lesion, Split::train, 3, 0};

/// Fisher & Yates, the whole list kept.
std::vector<std::uint32_t> by_shuffling(std::size_t n, std::size_t n_chosen) {
  std::vector<std::uint32_t> items(n);
  std::iota(items.begin(), items.end(), 0u);
  for (std::uint32_t i = 0; i < n_chosen; ++i)
    std::swap(items[i], items[i + integer(kKey, i, static_cast<std::uint32_t>(n) - i)]);
  items.resize(n_chosen);
  std::ranges::sort(items);
  return items;
}

TEST(Choose, FewOfManyAreThoseOfAWholeShuffle) {
  for (const std::size_t n : {1u, 2u, 50u, 1000u, 40000u})
    for (const std::size_t n_chosen : {n, n / 2, n / 16, n / 17, n / 100, std::size_t{0}})
      EXPECT_EQ(choose(kKey, n, n_chosen), by_shuffling(n, n_chosen)) << n_chosen << " of " << n;
}

TEST(Choose, AFewOfVeryManyNeedLittleMemory) {
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // in kB
  };
  const auto before = peak();
  const auto chosen = choose(kKey, 2'000'000'000, 3);  // a list of all would take 8 GB
  EXPECT_LT(peak() - before, 100'000);
  EXPECT_EQ(chosen.size(), 3u);
  EXPECT_TRUE(std::ranges::is_sorted(chosen));
  EXPECT_LT(chosen.back(), 2'000'000'000u);
}

}  // namespace
}  // namespace lmrnn
