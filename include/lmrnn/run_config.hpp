// The configuration of a run: every key with its type, default, meaning and bounds.
//
//   loss = sum w l / sum w over (time, row) of the batch
//          + rate_penalty * mean over (time, unit, row) of h^2 + weight_penalty / 2 * sum W^2
//          + wire_penalty * sum over recurrent synapses j -> i of d(i, j)^wire_power |W_ij|
//
// with l the cross-entropy or squared error of a step, w the weight of the step's period, and d the
// distance on the sheet (wiring.metric, wiring.boundary), 0 for autapses. Sums of weights are over
// the weights that are trained. Source of the wire penalty: Achterberg et al. 2023 (without
// communicability).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lmrnn/config.hpp"
#include "lmrnn/curriculum.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/tasks.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

/// modern: the defaults of the structs below. solve: what studies/recipe-selection.toml chose for
/// Mod-Cog. neurogym: the usual settings for these batteries in NeuroGym. docs/concepts/training.md
/// lists them.
enum class Recipe { modern, solve, neurogym };
constexpr std::array<std::pair<std::string_view, Recipe>, 3> enum_names(Recipe) {
  return {{{"modern", Recipe::modern}, {"solve", Recipe::solve}, {"neurogym", Recipe::neurogym}}};
}
constexpr std::array<Renamed, 1> renamed_values(Recipe) {
  return {{{"field", "neurogym"}}};
}

/// Weight of a time step's loss, by the period that it lies in.
struct PeriodWeights {
  double fixation = 1, stimulus = 1, delay = 1, second_stimulus = 1, decision = 1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("fixation", self.fixation, "weight of steps before the stimulus", at_least(0));
    field("stimulus", self.stimulus, "weight of steps with the (first) stimulus or sample",
          at_least(0));
    field("delay", self.delay, "weight of steps of the delay", at_least(0));
    field("second_stimulus", self.second_stimulus,
          "weight of steps with the second stimulus or test", at_least(0));
    field("decision", self.decision, "weight of steps of the decision period", at_least(0));
  }
};

enum class PenalisedWeights { recurrent, all };
constexpr std::array<std::pair<std::string_view, PenalisedWeights>, 2> enum_names(
    PenalisedWeights) {
  return {{{"recurrent", PenalisedWeights::recurrent}, {"all", PenalisedWeights::all}}};
}

/// What counts equally in the loss: steps, trials or tasks. Decision periods and all other periods
/// are balanced separately, and then weighted by loss.weights.
enum class LossBalance { steps, trials, tasks };
constexpr std::array<std::pair<std::string_view, LossBalance>, 3> enum_names(LossBalance) {
  return {{{"steps", LossBalance::steps},
           {"trials", LossBalance::trials},
           {"tasks", LossBalance::tasks}}};
}

/// [loss] of a configuration.
struct LossConfig {
  LossKind kind = LossKind::cross_entropy;
  LossBalance balance = LossBalance::steps;
  PeriodWeights weights{};
  double rate_penalty = 0;
  double weight_penalty = 0;
  PenalisedWeights penalised = PenalisedWeights::recurrent;
  double wire_penalty = 0;
  double wire_power = 1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("kind", self.kind, "loss of a time step; least-squares as in Yang et al. 2019");
    field("balance", self.balance,
          "steps: all steps count alike; trials: all trials do, however long their periods are; "
          "tasks: all tasks do, however often they are drawn");
    field("weights", self.weights, "weight of a time step, by period");
    field("rate_penalty", self.rate_penalty, "times the mean square of the units' activity",
          at_least(0));
    field("weight_penalty", self.weight_penalty, "times half the sum of squared weights",
          at_least(0));
    field("penalised", self.penalised,
          "weights that weight_penalty counts; all: recurrent, input, rule and readout");
    field("wire_penalty", self.wire_penalty,
          "times the wire: the sum of |weight| times length^wire_power over recurrent synapses",
          at_least(0));
    field("wire_power", self.wire_power,
          "power of a synapse's length, in spacings of the sheet; 0: all count alike, autapses too",
          between(0, 8));
  }
};

enum class OptimiserKind { adam, sgd };
constexpr std::array<std::pair<std::string_view, OptimiserKind>, 2> enum_names(OptimiserKind) {
  return {{{"adam", OptimiserKind::adam}, {"sgd", OptimiserKind::sgd}}};
}

