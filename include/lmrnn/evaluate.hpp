// Scores of a network on held-out trials, compared with those of an ideal observer.
//
// Per task, over whole trials that each start from state 0:
//   decision accuracy = share of the steps of decision periods whose class (argmax of the logits)
//                       is the target's;
//   trial accuracy    = share of trials that keep class 0 throughout fixation, stimulus, delay and
//                       second stimulus and are right at every decision step that begins 100 ms
//                       (the grace) or more after the decision period did, and at its last step.
// "Accuracy" without a qualifier is decision accuracy; means over tasks weigh tasks equally.
//
// A task is passed when the lower end of the 95% Wilson interval of its accuracy is at least 95% of
// its ceiling, over at least 1000 trials, and solved when it is passed at two evaluations in a row
// (`solved_definition`). The interval's sample size is the number of trials, not of steps, because
// the steps of one trial are not independent. Source of the interval: Wilson, J. Am. Stat. Assoc.
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

/// Counts from which the scores of one task are computed. They are integers, so that their sum is
/// exact in any order.
struct ScoreCounts {
  std::uint64_t trials = 0, right_trials = 0;
  std::uint64_t decision_steps = 0, right_decision_steps = 0;

  ScoreCounts& operator+=(const ScoreCounts& other) noexcept;
  double decision_accuracy() const noexcept;  ///< 0 if there are no steps
  double trial_accuracy() const noexcept;     ///< 0 if there are no trials
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

/// Explains `passed` and `solved` to users: the footer of every table of scores.
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
  /// standard deviation of the noise inside f; by default there is none. Throws UsageError if the
  /// network's channels, rules or classes are not the battery's, or the noise is negative.
  Evaluation evaluate(const Network& network, ThreadPool& pool, double recurrent_noise = 0) const;

  std::span<const std::size_t> tasks() const noexcept;
  std::span<const Ceiling> ceilings() const noexcept;
  std::size_t n_trials() const noexcept;  ///< per task

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Rows of trials -------------------------------------------------------------------------------

/// In-stream scores, on batches 0 ... n_batches - 1 of a packed stream: the state runs on from
/// trial to trial as in training. Only trials that lie completely within a row count. `ceilings`:
/// one per task of the stream's battery. Throws UsageError if the network's channels, rules or
/// classes are not the battery's, or if the number of ceilings is wrong.
Evaluation evaluate_stream(const Network& network, const PackedStream& stream,
                           std::uint32_t n_batches, std::span<const Ceiling> ceilings,
                           ThreadPool& pool);

/// Scores by task on batches 0 ... n_batches - 1 of a split, with rows and steps as in `stream`.
/// The source says which steps count (Scored). Such data have no ideal observer, so ceilings are 1.
/// Throws UsageError for a network of another shape than the source's, and for invalid values from
/// the source.
Evaluation evaluate_source(const Network& network, const BatchSource& source,
                           const StreamConfig& stream, Split split, std::uint32_t n_batches,
                           ThreadPool& pool);

/// A warning if tasks in the first batch of `split` have no scored step, so that every network
/// would score 0 on them; otherwise nothing. Trials longer than a row cause this. Throws what the
/// source throws.
std::optional<std::string> warning_of_unscored_tasks(const BatchSource& source,
                                                     const StreamConfig& stream, Split split);

/// Wraps a source so that everything it returns is checked: its shape and names once, in this call,
/// and the values of its rows when they are filled. Both throw a UsageError that names the source
/// and the value.
std::shared_ptr<const BatchSource> checked_source(std::shared_ptr<const BatchSource> source);

/// Adds the counts of rows to `by_task` (task), from their logits (time, class, trial): the answer
/// is the class of the largest logit, the lowest one in a tie. Needs `targets` and `scored`;
/// without `trial_starts` a row is one trial, without `tasks` all are of task 0. Throws UsageError
/// for arrays whose shapes do not match.
void add_scores(View3<const float> logits, const TrialView& rows, std::span<ScoreCounts> by_task);

// What a network file says about what it was trained on. ---------------------------------------

/// Metadata of a network trained on `battery`: "tasks" (names, in the order of the rule inputs),
/// "battery" and "wiring" (TOML) and "seed"; "coordinates", if `sheet` has any.
NetworkMetadata describe_training(const Battery& battery, const WiringConfig& wiring, Seed seed,
                                  const Sheet& sheet = {});

/// Coordinates as text, to keep them in a network file: one line per unit, numbers separated by
/// spaces, which are read back to the last bit. Empty if there are no coordinates.
std::string coordinates_text(const Sheet& sheet);

/// The sheet of a network with such metadata; `path` stands for its file in messages. Throws
/// UsageError for coordinates that do not fit `wiring`.
Sheet sheet_of(const WiringConfig& wiring, const NetworkMetadata& metadata,
               const std::filesystem::path& path);

/// What `describe_training` wrote. `path` stands for the file in messages. Throws UsageError if the
/// metadata lack these entries, or name tasks in another order than this version.
struct TrainedOn {
  BatteryConfig battery;
  WiringConfig wiring;
  Seed seed;
  std::vector<std::string> tasks;
  Sheet sheet = wiring.sheet();  ///< of `wiring`, with the coordinates of the units if it has any
};
TrainedOn trained_on(const NetworkMetadata& metadata, const std::filesystem::path& path);

}  // namespace lmrnn
