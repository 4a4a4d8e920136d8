// Runs a network on Python's arrays: (time, trial, item), all trials at once.
#pragma once

#include <optional>
#include <utility>

#include "arrays.hpp"
#include "lmrnn/network.hpp"
#include "network.hpp"
#include "seed_argument.hpp"
#include "user_array.hpp"

namespace lmrnn::python {

/// The inputs of a network as Python passed them.
struct RunArguments {
  ArrayArgument inputs;
  std::optional<ArrayArgument> rules, resets, targets, weights;
};

/// States and logits. Throws UsageError for arrays that do not fit the network or each other.
nb::tuple run_forward(const SharedNetwork& shared, const RunArguments& arguments, double sigma,
                      const std::optional<SeedArgument>& seed, int threads);

/// Mean loss and its gradient, flat. Throws UsageError.
std::pair<double, Buffer<float>> run_loss(const SharedNetwork& shared,
                                          const RunArguments& arguments, LossKind kind);

}  // namespace lmrnn::python
