// Trial batches: one trial per row, padded to the longest.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lmrnn/ceiling.hpp"
#include "lmrnn/streams.hpp"
#include "tasks/places.hpp"
#include "tasks/render.hpp"
#include "tasks/scored.hpp"

namespace lmrnn {
namespace {

/// Everything about trial `k` except its observations.
void describe_trial(const Battery& battery, const TrialOutline& outline, std::size_t k,
                    const TrialRows& rows, TrialBatch& batch) {
  const auto rule = battery.rule(batch.tasks[k]);
  const std::int32_t grace = grace_steps(battery.config().dt);
  for (std::size_t t = 0; t < batch.n_steps; ++t) {
    for (std::size_t s = 0; s < batch.n_rule_slots; ++s) rows.rules(t, k, s) = rule[s];
    // Padding counts as part of the last period.
    rows.periods(t, k) = static_cast<std::uint8_t>(Period::decision);
  }
  auto& spans = batch.spans.emplace_back();
  for (const PeriodOutline& period : outline.all_periods()) {
    spans.push_back(period.span);
    mark_scored(period.span, grace, rows.scored, static_cast<std::size_t>(period.span.first), k);
    for (std::int32_t t = period.span.first; t < period.span.last; ++t) {
      const auto step = static_cast<std::size_t>(t);
      rows.periods(step, k) = static_cast<std::uint8_t>(period.span.period);
      rows.targets(step, k) = target_at(data_of(battery), outline, t);
      rows.loss_weights(step, k) = 1;
    }
  }
  batch.lengths.push_back(outline.n_steps);
  batch.responses.push_back(
      outline.path.responds() ? outline.path.response(data_of(battery).ring, 0) : -1);
}

/// `noise_key(k)`: the noise of trial k.
template <class NoiseKey>
void compose_into(const Battery& battery, TrialBatch& batch, NoiseKey&& noise_key) {
  const BatteryData& data = data_of(battery);
  std::vector<TrialOutline> outlines(batch.tasks.size());
  std::int32_t n_steps = 0;
  for (std::size_t k = 0; k < outlines.size(); ++k) {
    data.outline(batch.tasks[k], batch.conditions[k], outlines[k]);
    n_steps = std::max(n_steps, outlines[k].n_steps);
  }
  static_cast<Trials&>(batch) =
      Trials(static_cast<std::size_t>(n_steps), outlines.size(), battery.n_channels(),
             battery.n_rule_slots(), {.loss_weights = true, .periods = true, .scored = true});
  const TrialRows rows = batch.rows();
  Renderer renderer(data);
  NoiseReader noise;
  for (std::size_t k = 0; k < outlines.size(); ++k) {
    describe_trial(battery, outlines[k], k, rows, batch);
    noise.start(noise_key(k), 0, batch.n_channels);
    renderer.write_inputs(outlines[k], 0, outlines[k].n_steps, rows.inputs.at(0, k),
                          rows.inputs.step_stride, &noise);
  }
}

}  // namespace

TrialBatch draw_trials(const Battery& battery, std::size_t task, std::size_t n, Seed seed,
                       Split split, std::size_t first) {
  if (task >= battery.tasks().size())
    throw UsageError(fmt::format("task {} of a battery of {} tasks", task, battery.tasks().size()));
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  if (first > most || n > most - first)
    throw UsageError(
        fmt::format("{} trials from number {} on: a task has 2^32 - 1 of them", n, first));
  const std::uint32_t number = data_of(battery).setups[task].number;
  const auto place = [&](std::size_t k, RandomPurpose purpose) {
    return numbered_trial(seed, split, number, static_cast<std::uint32_t>(first + k), purpose);
  };
  TrialBatch batch;
  batch.tasks.assign(n, static_cast<std::uint32_t>(task));
  for (std::size_t k = 0; k < n; ++k)
    batch.conditions.push_back(battery.draw(task, place(k, RandomPurpose::conditions), 0,
                                            static_cast<std::uint32_t>(first + k)));
  compose_into(battery, batch, [&](std::size_t k) { return place(k, RandomPurpose::input_noise); });
  return batch;
}

TrialBatch compose_trials(const Battery& battery, std::span<const std::uint32_t> tasks,
                          std::span<const Conditions> conditions, Key key) {
  if (tasks.size() != conditions.size())
    throw UsageError(fmt::format("{} tasks but {} conditions; give one of each per trial",
                                 tasks.size(), conditions.size()));
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    if (tasks[k] >= battery.tasks().size())
      throw UsageError(fmt::format("trial {}: task {} of a battery of {} tasks", k, tasks[k],
                                   battery.tasks().size()));
    check_conditions(data_of(battery), data_of(battery).setups[tasks[k]], conditions[k]);
  }
  TrialBatch batch;
  batch.tasks.assign(tasks.begin(), tasks.end());
  batch.conditions.assign(conditions.begin(), conditions.end());
  compose_into(battery, batch, [&](std::size_t k) {
    Key place = key;
    place.purpose = RandomPurpose::input_noise;
    place.row = key.row + static_cast<std::uint32_t>(k);
    return place;
  });
  return batch;
}

}  // namespace lmrnn
