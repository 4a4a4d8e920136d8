// ring: evidence for a ring attractor in the delay, and other measures of the delay activity.
#include "analysis/ring/ring.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/ring/setting.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

// Tables ------------------------------------------------------------------------------------------

Table measures_table(const std::vector<RingTest>& tests) {
  Table table{"measures",
              {"test", "claim", "measure", "value", "threshold", "applies", "passed"},
              {},
              "Evidence for a ring attractor: every measure"};
  for (const RingTest& t : tests)
    table.add(
        {std::int64_t{t.number}, t.claim, t.measure, t.value, t.threshold, t.applies, t.passed});
  return table;
}

// A test passes if all of its measures do.
Table verdict_table(const std::vector<RingTest>& tests, std::int64_t& n_passed,
                    std::int64_t& n_applicable) {
  Table table{"tests", {"test", "claim", "verdict"}, {}, "Evidence for a ring attractor"};
  n_passed = n_applicable = 0;
  for (int number = 1; number <= 7; ++number) {
    bool applies = false, passed = true;
    std::string claim;
    for (const RingTest& t : tests) {
      if (t.number != number) continue;
      if (claim.empty()) claim = t.claim;
      applies = applies || t.applies;
      passed = passed && t.passed;
    }
    n_applicable += applies;
    n_passed += applies && passed;
    table.add({std::int64_t{number}, claim,
               std::string(!applies ? "not applicable"
                           : passed ? "pass"
                                    : "fail")});
  }
  return table;
}

Table conditions_table(const RingSetting& s, const std::vector<RingCondition>& conditions) {
  Table table{"conditions",
              {"modality", "direction", "error", "drift", "speed", "slow_point_angle",
               "eigenvalue_first", "eigenvalue_second", "tangent_cosine"},
              {},
              "By modality and direction"};
  for (std::size_t k = 0; k < conditions.size(); ++k) {
    const RingCondition& c = conditions[k];
    table.add({static_cast<std::int64_t>(k / s.n_angles), degrees(s.true_angle(k)), c.error,
               c.drift, c.speed, c.slow_angle, c.first, c.second, c.along});
  }
  return table;
}

// Error, drift and, from noisy repetitions, the variance that grows as 2 D t.
Table time_table(const RingSetting& s, AnalysisResult& result) {
  const auto n_repeats = static_cast<std::size_t>(s.options.repeats);
  // White noise: its power per time constant must not depend on the number of steps.
  const double sigma = s.options.noise / std::sqrt(s.dynamics.alpha());
  const Circle& quiet = s.circle;
  const std::size_t n = quiet.delay_end - quiet.delay_begin;
  std::vector<Eigen::MatrixXd> shifts(n_repeats);  // (time, trial), against the quiet trial
  for_each_item(s.context, n_repeats, "noisy repetition", [&](std::size_t r) {
    Circle c = s.run_circle(s.task, s.options.long_delay, {}, s.subject.network, sigma, r);
    c.decoded = s.decode(c.run);
    shifts[r] =
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(s.n_trials));
    for (std::size_t k = 0; k < s.n_trials; ++k)
      for (std::size_t t = 1; t < n; ++t) {
        const std::size_t at = c.delay_begin + t;
        shifts[r](static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(k)) =
            shifts[r](static_cast<Eigen::Index>(t - 1), static_cast<Eigen::Index>(k)) +
            c.turned(k, at - 1, at) - quiet.turned(k, at - 1, at);
      }
  });
  Table table{"over_time",
              {"time_ms", "median_error", "mean_drift", "deviation_of_drift", "variance"},
              {},
              "Decoded angle during the delay"};
  std::vector<double> seconds, variances;
  for (std::size_t t = 0; t < n; ++t) {
    std::vector<double> errors, drifts, noisy;
    for (std::size_t k = 0; k < s.n_trials; ++k) {
      const double angle = quiet.decoded(static_cast<Eigen::Index>(quiet.delay_begin + t),
                                         static_cast<Eigen::Index>(k));
      errors.push_back(std::abs(degrees(angle_between(angle, s.true_angle(k)))));
      drifts.push_back(degrees(quiet.turned(k, quiet.delay_begin, quiet.delay_begin + t)));
      for (const Eigen::MatrixXd& shift : shifts)
        noisy.push_back(degrees(shift(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(k))));
    }
    const double deviation = deviation_of(noisy);
    const double ms = static_cast<double>(t + 1) * s.dt;
    table.add(
        {ms, median_of(errors), mean_of(drifts), deviation_of(drifts), deviation * deviation});
    seconds.push_back(ms / 1000);
    variances.push_back(deviation * deviation);
  }
  result.headline("diffusion_degrees2_per_s", fit_line(seconds, variances).slope / 2);
  return table;
}

