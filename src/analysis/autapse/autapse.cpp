// autapse: every unit of a diagonal network is one scalar map,
//   h -> (1 - alpha) h + alpha f(w h + c),   lambda = 1 - alpha + alpha w f'(u).
// So the weights tell what a trained pool does, and pools can be built by hand.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "analysis/autapse/uncoupled_pool.hpp"
#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/fixed_points/fixed_points.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
UncoupledPool::UncoupledPool(const Subject& subject, const AutapseOptions& options,
                             const AnalysisContext& context)
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
                [&](std::size_t i) { epochs_[i] = watch_task(s_, tasks_[i], 100, context_.seed); });
  classify_units();
}

std::vector<std::uint32_t> UncoupledPool::members(std::size_t c) const {
  std::vector<std::uint32_t> units;
  for (std::uint32_t i = 0; i < n_; ++i)
    if (static_cast<std::size_t>(classes_[i]) == c) units.push_back(i);
  return units;
}
std::vector<double> UncoupledPool::scores(const Network& network) const {
  std::vector<double> accuracy;
  for (const TaskScore& t : evaluator_.evaluate(network, context_.pool).tasks)
    accuracy.push_back(t.decision_accuracy);
  return accuracy;
}

void UncoupledPool::classify_units() {
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
    // A unit is silent only if it is inactive in every epoch of every task.
    classes_.push_back(class_of(lambda_[i], alpha_, n_active > 0 ? 1 : 0, o_));
  }
}

void UncoupledPool::units(AnalysisResult& result) const {
  const double dt = s_.battery.config().dt;
  Table table{"units",
              {"unit", "weight", "lambda", "time_constant_ms", "class", "active"},
              {},
              "Units of the pool"};
  std::array<std::int64_t, n_unit_classes> count{};
  for (std::size_t i = 0; i < n_; ++i) {
    ++count[static_cast<std::size_t>(classes_[i])];
    // A time constant exists for 0 < lambda < 1.
    const double tau = lambda_[i] > 0 && lambda_[i] < 1 ? time_constant(lambda_[i], dt) : nan;
    table.add({static_cast<std::int64_t>(i), static_cast<double>(weights_[i]), lambda_[i], tau,
               std::string(unit_class_names[static_cast<std::size_t>(classes_[i])]), active_[i]});
  }
  Table classes{"classes", {"class", "units", "mean_lambda"}, {}, "Classes of units"};
  for (std::size_t c = 0; c < n_unit_classes; ++c) {
    std::vector<double> lambdas;
    for (const std::uint32_t i : members(c)) lambdas.push_back(lambda_[i]);
    classes.add({std::string(unit_class_names[c]), count[c], mean_of(lambdas)});
  }
  for (std::size_t c = 0; c < n_unit_classes; ++c)
    result.headline(std::string(unit_class_names[c]) + " units", count[c]);
  result.tables.push_back(std::move(classes));
  result.tables.push_back(std::move(table));
}

// lambda of every unit in every epoch of every task.
void UncoupledPool::epochs(AnalysisResult& result) const {
  Table table{"epochs",
              {"task", "period", "relay", "leaky memory", "integrator", "grower", "silent"},
              {},
              "Units by class in each period of each task"};
  std::vector<double> lambdas, active;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Epochs& e = epochs_[i];
    const Family family = s_.battery.tasks()[tasks_[i]].base_task().family;
    for (std::size_t p = 0; p < n_periods; ++p) {
      std::array<std::int64_t, n_unit_classes> count{};
      for (std::size_t u = 0; u < n_; ++u) {
        const bool exists = !e.active[p].empty();
        const double a = exists ? e.active[p][u] : 0;
        const double l = lambda(u, exists ? e.slope[p][u] : 0);
        lambdas.push_back(exists && a > 0 ? l : nan);
        active.push_back(exists ? a : nan);
        if (exists) ++count[static_cast<std::size_t>(class_of(l, alpha_, a, o_))];
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

namespace {

AnalysisResult autapse(const Subject& subject, const AutapseOptions& options,
                       const AnalysisContext& context) {
  if (!subject.network.architecture().recurrent.is_diagonal())
    throw UsageError(
        "autapse: this network has synapses between its units; the analysis is for wiring.kind = "
        "\"autapse\", where every unit is one scalar map");
  if (const StateEquation equation = subject.network.architecture().equation;
      equation != StateEquation::rate)
    throw UsageError(fmt::format(
        "autapse: this network has network.equation = \"{}\"; its classes, predictions and "
        "hand-made pools are those of the scalar map of \"rate\". fixed-points knows every "
        "equation",
        to_name(equation)));
  UncoupledPool pool(subject, options, context);
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

}  // namespace

AnalysisEntry autapse_entry() {
  return analysis_entry<AutapseOptions, autapse>(
      "autapse", "units of an uncoupled pool as scalar maps: classes, lesions, hand-made pools");
}

}  // namespace lmrnn
