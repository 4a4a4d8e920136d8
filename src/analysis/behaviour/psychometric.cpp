// psychometric: accuracy and choice against evidence, delay and direction, compared with an ideal
// observer.
#include "analysis/behaviour/psychometric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <optional>
#include <utility>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/psychometric.hpp"

namespace lmrnn {

double ideal_choice(const Battery& battery, const Task& task, const Conditions& c,
                    std::int32_t n_steps) {
  const BaseTask& base = task.base_task();
  const double sigma = static_cast<double>(battery.noise_deviation());
  const bool one = base.counted == 1 || base.counted == 2;
  if (base.family != Family::decision || !one || task.interval != 0 || task.sequence != 0)
    return nan;
  const auto& strength = c.strength[base.counted == 1 ? 0 : 1];
  const double difference = std::abs(strength[0] - strength[1]);
  if (sigma == 0) return 1;
  const auto n = static_cast<double>(battery.config().n_ring);
  double square = 0;
  for (double k = 0; k < n; ++k) {
    const double angle = 2 * std::numbers::pi * k / n;
    const auto bump = [&](double at) {
      const double d = angle_between(angle, at) / (std::numbers::pi / 8);
      return 0.8 * std::exp(-d * d / 2);
    };
    const double apart = bump(c.directions[0]) - bump(c.directions[1]);
    square += apart * apart;
  }
  // The two hypotheses differ by `difference` times (bump a - bump b): d' = difference sqrt(square
  // n) / sigma, and the criterion is half of that away from either.
  const double half = difference / 2 * std::sqrt(square * static_cast<double>(n_steps)) / sigma;
  return 0.5 * std::erfc(-half / std::numbers::sqrt2);
}

namespace {

struct PsychometricOptions {
  std::string tasks;
  std::int64_t trials = 500;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per point of a curve", between(1, 1000000));
  }
};

struct Point {
  std::string axis;
  double x = 0;
  std::vector<Conditions> conditions;
};

struct Measured {
  double accuracy = 0, chose_first = nan, ideal = nan;
};

// Adds points along one axis: the drawn trials with one condition changed.
void add_points(const Battery& battery, std::size_t task, const std::vector<Conditions>& drawn,
                std::vector<Point>& points) {
  const Task& t = battery.tasks()[task];
  const BaseTask& base = t.base_task();
  const auto add = [&](std::string axis, double x, auto change) {
    Point p{std::move(axis), x, drawn};
    for (Conditions& c : p.conditions) change(c);
    points.push_back(std::move(p));
  };
  if (base.decides() && base.counted != 3) {
    const std::size_t m = base.counted == 1 ? 0 : 1;
    const bool delayed = base.family == Family::delayed_decision;
    const std::vector<double> levels =
        delayed
            ? std::vector<double>{-0.7, -0.4, -0.2, -0.1, 0.1, 0.2, 0.4, 0.7}
            : std::vector<double>{-0.64, -0.32, -0.16, -0.08, -0.04, 0.04, 0.08, 0.16, 0.32, 0.64};
    for (const double level : levels)
      add("evidence", level, [&](Conditions& c) {
        const double middle = delayed ? 0.65 : 0.5;
        c.strength[m] = {middle + level / 2, middle - level / 2};
        c.choice = level < 0;
      });
  }
  // In go and anti the stimulus stays visible, so their delay does not test memory.
  if (has_period(battery, task, Period::delay) &&
      (base.family != Family::reach || base.memory_delay))
    for (const double ms : {0.0, 300.0, 600.0, 900.0, 1200.0, 2000.0, 3000.0})
      add("delay", ms, [&](Conditions& c) { c.duration[period_index(Period::delay)] = ms; });
  if (base.family == Family::reach)
    for (std::int64_t k = 0; k < 3 * battery.config().n_ring; ++k) {  // and two between
      const double angle = 2 * std::numbers::pi * static_cast<double>(k) /
                           static_cast<double>(3 * battery.config().n_ring);
      add("direction", degrees(angle), [&](Conditions& c) { c.direction = angle; });
    }
}

using SimulationOf = std::function<Simulation(const TrialBatch&)>;

Measured measure(const SimulationOf& simulation_of, const Battery& battery, std::size_t task,
                 const Point& point, Seed seed) {
  const TrialBatch trials = compose_task(battery, task, point.conditions, seed);
  const Simulation run = simulation_of(trials);
  const BaseTask& base = battery.tasks()[task].base_task();
  const double accuracy = decision_accuracy(run, trials);
  if (!base.decides()) return {accuracy, nan, nan};
  const auto n_trials = static_cast<double>(trials.n_trials);
  double first = 0, ideal = 0;
  const auto n_ring = static_cast<std::int64_t>(battery.config().n_ring);
  // Published ring_wrap: the class of the last direction is 0.
  const bool wraps = !battery.config().semantics.resolve().ring_wrap;
  const auto ring_index = [&](double angle) {
    return static_cast<std::int64_t>(
        std::lround(angle * static_cast<double>(n_ring) / (2 * std::numbers::pi)));
  };
  for (std::size_t k = 0; k < trials.n_trials; ++k) {
    // Which of the two logits is larger at the first step of the decision. By then, int has turned
    // both directions; the target says how far.
    const auto t = static_cast<std::size_t>(span_of(trials, k, Period::decision).first);
    const Conditions& c = point.conditions[k];
    const std::int64_t turned = trials.targets[trials.index(t, k)] - 1 -
                                ring_index(c.directions[static_cast<std::size_t>(c.choice)]);
    const auto logit = [&](double direction) {
      const std::int64_t at = ((ring_index(direction) + turned) % n_ring + n_ring) % n_ring;
      const auto c = static_cast<std::size_t>(wraps ? (at + 1) % n_ring : at + 1);
      return run.logits[(t * run.n_classes + c) * run.n_trials + k];
    };
    first += logit(c.directions[0]) > logit(c.directions[1]);
    const PeriodSpan stimulus = span_of(trials, k, Period::stimulus);
    ideal += ideal_choice(battery, battery.tasks()[task], c, stimulus.last - stimulus.first);
  }
  return {accuracy, first / n_trials, ideal / n_trials};
}

using ForEach = decltype(&for_each_item);

AnalysisResult curves(const SimulationOf& simulation_of, ForEach for_each, const Battery& battery,
                      const PsychometricOptions& options, const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(battery, options.tasks);
  const auto n = static_cast<std::size_t>(options.trials);
  Table table{"psychometric",
              {"task", "axis", "x", "trials", "accuracy", "lower", "upper", "chose_first",
               "chose_first_lower", "chose_first_upper", "ideal"},
              {},
              "Accuracy and choice against evidence, delay and direction"};
  std::vector<std::vector<Point>> points(tasks.size());
  std::vector<std::vector<Measured>> measured(tasks.size());
  for_each(context, tasks.size(), "task", [&](std::size_t i) {
    const auto drawn = test_conditions(battery, tasks[i], n, context.seed, true);
    add_points(battery, tasks[i], drawn, points[i]);
    for (const Point& p : points[i])
      measured[i].push_back(measure(simulation_of, battery, tasks[i], p, context.seed));
  });
  const auto trials = static_cast<double>(n);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Task& task = battery.tasks()[tasks[i]];
    for (std::size_t p = 0; p < points[i].size(); ++p) {
      const Measured& m = measured[i][p];
      const bool choice = std::isfinite(m.chose_first);
      const double ideal = choice ? m.ideal : points[i][p].axis == "evidence" ? nan : 1;
      table.add({task.name(), points[i][p].axis, points[i][p].x, static_cast<std::int64_t>(n),
                 m.accuracy, wilson_lower(m.accuracy, trials), wilson_upper(m.accuracy, trials),
                 m.chose_first, choice ? wilson_lower(m.chose_first, trials) : nan,
                 choice ? wilson_upper(m.chose_first, trials) : nan,
                 task.base_task().family == Family::reach || choice ? ideal : nan});
    }
  }
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.headline("points", static_cast<std::int64_t>(table.rows.size()));
  result.tables.push_back(std::move(table));
  return result;
}

