// Runs trials and keeps all states and outputs.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "lmrnn/analysis.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn {

/// States and logits of a batch of trials, each started from state 0.
///
/// Analyses of dynamics use states; analyses of activity use what other units receive. In the
/// voltage form the latter are rates, f(x).
struct Simulation {
  std::size_t n_steps = 0, n_trials = 0, n_units = 0, n_classes = 0;
  Buffer<float> states;                      ///< (time, unit, trial)
  Buffer<float> logits;                      ///< (time, class, trial)
  std::optional<Activation> seen_through{};  ///< f of the voltage form

  float state(std::size_t t, std::size_t unit, std::size_t trial) const noexcept {
    return states[(t * n_units + unit) * n_trials + trial];
  }
  float rate(std::size_t t, std::size_t unit, std::size_t trial) const noexcept {
    const float s = state(t, unit, trial);
    if (!seen_through) return s;
    return static_cast<float>(apply_activation(*seen_through, static_cast<double>(s)));
  }
  /// State of one trial at step t, in double precision.
  Eigen::VectorXd state_at(std::size_t t, std::size_t trial) const;
  /// The same for rates.
  Eigen::VectorXd rates_at(std::size_t t, std::size_t trial) const;
  /// The class with the largest logit.
  std::int32_t answer(std::size_t t, std::size_t trial) const noexcept;
};

/// A call counts as one item of work and uses no threads. `sigma`: recurrent noise, a function of
/// `seed`, of the trial's task and of the trial's number, which is `first_trial` plus its index in
/// the batch.
Simulation simulate(const Network& network, const Battery& battery, const TrialBatch& trials,
                    double sigma = 0, Seed seed = {0}, std::size_t first_trial = 0);

/// Trials 0 ... n - 1 of a task in split `test`; with `noise` false, the same without input noise.
TrialBatch test_trials(const Battery& battery, std::size_t task, std::size_t n, Seed seed,
                       bool noise);

/// Conditions of those trials.
std::vector<Conditions> test_conditions(const Battery& battery, std::size_t task, std::size_t n,
                                        Seed seed, bool noise);

/// A batch of trials of one task with the given conditions.
TrialBatch compose_task(const Battery& battery, std::size_t task,
                        std::span<const Conditions> conditions, Seed seed);

/// Share of the steps of decision periods at which the answer is right.
double decision_accuracy(const Simulation& run, const TrialBatch& trials);

/// The span of `period` in trial `k`, or an empty one.
PeriodSpan span_of(const TrialBatch& trials, std::size_t k, Period period);

/// Whether trials of the task have the period at all (a delay that may last 0 ms counts).
bool has_period(const Battery& battery, std::size_t task, Period period);

}  // namespace lmrnn
