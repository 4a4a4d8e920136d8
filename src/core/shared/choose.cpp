#include "core/shared/choose.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace lmrnn {

namespace {

/// choose() with memory for the chosen items only: keeps just the items that swaps have moved.
std::vector<std::uint32_t> choose_few(const Key& key, std::size_t n, std::size_t n_chosen) {
  std::unordered_map<std::uint32_t, std::uint32_t> moved;
  const auto item_at = [&](std::uint32_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  std::vector<std::uint32_t> items;
  for (std::uint32_t i = 0; i < n_chosen; ++i) {
    const std::uint32_t other = i + integer(key, i, static_cast<std::uint32_t>(n - i));
    items.push_back(item_at(other));
    moved[other] = item_at(i);
  }
  std::ranges::sort(items);
  return items;
}

}  // namespace

std::vector<std::uint32_t> choose(const Key& key, std::size_t n, std::size_t n_chosen) {
  constexpr std::size_t cost_of_a_move = 16;  // cost of a map entry, relative to a vector item
  if (n_chosen < n / cost_of_a_move) return choose_few(key, n, n_chosen);
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
