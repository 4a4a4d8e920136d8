#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "lmrnn/seed.hpp"
#include "lmrnn/train.hpp"
#include "lmrnn/wiring_paths.hpp"
#include "train/curriculum.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

bool any_modifier(const std::string& tasks) {
  const auto has_one = [](const Task& t) { return t.interval != 0 || t.sequence != 0; };
  return std::ranges::any_of(select_tasks(tasks), has_one);
}

/// Checks that read_config cannot make, because it sees one table at a time: in which section a key
/// belongs, and whether the file is of another kind.
void check_sections(const ConfigTable& table) {
  if (const ConfigValue* claim = find_key(table, "claim"))
    throw UsageError(claim->where +
                     ": a claim makes this a study; lmrnn study carries it out, not lmrnn train");
  const std::vector<FieldDoc> rows = document_fields<RunConfig>();
  for (const auto& [key, value] : table) {
    const auto is_known = [&](const FieldDoc& row) {
      return row.key == key || row.key.starts_with(key + ".");
    };
    const auto is_within = [&](const FieldDoc& row) { return row.key.ends_with("." + key); };
    if (std::ranges::any_of(rows, is_known)) continue;
    if (const auto row = std::ranges::find_if(rows, is_within); row != rows.end())
      throw UsageError(
          fmt::format("{}: unknown key \"{}\"; did you mean \"{}\"?", value.where, key, row->key));
  }
}

// Recipes, one function each, with what differs from the defaults of the structs.
// docs/concepts/training.md has a column for each of them.

// Setting A of studies/recipe-selection.toml with the changes that the study selected. The rate is
// the one selected for dense networks and for 1024 units, the safer of the two rates.
void apply_solve(RunConfig& config) {
  config.stream.steps = 100;
  config.stream.reset_at_trial = true;
  config.optimiser.learning_rate = 3e-3;
  config.optimiser.beta2 = 0.99;
  config.train.average = 0.99;
  config.train.steps = 10000;
}

// NeuroGym's example for the Yang tasks (rows of 100 steps) and the README of Mod-Cog (350).
void apply_neurogym(RunConfig& config, const BatteryConfig& battery, double tau) {
  config.wiring.rows = 16;
  config.wiring.cols = 16;
  config.network.initialisation = Initialisation::identity;
  const double alpha = tau > 0 ? battery.dt / tau : 1;
  config.network.recurrent_noise = std::sqrt(2 / alpha) * 0.05;
  config.stream.mode = StreamMode::carry_on;
  config.stream.batch = 4;
  config.stream.steps = any_modifier(battery.tasks) ? 350 : 100;
  config.schedule.kind = ScheduleKind::constant;
  config.schedule.warmup = 0;
  config.train.steps = 40000;
}

/// Keys that only a battery can obey.
void check_own_data(const RunConfig& config) {
  const auto refuse = [](const std::string& key, const char* needs, const char* remedy) {
    throw UsageError(
        fmt::format("{} needs {}, which your own data do not have; {}", key, needs, remedy));
  };
  if (config.loss.balance != LossBalance::steps)
    refuse(fmt::format("loss.balance = \"{}\"", to_name(config.loss.balance)),
           "the periods of a battery", "give the steps of your data their weights instead");
  if (to_toml(write_config(config.loss.weights)) != to_toml(write_config(PeriodWeights{})))
    refuse("loss.weights", "the periods of a battery",
           "give the steps of your data their weights instead");
  if (config.stream.trials_per_task > 0)
    refuse(fmt::format("stream.trials_per_task = {}", config.stream.trials_per_task),
           "the numbered trials of a battery", "repeat trials in your data instead");
}

/// Checks of areas that need more than [wiring].
void check_areas_of(const RunConfig& config) {
  const WiringConfig& wiring = config.wiring;
  if (config.loss.wire_penalty > 0 && !wiring.has_wire_lengths())
    throw UsageError(
        "loss.wire_penalty needs the length of synapses between areas, which lie on sheets of "
        "their own; set wiring.between_length, e.g. to the rows of an area, or (unless "
        "loss.wire_power is 0) to 0 to charge for synapses within areas only");
  for (const auto& [projection, key] :
       {std::pair(&config.network.input, "input"), std::pair(&config.network.readout, "readout")}) {
    if (!projection->areas) continue;
    if (!wiring.areas)
      throw UsageError(fmt::format(
          "network.{}.areas needs wiring.areas; list the areas there, or leave it out", key));
    std::vector<std::string> names;
    for (const AreaConfig& area : *wiring.areas) names.push_back(area.name);
    for (const std::string& name : *projection->areas)
      if (std::ranges::find(names, name) == names.end())
        throw UsageError(fmt::format("network.{}.areas: \"{}\" is not one of \"{}\"{}", key, name,
                                     fmt::join(names, "\", \""),
                                     did_you_mean(name, names, "; name one of wiring.areas")));
  }
}

}  // namespace

