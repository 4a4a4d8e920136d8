// Trial batches: one trial per row, padded to the longest.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lmrnn/streams.hpp"
#include "tasks/places.hpp"
#include "tasks/render.hpp"

namespace lmrnn {
namespace {

/// Sizes the batch for trials of which tasks and conditions are already there; arrays are zero.
void allocate(const Battery& battery, std::span<const TrialOutline> outlines, TrialBatch& batch) {
  batch.n_trials = outlines.size();
  batch.n_channels = battery.n_channels();
  batch.n_rule_slots = battery.n_rule_slots();
  for (const TrialOutline& outline : outlines)
    batch.n_steps = std::max(batch.n_steps, static_cast<std::size_t>(outline.n_steps));
  const std::size_t n = batch.n_steps * batch.n_trials;
  batch.inputs.resize(n * batch.n_channels);
  batch.rules.resize(n * batch.n_rule_slots);
  batch.targets.resize(n);
  batch.periods.resize(n);
  batch.mask.resize(n);
}

/// Everything about trial `k` but its observations.
void describe_trial(const Battery& battery, const TrialOutline& outline, std::size_t k,
                    TrialBatch& batch) {
  const std::size_t n = batch.n_trials;
  const auto rule = battery.rule(batch.tasks[k]);
  for (std::size_t t = 0; t < batch.n_steps; ++t)
    for (std::size_t s = 0; s < batch.n_rule_slots; ++s)
      batch.rules[(t * batch.n_rule_slots + s) * n + k] = rule[s];
  auto& spans = batch.spans.emplace_back();
  for (const PeriodOutline& period : outline.all_periods()) {
    spans.push_back(period.span);
    for (std::int32_t t = period.span.first; t < period.span.last; ++t) {
      const std::size_t at = static_cast<std::size_t>(t) * n + k;
      batch.periods[at] = static_cast<std::uint8_t>(period.span.period);
      batch.targets[at] = target_at(battery.data(), outline, t);
      batch.mask[at] = 1;
    }
  }
  // The padding stays in the last period.
  for (auto t = static_cast<std::size_t>(outline.n_steps); t < batch.n_steps; ++t)
    batch.periods[t * n + k] = static_cast<std::uint8_t>(Period::decision);
  batch.lengths.push_back(outline.n_steps);
  batch.responses.push_back(outline.path.responds() ? outline.path.response(battery.data().ring, 0)
                                                    : -1);
}

/// `noise_key(k)`: the noise of trial k.
template <class NoiseKey>
void compose_into(const Battery& battery, TrialBatch& batch, NoiseKey&& noise_key) {
  const BatteryData& data = battery.data();
  std::vector<TrialOutline> outlines(batch.tasks.size());
  for (std::size_t k = 0; k < outlines.size(); ++k)
    data.outline(batch.tasks[k], batch.conditions[k], outlines[k]);
  allocate(battery, outlines, batch);

  Renderer renderer(data);
  NoiseReader noise;
  const std::size_t n_channels = batch.n_channels, n = batch.n_trials;
  std::vector<float> row(batch.n_steps * n_channels);
  for (std::size_t k = 0; k < n; ++k) {
    const TrialOutline& outline = outlines[k];
    describe_trial(battery, outline, k, batch);
    noise.start(noise_key(k), 0, n_channels);
    std::ranges::fill(row, 0.0f);
    renderer.write_inputs(outline, 0, outline.n_steps, row.data(), n_channels, &noise);
    const std::size_t length = static_cast<std::size_t>(outline.n_steps) * n_channels;
    for (std::size_t i = 0; i < length; ++i) batch.inputs[i * n + k] = row[i];
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
  const std::uint32_t number = battery.data().setups[task].number;
  const auto place = [&](std::size_t k, Stream stream) {
    return numbered_trial(seed, split, number, static_cast<std::uint32_t>(first + k), stream);
  };
  TrialBatch batch;
  batch.tasks.assign(n, static_cast<std::uint32_t>(task));
  for (std::size_t k = 0; k < n; ++k)
    batch.conditions.push_back(
        battery.draw(task, place(k, Stream::conditions), 0, static_cast<std::uint32_t>(first + k)));
  compose_into(battery, batch, [&](std::size_t k) { return place(k, Stream::input_noise); });
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
    check_conditions(battery.data(), battery.data().setups[tasks[k]], conditions[k]);
  }
  TrialBatch batch;
  batch.tasks.assign(tasks.begin(), tasks.end());
  batch.conditions.assign(conditions.begin(), conditions.end());
  compose_into(battery, batch, [&](std::size_t k) {
    Key place = key;
    place.stream = Stream::input_noise;
    place.row = key.row + static_cast<std::uint32_t>(k);
    return place;
  });
  return batch;
}

}  // namespace lmrnn
