#include "train/batches.hpp"

#include <algorithm>

namespace lmrnn {

std::array<float, 5> weights_by_period(const PeriodWeights& weights) noexcept {
  std::array<float, 5> result{};
  const auto set = [&](Period period, double weight) {
    result[static_cast<std::size_t>(period)] = static_cast<float>(weight);
  };
  set(Period::fixation, weights.fixation);
  set(Period::stimulus, weights.stimulus);
  set(Period::delay, weights.delay);
  set(Period::second_stimulus, weights.second_stimulus);
  set(Period::decision, weights.decision);
  return result;
}

BatchBlock::BatchBlock(const PackedStream& stream, std::size_t first_row, std::size_t n_rows)
    : first_row_(first_row),
      n_rows_(n_rows),
      n_steps_(static_cast<std::size_t>(stream.config().steps)),
      n_channels_(stream.battery().n_channels()),
      n_rule_slots_(stream.battery().n_rule_slots()),
      reset_at_trial_(stream.config().reset_at_trial),
      inputs_(n_steps_ * n_channels_ * n_rows),
      loss_weights_(n_steps_ * n_rows),
      rules_(n_steps_ * n_rule_slots_ * n_rows),
      targets_(n_steps_ * n_rows),
      periods_(n_steps_ * n_rows),
      starts_(n_steps_ * n_rows) {}

void BatchBlock::fill(const PackedStream& stream, std::uint32_t batch,
                      const std::array<float, 5>& weights) {
  stream.fill(batch, first_row(),
              {.inputs = inputs_.data(),
               .rules = rules_.data(),
               .targets = targets_.data(),
               .tasks = nullptr,
               .periods = periods_.data(),
               .trial_starts = starts_.data(),
               .layout = Layout::trial_last,
               .n_rows = n_rows_});
  weight_ = 0;
  for (std::size_t i = 0; i < periods_.size(); ++i) {
    loss_weights_[i] = weights[periods_[i]];
    weight_ += loss_weights_[i];
  }
  trials_ = static_cast<std::uint64_t>(std::ranges::count(starts_, std::uint8_t{1}));
}

TrialBlock BatchBlock::view() const noexcept {
  TrialBlock block;
  block.inputs = {inputs_.data(), n_steps_, n_channels_, n_rows_};
  block.rules = {rules_.data(), n_steps_, n_rule_slots_, n_rows_};
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
