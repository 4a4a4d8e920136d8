// lmrnn tasks sample: trial batches and packed streams as NPZ or HDF5.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "battery_options.hpp"
#include "common.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/version.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

struct SampleOptions {
  BatteryOptions battery;
  std::optional<Seed> seed;
  std::string out, split = "train", layout = "time-major", stream;
  std::size_t n_trials = 100, first = 0;
  std::int64_t n_steps = 350;
  std::size_t n_rows = 64;
  std::uint32_t batch = 0;
  bool dense_rules = false;
  /// Options that only one of the two kinds of file has.
  std::vector<const CLI::Option*> of_trials, of_streams;
};

// The arrays of a file, with dimension names.
class Sample {
 public:
  explicit Sample(bool batch_first) : batch_first_(batch_first) {}

  template <class T>
  void add(const std::string& name, std::span<const T> values,
           std::vector<std::pair<std::string, std::size_t>> dimensions) {
    std::vector<std::size_t> shape;
    for (auto& [label, size] : dimensions) {
      shape.push_back(size);
      dimension_names_[name].push_back(std::move(label));
    }
    file_.arrays.emplace_back(name, ArrayData::of<T>(values, std::move(shape)));
  }

  // Stored as (time, row, item) or (row, time, item); without `item`, as (time, row) or (row,
  // time).
  template <class T>
  void add_series(const std::string& name, const TrialArray<const T>& values,
                  const std::string& item, const std::string& row) {
    std::vector<T> ordered(values.size());
    const std::size_t n_time = values.n_steps, n_rows = values.n_trials, n_items = values.n_items;
    for (std::size_t t = 0; t < n_time; ++t)
      for (std::size_t r = 0; r < n_rows; ++r)
        std::copy_n(values.at(t, r), n_items,
                    ordered.data() + (batch_first_ ? r * n_time + t : t * n_rows + r) * n_items);
    std::vector<std::pair<std::string, std::size_t>> dimensions = {{"time", n_time}, {row, n_rows}};
    if (batch_first_) std::swap(dimensions[0], dimensions[1]);
    if (!item.empty()) dimensions.emplace_back(item, n_items);
    add<T>(name, ordered, std::move(dimensions));
  }

  void set(const std::string& key, std::string text) { file_.metadata[key] = std::move(text); }

  void write(const std::string& path) const {
    if (path.ends_with(".h5") || path.ends_with(".hdf5"))
      write_hdf5(path, file_, dimension_names_);
    else if (path.ends_with(".npz"))
      write_npz(path, file_);
    else
      throw UsageError("--out " + path + ": the name must end in .npz, .h5 or .hdf5");
  }

 private:
  bool batch_first_;
  ArrayFile file_;
  std::map<std::string, std::vector<std::string>> dimension_names_;
};

// Adds inputs and rules; rules are indices, or dense channels after the other channels.
void add_inputs(Sample& sample, const Battery& battery, const TrialView& rows,
                const std::string& row, bool dense_rules) {
  if (!dense_rules) {
    sample.add_series("inputs", rows.inputs, "channel", row);
    sample.add_series("rules", rows.rules, "slot", row);
    return;
  }
  const std::size_t n_channels = battery.n_channels() + battery.n_rules();
  std::vector<float> values(rows.n_steps() * rows.n_trials() * n_channels);
  const TrialArray<float> dense(values.data(), rows.n_steps(), rows.n_trials(), n_channels);
  expand_rules(rows.inputs, rows.rules, dense);
  sample.add_series<float>("inputs", dense, "channel", row);
}

// Joins the trials of all tasks into one batch, padded to the longest trial with periods of 255 and
// rules of -1; the rest is 0 there.
Trials side_by_side(const Battery& battery, std::span<const TrialBatch> batches) {
  std::size_t n_steps = 0, n_trials = 0;
  for (const TrialBatch& batch : batches) {
    n_steps = std::max(n_steps, batch.n_steps);
    n_trials += batch.n_trials;
  }
  Trials all(n_steps, n_trials, battery.n_channels(), battery.n_rule_slots(),
             {.loss_weights = true, .periods = true});
  const TrialRows rows = all.rows();
  std::size_t first = 0;
  for (const TrialBatch& batch : batches) {
    copy_trials(batch.view(), rows.trials(first, batch.n_trials));
    // The same after the end of every trial, whatever the longest trials of its task and of the
    // file are: no rule and no period.
    for (std::size_t k = 0; k < batch.n_trials; ++k)
      for (auto t = static_cast<std::size_t>(batch.lengths[k]); t < n_steps; ++t) {
        rows.periods(t, first + k) = 255;
        for (std::size_t slot = 0; slot < battery.n_rule_slots(); ++slot)
          rows.rules(t, first + k, slot) = -1;
      }
    first += batch.n_trials;
  }
  return all;
}

