// autapse: every unit of a diagonal network is one scalar map,
//   h -> (1 - alpha) h + alpha f(w h + c),   lambda = 1 - alpha + alpha w f'(u),
// so that what a trained pool does can be read off its weights, and be built by hand.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/dynamics.hpp"
#include "analysis/fixed_points.hpp"
#include "analysis/makers.hpp"
#include "analysis/numerics.hpp"
#include "analysis/pools.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

enum class UnitClass { relay, memory, integrator, grower, silent };
constexpr std::array<std::string_view, 5> class_names{"relay", "leaky memory", "integrator",
                                                      "grower", "silent"};
constexpr std::size_t n_classes = class_names.size();

UnitClass class_of(double lambda, double active, const AutapseOptions& o) {
  if (active <= o.silent) return UnitClass::silent;
  if (std::abs(lambda) < o.relay) return UnitClass::relay;
  if (lambda < o.memory) return UnitClass::memory;
  return lambda <= o.integrator ? UnitClass::integrator : UnitClass::grower;
}

// f'(u) from what f returned.
double slope_of(Activation f, double rate) {
  switch (f) {
    case Activation::relu:
      return rate > 0 ? 1 : 0;
    case Activation::tanh:
      return 1 - rate * rate;
    case Activation::softplus:
      return 1 - std::exp(-rate);
  }
  return 0;
}

// One task: how each unit behaves in each period, and what it gives to the right answer.
struct Epochs {
  std::size_t task = 0;
  std::array<std::vector<double>, n_periods> active, slope;  // by unit; empty: no such period
  std::vector<double> margin;  // by unit: part of (right logit - best other), mean over decisions
};

Epochs watch(const Subject& subject, std::size_t task, std::size_t n_trials, Seed seed) {
  const Architecture& a = subject.network.architecture();
  const TrialBatch trials = test_trials(subject.battery, task, n_trials, seed, false);
  const Simulation run = simulate(subject.network, subject.battery, trials);
  const std::size_t n = a.n_units();
  const float* readout = subject.network.parameters().data() + subject.network.layout().readout;
  Epochs e{task, {}, {}, std::vector<double>(n, 0)};
  std::array<double, n_periods> n_steps{};
  double n_decisions = 0;
  for (std::size_t k = 0; k < n_trials; ++k)
    for (const PeriodSpan& span : trials.spans[k]) {
      const auto p = static_cast<std::size_t>(span.period);
      e.active[p].resize(n, 0);
      e.slope[p].resize(n, 0);
      for (auto step = span.first; step < span.last; ++step) {
        const auto t = static_cast<std::size_t>(step);
        ++n_steps[p];
        for (std::size_t i = 0; i < n; ++i) {
          const double before = t > 0 ? run.state(t - 1, i, k) : 0;
          const double rate = (run.state(t, i, k) - (1 - a.alpha) * before) / a.alpha;
          const double slope = slope_of(a.activation, rate);
          e.active[p][i] += slope > 1e-3;
          e.slope[p][i] += slope;
        }
        if (span.period != Period::decision) continue;
        const auto right = static_cast<std::size_t>(trials.targets[t * n_trials + k]);
        std::size_t other = right == 0 ? 1 : 0;
        const auto logit = [&](std::size_t c) {
          return run.logits[(t * run.n_classes + c) * n_trials + k];
        };
        for (std::size_t c = 0; c < run.n_classes; ++c)
          if (c != right && logit(c) > logit(other)) other = c;
        ++n_decisions;
        for (std::size_t i = 0; i < n; ++i)
          e.margin[i] += run.state(t, i, k) *
                         static_cast<double>(readout[right * n + i] - readout[other * n + i]);
      }
    }
  for (std::size_t p = 0; p < n_periods; ++p)
    for (std::size_t i = 0; i < e.active[p].size(); ++i) {
      e.slope[p][i] = e.active[p][i] > 0 ? e.slope[p][i] / e.active[p][i] : 0;  // while active
      e.active[p][i] /= std::max(n_steps[p], 1.0);
    }
  for (double& m : e.margin) m /= std::max(n_decisions, 1.0);
  return e;
}

