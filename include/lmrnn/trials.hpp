// The arrays of trials: the struct that owns them, views of them, and sources that fill them.
//
// Everything is indexed (time, trial, item), from the task that writes a number to the kernel that
// reads it. A trial is a row of a batch: one whole trial, or trials packed end to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/check.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {

/// A view of a (time, trial, item) array; does not own it. The items of a trial at a step are
/// contiguous; steps and trials have any fixed stride, so a block of the trials of a batch, or an
/// array (trial, time, item), is a view as well. Indices are checked in development builds.
template <class T>
struct LMRNN_CHECKED_TYPE TrialArray {
  T* data = nullptr;
  std::size_t n_steps = 0, n_trials = 0, n_items = 0;
  std::size_t step_stride = 0, trial_stride = 0;  ///< elements to the next step, and trial

  constexpr TrialArray() = default;
  /// Contiguous (step, trial, item); an array (step, trial) has one item.
  constexpr TrialArray(T* first, std::size_t steps, std::size_t trials, std::size_t items = 1)
      : TrialArray(first, steps, trials, items, trials * items, items) {}
  constexpr TrialArray(T* first, std::size_t steps, std::size_t trials, std::size_t items,
                       std::size_t to_next_step, std::size_t to_next_trial)
      : data(first),
        n_steps(steps),
        n_trials(trials),
        n_items(items),
        step_stride(to_next_step),
        trial_stride(to_next_trial) {}
  constexpr operator TrialArray<const T>() const noexcept requires(!std::is_const_v<T>) {
    return {data, n_steps, n_trials, n_items, step_stride, trial_stride};
  }

  T& operator()(std::size_t step, std::size_t trial, std::size_t item = 0) const noexcept {
    LMRNN_CHECK_INDEX(item, n_items, "the item of a TrialArray lies outside it");
    return at(step, trial)[item];
  }
  /// The items of a trial at a step.
  T* at(std::size_t step, std::size_t trial) const noexcept {
    LMRNN_CHECK_INDEX(step, n_steps, "the step of a TrialArray lies outside it");
    LMRNN_CHECK_INDEX(trial, n_trials, "the trial of a TrialArray lies outside it");
    return data + step * step_stride + trial * trial_stride;
  }
  /// Trials first ... first + n - 1.
  TrialArray trials(std::size_t first, std::size_t n) const noexcept {
    if (empty()) return {};  // parts of an absent array are absent
    LMRNN_CHECK_FITS(first + n, n_trials, "the trials lie outside a TrialArray");
    return {data + first * trial_stride, n_steps, n, n_items, step_stride, trial_stride};
  }
  std::size_t size() const noexcept { return n_steps * n_trials * n_items; }
  bool empty() const noexcept { return data == nullptr; }
  bool is_contiguous() const noexcept {
    return trial_stride == n_items && step_stride == n_trials * n_items;
  }

  /// Calls visit(std::span<T>) for the contiguous parts of the array, in any order. They are few
  /// and long, so that element-wise loops need no index.
  template <class Visit>
  void for_each_stretch(Visit&& visit) const {
    if (empty()) return;
    if (is_contiguous()) {
      visit(std::span<T>(data, size()));
    } else if (trial_stride == n_items) {
      for (std::size_t t = 0; t < n_steps; ++t)
        visit(std::span<T>(data + t * step_stride, n_trials * n_items));
    } else {
      for (std::size_t k = 0; k < n_trials; ++k)
        for (std::size_t t = 0; t < n_steps; ++t) visit(std::span<T>(at(t, k), n_items));
    }
  }
};

/// What a step counts for in scores. A trial is right if it is right at every step that counts for
/// the trial; a trial without a step that counts is not scored.
enum class Scored : std::uint8_t {
  no = 0,
  yes = 1,         ///< for the accuracy of steps and of trials
  step_only = 2,   ///< for the accuracy of steps: the first steps of a decision
  trial_only = 3,  ///< for the accuracy of trials: steps before the decision
};

/// Arrays of trials, to read (TrialView, const elements) or to write (TrialRows). Owns nothing. An
/// array may be empty: it is not given, or not asked for.
template <bool writable>
struct LMRNN_CHECKED_TYPE TrialArrays {
  template <class T>
  using Array = TrialArray<std::conditional_t<writable, T, const T>>;

  Array<float> inputs{};          ///< (time, trial, channel), finite
  Array<std::int32_t> rules{};    ///< (time, trial, slot), below n_rules; -1: none
  Array<std::uint8_t> resets{};   ///< (time, trial); 1: h[t-1] is taken as 0; for networks only
  Array<std::int32_t> targets{};  ///< (time, trial) class, below n_classes
  Array<float> loss_weights{};    ///< (time, trial), finite and >= 0; 0: does not count
  Array<std::uint8_t> trial_starts{};  ///< (time, trial); 1 where a trial begins, else 0
  Array<std::uint8_t> periods{};       ///< (time, trial) Period
  Array<std::int32_t> tasks{};         ///< (time, trial) number of the task
  Array<std::uint8_t> scored{};        ///< (time, trial) Scored; 0 in trials that a row cuts

