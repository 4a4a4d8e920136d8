#include "train/batches.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "lmrnn/continuous.hpp"

namespace lmrnn {

StepWeights step_weights(const LossConfig& loss, const Battery& battery) {
  std::array<double, n_periods> by_period{};
  by_period[period_index(Period::fixation)] = loss.weights.fixation;
  by_period[period_index(Period::stimulus)] = loss.weights.stimulus;
  by_period[period_index(Period::delay)] = loss.weights.delay;
  by_period[period_index(Period::second_stimulus)] = loss.weights.second_stimulus;
  by_period[period_index(Period::decision)] = loss.weights.decision;
  StepWeights weights(battery.tasks().size());
  for (std::size_t task = 0; task < weights.size(); ++task) {
    const double frequency = battery.frequency(task);
    if (frequency <= 0) continue;
    const auto steps = battery.mean_steps(task);
    const double decision = steps[period_index(Period::decision)];
    const double others = std::accumulate(steps.begin(), steps.end(), 0.0) - decision;
    for (std::size_t p = 0; p < n_periods; ++p) {
      double shared = 1;
      if (loss.balance != LossBalance::steps)
        shared = p == period_index(Period::decision) ? decision : others;
      if (loss.balance == LossBalance::tasks)
        shared *= frequency * static_cast<double>(weights.size());
      weights[task][p] = shared > 0 ? static_cast<float>(by_period[p] / shared) : 0;
    }
  }
  return weights;
}

std::optional<std::string> warning_of_short_rows(const StreamConfig& stream,
                                                 const Battery& battery) {
  if (stream.mode != StreamMode::restart) return {};
  std::size_t n_cut = 0, worst = 0;
  double most = 0;
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    double steps = 0;
    for (const Duration& d : battery.durations(task))
      if (!d.values.empty()) steps += battery.n_steps({std::ranges::max(d.values)});
    n_cut += steps > static_cast<double>(stream.steps);
    if (steps > most) {
      most = steps;
      worst = task;
    }
  }
  if (n_cut == 0) return {};
  return fmt::format(
      "stream.row_steps = {} is too short for trials of {} of {} tasks, whose ends will not be "
      "trained "
      "on; {} takes up to {} steps",
      stream.steps, n_cut, battery.tasks().size(), battery.tasks()[worst].name(), most);
}

std::shared_ptr<const BatchSource> packed_source(const RunConfig& config, const Battery& battery,
                                                 const Battery& weighed) {
  return std::make_shared<PackedStream>(battery, config.stream, config.run_seed(), Split::train,
                                        step_weights(config.loss, weighed));
}

namespace {

template <class T>
TrialArray<T> view_of(auto& outputs, const Trials& trials) {
  if (outputs.empty()) return {};
  return {outputs.data(), trials.n_steps, trials.n_trials,
          outputs.size() / (trials.n_steps * trials.n_trials)};
}

}  // namespace

BatchBlock::BatchBlock(const BatchShape& shape, const StreamConfig& stream, std::size_t first,
                       std::size_t n_rows, std::size_t n_outputs)
    : first_row(static_cast<std::uint32_t>(first)),
      trials(static_cast<std::size_t>(stream.steps), n_rows, shape.n_channels, shape.n_rule_slots,
             {.loss_weights = true, .trial_starts = true}),
      outputs(trials.n_steps * n_rows * n_outputs) {}

void BatchBlock::fill(const BatchSource& source, std::uint32_t batch) {
  fill_with_outputs(source, Split::train, batch, first_row, trials.rows(), outputs_view());
  weight = 0;
  for (const float w : trials.loss_weights) weight += w;
  n_begun = static_cast<std::uint64_t>(std::ranges::count(trials.trial_starts, std::uint8_t{1}));
}

TrialArray<float> BatchBlock::outputs_view() noexcept {
  return view_of<float>(outputs, trials);
}

TrialArray<const float> BatchBlock::outputs_view() const noexcept {
  return view_of<const float>(outputs, trials);
}

std::size_t batch_bytes(const BatchShape& shape, std::size_t n_steps, std::size_t n_rows) noexcept {
  const std::size_t bytes_per_step =
      sizeof(float) * (shape.n_channels + 1) +           // inputs, loss weights
      sizeof(std::int32_t) * (shape.n_rule_slots + 1) +  // rules, targets
      sizeof(std::uint8_t);                              // trial starts
  return bytes_per_step * n_steps * n_rows;
}

}  // namespace lmrnn
