// Scores of whatever can be called.
#pragma once

#include <vector>

#include "bindings.hpp"

namespace lmrnn::python {

/// `model`: inputs (time, row, channel) without rules, rule numbers (time, row, slot) -> logits
/// (time, row, class), NumPy's float32, contiguous. Trials are those of Evaluator. Throws
/// UsageError for logits of another shape, or NaN.
Evaluation evaluate_callable(const nb::object& model, const Battery& battery, Seed seed,
                             Split split, std::size_t n_trials,
                             const std::vector<std::size_t>& tasks, int threads);

}  // namespace lmrnn::python
