// Pickle, copy and equality of the library's structs, each from one list of members. Arrays become
// bytes, so that a copy has the same bits.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/operators.h>

#include <concepts>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::python {

template <class T>
struct Is {};

template <class Self, class Visit>
void members(Is<PeriodSpan>, Self& self, Visit visit) {
  visit(self.period, self.first, self.last);
}
template <class Self, class Visit>
void members(Is<Conditions>, Self& self, Visit visit) {
  visit(self.modality, self.direction, self.directions[0], self.directions[1], self.strength[0][0],
        self.strength[0][1], self.strength[1][0], self.strength[1][1], self.choice, self.match,
        self.sample, self.test, self.duration[0], self.duration[1], self.duration[2],
        self.duration[3], self.duration[4], self.noise);
}
template <class Self, class Visit>
void members(Is<Score>, Self& self, Visit visit) {
  visit(self.value, self.standard_error);
}
template <class Self, class Visit>
void members(Is<Ceiling>, Self& self, Visit visit) {
  visit(self.decision_accuracy, self.trial_accuracy);
}
template <class Self, class Visit>
void members(Is<ScoreCounts>, Self& self, Visit visit) {
  visit(self.trials, self.right_trials, self.decision_steps, self.right_decision_steps);
}
template <class Self, class Visit>
void members(Is<TaskScore>, Self& self, Visit visit) {
  visit(self.task, self.name, self.counts, self.decision_accuracy, self.decision_lower,
        self.trial_accuracy, self.trial_lower, self.ceiling, self.share_of_ceiling, self.passed,
        self.solved);
}
template <class Self, class Visit>
void members(Is<Evaluation>, Self& self, Visit visit) {
  visit(self.tasks);
}
template <class Self, class Visit>
void members(Is<TrialBatch>, Self& self, Visit visit) {
  visit(self.n_steps, self.n_trials, self.n_channels, self.n_rule_slots, self.inputs, self.rules,
        self.targets, self.periods, self.loss_weights, self.scored, self.tasks, self.conditions,
        self.lengths, self.responses, self.spans);
}

template <class T>
concept HasMembers = requires(T& t) {
  members(Is<T>{}, t, [](auto&...) {});
};

template <class T>
nb::object to_state(const T& value) {
  if constexpr (HasMembers<T>) {
    nb::list state;
    members(Is<T>{}, value, [&](const auto&... member) { (state.append(to_state(member)), ...); });
    return nb::tuple(state);
  } else if constexpr (std::is_enum_v<T>) {
    return nb::cast(static_cast<std::int64_t>(value));
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return nb::cast(value);
  } else if constexpr (std::is_arithmetic_v<typename T::value_type>) {
    return nb::bytes(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(value[0]));
  } else {
    nb::list items;
    for (const auto& item : value) items.append(to_state(item));
    return nb::tuple(items);
  }
}

template <class T>
void from_state(nb::handle state, T& value) {
  if constexpr (HasMembers<T>) {
    const auto parts = nb::cast<nb::tuple>(state);
    members(Is<T>{}, value, [&](auto&... member) {
      if (parts.size() != sizeof...(member))
        throw UsageError(
            "this pickle was made by another version of lmrnn; use that one to read it");
      std::size_t i = 0;
      (from_state(parts[i++], member), ...);
    });
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(nb::cast<std::int64_t>(state));
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    value = nb::cast<T>(state);
  } else if constexpr (std::is_arithmetic_v<typename T::value_type>) {
    const auto bytes = nb::cast<nb::bytes>(state);
    value.resize(bytes.size() / sizeof(value[0]));
    if (!value.empty()) std::memcpy(value.data(), bytes.c_str(), value.size() * sizeof(value[0]));
  } else {
    const auto items = nb::cast<nb::tuple>(state);
    value.clear();
    value.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) from_state(items[i], value[i]);
  }
}

/// __getstate__, __setstate__ and __eq__ from `get(object) -> tuple` and `make(tuple) -> T`.
template <class T, class Get, class Make>
void bind_pickling(nb::class_<T>& c, Get get, Make make) {
  c.def("__getstate__", [get](const T& self) { return nb::cast<nb::tuple>(get(self)); })
      .def("__setstate__", [make](T& self, const nb::tuple& state) { new (&self) T(make(state)); })
      .def(
          "__eq__", [get](const T& self, const T& other) { return get(self).equal(get(other)); },
          nb::is_operator());
}
template <HasMembers T>
void bind_pickling(nb::class_<T>& c) {
  bind_pickling(
      c, [](const T& self) { return to_state(self); },
      [](const nb::tuple& state) {
        T value;
        from_state(state, value);
        return value;
      });
}

}  // namespace lmrnn::python
