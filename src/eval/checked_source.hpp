// Checks the training data that a program's own source returns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lmrnn/continuous.hpp"

namespace lmrnn {

/// A source with checks: its shape and names are checked here, once; the values of its rows as they
/// are filled, once each. This matters because rules, classes and tasks are indices into arrays of
/// the library, and a value that is not finite would be reported as a training that diverged.
class CheckedSource : public ContinuousSource {
 public:
  /// Throws UsageError for a source without a name, tasks or classes, with contradictory numbers of
  /// rules and rule slots, or with a tolerance that is negative or not finite.
  explicit CheckedSource(std::shared_ptr<const BatchSource> source);

  std::string name() const override { return name_; }
  BatchShape shape() const override { return shape_; }
  std::vector<std::string> tasks() const override { return tasks_; }
  /// Throws UsageError for a value outside its range.
  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override;
  double tolerance() const override { return tolerance_; }
  void fill_outputs(Split split, std::uint32_t batch, std::uint32_t first_row,
                    const TrialArray<float>& outputs) const override;

 private:
  std::shared_ptr<const BatchSource> source_;
  double tolerance_ = 0;
  std::string name_;
  BatchShape shape_;
  std::vector<std::string> tasks_;
};

}  // namespace lmrnn
