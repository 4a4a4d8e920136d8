// Training data whose targets are numbers, one per output, instead of a class.
//
// The loss of a time step is  w sum_c (z_c - y_c)^2,  with the outputs z and the targets y; the
// outputs are linear (docs/math/network.md). It needs loss.kind = "least-squares". A step counts as
// right if every output is within the tolerance of its target.
#pragma once

#include <cstdint>
#include <span>

#include "lmrnn/evaluate.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

/// A source with continuous targets; shape().n_classes is the number of outputs. `fill` is never
/// asked for `targets`.
///
/// Threads: like BatchSource.
class ContinuousSource : public BatchSource {
 public:
  /// Largest distance of an output from its target in a step that counts as right, in the targets'
  /// unit; positive and finite. 0 means that targets are classes; then `fill_outputs` is not
  /// called.
  virtual double tolerance() const = 0;
  /// Targets (time, row, output) of the rows that `fill` writes for the same batch; all finite.
  virtual void fill_outputs(Split split, std::uint32_t batch, std::uint32_t first_row,
                            const TrialArray<float>& outputs) const = 0;
};

/// The source as a ContinuousSource if its targets are continuous; otherwise nullptr.
const ContinuousSource* continuous(const BatchSource& source) noexcept;

/// Numbers in the target of a step: the number of outputs, or 0 if targets are classes.
std::size_t n_target_outputs(const BatchSource& source);

/// Calls `source.fill`. If targets are continuous, leaves out `rows.targets` and calls
/// `fill_outputs`.
void fill_with_outputs(const BatchSource& source, Split split, std::uint32_t batch,
                       std::uint32_t first_row, TrialRows rows, const TrialArray<float>& outputs);

/// Like the other `add_scores`, for continuous targets (time, trial, output) instead of
/// `rows.targets`. Throws UsageError for arrays whose shapes do not match.
void add_scores(View3<const float> logits, const TrialView& rows,
                const TrialArray<const float>& outputs, double tolerance,
                std::span<ScoreCounts> by_task);

}  // namespace lmrnn