class Pool {
 public:
  Pool(const Subject& subject, const AutapseOptions& options, const AnalysisContext& context)
      : s_(subject),
        o_(options),
        context_(context),
        tasks_(chosen_tasks(subject.battery, options.tasks)),
        n_(subject.network.architecture().n_units()),
        alpha_(subject.network.architecture().alpha),
        weights_(subject.network.parameters().data() + subject.network.layout().recurrent),
        evaluator_(subject.battery, context.seed, Split::test,
                   static_cast<std::size_t>(options.trials), context.pool, tasks_) {
    epochs_.resize(tasks_.size());
    for_each_item(context_, tasks_.size(), "task",
                  [&](std::size_t i) { epochs_[i] = watch(s_, tasks_[i], 100, context_.seed); });
    classify_units();
  }

  void units(AnalysisResult& result) const;
  void epochs(AnalysisResult& result) const;
  void lesions(AnalysisResult& result);
  void centres(AnalysisResult& result);
  void delays(AnalysisResult& result);
  void pools(AnalysisResult& result) const;
  void evidence(AnalysisResult& result) const { result.tables.push_back(evidence_); }

 private:
  double lambda(std::size_t unit, double slope) const {
    return 1 - alpha_ + alpha_ * static_cast<double>(weights_[unit]) * slope;
  }
  void classify_units();
  std::vector<std::uint32_t> members(std::size_t c) const {
    std::vector<std::uint32_t> units;
    for (std::uint32_t i = 0; i < n_; ++i)
      if (static_cast<std::size_t>(classes_[i]) == c) units.push_back(i);
    return units;
  }
  std::vector<double> scores(const Network& network) const {
    std::vector<double> accuracy;
    for (const TaskScore& t : evaluator_.evaluate(network, context_.pool).tasks)
      accuracy.push_back(t.decision_accuracy);
    return accuracy;
  }
  std::string name(std::size_t i) const { return s_.battery.tasks()[tasks_[i]].name(); }
  double predicted_accuracy(const Dynamics& dynamics, std::size_t task, double multiple) const;

  const Subject& s_;
  const AutapseOptions& o_;
  const AnalysisContext& context_;
  std::vector<std::size_t> tasks_;
  std::size_t n_;
  double alpha_;
  const float* weights_;
  Evaluator evaluator_;
  std::vector<Epochs> epochs_;
  std::vector<double> lambda_, active_;  // by unit, over all tasks and periods
  std::vector<UnitClass> classes_;
  std::vector<double> intact_;
  Table evidence_{"evidence",
                  {"claim", "measure", "value", "threshold", "passed"},
                  {},
                  "Is the mechanism what the classes say?"};
};

void Pool::classify_units() {
  for (std::size_t i = 0; i < n_; ++i) {
    double slope = 0, active = 0, n_epochs = 0, n_active = 0;
    for (const Epochs& e : epochs_)
      for (std::size_t p = 0; p < n_periods; ++p) {
        if (e.active[p].empty()) continue;
        ++n_epochs;
        active += e.active[p][i];
        slope += e.slope[p][i] * (e.active[p][i] > o_.silent);
        n_active += e.active[p][i] > o_.silent;
      }
    active_.push_back(n_epochs > 0 ? active / n_epochs : 0);
    lambda_.push_back(lambda(i, n_active > 0 ? slope / n_active : 1));
    // Silent: in every epoch of every task.
    classes_.push_back(class_of(lambda_[i], n_active > 0 ? 1 : 0, o_));
  }
}

