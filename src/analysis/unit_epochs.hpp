// Units of an uncoupled pool, period by period: how they behave, and what they are called for it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "analysis/makers.hpp"

namespace lmrnn {

enum class UnitClass { relay, memory, integrator, grower, silent };
constexpr std::array<std::string_view, 5> unit_class_names{"relay", "leaky memory", "integrator",
                                                           "grower", "silent"};
constexpr std::size_t n_unit_classes = unit_class_names.size();

/// `active`: share of the steps in which it is.
UnitClass class_of(double lambda, double active, const AutapseOptions& options);

/// One task: how each unit behaves in each period, and what it gives to the right answer.
struct Epochs {
  std::size_t task = 0;
  /// By unit: the share of steps in which it is active, and f' while it is. Empty: no such period.
  std::array<std::vector<double>, n_periods> active, slope;
  /// By unit: its part of (right logit - best other), mean over the steps of decisions.
  std::vector<double> margin;
};

/// From noise-free trials of the test set.
Epochs watch_task(const Subject& subject, std::size_t task, std::size_t n_trials, Seed seed);

}  // namespace lmrnn
