#include "train/batches.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

namespace lmrnn {

std::vector<std::array<float, n_periods>> step_weights(const LossConfig& loss,
                                                       const Battery& battery) {
  std::array<double, n_periods> by_period{};
  by_period[index(Period::fixation)] = loss.weights.fixation;
  by_period[index(Period::stimulus)] = loss.weights.stimulus;
  by_period[index(Period::delay)] = loss.weights.delay;
  by_period[index(Period::second_stimulus)] = loss.weights.second_stimulus;
  by_period[index(Period::decision)] = loss.weights.decision;
  std::vector<std::array<float, n_periods>> weights(battery.tasks().size());
  for (std::size_t task = 0; task < weights.size(); ++task) {
    const double frequency = battery.frequency(task);
    if (frequency <= 0) continue;
    const auto steps = battery.mean_steps(task);
    const double decision = steps[index(Period::decision)];
    const double others = std::accumulate(steps.begin(), steps.end(), 0.0) - decision;
    for (std::size_t p = 0; p < n_periods; ++p) {
      double shared = 1;
      if (loss.balance != LossBalance::steps)
        shared = p == index(Period::decision) ? decision : others;
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

namespace {

class PackedSource : public BatchSource {
 public:
  PackedSource(const RunConfig& config, const Battery& battery, const Battery& weighed)
      : stream_(battery, config.stream, config.run_seed(), Split::train),
        weights_(step_weights(config.loss, weighed)) {}

  std::string name() const override { return "battery"; }

  BatchShape shape() const override {
    const Battery& battery = stream_.battery();
    return {battery.n_channels(), battery.n_rules(), battery.n_rule_slots(), battery.n_classes()};
  }

  std::vector<std::string> tasks() const override { return names_of(stream_.battery().tasks()); }

  void fill(Split, std::uint32_t batch, std::uint32_t first_row,
            const BatchRows& rows) const override {
    Buffer<std::uint8_t> periods(rows.targets.size());
    Buffer<std::int32_t> tasks(rows.targets.size());
    stream_.fill(batch, first_row,
                 {.inputs = rows.inputs.data,
                  .rules = rows.rules.data,
                  .targets = rows.targets.data,
                  .tasks = tasks.data(),
                  .periods = periods.data(),
                  .trial_starts = rows.trial_starts.data,
                  .layout = Layout::trial_last,
                  .n_rows = rows.targets.n1});
    for (std::size_t i = 0; i < periods.size(); ++i)
      rows.loss_weights.data[i] = weights_[static_cast<std::size_t>(tasks[i])][periods[i]];
    if (!rows.tasks.empty()) std::ranges::copy(tasks, rows.tasks.data);
    if (rows.scored.empty()) return;
    for (std::size_t i = 0; i < periods.size(); ++i)
      rows.scored.data[i] = static_cast<Period>(periods[i]) == Period::decision;
  }

 private:
  PackedStream stream_;
  std::vector<std::array<float, n_periods>> weights_;
};

}  // namespace

std::shared_ptr<const BatchSource> packed_source(const RunConfig& config, const Battery& battery,
                                                 const Battery& weighed) {
  return std::make_shared<PackedSource>(config, battery, weighed);
}

BatchBlock::BatchBlock(const BatchSource& source, const StreamConfig& stream, std::size_t first_row,
                       std::size_t n_rows)
    : first_row_(first_row),
      n_rows_(n_rows),
      n_steps_(static_cast<std::size_t>(stream.steps)),
      shape_(source.shape()),
      reset_at_trial_(stream.reset_at_trial),
      inputs_(n_steps_ * shape_.n_channels * n_rows),
      loss_weights_(n_steps_ * n_rows),
      rules_(n_steps_ * shape_.n_rule_slots * n_rows),
      targets_(n_steps_ * n_rows),
      starts_(n_steps_ * n_rows) {}

void BatchBlock::fill(const BatchSource& source, std::uint32_t batch) {
  source.fill(Split::train, batch, first_row(),
              {.inputs = {inputs_.data(), n_steps_, shape_.n_channels, n_rows_},
               .rules = {rules_.data(), n_steps_, shape_.n_rule_slots, n_rows_},
               .targets = {targets_.data(), n_steps_, n_rows_},
               .loss_weights = {loss_weights_.data(), n_steps_, n_rows_},
               .trial_starts = {starts_.data(), n_steps_, n_rows_},
               .tasks = {},
               .scored = {}});
  weight_ = 0;
  for (const float weight : loss_weights_) weight_ += weight;
  trials_ = static_cast<std::uint64_t>(std::ranges::count(starts_, std::uint8_t{1}));
}

TrialBlock BatchBlock::view() const noexcept {
  TrialBlock block;
  block.inputs = {inputs_.data(), n_steps_, shape_.n_channels, n_rows_};
  if (shape_.n_rule_slots > 0)
    block.rules = {rules_.data(), n_steps_, shape_.n_rule_slots, n_rows_};
  if (reset_at_trial_) block.resets = {starts_.data(), n_steps_, n_rows_};
  block.targets = {targets_.data(), n_steps_, n_rows_};
  block.loss_weights = {loss_weights_.data(), n_steps_, n_rows_};
  return block;
}

std::size_t BatchBlock::n_bytes(std::size_t n_steps, std::size_t n_channels,
                                std::size_t n_rule_slots, std::size_t n_rows) noexcept {
  const std::size_t bytes_per_step = sizeof(float) * (n_channels + 1) +  // inputs, loss weights
                                     sizeof(std::int32_t) * (n_rule_slots + 1) +  // rules, targets
                                     2 * sizeof(std::uint8_t);                    // periods, starts
  return bytes_per_step * n_steps * n_rows;
}

}  // namespace lmrnn
