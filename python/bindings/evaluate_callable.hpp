// Scores and curves of any callable model.
#pragma once

#include <string_view>
#include <vector>

#include "bindings.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn::python {

/// `model`: inputs (time, row, channel) without rules, rule numbers (time, row, slot) -> logits
/// (time, row, class), NumPy's float32, contiguous. Trials are those of Evaluator. Throws
/// UsageError for logits of another shape, or NaN.
Evaluation evaluate_callable(const nb::object& model, const Battery& battery, Seed seed,
                             Split split, std::size_t n_trials,
                             const std::vector<std::size_t>& tasks, int threads);

/// Logits (time, class, trial) of such a model, by one call for all trials. `who` is named in
/// messages. With the GIL.
Buffer<float> logits_of(const nb::object& model, const TrialBatch& batch, const Battery& battery,
                        std::string_view who);

}  // namespace lmrnn::python
