// Scores of a network on held-out trials, against what an ideal observer would reach.
//
// Per task, over whole trials that each start from state 0:
//   decision accuracy = share of the steps of decision periods whose class (argmax of the logits)
//                       is the target's;
//   trial accuracy    = share of trials that keep class 0 throughout fixation, stimulus, delay and
//                       second stimulus and are right at every decision step that begins 100 ms
//                       (the grace) or more after the decision period did.
// "Accuracy" without a qualifier is decision accuracy; means over tasks weigh tasks equally.
//
// A task is passed when the lower end of the 95% Wilson interval of its accuracy is at least 95% of
// its ceiling, over at least 1000 trials, and solved when it is passed at two evaluations in a row
// (`solved_definition`). The interval's sample size is the number of trials, not of steps: the
// steps of one trial stand or fall together. Source of the interval: Wilson, J. Am. Stat. Assoc.
// 22:209 (1927).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/ceiling.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/tasks.hpp"
#include "lmrnn/threads.hpp"

namespace lmrnn {

constexpr std::array<std::pair<std::string_view, Split>, 3> enum_names(Split) {
  return {{{"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}}};
}

/// Lower end of the 95% Wilson score interval of a share `accuracy` in [0, 1] of `n` trials; 0 for
/// n = 0.
double wilson_lower(double accuracy, double n) noexcept;

/// Counts from which the scores of one task follow. Integers, so that adding them up is exact in
/// any order.
struct ScoreCounts {
  std::uint64_t trials = 0, right_trials = 0;
  std::uint64_t decision_steps = 0, right_decision_steps = 0;

  ScoreCounts& operator+=(const ScoreCounts& other) noexcept;
  double decision_accuracy() const noexcept;  ///< 0 without steps
  double trial_accuracy() const noexcept;     ///< 0 without trials
};

struct TaskScore {
  std::size_t task = 0;  ///< index into battery.tasks()
  std::string name;
  ScoreCounts counts;
  double decision_accuracy = 0, decision_lower = 0;  ///< and its lower Wilson bound
  double trial_accuracy = 0, trial_lower = 0;
  Ceiling ceiling;
  double share_of_ceiling = 0;  ///< decision accuracy / its ceiling
  bool passed = false;          ///< decision_lower >= 0.95 ceiling, over at least 1000 trials
  bool solved = false;          ///< passed, here and at the evaluation before
};

struct Evaluation {
  std::vector<TaskScore> tasks;

  double mean_accuracy() const noexcept;
  double mean_trial_accuracy() const noexcept;
  double mean_share_of_ceiling() const noexcept;
  double worst_share_of_ceiling() const noexcept;
  std::size_t n_solved() const noexcept;
  std::size_t n_passed() const noexcept;
};

/// What `passed` and `solved` mean, for people: the footer of every table of scores.
inline constexpr std::string_view solved_definition =
    "passed: the lower bound of the accuracy (95%, Wilson) is at least 95% of the ceiling, over at "
    "least 1000 trials; solved: passed at two evaluations in a row";

/// Marks as solved the tasks that are passed in `now` and were in `before` (one entry per task of
/// `now`, in its order; empty: there was no evaluation before).
void mark_solved(Evaluation& now, std::span<const std::uint8_t> passed_before);

/// The score of one task from its counts.
TaskScore make_score(std::size_t task, std::string name, const ScoreCounts& counts,
                     const Ceiling& ceiling);

/// Scores from counts, in the order of `tasks` (indices into battery.tasks()). Throws UsageError
/// unless there are as many counts and ceilings as tasks.
Evaluation make_evaluation(const Battery& battery, std::span<const std::size_t> tasks,
                           std::span<const ScoreCounts> counts, std::span<const Ceiling> ceilings);

/// A fixed set of held-out trials: trials 0 ... n_trials - 1 of every task in a split.
///
/// Threads: may be shared; every const function may be called by any number of threads at once.
/// They may share the pool too, and then take turns in it.
class Evaluator {
 public:
  /// Tasks are indices into battery.tasks(); empty: all. Computes the ceilings, unless they come
  /// from `ceilings`. Throws UsageError for an index out of range or no trials.
  Evaluator(const Battery& battery, Seed seed, Split split, std::size_t n_trials, ThreadPool& pool,
            std::vector<std::size_t> tasks = {}, const CeilingFunction& ceilings = {});
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  /// The same network always gets the same counts, for any number of threads. `recurrent_noise`:
  /// standard deviation inside f; evaluation is without it unless asked for. Throws UsageError if
  /// the network's channels, rules or classes are not the battery's, or the noise is negative.
  Evaluation evaluate(const Network& network, ThreadPool& pool, double recurrent_noise = 0) const;

  std::span<const std::size_t> tasks() const noexcept;
  std::span<const Ceiling> ceilings() const noexcept;
  std::size_t n_trials() const noexcept;  ///< per task

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Rows of trials -------------------------------------------------------------------------------

/// In-stream scores: batches 0 ... n_batches - 1 of a packed stream, the state running on from
/// trial to trial as in training. Only trials that lie whole within a row count. `ceilings`: one
/// per task of the stream's battery. Throws UsageError if the network's channels, rules or classes
/// are not the battery's, or for another number of ceilings.
Evaluation evaluate_stream(const Network& network, const PackedStream& stream,
                           std::uint32_t n_batches, std::span<const Ceiling> ceilings,
                           ThreadPool& pool);

/// Scores by task on batches 0 ... n_batches - 1 of a split, rows and steps as in `stream`; the
/// source says which steps count (Scored). There is no ideal observer of such data: ceilings are 1.
/// Throws UsageError for a network of another shape than the source's, and for values that the
/// source must not write.
Evaluation evaluate_source(const Network& network, const BatchSource& source,
                           const StreamConfig& stream, Split split, std::uint32_t n_batches,
                           ThreadPool& pool);

/// A warning if the first batch of `split` has tasks without a single scored step, whose scores
/// would be 0 for every network; otherwise nothing. Trials longer than a row do that. Throws
/// what the source throws.
std::optional<std::string> warning_of_unscored_tasks(const BatchSource& source,
                                                     const StreamConfig& stream, Split split);

/// The same source, whose every answer is checked: its shape and names here, once; the values of
/// its rows as they are filled. Both throw UsageError that names the source and the value.
std::shared_ptr<const BatchSource> checked_source(std::shared_ptr<const BatchSource> source);

/// Adds the counts of rows to `by_task` (task), from their logits (time, class, trial): the answer
/// is the class of the largest logit, the lowest one in a tie. Needs `targets` and `scored`;
/// without `trial_starts` a row is one trial, without `tasks` all are of task 0. Throws UsageError
/// for arrays that do not belong together.
void add_scores(View3<const float> logits, const TrialView& rows, std::span<ScoreCounts> by_task);

// What a network file says about what it was trained on. ---------------------------------------

/// Metadata of a network trained on `battery`: "tasks" (names, in the order of the rule inputs),
/// "battery" and "wiring" (TOML) and "seed"; "coordinates", if `sheet` has any.
NetworkMetadata describe_training(const Battery& battery, const WiringConfig& wiring, Seed seed,
                                  const Sheet& sheet = {});

/// Coordinates as text, so that a network has them without the file that they came from: a line
/// for each unit, numbers with a space between them that are read back to the bit. Empty without
/// coordinates.
std::string coordinates_text(const Sheet& sheet);

/// The sheet of a network with such metadata; `path` stands for its file in messages. Throws
/// UsageError for coordinates that do not fit `wiring`.
Sheet sheet_of(const WiringConfig& wiring, const NetworkMetadata& metadata,
               const std::filesystem::path& path);

/// What `describe_training` wrote. `path` stands for the file in messages. Throws UsageError if
/// the metadata say nothing of the kind, or name tasks in another order than this version would.
struct TrainedOn {
  BatteryConfig battery;
  WiringConfig wiring;
  Seed seed;
  std::vector<std::string> tasks;
  Sheet sheet = wiring.sheet();  ///< of `wiring`, with the coordinates of the units if it has any
};
TrainedOn trained_on(const NetworkMetadata& metadata, const std::filesystem::path& path);

}  // namespace lmrnn