// Adds a value per trial, or several, from all batches.
template <class T, class Get>
void add_per_trial(Sample& sample, const std::string& name, std::span<const TrialBatch> batches,
                   std::vector<std::pair<std::string, std::size_t>> more_dimensions, Get&& get) {
  std::vector<T> values;
  std::size_t n_trials = 0;
  for (const TrialBatch& batch : batches)
    for (std::size_t k = 0; k < batch.n_trials; ++k, ++n_trials)
      for (const auto value : get(batch, k)) values.push_back(static_cast<T>(value));
  more_dimensions.insert(more_dimensions.begin(), {"trial", n_trials});
  sample.add<T>(name, values, std::move(more_dimensions));
}

void add_conditions(Sample& sample, std::span<const TrialBatch> batches) {
  const auto add = [&]<class T>(const std::string& name, T Conditions::*member) {
    add_per_trial<double>(sample, name, batches, {}, [&](const TrialBatch& batch, std::size_t k) {
      return std::array{static_cast<double>(batch.conditions[k].*member)};
    });
  };
  add("modality", &Conditions::modality);
  add("direction", &Conditions::direction);
  add("choice", &Conditions::choice);
  add("match", &Conditions::match);
  add("sample", &Conditions::sample);
  add("test", &Conditions::test);
  add_per_trial<double>(
      sample, "directions", batches, {{"stimulus", 2}},
      [](const TrialBatch& batch, std::size_t k) { return batch.conditions[k].directions; });
  add_per_trial<double>(sample, "strength", batches, {{"modality", 2}, {"stimulus", 2}},
                        [](const TrialBatch& batch, std::size_t k) {
                          const auto& s = batch.conditions[k].strength;
                          return std::array{s[0][0], s[0][1], s[1][0], s[1][1]};
                        });
  add_per_trial<double>(
      sample, "duration", batches, {{"period", n_periods}},
      [](const TrialBatch& batch, std::size_t k) { return batch.conditions[k].duration; });
}

// First step of each period and one past its last, -1 if a trial has no such period.
std::array<std::int32_t, 2 * n_periods> bounds_of(std::span<const PeriodSpan> spans) {
  std::array<std::int32_t, 2 * n_periods> bounds;
  bounds.fill(-1);
  for (const PeriodSpan& span : spans) {
    bounds[2 * period_index(span.period)] = span.first;
    bounds[2 * period_index(span.period) + 1] = span.last;
  }
  return bounds;
}

void sample_trials(Sample& sample, const Battery& battery, const SampleOptions& options,
                   Split split) {
  std::vector<TrialBatch> batches;
  for (std::size_t task = 0; task < battery.tasks().size(); ++task)
    batches.push_back(
        draw_trials(battery, task, options.n_trials, *options.seed, split, options.first));
  const Trials all = side_by_side(battery, batches);
  const TrialView rows = all.view();
  add_inputs(sample, battery, rows, "trial", options.dense_rules);
  sample.add_series("targets", rows.targets, "", "trial");
  sample.add_series("periods", rows.periods, "", "trial");
  sample.add_series("mask", rows.loss_weights, "", "trial");
  add_per_trial<std::int32_t>(sample, "task", batches, {}, [](const auto& batch, std::size_t k) {
    return std::array{batch.tasks[k]};
  });
  add_per_trial<std::int32_t>(sample, "length", batches, {}, [](const auto& batch, std::size_t k) {
    return std::array{batch.lengths[k]};
  });
  add_per_trial<std::int32_t>(
      sample, "response", batches, {},
      [](const auto& batch, std::size_t k) { return std::array{batch.responses[k]}; });
  add_per_trial<std::int32_t>(
      sample, "period_bounds", batches, {{"period", n_periods}, {"first, last", 2}},
      [](const TrialBatch& batch, std::size_t k) { return bounds_of(batch.spans[k]); });
  add_conditions(sample, batches);
}

