#include "lmrnn/streams.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "configuration.hpp"
#include "pickling.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

// (step, n_channels) and rules (step, n_slots) -> (step, n_channels + n_rules) with ones where a
// rule is on. `step` runs over time and row together, in either order.
Buffer<float> with_dense_rules(const Buffer<float>& inputs, const Buffer<std::int32_t>& rules,
                               std::size_t n_steps, std::size_t n_rules) {
  const std::size_t n_channels = inputs.size() / n_steps, n_slots = rules.size() / n_steps;
  const std::size_t width = n_channels + n_rules;
  Buffer<float> dense(n_steps * width);
  for (std::size_t step = 0; step < n_steps; ++step) {
    float* row = dense.data() + step * width;
    std::copy_n(inputs.data() + step * n_channels, n_channels, row);
    for (std::size_t slot = 0; slot < n_slots; ++slot)
      if (const std::int32_t rule = rules[step * n_slots + slot]; rule >= 0)
        row[n_channels + static_cast<std::size_t>(rule)] = 1;
  }
  return dense;
}

nb::dict fill(const PackedStream& self, std::uint32_t batch, bool batch_first, bool dense) {
  const StreamConfig& config = self.config();
  const Battery& battery = self.battery();
  const auto n_time = static_cast<std::size_t>(config.steps);
  const auto n_rows = static_cast<std::size_t>(config.batch);
  const std::size_t n = n_time * n_rows, n_slots = battery.n_rule_slots();
  std::size_t n_channels = battery.n_channels();
  Buffer<float> inputs(n * n_channels);
  Buffer<std::int32_t> rules(n * n_slots), targets(n), tasks(n);
  Buffer<std::uint8_t> periods(n), starts(n);
  {
    const nb::gil_scoped_release release;
    self.fill(batch, 0,
              {.inputs = inputs.data(),
               .rules = rules.data(),
               .targets = targets.data(),
               .tasks = tasks.data(),
               .periods = periods.data(),
               .trial_starts = starts.data(),
               .layout = batch_first ? Layout::batch_first : Layout::time_major,
               .n_rows = n_rows});
    if (dense) {
      inputs = with_dense_rules(inputs, rules, n, battery.n_rules());
      n_channels += battery.n_rules();
    }
  }
  const std::size_t first = batch_first ? n_rows : n_time, second = batch_first ? n_time : n_rows;
  nb::dict arrays;
  arrays["inputs"] = adopt(std::move(inputs), {first, second, n_channels});
  arrays["targets"] = adopt(std::move(targets), {first, second});
  arrays["rules"] = adopt(std::move(rules), {first, second, n_slots});
  arrays["tasks"] = adopt(std::move(tasks), {first, second});
  arrays["periods"] = adopt(std::move(periods), {first, second});
  arrays["trial_starts"] = adopt(std::move(starts), {first, second});
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

// The core keeps trials last; NumPy sees (time, trial, ...) through strides.
template <class T>
auto series(nb::handle self, const TrialBatch& batch, const Buffer<T>& values,
            std::size_t n_items) {
  const auto n = static_cast<std::int64_t>(batch.n_trials);
  return view_of(values.data(), {batch.n_steps, batch.n_trials, n_items}, self,
                 {static_cast<std::int64_t>(n_items) * n, 1, n});
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
          "mask", [get](Self self) { return plain(self, get(self), get(self).mask); },
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
