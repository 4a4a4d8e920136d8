// Running a network on arrays as Python has them: (time, trial, item), all trials at once.
#pragma once

#include <optional>
#include <utility>

#include "arrays.hpp"
#include "lmrnn/network.hpp"
#include "network.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {

// Any number of dimensions: nanobind's refusal of a wrong one does not say which was expected.
using Series = ArrayIn<float>;
using Rules = ArrayIn<std::int32_t>;
using Targets = ArrayIn<std::int32_t>;
using Weights = ArrayIn<float>;
using Resets = ArrayIn<bool>;

/// What a network is run on, as it came from Python.
struct RunArguments {
  Series inputs;
  std::optional<Rules> rules;
  std::optional<Resets> resets;
  std::optional<Targets> targets;
  std::optional<Weights> weights;
};

/// States and logits. Throws UsageError for arrays that do not fit the network or each other.
nb::tuple run_forward(const SharedNetwork& shared, const RunArguments& arguments, double sigma,
                      const std::optional<SeedArgument>& seed, int threads);

/// Mean loss and its gradient, flat. Throws UsageError.
std::pair<double, Buffer<float>> run_loss(const SharedNetwork& shared,
                                          const RunArguments& arguments, LossKind kind);

}  // namespace lmrnn::python
