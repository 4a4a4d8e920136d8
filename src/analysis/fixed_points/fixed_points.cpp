// fixed-points: where the state stays under constant input, and how it moves there.
#include "analysis/fixed_points/fixed_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;

enum class PeriodChoice { automatic, fixation, stimulus, delay, second_stimulus, decision };
constexpr std::array<std::pair<std::string_view, PeriodChoice>, 6> enum_names(PeriodChoice) {
  return {{{"auto", PeriodChoice::automatic},
           {"fixation", PeriodChoice::fixation},
           {"stimulus", PeriodChoice::stimulus},
           {"delay", PeriodChoice::delay},
           {"second-stimulus", PeriodChoice::second_stimulus},
           {"decision", PeriodChoice::decision}}};
}

struct FixedPointOptions {
  std::string tasks;
  PeriodChoice period = PeriodChoice::automatic;
  std::int64_t starts = 64;
  std::int64_t iterations = 100;
  double fixed = 1e-6, slow = 0.01;
  double merge = 0.01;
  double marginal = 0.03;
  std::int64_t eigenvalues = 10;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field(
        "period", self.period,
        "the input is that of the last step of this period; auto: the first of delay, stimulus and "
        "decision that the task has");
    field("starts", self.starts, "trials from whose states the search begins, per task",
          between(1, 100000));
    field("iterations", self.iterations, "of the minimisation, at most", at_least(1));
    field("fixed", self.fixed,
          "a point is fixed if its speed per time constant tau is at most this share of the mean "
          "norm of the states",
          at_least(0));
    field("slow", self.slow, "and slow up to this; faster ones are left out", at_least(0));
    field("merge", self.merge, "points closer than this share of the mean norm are one",
          at_least(0));
    field("marginal", self.marginal,
          "an eigenvalue is near 1 if its modulus is within this times dt / tau", at_least(0));
    field("eigenvalues", self.eigenvalues, "how many are found, largest first", between(1, 1000));
  }
};

// A start of the minimisation, and its input.
struct Start {
  VectorXd state, current;
  std::size_t trial;
};

Period wanted_period(const FixedPointOptions& options, const Battery& battery, std::size_t task) {
  if (options.period != PeriodChoice::automatic)
    return static_cast<Period>(static_cast<int>(options.period) - 1);
  // rtgo has no stimulus before its decision, and a delay may be 0 ms long in all trials.
  for (const Period period : {Period::delay, Period::stimulus}) {
    const std::vector<double> durations = battery.durations(task)[period_index(period)].values;
    if (!durations.empty() && battery.n_steps({std::ranges::max(durations)}) > 0) return period;
  }
  return Period::decision;
}

std::vector<Start> starts_of(const Subject& subject, const FixedPointOptions& options,
                             const Dynamics& dynamics, std::size_t task, Seed seed) {
  const Battery& battery = subject.battery;
  const Period period = wanted_period(options, battery, task);
  const auto n = static_cast<std::size_t>(options.starts);
  const TrialBatch trials = test_trials(battery, task, n, seed, false);
  const Simulation run = simulate(subject.network, battery, trials);
  std::vector<Start> starts;
  for (std::size_t k = 0; k < n; ++k) {
    const PeriodSpan span = span_of(trials, k, period);
    if (span.last == span.first) continue;
    const auto last = static_cast<std::size_t>(span.last - 1);
    starts.push_back({run.state_at(last, k), dynamics.current(trials, last, k), k});
  }
  return starts;
}

struct TaskPoints {
  std::size_t task = 0;
  std::vector<Start> starts;
  std::vector<FixedPoint> points;
  double scale = 0;  // typical norm of the states from which the search begins
};

// (task, index within the task) of all items, so that one loop can cover them all.
std::vector<std::pair<std::size_t, std::size_t>> places(const std::vector<TaskPoints>& tasks) {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  for (std::size_t t = 0; t < tasks.size(); ++t)
    for (std::size_t i = 0; i < tasks[t].points.size(); ++i) all.emplace_back(t, i);
  return all;
}

