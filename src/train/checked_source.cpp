#include "train/checked_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

/// The rows that one call has filled, for messages.
struct Place {
  const std::string& name;
  Split split;
  std::uint32_t batch, first_row;

  /// `at` is the index into a (time, item, row) array.
  [[noreturn]] void refuse(const char* array, std::size_t at, std::size_t n_items,
                           std::size_t n_rows, std::string value, std::string_view wanted) const {
    throw UsageError(
        fmt::format("source \"{}\": {} is {} at step {}{}, row {} of batch {} ({}); it must be {}",
                    name, array, value, at / (n_items * n_rows),
                    n_items > 1 ? fmt::format(", item {}", at / n_rows % n_items) : "",
                    first_row + at % n_rows, batch, to_name(split), wanted));
  }
};

// These loops run over every batch, so they have no branch per number: the compiler takes many at a
// time.
template <class T>
bool all_within(std::span<const T> numbers, T least, T end) {
  bool outside = false;
  for (const T x : numbers) outside |= (x < least) | (x >= end);
  return !outside;
}

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

template <class T>
void require_within(const Place& place, const char* array, const View3<T>& view, std::int64_t least,
                    std::size_t end, std::string_view wanted) {
  const std::span<const T> numbers(view.data, view.size());
  constexpr std::size_t most = std::numeric_limits<T>::max();
  const auto limit = static_cast<T>(std::min(end, most));
  if (all_within<T>(numbers, static_cast<T>(least), limit)) return;
  const auto found =
      std::ranges::find_if(numbers, [&](T x) { return x < static_cast<T>(least) || x >= limit; });
  place.refuse(array, static_cast<std::size_t>(found - numbers.begin()), view.n1, view.n2,
               fmt::format("{}", static_cast<int>(*found)), wanted);
}

template <class T>
void require_within(const Place& place, const char* array, const View2<T>& view, std::int64_t least,
                    std::size_t end, std::string_view wanted) {
  if (!view.empty())
    require_within(place, array, View3<T>{view.data, view.n0, 1, view.n1}, least, end, wanted);
}

void require_finite(const Place& place, const View3<float>& inputs) {
  const std::span<const float> numbers(inputs.data, inputs.size());
  if (are_finite(numbers)) return;
  const auto found = std::ranges::find_if(numbers, [](float x) { return !std::isfinite(x); });
  place.refuse("an input", static_cast<std::size_t>(found - numbers.begin()), inputs.n1, inputs.n2,
               fmt::format("{}", *found), "a finite number");
}

void require_weights(const Place& place, const View2<float>& weights) {
  const std::span<const float> numbers(weights.data, weights.size());
  if (are_weights(numbers)) return;
  const auto found =
      std::ranges::find_if(numbers, [](float x) { return !(std::isfinite(x) && x >= 0); });
  place.refuse("a loss weight", static_cast<std::size_t>(found - numbers.begin()), 1, weights.n1,
               fmt::format("{}", *found), "a finite number >= 0");
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
  if ((shape_.n_rules == 0) != (shape_.n_rule_slots == 0))
    refuse(fmt::format("it has {} rules and {} rule slots; both must be 0, or neither",
                       shape_.n_rules, shape_.n_rule_slots));
}

void CheckedSource::fill(Split split, std::uint32_t batch, std::uint32_t first_row,
                         const BatchRows& rows) const {
  source_->fill(split, batch, first_row, rows);
  const Place place{name_, split, batch, first_row};
  require_finite(place, rows.inputs);
  require_weights(place, rows.loss_weights);
  require_within(
      place, "a rule", rows.rules, -1, shape_.n_rules,
      fmt::format("the number of one of {} rules, counted from 0, or -1", shape_.n_rules));
  require_within(place, "a target", rows.targets, 0, shape_.n_classes,
                 fmt::format("one of {} classes, counted from 0", shape_.n_classes));
  require_within(place, "a trial start", rows.trial_starts, 0, 2, "0 or 1");
  require_within(place, "a task", rows.tasks, 0, tasks_.size(),
                 fmt::format("one of {} tasks, counted from 0", tasks_.size()));
  require_within(place, "scored", rows.scored, 0, 2, "0 or 1");
}

}  // namespace lmrnn
