// extrapolation: longer delays and more noise than in training.
#include <algorithm>
#include <cmath>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

struct ExtrapolationOptions {
  std::string tasks;
  std::int64_t trials = 200;
  std::vector<double> delays{0.5, 1, 2, 4};
  std::vector<double> input_noise{0, 1, 2, 4};
  std::vector<double> recurrent_noise{0.05, 0.1, 0.2};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and point", between(1, 1000000));
    field("delays", self.delays, "multiples of the trained delays", at_least(0));
    field("input_noise", self.input_noise, "multiples of the trained input noise", at_least(0));
    field("recurrent_noise", self.recurrent_noise,
          "standard deviations of noise inside f, times sqrt(tau / dt)", at_least(0));
  }
};

struct Setting {
  std::string axis;
  double value = 1;
};

// Decision accuracy over trials of a task with another delay, input noise or noise inside the
// units. All settings use the same trials.
double accuracy(const Subject& subject, const Battery& battery, std::size_t task,
                const Setting& setting, std::size_t n, Seed seed) {
  std::vector<Conditions> conditions = test_conditions(battery, task, n, seed, true);
  if (setting.axis == "delay")
    for (Conditions& c : conditions) c.duration[period_index(Period::delay)] *= setting.value;
  const TrialBatch trials = compose_task(battery, task, conditions, seed);
  // White noise: its power per time constant must not depend on the number of steps.
  const double sigma = setting.value / std::sqrt(subject.network.architecture().alpha);
  const Simulation run = simulate(subject.network, battery, trials,
                                  setting.axis == "recurrent_noise" ? sigma : 0, seed);
  return decision_accuracy(run, trials);
}

AnalysisResult extrapolation(const Subject& subject, const ExtrapolationOptions& options,
                             const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  std::vector<Setting> settings;
  for (const double x : options.delays) settings.push_back({"delay", x});
  for (const double x : options.input_noise) settings.push_back({"input_noise", x});
  for (const double x : options.recurrent_noise) settings.push_back({"recurrent_noise", x});
  std::vector<Battery> batteries;  // one per setting
  for (const Setting& s : settings) {
    BatteryConfig config = subject.battery.config();
    if (s.axis == "input_noise") config.input_noise *= s.value;
    batteries.emplace_back(config, subject.trained.seed);
  }
  const auto n = static_cast<std::size_t>(options.trials);
  const std::size_t n_settings = settings.size();
  std::vector<double> scores(tasks.size() * n_settings, -1);
  for_each_item(context, scores.size(), "task and setting", [&](std::size_t i) {
    const std::size_t task = tasks[i / n_settings];
    const Setting& s = settings[i % n_settings];
    if (s.axis == "delay" && !has_period(subject.battery, task, Period::delay)) return;
    scores[i] = accuracy(subject, batteries[i % n_settings], task, s, n, context.seed);
  });
  Table table{"extrapolation",
              {"task", "axis", "value", "trials", "accuracy", "lower", "upper"},
              {},
              "Accuracy away from the conditions of training"};
  Table means{"means", {"axis", "value", "tasks", "mean_accuracy"}, {}, "Mean accuracy over tasks"};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] < 0) continue;
    const Setting& s = settings[i % n_settings];
    table.add({subject.battery.tasks()[tasks[i / n_settings]].name(), s.axis, s.value,
               options.trials, scores[i], wilson_lower(scores[i], static_cast<double>(n)),
               wilson_upper(scores[i], static_cast<double>(n))});
  }
  AnalysisResult result;
  for (std::size_t s = 0; s < n_settings; ++s) {
    std::vector<double> values;
    for (std::size_t t = 0; t < tasks.size(); ++t)
      if (scores[t * n_settings + s] >= 0) values.push_back(scores[t * n_settings + s]);
    means.add({settings[s].axis, settings[s].value, static_cast<std::int64_t>(values.size()),
               mean_of(values)});
  }
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.tables = {std::move(means), std::move(table)};
  return result;
}

}  // namespace

AnalysisEntry extrapolation_entry() {
  return analysis_entry<ExtrapolationOptions, extrapolation>(
      "extrapolation", "accuracy at longer delays and with more noise than trained");
}

}  // namespace lmrnn