void Pool::units(AnalysisResult& result) const {
  const double dt = s_.battery.config().dt;
  Table table{"units",
              {"unit", "weight", "lambda", "time_constant_ms", "class", "active"},
              {},
              "Units of the pool"};
  std::array<std::int64_t, n_classes> count{};
  for (std::size_t i = 0; i < n_; ++i) {
    ++count[static_cast<std::size_t>(classes_[i])];
    // A time constant exists for 0 < lambda < 1.
    const double tau = lambda_[i] > 0 && lambda_[i] < 1 ? time_constant(lambda_[i], dt) : nan;
    table.add({static_cast<std::int64_t>(i), static_cast<double>(weights_[i]), lambda_[i], tau,
               std::string(class_names[static_cast<std::size_t>(classes_[i])]), active_[i]});
  }
  Table classes{"classes", {"class", "units", "mean_lambda"}, {}, "Classes of units"};
  for (std::size_t c = 0; c < n_classes; ++c) {
    std::vector<double> lambdas;
    for (const std::uint32_t i : members(c)) lambdas.push_back(lambda_[i]);
    classes.add({std::string(class_names[c]), count[c], mean_of(lambdas)});
  }
  for (std::size_t c = 0; c < n_classes; ++c)
    result.headline(std::string(class_names[c]) + " units", count[c]);
  result.tables.push_back(std::move(classes));
  result.tables.push_back(std::move(table));
}

// lambda of every unit in every epoch of every task.
void Pool::epochs(AnalysisResult& result) const {
  Table table{"epochs",
              {"task", "period", "relay", "leaky memory", "integrator", "grower", "silent"},
              {},
              "Units by class in each period of each task"};
  std::vector<double> lambdas, active;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Epochs& e = epochs_[i];
    const Family family = s_.battery.tasks()[tasks_[i]].base_task().family;
    for (std::size_t p = 0; p < n_periods; ++p) {
      std::array<std::int64_t, n_classes> count{};
      for (std::size_t u = 0; u < n_; ++u) {
        const bool exists = !e.active[p].empty();
        const double a = exists ? e.active[p][u] : 0;
        const double l = lambda(u, exists ? e.slope[p][u] : 0);
        lambdas.push_back(exists && a > 0 ? l : nan);
        active.push_back(exists ? a : nan);
        if (exists) ++count[static_cast<std::size_t>(class_of(l, a, o_))];
      }
      if (!e.active[p].empty())
        table.add({name(i), std::string(period_name(family, static_cast<Period>(p))), count[0],
                   count[1], count[2], count[3], count[4]});
    }
  }
  result.tables.push_back(std::move(table));
  Recording recording;
  recording.name = "lambda";
  recording.add<double>("lambda", lambdas, {tasks_.size(), n_periods, n_},
                        {"task", "period", "unit"});
  recording.add<double>("active", active, {tasks_.size(), n_periods, n_},
                        {"task", "period", "unit"});
  std::string names;
  for (std::size_t i = 0; i < tasks_.size(); ++i) names += (i ? "," : "") + name(i);
  recording.file.metadata["tasks"] = names;
  result.recordings.push_back(std::move(recording));
}