Seed RunConfig::run_seed() const {
  if (!seed)
    throw UsageError(
        "the run has no seed; write seed = 1 (or any whole number) in the configuration, or give "
        "--seed 1 (in Python: seed=1)");
  return seed_from("seed", *seed);
}

Seed RunConfig::evaluation_seed() const {
  if (evaluation.seed) return seed_from("evaluation.seed", *evaluation.seed);
  return run_seed();
}

void apply_recipe(RunConfig& config, Recipe recipe, const BatteryConfig& battery, double tau) {
  config.recipe = recipe;
  switch (recipe) {
    case Recipe::modern:  // the defaults of the structs
      return;
    case Recipe::solve:
      return apply_solve(config);
    case Recipe::neurogym:
      return apply_neurogym(config, battery, tau);
  }
}

RunConfig resolve_config(const ConfigTable& table) {
  check_sections(table);
  RunConfig named;  // only for the keys that recipes depend on
  read_config(named, table);
  RunConfig config;
  apply_recipe(config, named.recipe, named.battery, named.network.tau);
  read_config(config, table);
  if (const ConfigValue* wiring = find_key(table, "wiring"))
    if (const auto* keys = std::get_if<ConfigTable>(&wiring->value))
      find_mask_files(config.wiring, *keys);
  find_file(config.init_from, table, "init_from");
  check_config(config);
  return config;
}

void check_config(const RunConfig& config) {
  static_cast<void>(config.run_seed());
  const std::size_t n_tasks = select_tasks(config.battery.tasks).size();
  const double tau = config.network.tau;
  if (tau != 0 && tau < config.battery.dt)
    throw UsageError(
        fmt::format("network.tau = {} is shorter than battery.dt = {}; use 0 or {} or more", tau,
                    config.battery.dt, config.battery.dt));
  check_unit_types(config.wiring);
  require_unit_types(config);
  check_measured(config.wiring);
  check_areas(config.wiring);
  check_areas_of(config);
  if (config.wiring.weights_path && !config.init_from.empty())
    throw UsageError(
        "wiring.weights_path and init_from both say the initial weights; leave one of them out");
  if (config.wiring.weights_path && config.network.initialisation != Initialisation::fan_in)
    throw UsageError(fmt::format(
        "network.initialisation = \"{}\" does not go with wiring.weights_path, the file of the "
        "initial weights; leave it out or use \"fan-in\", and set their size with "
        "wiring.weights_scale or network.gain",
        to_name(config.network.initialisation)));
  if (config.wiring.gains && config.optimiser.in_degree_power != 0)
    throw UsageError(fmt::format(
        "optimiser.in_degree_power = {} is for rates of single weights, but wiring.gains trains "
        "gains that many weights share; leave one of them out",
        config.optimiser.in_degree_power));
  const PeriodWeights& w = config.loss.weights;
  if (w.fixation + w.stimulus + w.delay + w.second_stimulus + w.decision <= 0)
    throw UsageError("all of loss.weights are 0, so nothing would be learned; leave one above 0");
  if ((config.schedule.kind == ScheduleKind::warmup_cooldown ||
       config.schedule.kind == ScheduleKind::open_ended) &&
      config.schedule.warmup + config.schedule.cooldown > 1)
    throw UsageError(
        fmt::format("schedule.warmup = {} and schedule.cooldown = {} add to more than 1; they are "
                    "shares of the "
                    "same steps",
                    config.schedule.warmup, config.schedule.cooldown));
  if (config.train.block > config.stream.batch)
    throw UsageError(
        fmt::format("train.block = {} is more than stream.batch = {}; use 0 for a good "
                    "block size",
                    config.train.block, config.stream.batch));
  // Custom data have tasks of their own, and only they know how many trials are in their rows.
  const bool has_battery = config.source.empty();
  if (has_battery && config.train.stop_solved && config.train.stop_solved->of(n_tasks) > n_tasks)
    throw UsageError(
        fmt::format("train.stop_solved = {}, but battery.tasks are only {}; use {} or \"all\"",
                    config.train.stop_solved->n, n_tasks, n_tasks));
  if (config.schedule.kind == ScheduleKind::open_ended && config.schedule.cooldown >= 1)
    throw UsageError(
        "schedule.cooldown = 1 leaves an open-ended schedule nothing before its cool-down; use "
        "0.2, for example");
  if (!config.source.empty()) check_own_data(config);
  const TrainConfig& stop = config.train;
  if ((stop.stop_mean || stop.stop_worst || stop.stop_solved || stop.stop_plateau) &&
      config.evaluation.every == 0)
    throw UsageError(
        "train.stop_mean, stop_worst, stop_solved and stop_plateau are asked at evaluations, but "
        "evaluation.every = 0 makes only the last one; set evaluation.every");
  if (config.stream.grow_from > config.stream.batch)
    throw UsageError(fmt::format(
        "stream.grow_from = {} is more than stream.batch = {}; batches grow to stream.batch rows",
        config.stream.grow_from, config.stream.batch));
  if (has_battery && config.train.stop_solved && config.evaluation.trials < 1000)
    throw UsageError(fmt::format(
        "train.stop_solved can never be met with evaluation.trials = {}; use 1000 or more",
        config.evaluation.trials));
  check_curriculum(config);
}