// Points found under different inputs are different points, however close.
std::vector<FixedPoint> merge_by_input(std::vector<FixedPoint> points,
                                       const std::vector<Start>& starts, double distance,
                                       double slow) {
  std::vector<std::size_t> group(starts.size());
  std::vector<std::size_t> leaders;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const auto leader = std::ranges::find_if(leaders, [&](std::size_t other) {
      return (starts[other].current - starts[s].current).norm() <=
             1e-6 * (1 + starts[s].current.norm());
    });
    group[s] = static_cast<std::size_t>(leader - leaders.begin());
    if (leader == leaders.end()) leaders.push_back(s);
  }
  std::vector<FixedPoint> merged;
  for (std::size_t g = 0; g < leaders.size(); ++g) {
    std::vector<FixedPoint> members;
    for (std::size_t s = 0; s < points.size(); ++s)
      if (group[s] == g) members.push_back(std::move(points[s]));
    for (FixedPoint& point : merge_points(std::move(members), distance, slow))
      merged.push_back(std::move(point));
  }
  return merged;
}

std::vector<TaskPoints> find_points(const Subject& subject, const FixedPointOptions& options,
                                    const Dynamics& dynamics, const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  std::vector<TaskPoints> found(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t t) {
    TaskPoints& f = found[t];
    f.task = tasks[t];
    f.starts = starts_of(subject, options, dynamics, tasks[t], context.seed);
    f.points.resize(f.starts.size());
    for (const Start& s : f.starts)
      f.scale += s.state.norm() / static_cast<double>(f.starts.size());
    f.scale = std::max(f.scale, 1e-12);  // a silent network rests at 0
  });
  const Minimisation minimisation{.iterations = options.iterations};
  const auto searches = places(found);
  for_each_item(context, searches.size(), "search", [&](std::size_t i) {
    const auto [t, s] = searches[i];
    const Start& start = found[t].starts[s];
    FixedPoint& point = found[t].points[s];
    point.state = minimise_speed(dynamics, start.state, start.current, minimisation);
    point.speed = speed(dynamics, point.state, start.current);
    point.n_starts = 1;
    point.first_start = s;
  });
  for (TaskPoints& f : found)
    f.points = merge_by_input(std::move(f.points), f.starts, options.merge * f.scale,
                              options.slow * f.scale);
  const auto linearisations = places(found);
  for_each_item(context, linearisations.size(), "linearisation", [&](std::size_t i) {
    const auto [t, p] = linearisations[i];
    FixedPoint& point = found[t].points[p];
    const Start& start = found[t].starts[point.first_start];
    const VectorXd slope = dynamics.slope(point.state, start.current);
    point.eigenvalues = leading_spectrum(dynamics, slope, options.eigenvalues, false).values;
    point.stability =
        classify(point.eigenvalues, static_cast<std::size_t>(dynamics.n_units()), dynamics.alpha(),
                 options.marginal, point.n_unstable, point.n_marginal);
    point.first_start = start.trial;
  });
  return found;
}

void add_rows(const Subject& subject, const FixedPointOptions& options, const Dynamics& dynamics,
              const TaskPoints& found, Table& table) {
  const double dt = subject.battery.config().dt;
  const Period period = wanted_period(options, subject.battery, found.task);
  const Task& task = subject.battery.tasks()[found.task];
  std::int64_t number = 0;
  for (const FixedPoint& p : found.points) {
    const std::complex<double> first = p.eigenvalues.front();
    const double relative = p.speed / found.scale;
    const bool is_fixed = relative <= options.fixed;
    Eigen::Index answer = 0;
    dynamics.logits(p.state).maxCoeff(&answer);
    table.add(
        {task.name(), std::string(period_name(task.base_task().family, period)), number++,
         static_cast<std::int64_t>(p.n_starts), relative, std::string(is_fixed ? "fixed" : "slow"),
         std::string(stability_name(p.stability)), static_cast<std::int64_t>(p.n_unstable),
         static_cast<std::int64_t>(p.n_marginal), first.real(), first.imag(),
         growth(first, dynamics.alpha()),
         // At a minimum of the speed that is not a fixed point, an eigenvalue is 1 and its time
         // constant is a rounding error.
         is_fixed ? time_constant(std::abs(first), dt) : std::numeric_limits<double>::quiet_NaN(),
         std::abs(std::arg(first)) / (2 * std::numbers::pi * dt) * 1000, p.state.norm(),
         static_cast<std::int64_t>(answer), static_cast<std::int64_t>(p.first_start)});
  }
}