// Each class removed, against as many random units. A class is predicted to serve the tasks in
// which it carries the margin of the right answer.
void Pool::lesions(AnalysisResult& result) {
  intact_ = scores(s_.network);
  struct Lesion {
    std::size_t c;
    std::vector<std::uint32_t> units;
  };
  std::vector<Lesion> lesions;
  const auto n_random = static_cast<std::uint32_t>(o_.random_lesions);
  for (std::size_t c = 0; c < n_classes; ++c) {
    const std::vector<std::uint32_t> units = members(c);
    if (units.empty()) continue;
    lesions.push_back({c, units});
    for (std::uint32_t r = 0; r < n_random; ++r)
      lesions.push_back({c, random_units(n_, units.size(), context_.seed,
                                         static_cast<std::uint32_t>(c) * 1000 + r)});
  }
  std::vector<std::vector<double>> accuracy(lesions.size());
  for_each_in_turn(context_, lesions.size(), "lesion", [&](std::size_t l) {
    accuracy[l] = scores(without_units(s_.network, lesions[l].units));
  });
  Table table{"lesions",
              {"class", "units", "task", "intact", "cost", "random_cost", "random_deviation",
               "margin_share", "predicted"},
              {},
              "Points of accuracy lost without a class of units"};
  double hit = 0, n_predicted = 0, spared = 0, n_others = 0;
  for (std::size_t l = 0; l < lesions.size(); l += 1 + n_random)
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      std::vector<double> random;
      for (std::size_t r = 1; r <= n_random; ++r)
        random.push_back(100 * (intact_[i] - accuracy[l + r][i]));
      double whole = 0, part = 0;
      for (std::size_t u = 0; u < n_; ++u) whole += epochs_[i].margin[u];
      for (const std::uint32_t u : lesions[l].units) part += epochs_[i].margin[u];
      const double share = whole > 0 ? part / whole : nan;
      const bool predicted = share >= o_.serves;
      const double cost = 100 * (intact_[i] - accuracy[l][i]);
      (predicted ? n_predicted : n_others) += 1;
      if (predicted)
        hit += cost >= 20;
      else
        spared += cost <= 5;
      table.add({std::string(class_names[lesions[l].c]),
                 static_cast<std::int64_t>(lesions[l].units.size()), name(i), intact_[i], cost,
                 mean_of(random), deviation_of(random), share, predicted});
    }
  result.tables.push_back(std::move(table));
  const std::string claim = "lesions of a class hurt the tasks that it serves, and no others";
  const double hits = n_predicted > 0 ? hit / n_predicted : nan;
  const double spares = n_others > 0 ? spared / n_others : nan;
  evidence_.add({claim, std::string("share of predicted class-task pairs that lose >= 20 points"),
                 hits, std::string("1"), hits == 1});
  evidence_.add({claim, std::string("share of the other pairs that lose <= 5 points"), spares,
                 std::string("1"), spares == 1});
}

// Every weight replaced by the mean of its class.
void Pool::centres(AnalysisResult& result) {
  Network centred = copy_of(s_.network);
  float* w = centred.parameters().data() + centred.layout().recurrent;
  for (std::size_t c = 0; c < n_classes; ++c) {
    const std::vector<std::uint32_t> units = members(c);
    double sum = 0;
    for (const std::uint32_t i : units) sum += static_cast<double>(weights_[i]);
    for (const std::uint32_t i : units)
      w[i] = static_cast<float>(sum / static_cast<double>(units.size()));
  }
  centred.weights_changed();
  const std::vector<double> accuracy = scores(centred);
  Table table{"centres",
              {"task", "intact", "centred", "share"},
              {},
              "Accuracy with every weight at the mean of its class"};
  for (std::size_t i = 0; i < tasks_.size(); ++i)
    table.add({name(i), intact_[i], accuracy[i], accuracy[i] / intact_[i]});
  result.tables.push_back(std::move(table));
  const double kept = mean_of(accuracy) / mean_of(intact_);
  evidence_.add({std::string("lambda at the centre of its class is as good"),
                 std::string("share of the mean score that is kept"), kept, std::string(">= 0.95"),
                 kept >= 0.95});
}

