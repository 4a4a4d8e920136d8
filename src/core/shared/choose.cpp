#include "core/shared/choose.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lmrnn {

std::vector<std::uint32_t> choose(const Key& key, std::size_t n, std::size_t n_chosen) {
  std::vector<std::uint32_t> items(n);
  std::iota(items.begin(), items.end(), 0u);
  for (std::size_t i = 0; i < n_chosen; ++i) {  // Fisher & Yates, stopped early
    const auto index = static_cast<std::uint32_t>(i);
    std::swap(items[i], items[i + integer(key, index, static_cast<std::uint32_t>(n - i))]);
  }
  items.resize(n_chosen);
  std::ranges::sort(items);
  return items;
}

}  // namespace lmrnn