/// [optimiser] of a configuration. Groups: recurrent (W and b), input (W_in and W_rule), readout
/// (W_out and b_out).
struct OptimiserConfig {
  OptimiserKind kind = OptimiserKind::adam;
  double learning_rate = 1e-3;
  std::optional<double> recurrent_rate{}, input_rate{}, readout_rate{};
  double in_degree_power = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double momentum = 0.9;
  double weight_decay = 0;
  double clip = 1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("kind", self.kind, "Adam (Kingma & Ba 2015) or stochastic gradient descent");
    field("learning_rate", self.learning_rate, "step size before the schedule", at_least(0));
    field("recurrent_rate", self.recurrent_rate,
          "learning rate of recurrent weights and unit biases; else learning_rate", at_least(0));
    field("input_rate", self.input_rate,
          "learning rate of input and rule weights; else learning_rate", at_least(0));
    field("readout_rate", self.readout_rate,
          "learning rate of readout weights and biases; else learning_rate", at_least(0));
    field("in_degree_power", self.in_degree_power,
          "the rate of a recurrent weight is divided by its unit's in-degree to this power",
          between(0, 2));
    field("beta1", self.beta1, "adam: decay of the mean gradient", between(0, 0.999999));
    field("beta2", self.beta2, "adam: decay of the mean squared gradient", between(0, 0.99999999));
    field("epsilon", self.epsilon, "adam: added to the root of the mean squared gradient",
          more_than(0));
    field("momentum", self.momentum, "sgd: share of the last update that is kept",
          between(0, 0.999999));
    field("weight_decay", self.weight_decay,
          "decoupled decay of all weights but biases (AdamW): w -= rate * decay * w", at_least(0));
    field("clip", self.clip, "largest norm of the whole gradient; 0: no clipping", at_least(0));
  }
};

enum class ScheduleKind { constant, cosine, warmup_cooldown, open_ended };
constexpr std::array<std::pair<std::string_view, ScheduleKind>, 4> enum_names(ScheduleKind) {
  return {{{"constant", ScheduleKind::constant},
           {"cosine", ScheduleKind::cosine},
           {"warmup-cooldown", ScheduleKind::warmup_cooldown},
           {"open-ended", ScheduleKind::open_ended}}};
}

/// [schedule] of a configuration: what the learning rates are multiplied by.
struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  double warmup = 0.05;
  double cooldown = 0.2;
  double last = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("kind", self.kind,
          "after the warm-up: constant; cosine to `last`; flat, then linear to `last`; or "
          "open-ended: the same, but the fall begins as soon as a criterion of [train] holds");
    field("warmup", self.warmup, "share of the steps over which the rate rises from 0",
          between(0, 1));
    field("cooldown", self.cooldown,
          "warmup-cooldown, open-ended: share of the steps over which the rate falls",
          between(0, 1));
    field("last", self.last, "share of the learning rate at the end", between(0, 1));
  }
};

/// A number of tasks, or all of them: 12, "all".
struct TaskCount {
  std::int64_t n = 0;  ///< 0: all
  static constexpr std::string_view config_type = "integer | \"all\"";
  friend bool operator==(const TaskCount&, const TaskCount&) = default;

  std::size_t of(std::size_t n_tasks) const noexcept {
    return n == 0 ? n_tasks : static_cast<std::size_t>(n);
  }
};
void from_config(const ConfigValue& v, std::string_view key, TaskCount& out, const Range&);
ConfigValue to_config(const TaskCount& count);

/// [train] of a configuration. Criteria are checked after each evaluation; all `stop_` keys that
/// are set must hold. Then the training ends, or the cool-down of an open-ended schedule begins.
struct TrainConfig {
  std::int64_t steps = 5000;
  std::int64_t block = 0;
  bool recompute = false;
  double average = 0;
  std::int64_t log_every = 50;
  std::optional<double> stop_mean{}, stop_worst{};
  std::optional<TaskCount> stop_solved{};
  std::optional<double> stop_plateau{};

  static constexpr std::array<Renamed, 1> renamed_keys{{{"stop_gain", "stop_plateau"}}};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("steps", self.steps, "optimiser steps", between(1, 99999999));
    field("block", self.block,
          "rows whose gradient is computed together; 0: 32, 16 or 8, the largest that leaves two "
          "blocks and is at most stream.grow_from",
          at_least(0));
    field("recompute", self.recompute,
          "keep few states and compute the others again: a quarter more time, far less memory, the "
          "same bits");
    field("average", self.average,
          "decay per step of the running average of the weights, which is what is evaluated and "
          "saved; 0: the weights themselves",
          between(0, 0.9999999));
    field("log_every", self.log_every, "steps between rows of metrics.csv", at_least(1));
    field("stop_mean", self.stop_mean, "stop at this mean accuracy (as a share of the ceiling)",
          between(0, 1));
    field("stop_worst", self.stop_worst,
          "stop at this accuracy of the worst task (as a share of the ceiling)", between(0, 1));
    field("stop_solved", self.stop_solved, "stop when so many tasks are solved, or \"all\"");
    field("stop_plateau", self.stop_plateau,
          "stop when the mean share of the ceiling gained less than this over the last quarter of "
          "the steps (a plateau), from the eighth evaluation on",
          at_least(0));
  }
};

