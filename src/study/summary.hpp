// What a run that is over comes to: the row that is kept of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/statistics.hpp"
#include "lmrnn/study.hpp"

namespace lmrnn {

constexpr double plateau_gain = 0.003;

/// A task at a run's last evaluation.
struct TaskResult {
  std::string name;
  double share = 0;  ///< of the ceiling
  bool solved = false;
  bool trained = true;  ///< false: battery.weights gave it 0, so that it was only evaluated
};

struct RunSummary {
  std::string hash, study, run, stage;
  std::string outcome;  ///< finished, criterion, diverged
  std::int64_t seed = 0;
  std::int64_t steps = 0, horizon = 0;  ///< done; planned
  std::int64_t trials = 0;
  std::int64_t n_units = 0, n_synapses = 0, n_parameters = 0;
  double learning_rate = 0, clipped_share = 0;
  double final_accuracy = 0, final_trial_accuracy = 0;
  std::vector<double> curve_steps, curve_trials, curve_share;  ///< one entry per evaluation
  std::vector<TaskResult> tasks;
  // Not the same from run to run.
  double seconds = 0;
  std::int64_t threads = 0;
  std::string version, commit, simd, processor, host, started;

  double density() const noexcept;
  double final_share() const noexcept;  ///< 0 before the first evaluation
  double worst_share() const noexcept;
  /// Mean share of the ceiling over the tasks that were held out of training; NaN without any.
  double held_out_share() const noexcept;
  double area() const;
  /// What the mean share of the ceiling gained over the last quarter of the steps: a run that
  /// gained less than `plateau_gain` is at its plateau. NaN if nothing was evaluated before that
  /// quarter.
  double late_gain() const noexcept;
  /// Mean share of the ceiling held, over steps or trials. A run that diverged was watched to the
  /// horizon.
  TimeToMark steps_to(double mark) const;
  TimeToMark trials_to(double mark) const;
};

/// base, int, seq or intseq, by a task's modifiers.
std::string_view kind_of(const std::string& task);

/// From a run directory that is DONE, or whose run diverged. Throws UsageError (damaged files).
RunSummary summarise(const Study& study, const PlannedRun& run, const std::filesystem::path& dir,
                     bool diverged);

/// What a summary is measured by; names for these marks.
std::vector<std::string> measure_names(std::span<const double> marks);
/// Throws UsageError for an unknown name. Times to a mark that was not reached are the horizon.
double measure(const RunSummary& summary, std::string_view name);
/// The censored time behind a measure that is one ("steps_to_80"); else nothing.
std::optional<TimeToMark> censored_measure(const RunSummary& summary, std::string_view name);
/// "80", "2.5": a mark in percent, as it stands in names.
std::string mark_text(double mark);

/// A row of the results file and its header.
std::string results_header();
std::string to_row(const RunSummary& summary);
/// Throws UsageError naming `where`.
RunSummary from_row(std::string_view row, const std::string& where);

/// Rows of a results file by hash; empty if there is none. Throws UsageError.
std::vector<RunSummary> read_results(const std::filesystem::path& path);

/// Adds a row unless its hash is there. Processes may do so at the same time. Throws RunError.
void append_result(const std::filesystem::path& path, const RunSummary& summary);

}  // namespace lmrnn
