// What is known about the runs of a study: directories, failures, results file.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lmrnn/study.hpp"
#include "study/summary.hpp"

namespace lmrnn {

class ResultLookup {
 public:
  /// Reads the results file once.
  explicit ResultLookup(const Study& study);

  /// The outcome of a run that is over, with the tuning measure unless it diverged. Outcomes are
  /// cached: a run that is over does not change.
  std::optional<RunResult> operator()(const PlannedRun& run) const;

  /// The whole summary, from the run directory or, failing that, the results file.
  std::optional<RunSummary> summary(const PlannedRun& run) const;

  /// done, recorded, diverged, or nothing if the run is not over.
  std::optional<RunState> over(const PlannedRun& run) const;

  /// Adds the rows of runs that are over and not in the results file, because their process was
  /// killed or the file could not be written, and forgets the failure of such a run. Throws like
  /// append_result.
  void record_missing(const StudyPlan& plan) const;

 private:
  const Study& study_;
  std::map<std::string, RunSummary> recorded_;  // by hash
  mutable std::map<std::string, RunResult> known_;
};

}  // namespace lmrnn
