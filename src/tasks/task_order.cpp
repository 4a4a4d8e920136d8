#include "tasks/task_order.hpp"

#include <algorithm>

#include "tasks/places.hpp"

namespace lmrnn {
namespace {

std::size_t scaled(std::uint32_t word, std::size_t n) noexcept {
  return static_cast<std::size_t>((std::uint64_t{word} * n) >> 32);
}

}  // namespace

void TaskOrder::start(const Key& key) noexcept {
  key_ = with_stream(key, Stream::task_choice);
  n_words_ = 0;
  last_ = -1;
}

std::uint32_t TaskOrder::word() noexcept {
  if (n_words_ % 4 == 0) block_ = random_bits(key_, n_words_ / 4);
  return block_[n_words_++ % 4];
}

std::size_t TaskOrder::next(const BatteryData& battery) noexcept {
  const std::size_t n = battery.tasks.size();
  const std::uint32_t w = word();
  if (!battery.cumulative_weights.empty()) {
    const auto& sums = battery.cumulative_weights;
    const auto found = std::ranges::upper_bound(sums, w * 0x1p-32 * sums.back());
    return static_cast<std::size_t>(found - sums.begin());
  }
  if (battery.semantics.task_order || n == 1) return scaled(w, n);
  // As published: any task but the last one.
  std::size_t task;
  if (last_ < 0) {
    task = scaled(w, n);
  } else {
    task = scaled(w, n - 1);
    task += task >= static_cast<std::size_t>(last_);
  }
  last_ = static_cast<std::int64_t>(task);
  return task;
}

}  // namespace lmrnn