AnalysisResult of_network(const Network& network, const Battery& battery,
                          const PsychometricOptions& options, const AnalysisContext& context) {
  const auto run = [&](const TrialBatch& trials) { return simulate(network, battery, trials); };
  return curves(run, &for_each_item, battery, options, context);
}

AnalysisResult psychometric(const Subject& subject, const PsychometricOptions& options,
                            const AnalysisContext& context) {
  return of_network(subject.network, subject.battery, options, context);
}

}  // namespace

AnalysisResult psychometric_curves(const Network& network, const Battery& battery,
                                   const ConfigTable& options, const AnalysisContext& context) {
  const Architecture& a = network.architecture();
  if (a.n_channels != battery.n_channels() || a.n_rules != battery.n_rules() ||
      a.n_classes != battery.n_classes())
    throw UsageError(
        fmt::format("psychometric: the network has {} channels, {} rules and {} classes, the "
                    "battery {}, {} and {}; give the battery that it was trained on",
                    a.n_channels, a.n_rules, a.n_classes, battery.n_channels(), battery.n_rules(),
                    battery.n_classes()));
  return of_network(network, battery, options_from<PsychometricOptions>(options), context);
}

AnalysisResult psychometric_curves(const LogitsFunction& model, const Battery& battery,
                                   const ConfigTable& options, const AnalysisContext& context) {
  const auto run = [&](const TrialBatch& trials) {
    Simulation s;
    s.n_steps = trials.n_steps;
    s.n_trials = trials.n_trials;
    s.n_classes = battery.n_classes();
    s.logits = model(trials);
    const std::size_t size = s.n_steps * s.n_classes * s.n_trials;
    if (s.logits.size() != size)
      throw UsageError(fmt::format("psychometric: {} logits; (time, class, trial) are {} of them",
                                   s.logits.size(), size));
    return s;
  };
  return curves(run, &for_each_in_turn, battery, options_from<PsychometricOptions>(options),
                context);
}

AnalysisEntry psychometric_entry() {
  return analysis_entry<PsychometricOptions, psychometric>(
      "psychometric", "accuracy and choice against evidence, delay and direction");
}

}  // namespace lmrnn