/// [evaluation] of a configuration.
struct EvaluationConfig {
  std::int64_t every = 500;
  std::int64_t trials = 1000;
  std::optional<std::int64_t> final_trials{};
  Split split = Split::validation;
  std::optional<std::int64_t> seed{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("every", self.every, "steps between evaluations; 0: only at the end", at_least(0));
    field("trials", self.trials,
          "held-out trials per task; a task can count as solved only with 1000 or more",
          between(1, 10000000));
    field("final_trials", self.final_trials,
          "held-out trials per task at the last two evaluations of train.steps; absent: trials",
          between(1, 10000000));
    field("split", self.split, "which trials; lmrnn eval uses test");
    field("seed", self.seed, "seed of the held-out trials; without it, the seed of the run",
          any_seed());
  }
};

/// [checkpoint] of a configuration. The newest checkpoint is always kept.
struct CheckpointConfig {
  std::int64_t every = 500;
  std::int64_t keep_last = 2;
  std::int64_t keep_every = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("every", self.every, "steps between checkpoints; 0: only at the beginning and the end",
          at_least(0));
    field("keep_last", self.keep_last, "how many of the newest are kept", at_least(1));
    field("keep_every", self.keep_every,
          "those at multiples of this step are saved and kept, too (0 is one); 0: no others",
          at_least(0));
  }
};

/// A whole configuration.
struct RunConfig {
  Recipe recipe = Recipe::modern;
  std::optional<std::int64_t> seed{};
  std::string init_from{};
  std::string source{};
  std::string simd = "auto";
  BatteryConfig battery{};
  WiringConfig wiring{};
  NetworkConfig network{};
  StreamConfig stream{};
  CurriculumConfig curriculum{};
  LossConfig loss{};
  OptimiserConfig optimiser{};
  ScheduleConfig schedule{};
  TrainConfig train{};
  EvaluationConfig evaluation{};
  CheckpointConfig checkpoint{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("recipe", self.recipe, "defaults of the other keys");
    field("seed", self.seed, "of everything random; required, here or as --seed", any_seed());
    field("init_from", self.init_from,
          "run directory or network file whose weights training starts from; relative to the TOML "
          "file's folder, else to the working directory");
    field("source", self.source,
          "name of training data that the calling program brings along; empty: the battery");
    field("simd", self.simd, "instructions that the kernels use, e.g. avx2; auto: the best");
    field("battery", self.battery, "tasks");
    field("wiring", self.wiring, "recurrent synapses");
    field("network", self.network, "units");
    field("stream", self.stream, "training data");
    field("curriculum", self.curriculum, "what is drawn when");
    field("loss", self.loss, "loss");
    field("optimiser", self.optimiser, "optimiser");
    field("schedule", self.schedule, "learning rate over time");
    field("train", self.train, "length of training, and when to stop");
    field("evaluation", self.evaluation, "held-out trials");
    field("checkpoint", self.checkpoint, "what is kept");
  }

  Seed run_seed() const;         ///< throws UsageError if there is no seed
  Seed evaluation_seed() const;  ///< throws UsageError if there is no seed
};

/// Sets the defaults of `recipe` where they differ from those of the structs. Some depend on the
/// battery's tasks and dt, and on `tau`: rows have 350 steps if any task has a modifier, and
/// recurrent noise grows with tau / dt.
void apply_recipe(RunConfig& config, Recipe recipe, const BatteryConfig& battery, double tau);

/// The defaults of the recipe that `table` names, overridden by the keys in `table`, and checked as
/// a whole. Throws UsageError.
RunConfig resolve_config(const ConfigTable& table);

/// Throws UsageError for values that contradict each other.
void check_config(const RunConfig& config);

/// A Markdown table of every key: its type, its default and its meaning; times are in ms.
std::string config_reference();

/// Rows of each block of a batch: `block` if given; otherwise 32, 16 or 8, the largest that gives
/// two blocks or more and, if batches grow, is not more than the rows of the first; batches of
/// fewer than 16 rows are one block.
std::size_t block_rows(const TrainConfig& train, const StreamConfig& stream) noexcept;

/// Rows of the batch of step `step`, from 0. Batches grow by whole blocks.
std::size_t batch_rows(const RunConfig& config, std::int64_t step) noexcept;

/// The step at which an open-ended training ends if its cool-down begins after `step` steps. The
/// cool-down takes the share schedule.cooldown of all steps, but ends at `n_steps` at the latest.
std::int64_t end_of_cooldown(const ScheduleConfig& schedule, std::int64_t step,
                             std::int64_t n_steps) noexcept;

/// What the learning rates are multiplied by in step `step` (0-based) of `n_steps`. Open-ended: the
/// cool-down began after `cooldown_from` steps; -1 if it has not begun.
double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t n_steps,
                       std::int64_t cooldown_from = -1) noexcept;

}  // namespace lmrnn
