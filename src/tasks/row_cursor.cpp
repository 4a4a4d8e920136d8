#include "tasks/row_cursor.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "tasks/places.hpp"

namespace lmrnn {
namespace {

std::size_t scaled(std::uint32_t word, std::size_t n) noexcept {
  return static_cast<std::size_t>((std::uint64_t{word} * n) >> 32);
}

// The image of `i` under the permutation of {0, ..., n - 1} that `key` names; 1 <= n <= 2^31. A
// Feistel network over the next power of 4 (Luby & Rackoff 1988, with Philox for the round
// function), repeated until the result is below n (cycle walking: Black & Rogaway 2002).
std::uint32_t permuted(const Key& key, std::uint32_t n, std::uint32_t i) noexcept {
  constexpr std::uint32_t n_rounds = 6;
  const int half_bits = n <= 4 ? 1 : (std::bit_width(n - 1) + 1) / 2;
  const std::uint32_t mask = (1u << half_bits) - 1;
  do {
    std::uint32_t left = i >> half_bits, right = i & mask;
    for (std::uint32_t round = 0; round < n_rounds; ++round) {
      const std::uint32_t mixed = left ^ (random_bits(key, round << 16 | right)[0] & mask);
      left = std::exchange(right, mixed);
    }
    i = left << half_bits | right;
  } while (i >= n);
  return i;
}

}  // namespace

void TaskOrder::start(const Key& key) noexcept {
  key_ = with_purpose(key, RandomPurpose::task_choice);
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
  // As published: any task except the last one.
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

RowCursor::RowCursor(const StreamPlan& plan, std::uint32_t row)
    : plan_(&plan), row_(row), visits_(plan.battery->tasks.size()) {}

void RowCursor::begin_batch(std::uint32_t batch) {
  const bool goes_on = plan_->carries_on() && batch > 0;
  if (!goes_on) {
    place_ = {plan_->seed, RandomPurpose::conditions, plan_->split,
              plan_->carries_on() ? endless_row : batch, row_};
    order_.start(place_);
    n_trials_ = 0;
    outline_.n_steps = step_ = 0;
    if (!plan_->has_history() || batch == 0) std::ranges::fill(visits_, 0u);
  }
  batch_ = batch;
  next_batch_ = n_batches_most;
}

void RowCursor::enter_trial() {
  if (step_ < outline_.n_steps) return;
  draw_trial();
  step_ = 0;
}

void RowCursor::advance(std::int32_t steps) noexcept {
  step_ += steps;
}

void RowCursor::draw_trial() {
  const BatteryData& battery = *plan_->battery;
  task_ = order_.next(battery);
  const std::uint32_t visit = visits_[task_]++;
  const std::uint32_t trial = n_trials_++;
  if (!plan_->is_finite()) {
    battery.outline(task_, battery.draw(task_, place_, trial, visit), outline_);
    return;
  }
  // The rows share one sequence of visits per task, in turn, so that within an epoch every trial of
  // the set is used once.
  const std::uint64_t turn =
      std::uint64_t{visit} * static_cast<std::uint64_t>(plan_->config.batch) + row_;
  const auto n = static_cast<std::uint32_t>(plan_->config.trials_per_task);
  const std::uint32_t number = battery.setups[task_].number;
  const auto epoch = static_cast<std::uint32_t>(turn / n);
  const std::uint32_t k =
      permuted(numbered_trial(plan_->seed, plan_->split, number, epoch, RandomPurpose::task_choice),
               n, static_cast<std::uint32_t>(turn % n));
  const Key key = numbered_trial(plan_->seed, plan_->split, number, k);
  battery.outline(task_, battery.draw(task_, key, 0, k), outline_);
  trial_noise_ = with_purpose(key, RandomPurpose::input_noise);
}

}  // namespace lmrnn
