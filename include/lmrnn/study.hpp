// Studies: many runs that answer one question.
//
// A study file says what is claimed, what would count as support, which runs are compared (a grid
// over any keys of a configuration, and seeds) and what is computed from them. `plan_study` turns
// it into a list of runs: the same file always gives the same list. Any number of processes, on
// any number of machines that share a file system, may carry out the same study at once: a run is
// claimed by a lock that the kernel (or the file server) releases when its owner dies.
//
//   OUT/                       by default runs/NAME-OF-THE-FILE
//     registered.toml          the study file as it was before the first run
//     runs/NAME-HASH/          run directories (lmrnn/run.hpp)
//     made/HASH/               masks and weights that a run starts from (pruning)
//     failures/NAME-HASH.json  why a run failed
//     claims/NAME-HASH         which process works on a run
//     ceilings/HASH.csv        scores of the ideal observer in a battery, computed once
//     paused                   while this file exists, every run waits between two steps
//     slurm/                   job scripts, logs, ids of submitted jobs
//     tables/*.csv, index.sqlite   made by `collect_study`; may be deleted
//
// The directories are the database; keep them, and you need nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/study_config.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {

// Studies and their plans ----------------------------------------------------------------------

struct StudyOptions {
  std::filesystem::path out{};             ///< empty: runs/NAME
  std::vector<std::string> assignments{};  ///< "config.train.steps=100", over the file
  /// Runs every cell once, for seconds: the first seed, a few steps, few trials; adds nothing to
  /// the results. It finds mistakes before a week of computation does.
  bool smoke = false;
};

struct Study {
  std::string name;  ///< file name without .toml (and with "-smoke")
  std::filesystem::path file, out, results;
  StudyConfig config;
  std::string text;  ///< of the file
  bool smoke = false;
};

/// Reads and checks a study file. Throws UsageError.
Study load_study(const std::filesystem::path& file, const StudyOptions& options);

/// A Markdown table of every key of a study file.
std::string study_reference();

enum class Stage { tuning, round, report };
constexpr std::array<std::pair<std::string_view, Stage>, 3> enum_names(Stage) {
  return {{{"tuning", Stage::tuning}, {"round", Stage::round}, {"report", Stage::report}}};
}

/// A cell of the grid: one level per axis.
struct Cell {
  std::string name;                 ///< "local4-batch64"
  std::vector<std::string> levels;  ///< in the order of StudyPlan::axes
};

struct PlannedRun {
  std::string name;  ///< "local4-batch64-seed1"
  Stage stage = Stage::report;
  std::size_t cell = 0;
  std::int64_t seed = 0;
  std::optional<double> tuned;  ///< the value of tuning.key, if the study tunes
  /// Whether the configuration is known. That of a reporting run is not until its cell has been
  /// tuned; such a run has neither `config` nor `hash`.
  bool settled = false;
  RunConfig config;
  std::string hash;  ///< of all that the result depends on; 16 hexadecimal digits

  // Pruning. The run keeps its weights after this many steps, as a start for other runs.
  std::optional<std::int64_t> keep_weights_at;
  std::string parent, first;  ///< directory names of the runs whose weights are pruned, and whose
                              ///< early weights are used
  double density = 1;         ///< share of the first run's synapses that stays
  bool reinitialised = false;

  std::string directory_name() const { return name + "-" + hash.substr(0, 8); }
};

/// The result of a run that is over.
struct RunResult {
  bool diverged = false;
  double score = 0;  ///< the tuning measure
  double area = 0;   ///< breaks ties between scores, e.g. of runs that all miss a mark
};
using ResultFunction = std::function<std::optional<RunResult>(const PlannedRun&)>;

/// The result of tuning one cell.
struct Tuning {
  struct Value {
    double value = 0;
    std::size_t n_runs = 0, n_over = 0, n_diverged = 0;
    double score = 0;  ///< mean over the seeds; minus infinity if any of them diverged
    double area = 0;   ///< mean over the seeds
  };
  std::vector<Value> values;   ///< ascending
  std::vector<Value> finals;   ///< the finalists, ascending; empty until `values` are over
  std::optional<double> best;  ///< the value that the cell uses, once all are over
  bool inside = false;         ///< `best` is neither the first nor the last of `values`
  std::string problem;         ///< why there is no `best` although all are over; else empty
};

struct StudyPlan {
  std::vector<std::string> axes;
  std::vector<Cell> cells;
  std::vector<Tuning> tuning;    ///< per cell; empty if the study does not tune
  std::vector<PlannedRun> runs;  ///< in the order in which they start; no duplicates
};

/// The runs of a study, given the results so far. Throws UsageError, naming the cell, for an
/// impossible configuration.
StudyPlan plan_study(const Study& study, const ResultFunction& result_of);

/// `plan_study` with the results in the run directories and the results file. Throws UsageError,
/// also if the results file cannot be read.
StudyPlan plan_study(const Study& study);

/// The cells that cannot be tuned, and why; their reporting runs have to wait.
std::vector<std::string> tuning_problems(const StudyPlan& plan);

/// Why the study, as planned, cannot answer its question: tuning_problems, and headline contrasts
/// with too few pairs: with limits, fewer than `least_pairs_of_a_verdict`; without, so few that no
/// outcome is significant at 1 - statistics.confidence after Holm's correction. Empty if it can.
std::vector<std::string> plan_warnings(const Study& study, const StudyPlan& plan);

/// The hash of a run that is not part of pruning: of every key that differs from its default, and
/// of the contents of the files that it names. Throws UsageError if a file cannot be read.
std::string config_hash(const RunConfig& config);