  std::size_t n_steps() const noexcept { return inputs.n_steps; }
  std::size_t n_trials() const noexcept { return inputs.n_trials; }

  /// Calls visit(array, other_array) for every array and the same array of `other`.
  template <bool of_other, class Visit>
  void for_each_with(const TrialArrays<of_other>& other, Visit&& visit) const {
    visit(inputs, other.inputs);
    visit(rules, other.rules);
    visit(resets, other.resets);
    visit(targets, other.targets);
    visit(loss_weights, other.loss_weights);
    visit(trial_starts, other.trial_starts);
    visit(periods, other.periods);
    visit(tasks, other.tasks);
    visit(scored, other.scored);
  }
  /// Trials first ... first + n - 1 of all arrays.
  TrialArrays trials(std::size_t first, std::size_t n) const {
    return {inputs.trials(first, n),  rules.trials(first, n),        resets.trials(first, n),
            targets.trials(first, n), loss_weights.trials(first, n), trial_starts.trials(first, n),
            periods.trials(first, n), tasks.trials(first, n),        scored.trials(first, n)};
  }
  operator TrialArrays<false>() const noexcept requires(writable) {
    return {inputs, rules, resets, targets, loss_weights, trial_starts, periods, tasks, scored};
  }
};
using TrialView = TrialArrays<false>;
using TrialRows = TrialArrays<true>;

/// Trials and their arrays.
///
/// Threads: may be shared for reading; different trials may be written at the same time.
struct Trials {
  std::size_t n_steps = 0, n_trials = 0, n_channels = 0, n_rule_slots = 0;
  Buffer<float> inputs;        ///< (time, trial, channel)
  Buffer<float> loss_weights;  ///< (time, trial), as all that follow
  Buffer<std::int32_t> rules;  ///< (time, trial, slot)
  Buffer<std::int32_t> targets, step_tasks;
  Buffer<std::uint8_t> trial_starts, periods, scored;

  /// Arrays besides inputs, rules and targets.
  struct Extras {
    bool loss_weights = false, trial_starts = false, periods = false, tasks = false, scored = false;
  };
  Trials() = default;
  /// All zero.
  Trials(std::size_t steps, std::size_t trials, std::size_t channels, std::size_t rule_slots,
         const Extras& extras);

  /// Index of a (time, trial) array.
  std::size_t index(std::size_t step, std::size_t trial) const noexcept {
    return step * n_trials + trial;
  }
  TrialRows rows() noexcept;
  /// What a network computes with; with `reset_at_trial`, its state is 0 where a trial begins.
  TrialView view(bool reset_at_trial = false) const noexcept;
  /// Copies of the trials with the numbers in `order`, in that order, cut after `steps` steps.
  Trials chosen(std::span<const std::size_t> order, std::size_t steps) const;
};

/// Copies each array that both have, as many steps and trials as `from` has. Throws UsageError if
/// one does not fit into that of `to`.
void copy_trials(const TrialView& from, const TrialRows& to);

/// Writes inputs (time, trial, channel) and rules (time, trial, slot) to `to` (time, trial, channel
/// + rule), where a rule is 1 if it is on, else 0. Throws UsageError if the shape of `to` does not
/// match.
void expand_rules(const TrialArray<const float>& inputs,
                  const TrialArray<const std::int32_t>& rules, const TrialArray<float>& to);

/// What a network must have to be trained on a source.
struct BatchShape {
  std::size_t n_channels = 0;    ///< without rules
  std::size_t n_rules = 0;       ///< rule inputs; may be 0
  std::size_t n_rule_slots = 0;  ///< rule inputs that are on at a time; 0 if there are none
  std::size_t n_classes = 0;
  friend bool operator==(const BatchShape&, const BatchShape&) = default;
};

/// Training data: a battery's packed stream, or your own.
///
/// For runs to be reproducible, and to resume to the same bits, what `fill` writes must be a
/// function of its arguments alone.
///
/// Threads: is shared; the trainer calls `fill` from several threads at once, so your functions
/// must allow that. They must not wait for the thread that called Trainer::run.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// Its name in the run's configuration; not empty.
  virtual std::string name() const = 0;
  /// Called once per training or evaluation, like `tasks`; neither may change.
  virtual BatchShape shape() const = 0;
  /// Names of the tasks; at least one.
  virtual std::vector<std::string> tasks() const = 0;
  /// Writes rows first_row, first_row + 1, ... of batch `batch`. Splits must not share trials.
  /// Every array of `rows` that is not empty must be written whole; only evaluation asks for
  /// `tasks` and `scored` (a Scored). The values are checked once, and one outside its range is a
  /// UsageError that names the array, the batch, the step and the row.
  virtual void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
                    const TrialRows& rows) const = 0;
};

}  // namespace lmrnn
