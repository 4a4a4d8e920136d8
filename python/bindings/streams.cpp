#include "lmrnn/streams.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "configuration.hpp"
#include "pickling.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

/// An array of one batch in NumPy's layout: (time, row, item), or (row, time, item).
template <class T>
struct Filled {
  Filled(std::size_t n_time, std::size_t n_rows, std::size_t n_items, bool batch_first)
      : numbers(n_time * n_rows * n_items),
        array(batch_first ? TrialArray<T>(numbers.data(), n_time, n_rows, n_items, n_items,
                                          n_time * n_items)
                          : TrialArray<T>(numbers.data(), n_time, n_rows, n_items)) {}
  Buffer<T> numbers;
  TrialArray<T> array;
};

nb::dict fill(const PackedStream& self, std::uint32_t batch, bool batch_first, bool dense) {
  const Battery& battery = self.battery();
  const auto n_time = static_cast<std::size_t>(self.config().steps);
  const auto n_rows = static_cast<std::size_t>(self.config().batch);
  const auto filled = [&]<class T>(T, std::size_t n_items) {
    return Filled<T>(n_time, n_rows, n_items, batch_first);
  };
  auto inputs = filled(float(), battery.n_channels());
  auto rules = filled(std::int32_t(), battery.n_rule_slots());
  auto targets = filled(std::int32_t(), 1), tasks = filled(std::int32_t(), 1);
  auto periods = filled(std::uint8_t(), 1), starts = filled(std::uint8_t(), 1);
  {
    const nb::gil_scoped_release release;
    self.fill(batch, 0,
              {.inputs = inputs.array,
               .rules = rules.array,
               .targets = targets.array,
               .trial_starts = starts.array,
               .periods = periods.array,
               .tasks = tasks.array});
    if (dense) {
      auto wide = filled(float(), battery.n_channels() + battery.n_rules());
      expand_rules(inputs.array, rules.array, wide.array);
      inputs = std::move(wide);
    }
  }
  const std::size_t first = batch_first ? n_rows : n_time, second = batch_first ? n_time : n_rows;
  nb::dict arrays;
  arrays["inputs"] = adopt(std::move(inputs.numbers), {first, second, inputs.array.n_items});
  arrays["targets"] = adopt(std::move(targets.numbers), {first, second});
  arrays["rules"] = adopt(std::move(rules.numbers), {first, second, rules.array.n_items});
  arrays["tasks"] = adopt(std::move(tasks.numbers), {first, second});
  arrays["periods"] = adopt(std::move(periods.numbers), {first, second});
  arrays["trial_starts"] = adopt(std::move(starts.numbers), {first, second});
  return arrays;
}

TrialBatch trials_of(const Battery& battery, const nb::object& task, std::size_t n,
                     const SeedArgument& seed, const std::string& split, std::size_t first) {
  const std::size_t index = nb::isinstance<nb::str>(task)
                                ? battery.index_of(nb::cast<std::string>(task))
                                : nb::cast<std::size_t>(task);
  if (index >= battery.tasks().size())
    throw nb::index_error("the battery has no task of this number");
  const auto which = named<Split>(split, "split");
  const nb::gil_scoped_release release;
  return draw_trials(battery, index, n, Seed(seed), which, first);
}

template <class T>
auto series(nb::handle self, const TrialBatch& batch, const Buffer<T>& values,
            std::size_t n_items) {
  return view_of(values.data(), {batch.n_steps, batch.n_trials, n_items}, self);
}
template <class T>
auto plain(nb::handle self, const TrialBatch& batch, const Buffer<T>& values) {
  return view_of(values.data(), {batch.n_steps, batch.n_trials}, self);
}

void bind_trial_batch(nb::module_& m) {
  using Self = nb::handle_t<TrialBatch>;
  const auto get = [](Self self) -> const TrialBatch& { return nb::cast<const TrialBatch&>(self); };
  nb::class_<TrialBatch> batch(
      m, "TrialBatch", "Whole trials, one per column, padded to the longest. Arrays are views.");
  batch.def("__len__", [](const TrialBatch& b) { return b.n_trials; })
      .def_prop_ro(
          "inputs",
          [get](Self self) {
            const TrialBatch& b = get(self);
            return series(self, b, b.inputs, b.n_channels);
          },
          "(time, trial, channel) float32, noise included; 0 in the padding")
      .def_prop_ro(
          "rules",
          [get](Self self) {
            const TrialBatch& b = get(self);
            return series(self, b, b.rules, b.n_rule_slots);
          },
          "(time, trial, slot) int32: numbers of the rule inputs that are on")
      .def_prop_ro(
          "targets", [get](Self self) { return plain(self, get(self), get(self).targets); },
          "(time, trial) int32 class")
      .def_prop_ro(
          "periods", [get](Self self) { return plain(self, get(self), get(self).periods); },
          "(time, trial) uint8: 0 fixation, 1 stimulus, 2 delay, 3 second stimulus, 4 decision")
      .def_prop_ro(
          "mask", [get](Self self) { return plain(self, get(self), get(self).loss_weights); },
          "(time, trial) float32: 1 within the trial, 0 in the padding")
      .def_prop_ro(
          "lengths",
          [get](Self self) {
            return view_of(get(self).lengths.data(), {get(self).n_trials}, self);
          },
          "(trial) int32 steps")
      .def_prop_ro(
          "tasks",
          [get](Self self) { return view_of(get(self).tasks.data(), {get(self).n_trials}, self); },
          "(trial) uint32 index into the battery")
      .def_prop_ro(
          "responses",
          [get](Self self) {
            return view_of(get(self).responses.data(), {get(self).n_trials}, self);
          },
          "(trial) int32 direction when the decision begins; -1: keep fixating")
      .def_ro("conditions", &TrialBatch::conditions, "(trial) Conditions");
  bind_pickling(batch);
}

}  // namespace

void bind_streams(nb::module_& m) {
  nb::class_<PackedStream>(m, "PackedStream",
                           "Rows of fixed length, filled with trials end to end; see lmrnn.Stream.")
      .def(
          "__init__",
          [](PackedStream* self, const Battery& battery, const SeedArgument& seed,
             const std::string& split, const nb::kwargs& keywords) {
            new (self) PackedStream(battery, from_keywords<StreamConfig>(keywords, "stream"),
                                    Seed(seed), named<Split>(split, "split"));
          },
          "battery"_a, nb::kw_only(), "seed"_a, "split"_a, "keywords"_a)
      .def("__reduce__",
           [](const PackedStream&) -> nb::tuple {
             throw nb::type_error(
                 "a PackedStream cannot be pickled or copied; use the lmrnn.Stream that holds it");
           })
      .def("fill", &fill, "batch"_a, "batch_first"_a, "dense_rules"_a,
           "Arrays of one batch, by name.");
  bind_trial_batch(m);
  m.def("draw_trials", &trials_of, "battery"_a, "task"_a, "n"_a, nb::kw_only(), "seed"_a,
        "split"_a = "test", "first"_a = 0,
        "Trials number first ... first + n - 1 of one task (name or number) in a split.");
}

}  // namespace lmrnn::python
