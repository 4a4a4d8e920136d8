// Summary of a finished run: the row that the results file keeps.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/statistics.hpp"
#include "lmrnn/study.hpp"
#include "lmrnn/table.hpp"

namespace lmrnn {

constexpr double plateau_gain = 0.003;

/// A task at a run's last evaluation.
struct TaskResult {
  std::string name;
  double share = 0;  ///< of the ceiling
  bool solved = false;
  bool trained = true;  ///< false: its weight is 0, so it was only evaluated
};

struct RunSummary {
  std::string hash, study, run, stage;
  std::string outcome;  ///< finished, criterion, diverged
  std::int64_t seed = 0;
  std::int64_t steps = 0, horizon = 0;  ///< steps that were done; steps that were planned
  std::int64_t trials = 0;
  std::int64_t n_units = 0, n_synapses = 0, n_parameters = 0;
  std::optional<double> multiply_adds{};  ///< per trial and time step, forward and backward
  double learning_rate = 0, clipped_share = 0;
  double final_accuracy = 0, final_trial_accuracy = 0;
  std::vector<double> curve_steps, curve_trials, curve_share;  ///< one entry per evaluation
  std::vector<TaskResult> tasks;
  // These may differ between repetitions of a run.
  double seconds = 0;
  std::optional<double> processor_seconds{};  ///< of all threads, up to the last checkpoint
  std::int64_t threads = 0;
  std::string version, commit, simd, processor, host, started;
  std::optional<double> wire{};  ///< of the last evaluated network: MetricsRow::wire
  /// Not in the results file: taken from other runs if this one diverged before its first
  /// evaluation.
  std::optional<double> trials_per_step{};

  static constexpr std::array<std::string_view, 3> added_columns{
      {"multiply_adds", "processor_seconds", "wire"}};

  /// Columns of the results file, in this order (core/shared/csv.hpp).
  template <class Self, class Visitor>
  static void columns(Self& self, Visitor&& visit) {
    const auto column = [&](const char* name, auto& value) { visit(name, value, CsvFormat{}); };
    column("hash", self.hash);
    column("study", self.study);
    column("run", self.run);
    column("stage", self.stage);
    column("outcome", self.outcome);
    column("seed", self.seed);
    column("steps", self.steps);
    column("horizon", self.horizon);
    column("trials", self.trials);
    column("units", self.n_units);
    column("synapses", self.n_synapses);
    column("parameters", self.n_parameters);
    column("learning_rate", self.learning_rate);
    column("clipped_share", self.clipped_share);
    column("final_accuracy", self.final_accuracy);
    column("final_trial_accuracy", self.final_trial_accuracy);
    column("curve_steps", self.curve_steps);
    column("curve_trials", self.curve_trials);
    column("curve_share", self.curve_share);
    column("tasks", self.tasks);
    column("seconds", self.seconds);
    column("threads", self.threads);
    column("version", self.version);
    column("commit", self.commit);
    column("simd", self.simd);
    column("processor", self.processor);
    column("host", self.host);
    column("started", self.started);
    column("multiply_adds", self.multiply_adds);
    column("processor_seconds", self.processor_seconds);
    column("wire", self.wire);
  }

  double density() const noexcept;
  double final_share() const noexcept;  ///< 0 before the first evaluation
  double worst_share() const noexcept;
  /// Mean share of the ceiling over the tasks that were held out of training; NaN without any.
  double held_out_share() const noexcept;
  double area() const;
  /// Gain of the mean share of the ceiling over the last quarter of the steps. A run that gained
  /// less than `plateau_gain` is at its plateau. NaN if there was no evaluation before that
  /// quarter.
  double late_gain() const noexcept;
  /// When the mean share of the ceiling reached the mark and stayed there, in steps or trials. A
  /// run that diverged counts as observed up to the horizon; in trials this is infinite if the
  /// number of trials per step is unknown.
  TimeToMark steps_to(double mark) const;
  TimeToMark trials_to(double mark) const;
};

/// base, int, seq or intseq, by a task's modifiers.
std::string_view kind_of(const std::string& task);

/// Summarises a run directory that has the file DONE, or whose run diverged. Throws UsageError if
/// files are damaged.
RunSummary summarise(const Study& study, const PlannedRun& run, const std::filesystem::path& dir,
                     bool diverged);

/// Names of all measures of a summary, with these marks.
std::vector<std::string> measure_names(std::span<const double> marks);
/// Throws UsageError for an unknown name. If a mark was not reached, the time to it is the horizon.
double measure(const RunSummary& summary, std::string_view name);
/// Why no run of this configuration has the measure, with the remedy, so that this is known before
/// the first run; nothing if runs can have it.
std::optional<std::string> why_absent(const RunConfig& config, std::string_view name);
/// The censored time of a measure that is a time ("steps_to_80"), otherwise nothing.
std::optional<TimeToMark> censored_measure(const RunSummary& summary, std::string_view name);
/// Whether less is better: for times to a mark and for wire.
bool is_cost(std::string_view name) noexcept;
/// "80", "2.5": a mark in percent, as written in names.
std::string mark_text(double mark);

/// Cells of the results file: "go=0.98*;dlygo=0.5-", * for solved, - for held out of training.
std::string to_cell(const std::vector<TaskResult>& tasks, const CsvFormat& format);
bool from_cell(std::string_view text, std::vector<TaskResult>& out);

/// A row of the results file and its header.
std::string results_header();
std::string to_row(const RunSummary& summary);
/// Throws UsageError naming `where`. `header`: that of the row's file.
RunSummary from_row(std::string_view row, const std::string& where,
                    std::string_view header = results_header());

/// Rows of a results file by hash; empty if there is none. Throws UsageError.
std::vector<RunSummary> read_results(const std::filesystem::path& path);

/// Throws what append_result would, if the file exists.
void require_results_file(const std::filesystem::path& path);
/// Adds a row with the file's columns, unless there is a row of this hash. Processes may do so at
/// the same time. Throws RunError if it cannot be written, UsageError if it is no results file.
void append_result(const std::filesystem::path& path, const RunSummary& summary);

}  // namespace lmrnn
