#include "lmrnn/trials.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

/// The array of `buffer`, or none if it was not asked for.
auto array_of(auto& buffer, std::size_t n_steps, std::size_t n_trials, std::size_t n_items = 1) {
  using Array = TrialArray<std::remove_pointer_t<decltype(buffer.data())>>;
  return buffer.empty() ? Array() : Array(buffer.data(), n_steps, n_trials, n_items);
}

template <bool writable, class Owner>
TrialArrays<writable> arrays_of(Owner& all) {
  const std::size_t n = all.n_steps, k = all.n_trials;
  return {.inputs = array_of(all.inputs, n, k, all.n_channels),
          .rules = array_of(all.rules, n, k, all.n_rule_slots),
          .targets = array_of(all.targets, n, k),
          .loss_weights = array_of(all.loss_weights, n, k),
          .trial_starts = array_of(all.trial_starts, n, k),
          .periods = array_of(all.periods, n, k),
          .tasks = array_of(all.step_tasks, n, k),
          .scored = array_of(all.scored, n, k)};
}

}  // namespace

Trials::Trials(std::size_t steps, std::size_t trials, std::size_t channels, std::size_t rule_slots,
               const Extras& extras)
    : n_steps(steps), n_trials(trials), n_channels(channels), n_rule_slots(rule_slots) {
  const std::size_t n = steps * trials;
  inputs.resize(n * channels);
  rules.resize(n * rule_slots);
  targets.resize(n);
  if (extras.loss_weights) loss_weights.resize(n);
  if (extras.trial_starts) trial_starts.resize(n);
  if (extras.periods) periods.resize(n);
  if (extras.tasks) step_tasks.resize(n);
  if (extras.scored) scored.resize(n);
}

TrialRows Trials::rows() noexcept {
  return arrays_of<true>(*this);
}

TrialView Trials::view(bool reset_at_trial) const noexcept {
  TrialView all = arrays_of<false>(*this);
  if (reset_at_trial) all.resets = all.trial_starts;
  return all;
}

Trials Trials::chosen(std::span<const std::size_t> order, std::size_t steps) const {
  Trials some(steps, order.size(), n_channels, n_rule_slots,
              {.loss_weights = !loss_weights.empty(),
               .trial_starts = !trial_starts.empty(),
               .periods = !periods.empty(),
               .tasks = !step_tasks.empty(),
               .scored = !scored.empty()});
  some.rows().for_each_with(view(), [&](const auto& to, const auto& from) {
    if (to.empty()) return;
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t k = 0; k < order.size(); ++k)
        std::copy_n(from.at(t, order[k]), from.n_items, to.at(t, k));
  });
  return some;
}

void copy_trials(const TrialView& from, const TrialRows& to) {
  to.for_each_with(from, [](const auto& written, const auto& given) {
    if (written.empty() || given.empty()) return;
    if (written.n_items != given.n_items || written.n_steps < given.n_steps ||
        written.n_trials < given.n_trials)
      throw UsageError(fmt::format(
          "trials: an array (time, trial, item) of ({}, {}, {}) does not fit into one of ({}, {}, "
          "{})",
          given.n_steps, given.n_trials, given.n_items, written.n_steps, written.n_trials,
          written.n_items));
    for (std::size_t t = 0; t < given.n_steps; ++t)
      for (std::size_t k = 0; k < given.n_trials; ++k)
        std::copy_n(given.at(t, k), given.n_items, written.at(t, k));
  });
}

void expand_rules(const TrialArray<const float>& inputs,
                  const TrialArray<const std::int32_t>& rules, const TrialArray<float>& to) {
  const std::size_t n_channels = inputs.n_items;
  if (to.n_steps != inputs.n_steps || to.n_trials != inputs.n_trials || to.n_items < n_channels)
    throw UsageError(fmt::format(
        "rules: inputs (time, trial, channel) of ({}, {}, {}) do not fit into ({}, {}, {})",
        inputs.n_steps, inputs.n_trials, n_channels, to.n_steps, to.n_trials, to.n_items));
  for (std::size_t t = 0; t < to.n_steps; ++t)
    for (std::size_t k = 0; k < to.n_trials; ++k) {
      float* out = to.at(t, k);
      std::copy_n(inputs.at(t, k), n_channels, out);
      std::fill(out + n_channels, out + to.n_items, 0.0f);
      for (std::size_t slot = 0; slot < rules.n_items; ++slot) {
        const std::int32_t rule = rules(t, k, slot);
        if (rule >= 0) out[n_channels + static_cast<std::size_t>(rule)] = 1;
      }
    }
}

}  // namespace lmrnn
