#include "tasks/row_cursor.hpp"

#include <algorithm>

#include "tasks/permutation.hpp"
#include "tasks/places.hpp"

namespace lmrnn {

RowCursor::RowCursor(const StreamPlan& plan, std::uint32_t row)
    : plan_(&plan), row_(row), visits_(plan.battery->tasks.size()) {}

void RowCursor::begin_batch(std::uint32_t batch) {
  const bool goes_on = plan_->carries_on() && batch > 0;
  if (!goes_on) {
    place_ = {plan_->seed, Stream::conditions, plan_->split,
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
  // The rows take turns in one sequence of visits per task, so that within an epoch every trial of
  // the set is met once.
  const std::uint64_t turn =
      std::uint64_t{visit} * static_cast<std::uint64_t>(plan_->config.batch) + row_;
  const auto n = static_cast<std::uint32_t>(plan_->config.trials_per_task);
  const std::uint32_t number = battery.setups[task_].number;
  const auto epoch = static_cast<std::uint32_t>(turn / n);
  const std::uint32_t k =
      permuted(numbered_trial(plan_->seed, plan_->split, number, epoch, Stream::task_choice), n,
               static_cast<std::uint32_t>(turn % n));
  const Key key = numbered_trial(plan_->seed, plan_->split, number, k);
  battery.outline(task_, battery.draw(task_, key, 0, k), outline_);
  trial_noise_ = with_stream(key, Stream::input_noise);
}

}  // namespace lmrnn