// How well the state encodes the time since the delay began, by task: ridge regression on every
// other trial, R squared on the rest.
Table elapsed_table(const RingSetting& s) {
  const Battery& battery = s.subject.battery;
  std::vector<std::size_t> tasks;
  for (std::size_t t = 0; t < battery.tasks().size(); ++t)
    if (battery.tasks()[t].interval != 0 && has_period(battery, t, Period::delay))
      tasks.push_back(t);
  std::vector<double> r_squared(tasks.size(), nan), error(tasks.size(), nan);
  for_each_item(s.context, tasks.size(), "elapsed time", [&](std::size_t i) {
    const TrialBatch trials = test_trials(battery, tasks[i], 100, s.context.seed, true);
    const Simulation run = simulate(s.subject.network, battery, trials);
    std::array<std::vector<std::pair<std::size_t, std::size_t>>, 2> places;  // (time, trial)
    for (std::size_t k = 0; k < trials.n_trials; ++k) {
      const PeriodSpan span = span_of(trials, k, Period::delay);
      for (auto t = span.first; t < span.last; ++t)
        places[k % 2].emplace_back(static_cast<std::size_t>(t), k);
    }
    if (places[0].size() < 10 || places[1].size() < 10) return;
    std::array<Eigen::MatrixXd, 2> states, times;
    for (std::size_t half = 0; half < 2; ++half) {
      const auto n = static_cast<Eigen::Index>(places[half].size());
      states[half].resize(n, s.dynamics.n_units());
      times[half].resize(n, 1);
      for (Eigen::Index row = 0; row < n; ++row) {
        const auto [t, k] = places[half][static_cast<std::size_t>(row)];
        states[half].row(row) = run.state_at(t, k).transpose();
        times[half](row, 0) = static_cast<double>(static_cast<std::int32_t>(t) + 1 -
                                                  span_of(trials, k, Period::delay).first);
      }
    }
    const Regression fit = ridge_regression(states[0], times[0], s.options.ridge);
    const Eigen::VectorXd residual = fit.predict(states[1]) - times[1];
    const Eigen::VectorXd centred = times[1].array() - times[1].mean();
    r_squared[i] = 1 - residual.squaredNorm() / centred.squaredNorm();
    error[i] = std::sqrt(residual.squaredNorm() / static_cast<double>(residual.size())) * s.dt;
  });
  Table table{"elapsed_time",
              {"task", "r_squared", "error_ms"},
              {},
              "Elapsed time decoded during the delay of tasks with int"};
  for (std::size_t i = 0; i < tasks.size(); ++i)
    table.add({battery.tasks()[tasks[i]].name(), r_squared[i], error[i]});
  return table;
}

Recording angle_recording(const RingSetting& s) {
  Recording recording;
  recording.name = "ring";
  const Circle& c = s.circle;
  const std::size_t n = c.delay_end - c.delay_begin;
  std::vector<double> decoded, direction, states;
  for (std::size_t t = 0; t < n; ++t)
    for (std::size_t k = 0; k < s.n_trials; ++k)
      decoded.push_back(
          c.decoded(static_cast<Eigen::Index>(c.delay_begin + t), static_cast<Eigen::Index>(k)));
  for (std::size_t k = 0; k < s.n_trials; ++k) {
    direction.push_back(s.true_angle(k));
    states.insert(states.end(), s.points[k].state.begin(), s.points[k].state.end());
  }
  recording.add<double>("decoded_angle", decoded, {n, s.n_trials}, {"time", "trial"});
  recording.add<double>("direction", direction, {s.n_trials}, {"trial"});
  recording.add<double>("ring_states", states,
                        {s.n_trials, static_cast<std::size_t>(s.dynamics.n_units())},
                        {"trial", "unit"});
  return recording;
}

AnalysisResult ring(const Subject& subject, const RingOptions& options,
                    const AnalysisContext& context) {
  const RingSetting setting(subject, options, context);
  const RingEvidence evidence = ring_evidence(setting);
  AnalysisResult result;
  std::int64_t n_passed = 0, n_applicable = 0;
  Table verdicts = verdict_table(evidence.tests, n_passed, n_applicable);
  result.headline("tests_passed", n_passed);
  result.headline("tests_applicable", n_applicable);
  result.headline("ring_attractor", n_passed == n_applicable);
  result.headline("median_error_degrees", evidence.tests.front().value);
  Table over_time = time_table(setting, result);
  result.tables = {std::move(verdicts), measures_table(evidence.tests),
                   conditions_table(setting, evidence.conditions), std::move(over_time),
                   elapsed_table(setting)};
  result.recordings.push_back(angle_recording(setting));
  return result;
}

}  // namespace

AnalysisEntry ring_entry() {
  return analysis_entry<RingOptions, ring>(
      "ring", "is the delay held by a ring attractor? Seven tests, drift, diffusion");
}

}  // namespace lmrnn