void add_arrays(const TaskPoints& found, const std::string& task, Recording& to) {
  if (found.points.empty()) return;
  const std::size_t n = found.points.size();
  const auto n_units = static_cast<std::size_t>(found.points.front().state.size());
  std::vector<double> states, real, imaginary;
  std::size_t n_values = found.points.front().eigenvalues.size();
  for (const FixedPoint& p : found.points) n_values = std::min(n_values, p.eigenvalues.size());
  for (const FixedPoint& p : found.points) {
    states.insert(states.end(), p.state.begin(), p.state.end());
    for (std::size_t k = 0; k < n_values; ++k) {
      real.push_back(p.eigenvalues[k].real());
      imaginary.push_back(p.eigenvalues[k].imag());
    }
  }
  to.add<double>(task + "/states", states, {n, n_units}, {"point", "unit"});
  to.add<double>(task + "/eigenvalues_real", real, {n, n_values}, {"point", "eigenvalue"});
  to.add<double>(task + "/eigenvalues_imaginary", imaginary, {n, n_values},
                 {"point", "eigenvalue"});
}

AnalysisResult fixed_points(const Subject& subject, const FixedPointOptions& options,
                            const AnalysisContext& context) {
  const Dynamics dynamics(subject.network);
  const std::vector<TaskPoints> all = find_points(subject, options, dynamics, context);
  Table table{"fixed_points",
              {"task", "period", "point", "starts", "speed", "kind", "stability", "unstable",
               "marginal", "eigenvalue_real", "eigenvalue_imaginary", "growth", "time_constant_ms",
               "frequency_hz", "norm", "answer", "first_trial"},
              {},
              "Fixed and slow points under constant input"};
  Table counts{"by_task",
               {"task", "starts", "points", "fixed", "slow", "attractor", "marginal", "rotation",
                "saddle", "repeller"},
               {},
               "Points by task"};
  Recording arrays;
  arrays.name = "fixed_points";
  std::int64_t n_points = 0, n_fixed = 0;
  for (const TaskPoints& found : all) {
    const std::string name = subject.battery.tasks()[found.task].name();
    add_rows(subject, options, dynamics, found, table);
    add_arrays(found, name, arrays);
    std::array<std::int64_t, 5> by_class{};
    std::int64_t fixed = 0;
    for (const FixedPoint& p : found.points) {
      ++by_class[static_cast<std::size_t>(p.stability)];
      fixed += p.speed / found.scale <= options.fixed;
    }
    const auto n = static_cast<std::int64_t>(found.points.size());
    counts.add({name, static_cast<std::int64_t>(found.starts.size()), n, fixed, n - fixed,
                by_class[0], by_class[1], by_class[2], by_class[3], by_class[4]});
    n_points += n;
    n_fixed += fixed;
  }
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(all.size()));
  result.headline("points", n_points);
  result.headline("fixed", n_fixed);
  result.headline("slow", n_points - n_fixed);
  result.tables = {std::move(counts), std::move(table)};
  result.recordings.push_back(std::move(arrays));
  return result;
}

}  // namespace

AnalysisEntry fixed_points_entry() {
  return analysis_entry<FixedPointOptions, fixed_points>(
      "fixed-points", "fixed and slow points under constant input, and their stability");
}

}  // namespace lmrnn
