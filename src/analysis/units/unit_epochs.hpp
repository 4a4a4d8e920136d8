// Units of an uncoupled pool, period by period: their behaviour and their class.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "lmrnn/analysis.hpp"

namespace lmrnn {

struct AutapseOptions {
  std::string tasks;
  std::int64_t trials = 400;
  double relay = 0.37, memory = 0.9, integrator = 1.05;
  double silent = 0.05;
  double serves = 0.25;
  std::int64_t random_lesions = 5;
  bool pools = true;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and lesion", between(1, 1000000));
    field("relay", self.relay, "relay: |lambda|, per time constant tau, below this", at_least(0));
    field("memory", self.memory, "leaky memory: from relay to this", at_least(0));
    field("integrator", self.integrator, "integrator: from memory to this; grower: above",
          at_least(0));
    field("silent", self.silent, "silent: active in at most this share of the steps",
          between(0, 1));
    field("serves", self.serves,
          "a class is predicted to serve a task if this share of the margin of the right answer "
          "comes from it",
          between(0, 1));
    field("random_lesions", self.random_lesions, "lesions of random units per class",
          between(1, 1000));
    field("pools", self.pools, "score hand-made pools on the same tasks");
  }
};

enum class UnitClass { relay, memory, integrator, grower, silent };
constexpr std::array<std::string_view, 5> unit_class_names{"relay", "leaky memory", "integrator",
                                                           "grower", "silent"};
constexpr std::size_t n_unit_classes = unit_class_names.size();

/// 1 + (lambda - 1) / alpha: the factor lambda of a step, rescaled as if one step were one time
/// constant tau. For a unit with an autapse w this is w f'(u), for any alpha = dt / tau; at alpha =
/// 1 it is lambda.
double per_time_constant(double lambda, double alpha);

/// Compares lambda per time constant with the bounds of the classes, so that the class does not
/// depend on alpha. `lambda`: per step. `active`: share of the steps in which the unit is active.
UnitClass class_of(double lambda, double alpha, double active, const AutapseOptions& options);

/// One task: each unit's behaviour in each period, and its contribution to the right answer.
struct Epochs {
  std::size_t task = 0;
  /// By unit: the share of steps in which it is active, and f' while it is. Empty: no such period.
  std::array<std::vector<double>, n_periods> active, slope;
  /// By unit: its contribution to (right logit - best other), mean over the steps of decisions.
  std::vector<double> margin;
};

/// Measures a task on noise-free trials of the test set.
Epochs watch_task(const Subject& subject, std::size_t task, std::size_t n_trials, Seed seed);

}  // namespace lmrnn
