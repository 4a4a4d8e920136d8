// Psychometric curves of networks, and of any other model of the tasks.
//
// A point of a curve is the accuracy, and in decision tasks the choice, over the drawn trials of a
// task with one condition set: the difference of two strengths, the delay, or the direction.
// docs/concepts/analysis.md says more.
#pragma once

#include <functional>

#include "lmrnn/analysis.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn {

/// Logits (time, class, trial) of whole trials, each started from state 0.
using LogitsFunction = std::function<Buffer<float>(const TrialBatch&)>;

/// Options and result of the analysis "psychometric", for a network of lmrnn. Throws UsageError if
/// the network's channels, rules or classes are not the battery's.
AnalysisResult psychometric_curves(const Network& network, const Battery& battery,
                                   const ConfigTable& options, const AnalysisContext& context);

/// The same for any model that gives logits. `model` is called in the calling thread, once per
/// point of a curve. Throws UsageError for logits of another size than (time, class, trial).
AnalysisResult psychometric_curves(const LogitsFunction& model, const Battery& battery,
                                   const ConfigTable& options, const AnalysisContext& context);

}  // namespace lmrnn
