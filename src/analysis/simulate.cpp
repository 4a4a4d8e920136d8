#include "analysis/simulate.hpp"

#include <algorithm>

namespace lmrnn {
namespace {

constexpr std::size_t block_trials = 32;

// Columns [first, first + n) of an array whose last index is the trial.
void put_columns(const std::vector<float>& part, std::size_t first, std::size_t n,
                 std::size_t n_trials, Buffer<float>& to) {
  for (std::size_t row = 0; row < part.size() / n; ++row)
    std::copy_n(part.data() + row * n, n, to.data() + row * n_trials + first);
}

}  // namespace

Eigen::VectorXd Simulation::state_at(std::size_t t, std::size_t trial) const {
  Eigen::VectorXd h(static_cast<Eigen::Index>(n_units));
  for (std::size_t i = 0; i < n_units; ++i) h[static_cast<Eigen::Index>(i)] = state(t, i, trial);
  return h;
}

Eigen::VectorXd Simulation::rates_at(std::size_t t, std::size_t trial) const {
  Eigen::VectorXd h(static_cast<Eigen::Index>(n_units));
  for (std::size_t i = 0; i < n_units; ++i) h[static_cast<Eigen::Index>(i)] = rate(t, i, trial);
  return h;
}

std::int32_t Simulation::answer(std::size_t t, std::size_t trial) const noexcept {
  std::size_t best = 0;
  const auto at = [&](std::size_t c) { return logits[(t * n_classes + c) * n_trials + trial]; };
  for (std::size_t c = 1; c < n_classes; ++c)
    if (at(c) > at(best)) best = c;
  return static_cast<std::int32_t>(best);
}

Simulation simulate(const Network& network, const Battery& battery, const TrialBatch& trials,
                    double sigma, Seed seed, std::size_t first_trial) {
  const Architecture& a = network.architecture();
  Simulation s;
  s.n_steps = trials.n_steps;
  s.n_trials = trials.n_trials;
  s.n_units = a.n_units();
  s.n_classes = a.n_classes;
  if (a.equation == StateEquation::voltage) s.seen_through = a.activation;
  s.states.resize(s.n_steps * s.n_units * s.n_trials);
  s.logits.resize(s.n_steps * s.n_classes * s.n_trials);
  const auto task = trials.tasks.empty() ? 0 : battery.tasks()[trials.tasks.front()].number();
  Workspace workspace;
  for (std::size_t first = 0; first < s.n_trials; first += block_trials) {
    const std::size_t n = std::min(block_trials, s.n_trials - first);
    std::vector<float> states(s.n_steps * s.n_units * n), logits(s.n_steps * s.n_classes * n);
    const RecurrentNoise noise{.sigma = sigma,
                               .key = {seed, RandomPurpose::recurrent_noise, Split::test, task, 0},
                               .first_row = static_cast<std::uint32_t>(first_trial + first)};
    network.forward(trials.view().trials(first, n), noise, {states.data(), s.n_steps, s.n_units, n},
                    {logits.data(), s.n_steps, s.n_classes, n}, workspace);
    put_columns(states, first, n, s.n_trials, s.states);
    put_columns(logits, first, n, s.n_trials, s.logits);
  }
  return s;
}

std::vector<Conditions> test_conditions(const Battery& battery, std::size_t task, std::size_t n,
                                        Seed seed, bool noise) {
  std::vector<Conditions> conditions = draw_trials(battery, task, n, seed, Split::test).conditions;
  for (Conditions& c : conditions) c.noise = noise;
  return conditions;
}

TrialBatch compose_task(const Battery& battery, std::size_t task,
                        std::span<const Conditions> conditions, Seed seed) {
  const std::vector<std::uint32_t> tasks(conditions.size(), static_cast<std::uint32_t>(task));
  return compose_trials(
      battery, tasks, conditions,
      {seed, RandomPurpose::input_noise, Split::test, battery.tasks()[task].number(), 0});
}

TrialBatch test_trials(const Battery& battery, std::size_t task, std::size_t n, Seed seed,
                       bool noise) {
  if (noise) return draw_trials(battery, task, n, seed, Split::test);
  return compose_task(battery, task, test_conditions(battery, task, n, seed, false), seed);
}

double decision_accuracy(const Simulation& run, const TrialBatch& trials) {
  double right = 0, n_steps = 0;
  for (std::size_t k = 0; k < trials.n_trials; ++k) {
    const PeriodSpan decision = span_of(trials, k, Period::decision);
    for (auto step = decision.first; step < decision.last; ++step) {
      const auto t = static_cast<std::size_t>(step);
      right += run.answer(t, k) == trials.targets[trials.index(t, k)];
      ++n_steps;
    }
  }
  return right / n_steps;
}

PeriodSpan span_of(const TrialBatch& trials, std::size_t k, Period period) {
  for (const PeriodSpan& span : trials.spans[k])
    if (span.period == period) return span;
  return {period, 0, 0};
}

bool has_period(const Battery& battery, std::size_t task, Period period) {
  return !battery.durations(task)[period_index(period)].values.empty();
}

}  // namespace lmrnn