// The delay is jumped over: from the second step of the delay on, a unit that is active goes as
// lambda^n to its fixed point, one that is not decays as (1 - alpha)^n. The rest is simulated.
double Pool::predicted_accuracy(const Dynamics& dynamics, std::size_t task, double multiple) const {
  constexpr std::size_t n_trials = 200;
  std::vector<Conditions> conditions =
      test_conditions(s_.battery, task, n_trials, context_.seed, true);
  const auto delay_at = static_cast<std::size_t>(Period::delay);
  for (Conditions& c : conditions) c.duration[delay_at] *= multiple;
  const TrialBatch trials = compose_task(s_.battery, task, conditions, context_.seed);
  double right = 0, n_steps = 0;
  for (std::size_t k = 0; k < n_trials; ++k) {
    const PeriodSpan delay = span_of(trials, k, Period::delay);
    const PeriodSpan decision = span_of(trials, k, Period::decision);
    Eigen::VectorXd h = Eigen::VectorXd::Zero(dynamics.n_units());
    for (std::int32_t t = 0; t < decision.last; ++t) {
      const auto at = static_cast<std::size_t>(t);
      const Eigen::VectorXd c = dynamics.current(trials, at, k);
      if (t == delay.first + 1 && delay.last > t) {
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
      right += answer == trials.targets[at * n_trials + k];
      ++n_steps;
    }
  }
  return n_steps > 0 ? right / n_steps : nan;
}

void Pool::delays(AnalysisResult& result) {
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
    std::vector<Conditions> conditions =
        test_conditions(s_.battery, task, 200, context_.seed, true);
    for (Conditions& c : conditions)
      c.duration[static_cast<std::size_t>(Period::delay)] *= multiple;
    const TrialBatch trials = compose_task(s_.battery, task, conditions, context_.seed);
    const Simulation run = simulate(s_.network, s_.battery, trials);
    double right = 0, n_steps = 0;
    for (std::size_t k = 0; k < trials.n_trials; ++k) {
      const PeriodSpan decision = span_of(trials, k, Period::decision);
      for (auto t = decision.first; t < decision.last; ++t) {
        const auto at = static_cast<std::size_t>(t);
        right += run.answer(at, k) == trials.targets[at * trials.n_trials + k];
        ++n_steps;
      }
    }
    rows[r].measured = right / n_steps;
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
  evidence_.add({std::string("lambda predicts accuracy at 2 and 4 times the trained delay"),
                 std::string("correlation of predicted and measured accuracy"), r,
                 std::string(">= 0.9"), r >= 0.9});
  evidence_.add({std::string("lambda predicts accuracy at 2 and 4 times the trained delay"),
                 std::string("mean absolute difference, points"), 100 * mean_of(errors),
                 std::string("<= 5"), 100 * mean_of(errors) <= 5});
}

void Pool::pools(AnalysisResult& result) const {
  if (!o_.pools) return;
  std::vector<std::size_t> buildable;
  for (const std::size_t t : tasks_)
    if (has_hand_made_pool(s_.battery.tasks()[t])) buildable.push_back(t);
  if (alpha_ != 1) buildable.clear();  // the constructions are of units without a leak of their own
  Table table{"pools",
              {"task", "units", "accuracy", "ceiling", "share_of_ceiling", "trained_pool"},
              {},
              "Pools built by hand from the rules, without training"};
  double worst = nan;
  for_each_in_turn(context_, buildable.size(), "hand-made pool", [&](std::size_t i) {
    const Network pool = hand_made_pool(s_.battery, buildable[i]);
    const Evaluation e =
        Evaluator(s_.battery, context_.seed, Split::test, static_cast<std::size_t>(o_.trials),
                  context_.pool, {buildable[i]})
            .evaluate(pool, context_.pool);
    const TaskScore& score = e.tasks.front();
    const auto slot =
        static_cast<std::size_t>(std::ranges::find(tasks_, buildable[i]) - tasks_.begin());
    table.add({score.name, static_cast<std::int64_t>(pool.architecture().n_units()),
               score.decision_accuracy, score.ceiling.decision_accuracy.value,
               score.share_of_ceiling, intact_[slot]});
    worst = std::isnan(worst) ? score.share_of_ceiling : std::min(worst, score.share_of_ceiling);
  });
  result.headline("worst_hand_made_share_of_ceiling", worst);
  result.tables.push_back(std::move(table));
}

}  // namespace

AnalysisResult autapse(const Subject& subject, const AutapseOptions& options,
                       const AnalysisContext& context) {
  if (!subject.network.architecture().recurrent.is_diagonal())
    throw UsageError(
        "autapse: this network has synapses between its units; the analysis is for wiring.kind = "
        "\"autapse\", where every unit is one scalar map");
  Pool pool(subject, options, context);
  AnalysisResult result;
  pool.units(result);
  pool.epochs(result);
  pool.lesions(result);
  pool.centres(result);
  pool.delays(result);
  pool.pools(result);
  pool.evidence(result);
  return result;
}

}  // namespace lmrnn
