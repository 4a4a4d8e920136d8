// Does lambda alone predict the performance with longer delays?
#include <array>
#include <cmath>

#include "analysis/autapse/uncoupled_pool.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
// Two hundred trials whose delays last `multiple` times as long as they were drawn.
TrialBatch UncoupledPool::delayed_trials(std::size_t task, double multiple) const {
  std::vector<Conditions> conditions = test_conditions(s_.battery, task, 200, context_.seed, true);
  for (Conditions& c : conditions) c.duration[period_index(Period::delay)] *= multiple;
  return compose_task(s_.battery, task, conditions, context_.seed);
}

// Skips most of the delay by a formula: from one time constant into the delay on (the second step,
// if dt is tau), an active unit approaches its fixed point as lambda^n and an inactive one decays
// as (1 - alpha)^n. The rest is simulated.
double UncoupledPool::predicted_accuracy(const Dynamics& dynamics, std::size_t task,
                                         double multiple) const {
  const TrialBatch trials = delayed_trials(task, multiple);
  const auto settled = static_cast<std::int32_t>(std::lround(1 / alpha_));  // steps
  double right = 0, n_steps = 0;
  for (std::size_t k = 0; k < trials.n_trials; ++k) {
    const PeriodSpan delay = span_of(trials, k, Period::delay);
    const PeriodSpan decision = span_of(trials, k, Period::decision);
    Eigen::VectorXd h = Eigen::VectorXd::Zero(dynamics.n_units());
    for (std::int32_t t = 0; t < decision.last; ++t) {
      const auto at = static_cast<std::size_t>(t);
      const Eigen::VectorXd c = dynamics.current(trials, at, k);
      if (t == delay.first + settled && delay.last > t) {
        const Eigen::VectorXd slope = dynamics.slope(h, c);
        const auto n = static_cast<double>(delay.last - t);
        for (Eigen::Index i = 0; i < h.size(); ++i) {
          const double l = lambda(static_cast<std::size_t>(i), slope[i]);
          const double drive = slope[i] > 0 ? alpha_ * c[i] : 0;
          h[i] = std::abs(1 - l) < 1e-9
                     ? h[i] + n * drive
                     : std::pow(l, n) * h[i] + drive * (1 - std::pow(l, n)) / (1 - l);
        }
        t = delay.last - 1;
        continue;
      }
      h = dynamics.step(h, c);
      if (t < decision.first) continue;
      Eigen::Index answer = 0;
      dynamics.logits(h).maxCoeff(&answer);
      right += answer == trials.targets[trials.index(at, k)];
      ++n_steps;
    }
  }
  return n_steps > 0 ? right / n_steps : nan;
}

void UncoupledPool::delays(AnalysisResult& result) {
  std::vector<std::size_t> with_delay;
  for (const std::size_t t : tasks_)
    if (has_period(s_.battery, t, Period::delay) && s_.battery.tasks()[t].interval == 0)
      with_delay.push_back(t);
  constexpr std::array<double, 3> multiples{1, 2, 4};
  struct Row {
    double measured = nan, predicted = nan;
  };
  std::vector<Row> rows(with_delay.size() * multiples.size());
  const Dynamics dynamics(s_.network);
  const bool relu = s_.network.architecture().activation == Activation::relu;
  for_each_item(context_, rows.size(), "delay", [&](std::size_t r) {
    const std::size_t task = with_delay[r / multiples.size()];
    const double multiple = multiples[r % multiples.size()];
    const TrialBatch trials = delayed_trials(task, multiple);
    rows[r].measured = decision_accuracy(simulate(s_.network, s_.battery, trials), trials);
    if (relu) rows[r].predicted = predicted_accuracy(dynamics, task, multiple);
  });
  Table table{"delays",
              {"task", "delay_multiple", "measured", "predicted"},
              {},
              "Accuracy at longer delays, and what lambda alone predicts"};
  std::vector<double> errors, measured, predicted;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double multiple = multiples[r % multiples.size()];
    table.add({s_.battery.tasks()[with_delay[r / multiples.size()]].name(), multiple,
               rows[r].measured, rows[r].predicted});
    if (multiple == 1 || !relu) continue;
    errors.push_back(std::abs(rows[r].measured - rows[r].predicted));
    measured.push_back(rows[r].measured);
    predicted.push_back(rows[r].predicted);
  }
  result.tables.push_back(std::move(table));
  if (errors.empty()) return;
  const double r = correlation(predicted, measured);
  constexpr std::size_t least_points = 4;  // two always correlate perfectly, and three often
  if (measured.size() >= least_points)
    evidence_.add({std::string("lambda predicts accuracy at 2 and 4 times the trained delay"),
                   std::string("correlation of predicted and measured accuracy"), r,
                   std::string(">= 0.9"), r >= 0.9});
  evidence_.add({std::string("lambda predicts accuracy at 2 and 4 times the trained delay"),
                 std::string("mean absolute difference, points"), 100 * mean_of(errors),
                 std::string("<= 5"), 100 * mean_of(errors) <= 5});
}

}  // namespace lmrnn
