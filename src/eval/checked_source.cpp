#include "eval/checked_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"

namespace lmrnn {
namespace {

/// The rows that one call has filled, for error messages.
struct Place {
  const std::string& name;
  Split split;
  std::uint32_t batch, first_row;

  /// Throws for the first number of `array` that is not `good`; at least one must not be.
  template <class T, class Good>
  void refuse_first(const char* what, const TrialArray<T>& array, Good&& good,
                    std::string_view wanted) const {
    for (std::size_t t = 0; t < array.n_steps; ++t)
      for (std::size_t k = 0; k < array.n_trials; ++k)
        for (std::size_t i = 0; i < array.n_items; ++i)
          if (const T x = array(t, k, i); !good(x))
            throw UsageError(fmt::format(
                "source \"{}\": {} is {} at step {}{}, row {} of batch {} ({}); it must be {}",
                name, what, +x, t, array.n_items > 1 ? fmt::format(", item {}", i) : "",
                first_row + k, batch, to_name(split), wanted));
  }
};

// These run over every batch, so they do not branch for each number and the compiler can vectorise
// them.
constexpr std::uint32_t exponent = 0x7F800000u;  // all ones: infinite or not a number

bool are_finite(std::span<const float> numbers) {
  bool bad = false;
  for (const float x : numbers) bad |= (std::bit_cast<std::uint32_t>(x) & exponent) == exponent;
  return !bad;
}

bool are_weights(std::span<const float> numbers) {
  bool bad = false;
  for (const float x : numbers)
    bad |= ((std::bit_cast<std::uint32_t>(x) & exponent) == exponent) | (x < 0);
  return !bad;
}

/// Whether `good` holds for every contiguous stretch of the array.
template <class T, class Good>
bool all_stretches(const TrialArray<T>& array, Good&& good) {
  bool all = true;
  array.for_each_stretch([&](std::span<const T> numbers) { all = all && good(numbers); });
  return all;
}

template <class T>
void require_within(const Place& place, const char* what, const TrialArray<T>& array,
                    std::int64_t least, std::size_t end, std::string_view wanted) {
  constexpr std::size_t most = std::numeric_limits<T>::max();
  const auto first = static_cast<T>(least), limit = static_cast<T>(std::min(end, most));
  const auto all_within = [&](std::span<const T> numbers) {
    bool outside = false;
    for (const T x : numbers) outside |= (x < first) | (x >= limit);
    return !outside;
  };
  if (!all_stretches(array, all_within))
    place.refuse_first(
        what, array, [&](T x) { return x >= first && x < limit; }, wanted);
}

void require_finite(const Place& place, const char* what, const TrialArray<float>& numbers) {
  if (!all_stretches(numbers, are_finite))
    place.refuse_first(
        what, numbers, [](float x) { return std::isfinite(x); }, "a finite number");
}

void require_weights(const Place& place, const TrialArray<float>& weights) {
  if (!all_stretches(weights, are_weights))
    place.refuse_first(
        "a loss weight", weights, [](float x) { return std::isfinite(x) && x >= 0; },
        "a finite number >= 0");
}

}  // namespace

CheckedSource::CheckedSource(std::shared_ptr<const BatchSource> source)
    : source_(std::move(source)),
      name_(source_->name()),
      shape_(source_->shape()),
      tasks_(source_->tasks()) {
  const auto refuse = [&](std::string what) {
    throw UsageError(fmt::format("source \"{}\": {}", name_, what));
  };
  if (name_.empty()) refuse("its name is empty; give it one");
  if (tasks_.empty()) refuse("it has no tasks; name at least one");
  if (shape_.n_classes == 0) refuse("it has no classes; a target needs at least one");
  const ContinuousSource* numbers = continuous(*source_);
  tolerance_ = numbers == nullptr ? 0 : numbers->tolerance();
  if (!std::isfinite(tolerance_) || tolerance_ < 0)
    refuse(fmt::format("its tolerance is {}; give a finite number above 0", tolerance_));
  if ((shape_.n_rules == 0) != (shape_.n_rule_slots == 0))
    refuse(fmt::format("it has {} rules and {} rule slots; both must be 0, or neither",
                       shape_.n_rules, shape_.n_rule_slots));
}

void CheckedSource::fill(Split split, std::uint32_t batch, std::uint32_t first_row,
                         const TrialRows& rows) const {
  source_->fill(split, batch, first_row, rows);
  const Place place{name_, split, batch, first_row};
  require_finite(place, "an input", rows.inputs);
  require_weights(place, rows.loss_weights);
  require_within(
      place, "a rule", rows.rules, -1, shape_.n_rules,
      fmt::format("the number of one of {} rules, counted from 0, or -1", shape_.n_rules));
  require_within(place, "a target", rows.targets, 0, shape_.n_classes,
                 fmt::format("one of {} classes, counted from 0", shape_.n_classes));
  require_within(place, "a trial start", rows.trial_starts, 0, 2, "0 or 1");
  require_within(place, "a task", rows.tasks, 0, tasks_.size(),
                 fmt::format("one of {} tasks, counted from 0", tasks_.size()));
  require_within(place, "scored", rows.scored, 0, 4, "0 or 1, or another Scored");
}

void CheckedSource::fill_outputs(Split split, std::uint32_t batch, std::uint32_t first_row,
                                 const TrialArray<float>& outputs) const {
  continuous(*source_)->fill_outputs(split, batch, first_row, outputs);
  require_finite({name_, split, batch, first_row}, "a target", outputs);
}

}  // namespace lmrnn