std::string config_reference() {
  std::vector<FieldDoc> rows = document_fields<RunConfig>();
  const auto stages = std::ranges::find(rows, "curriculum.stage", &FieldDoc::key);
  const std::vector<FieldDoc> stage = document_fields<StageConfig>("curriculum.stage");
  rows.insert(stages + 1, stage.begin(), stage.end());
  const auto insert_after = [&](std::string_view key, const std::vector<FieldDoc>& entries) {
    const auto list = std::ranges::find(rows, key, &FieldDoc::key);
    rows.insert(list + 1, entries.begin(), entries.end());
  };
  insert_after("wiring.areas", document_fields<AreaConfig>("wiring.areas"));
  insert_after("wiring.projections", document_fields<AreaProjectionConfig>("wiring.projections"));
  return markdown_table(rows);
}

std::size_t block_rows(const TrainConfig& train, const StreamConfig& stream) noexcept {
  if (train.block > 0) return static_cast<std::size_t>(train.block);
  const auto batch = static_cast<std::size_t>(stream.batch);
  const auto first =
      static_cast<std::size_t>(stream.grow_from > 0 ? stream.grow_from : stream.batch);
  std::size_t rows = batch;
  for (const std::size_t size : {32, 16, 8})
    if (batch >= 2 * size) {
      rows = size;
      if (size <= first) break;
    }
  return rows;
}

std::size_t batch_rows(const RunConfig& config, std::int64_t step) noexcept {
  const StreamConfig& stream = config.stream;
  const auto batch = static_cast<std::size_t>(stream.batch);
  const double growth = stream.grow_until * static_cast<double>(config.train.steps);
  if (stream.grow_from == 0 || static_cast<double>(step) >= growth) return batch;
  const double wanted =
      static_cast<double>(stream.grow_from) +
      static_cast<double>(stream.batch - stream.grow_from) * (static_cast<double>(step) / growth);
  const std::size_t rows = block_rows(config.train, stream);
  const auto n_blocks = static_cast<std::size_t>(std::ceil(wanted / static_cast<double>(rows)));
  return std::min(batch, n_blocks * rows);
}

void from_config(const ConfigValue& v, std::string_view key, TaskCount& out, const Range&) {
  if (const auto* text = std::get_if<std::string>(&v.value); text && *text == "all") {
    out.n = 0;
    return;
  }
  if (!std::holds_alternative<std::int64_t>(v.value))
    detail::wrong_type(v, key, "a whole number or \"all\"");
  from_config(v, key, out.n, at_least(1));
}

ConfigValue to_config(const TaskCount& count) {
  return count.n == 0 ? ConfigValue{std::string("all"), {}} : ConfigValue{count.n, {}};
}

std::int64_t end_of_cooldown(const ScheduleConfig& schedule, std::int64_t step,
                             std::int64_t n_steps) noexcept {
  const double share = schedule.cooldown / (1 - schedule.cooldown);
  const auto length = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(step)));
  return std::min(n_steps, step + length);
}

double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t n_steps,
                       std::int64_t cooldown_from) noexcept {
  const auto total = static_cast<double>(n_steps);
  // The middle of the step, so that neither the first nor the last step is wasted at rate 0.
  const double now = static_cast<double>(step) + 0.5;
  const double warmup = schedule.warmup * total;
  const bool falls = schedule.kind == ScheduleKind::open_ended && cooldown_from >= 0;
  if (now < warmup && !falls) return now / warmup;
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return 1;
    case ScheduleKind::cosine: {
      const double progress = (now - warmup) / (total - warmup);
      return schedule.last +
             (1 - schedule.last) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
    }
    case ScheduleKind::warmup_cooldown: {
      const double left = (total - now) / (schedule.cooldown * total);
      return left >= 1 ? 1 : schedule.last + (1 - schedule.last) * left;
    }
    case ScheduleKind::open_ended: {
      if (cooldown_from < 0) return 1;
      const auto from = static_cast<double>(cooldown_from);
      const auto end = static_cast<double>(end_of_cooldown(schedule, cooldown_from, n_steps));
      const double reached = from < warmup ? from / warmup : 1;  // for criteria met early
      return reached * (schedule.last + (1 - schedule.last) * (end - now) / (end - from));
    }
  }
  return 1;
}

}  // namespace lmrnn