// States ---------------------------------------------------------------------------------------

enum class RunState { done, recorded, diverged, failed, running, interrupted, waiting, planned };
constexpr std::array<std::pair<std::string_view, RunState>, 8> enum_names(RunState) {
  return {{{"done", RunState::done},                ///< its directory is complete
           {"recorded", RunState::recorded},        ///< in the results file; no directory here
           {"diverged", RunState::diverged},        ///< the loss was no longer finite; a result too
           {"failed", RunState::failed},            ///< with an error; `retry` starts it again
           {"running", RunState::running},          ///< claimed by a process
           {"interrupted", RunState::interrupted},  ///< started; no process works on it
           {"waiting", RunState::waiting},    ///< for tuning, or for the run it is pruned from
           {"planned", RunState::planned}}};  ///< not started
}

struct RunStatus {
  RunState state = RunState::planned;
  std::string owner;  ///< running: host, process, Slurm job
  std::string error;  ///< diverged, failed
};
/// One per run of the plan.
std::vector<RunStatus> study_status(const Study& study, const StudyPlan& plan);

// Running --------------------------------------------------------------------------------------

struct StudyRunOptions {
  int jobs = 1;             ///< runs at the same time, each in its own process
  int n_threads = 0;        ///< per run; 0: processors / jobs
  double memory_bytes = 0;  ///< for all of them; 0: nine tenths of what is available
  std::int64_t limit = 0;   ///< start at most this many runs; 0: all
  bool retry = false;       ///< start failed runs again; diverged ones would diverge again
  std::string cells = "*";  ///< only runs of these cells: a name, or a pattern with * and ?
  std::string owner{};      ///< added to claims, e.g. the Slurm job
};

/// Makes every run of the study, on every machine, wait between two steps until the study is
/// resumed; no run is started meanwhile. Waiting runs use no processor, but keep their memory,
/// claims and Slurm jobs. `by`: a line that says who paused it. Returns false if it was paused
/// already. Throws RunError.
bool pause_study(const Study& study, const std::string& by);
/// Returns false if the study was not paused. Throws RunError.
bool resume_study(const Study& study);
/// Who paused the study, and when; nothing if it is not paused.
std::optional<std::string> study_paused(const Study& study);

struct StudyProgress {
  struct Running {
    std::string name;
    std::int64_t step = 0, n_steps = 0;
    double share = 0;  ///< mean share of the ceiling at the last evaluation
  };
  std::size_t n_runs = 0, n_over = 0, n_failed = 0, n_elsewhere = 0;
  std::vector<Running> running;
  double done = 0;                       ///< runs over, plus the shares of the running ones
  std::optional<double> seconds_left{};  ///< if this process had to do all that is left
  std::string event;                     ///< "NAME: done", "NAME: failed: ..."; usually empty
  bool paused = false;
};

/// What the caller of run_study wants done with the running runs.
enum class StopRequest : std::uint8_t {
  none,
  save,  ///< each saves a checkpoint and ends; they can be resumed
  kill,  ///< they end at once; what they computed since their last checkpoints is lost
};

struct StudyCallbacks {
  std::function<void(const StudyProgress&)> progress{};
  std::function<StopRequest()> stop_requested{};  ///< asked ten times a second
};

struct StudyOutcome {
  std::size_t n_finished = 0;  ///< by this process
  std::size_t n_diverged = 0;  ///< by this process; a result, which is not repeated
  std::size_t n_failed = 0;    ///< by this process
  std::size_t n_failed_before =
      0;                          ///< in the selected cells, by others; `retry` starts those again
  std::size_t n_interrupted = 0;  ///< by this process; saved, so they can be resumed
  std::size_t n_left = 0;         ///< of the whole study, not over when this process ended
};

/// Runs what is left of a study. Forks a process per run, so that a run that crashes, or is killed
/// for its memory, does not affect the others. Call it from a process with a single thread. Throws
/// UsageError if `cells` matches none.
StudyOutcome run_study(const Study& study, const StudyRunOptions& options,
                       const StudyCallbacks& callbacks);

// Collecting -----------------------------------------------------------------------------------

/// What `collect_study` wrote.
struct Collected {
  std::filesystem::path directory, index;
  std::vector<std::pair<std::string, std::size_t>> tables;  ///< name, rows
  std::vector<std::string> verdicts;  ///< a line per contrast with a criterion
  std::vector<std::string> warnings;
};

/// Rewrites tables/*.csv and index.sqlite from the run directories and the results file. Throws
/// UsageError for damaged files, RunError if the tables cannot be written.
Collected collect_study(const Study& study);

// Slurm ----------------------------------------------------------------------------------------

/// A job array of one stage, with one job for each run that is left in it.
struct SlurmArray {
  std::filesystem::path script;
  std::size_t n_jobs = 0;
  std::string job_id;  ///< once submitted
};

/// Writes job scripts for the runs that are left, and submits them with sbatch unless `dry`; the
/// array of a later stage waits for the one before. `program`: the path of lmrnn on the nodes.
/// Throws RunError if sbatch fails.
std::vector<SlurmArray> submit_study(const Study& study, const std::filesystem::path& program,
                                     bool dry);

/// One job of this study that Slurm knows of.
struct SlurmJob {
  std::string id, state, reason;
};
/// Empty if nothing was submitted. Throws RunError if squeue fails.
std::vector<SlurmJob> study_jobs(const Study& study);

}  // namespace lmrnn