void sample_stream(Sample& sample, const Battery& battery, const SampleOptions& options,
                   Split split) {
  StreamConfig config;
  config.steps = options.n_steps;
  config.batch = static_cast<std::int64_t>(options.n_rows);
  from_config({options.stream, "--stream"}, "mode", config.mode, {});
  const PackedStream stream(battery, config, *options.seed, split);
  Trials trials(static_cast<std::size_t>(config.steps), options.n_rows, battery.n_channels(),
                battery.n_rule_slots(), {.trial_starts = true, .periods = true, .tasks = true});
  stream.fill(options.batch, 0, trials.rows());
  const TrialView rows = trials.view();
  add_inputs(sample, battery, rows, "row", options.dense_rules);
  sample.add_series("targets", rows.targets, "", "row");
  sample.add_series("task", rows.tasks, "", "row");
  sample.add_series("periods", rows.periods, "", "row");
  sample.add_series("trial_starts", rows.trial_starts, "", "row");
}

void describe_sample(Sample& sample, const Battery& battery, const SampleOptions& options) {
  sample.set("tasks", nlohmann::json(names_of(battery.tasks())).dump());
  sample.set("battery", to_toml(write_config(battery.config())));
  sample.set("seed", std::to_string(options.seed->value));
  sample.set("split", options.split);
  sample.set("layout", options.layout);
  sample.set("version", build_info().version);
}

void run_sample(const SampleOptions& options) {
  Split split{};
  from_config({options.split, "--split"}, "split", split, {});
  if (options.layout != "time-major" && options.layout != "batch-first")
    throw UsageError("--layout " + options.layout + ": it must be time-major or batch-first");
  const bool streams = !options.stream.empty();
  const auto given = [](const std::vector<const CLI::Option*>& unused, const char* remedy) {
    for (const CLI::Option* option : unused)
      if (option->count() > 0) throw UsageError(fmt::format("{}: {}", option->get_name(), remedy));
  };
  if (streams)
    given(options.of_trials,
          "a stream has no numbered trials; leave it out, or leave out --stream");
  else
    given(options.of_streams, "only streams have it; give --stream too, or leave it out");
  const Battery battery(options.battery.battery(), *options.seed);
  Sample sample(options.layout == "batch-first");
  if (options.stream.empty())
    sample_trials(sample, battery, options, split);
  else
    sample_stream(sample, battery, options, split);
  describe_sample(sample, battery, options);
  sample.write(options.out);
}

}  // namespace

void add_sample(CLI::App& tasks) {
  const auto options = std::make_shared<SampleOptions>();
  CLI::App* verb = add_verb(
      tasks, "sample", "write trials to a file (.npz or .h5)",
      "lmrnn tasks sample --tasks cog20 --trials 500 --split test --seed 1 --out trials.npz\n"
      "lmrnn tasks sample --tasks modcog82 --stream restart --rows 64 --seed 1 --out batch.h5",
      [options] { run_sample(*options); });
  verb->add_option("--out", options->out, "file to write; .npz, .h5 or .hdf5")
      ->required()
      ->type_name("FILE");
  add_seed(*verb, options->seed, "seed of everything random")->required();
  verb->add_option("--split", options->split,
                   "train, validation or test; no trial is in two of them")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--layout", options->layout, "time-major or batch-first")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_flag("--dense-rules", options->dense_rules,
                 "rules as channels after the inputs instead of as indices");
  options->battery.add_to(*verb);

  const std::string batches = "Trial batches: one trial per row, padded";
  options->of_trials = {verb->add_option("--trials", options->n_trials, "trials of each task")
                            ->check(whole_number(1))
                            ->capture_default_str()
                            ->group(batches),
                        verb->add_option("--first", options->first, "number of the first trial")
                            ->check(whole_number(0))
                            ->capture_default_str()
                            ->group(batches)};

  const std::string stream = "Packed streams: trials end to end";
  verb->add_option("--stream", options->stream, "restart or continue")
      ->type_name("MODE")
      ->group(stream);
  options->of_streams = {verb->add_option("--rows", options->n_rows, "rows in a batch")
                             ->check(whole_number(1))
                             ->capture_default_str()
                             ->group(stream),
                         verb->add_option("--steps", options->n_steps, "time steps in a row")
                             ->check(whole_number(1))
                             ->capture_default_str()
                             ->group(stream),
                         verb->add_option("--batch", options->batch, "number of the batch")
                             ->check(whole_number(0, std::numeric_limits<std::uint32_t>::max()))
                             ->capture_default_str()
                             ->group(stream)};
}

}  // namespace lmrnn::cli
