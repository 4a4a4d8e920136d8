// The file of a study: every table of it, with its keys. docs/concepts/studies.md explains them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn {

/// A table whose keys are not the study's: a part of a run's configuration.
struct FreeTable {
  static constexpr std::string_view config_type = "table of keys";
  ConfigTable table{};
};
void from_config(const ConfigValue& v, std::string_view key, FreeTable& out, const Range&);
ConfigValue to_config(const FreeTable& x);

/// [[override]]: changes some cells of the grid after everything else.
struct StudyOverride {
  FreeTable when{};  ///< axis = level (or list of levels); all must hold; empty: all cells
  FreeTable set{};
  bool skip = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("when", self.when, "cells that it is for: axis = level, or a list of levels");
    field("set", self.set, "keys of the configuration");
    field("skip", self.skip, "leave these cells out");
  }
};

/// [tuning]: a key (a learning rate) chosen for every cell on seeds of its own. Short runs
/// (`set = { train.steps = ... }`) of every value on `seeds` come first; the best `finalists` of
/// them are tried again as they will be reported, on `final_seeds`.
struct TuningConfig {
  std::string key = "optimiser.learning_rate";
  std::vector<double> values{};
  std::vector<std::int64_t> seeds{};
  std::string measure = "area";
  std::int64_t extend = 2;
  FreeTable set{};
  std::int64_t finalists = 0;
  std::vector<std::int64_t> final_seeds{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("key", self.key, "the key that is tuned");
    field("values", self.values, "its grid, ascending");
    field("seeds", self.seeds, "seeds of the tuning runs; none of them may be a reporting seed",
          any_seed());
    field("measure", self.measure,
          "the larger its mean over the seeds, the better; of steps and trials to a mark: the "
          "smaller "
          "the mean of its logarithm");
    field("extend", self.extend,
          "how often the grid may grow when the best value is its first or last; the new value "
          "continues the ratio of the two outermost",
          between(0, 10));
    field("set", self.set, "keys of the configuration for tuning runs, e.g. fewer steps");
    field("finalists", self.finalists,
          "how many of the best values are tried again without `set`, on final_seeds; 0: none",
          between(0, 10));
    field("final_seeds", self.final_seeds,
          "seeds of the finalists; none of them may be a reporting seed", any_seed());
  }
};

/// What a contrast is measured on.
enum class ContrastScale {
  automatic,   ///< ratio for steps and trials to a mark, difference for everything else
  ratio,       ///< geometric mean of a / b over pairs
  difference,  ///< mean of a - b over pairs
};
constexpr std::array<std::pair<std::string_view, ContrastScale>, 3> enum_names(ContrastScale) {
  return {{{"auto", ContrastScale::automatic},
           {"ratio", ContrastScale::ratio},
           {"difference", ContrastScale::difference}}};
}

/// [[contrast]]: two levels of an axis, compared by paired seeds in every cell of the other axes.
/// The limits are the criterion, on the contrast's scale: with any of them, the contrast gets a
/// verdict.
struct ContrastConfig {
  std::string axis, a, b, measure = "final_share";
  ContrastScale scale = ContrastScale::automatic;
  std::optional<double> supported_below{}, supported_above{}, refuted_below{}, refuted_above{};
  std::vector<double> refuted_within{};
  bool headline = true;

  bool has_criterion() const noexcept {
    return supported_below || supported_above || refuted_below || refuted_above ||
           !refuted_within.empty();
  }

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("axis", self.axis, "the axis");
    field("a", self.a, "a level; compared with b: a - b, or a / b");
    field("b", self.b, "another level");
    field("measure", self.measure, "a measure of runs.csv, e.g. final_share, area, steps_to_80");
    field("scale", self.scale,
          "ratio: a / b; difference: a - b; auto: ratio for steps and trials to a mark");
    field("supported_below", self.supported_below,
          "the claim is supported if the interval lies below this");
    field("supported_above", self.supported_above,
          "the claim is supported if the interval lies above this");
    field("refuted_below", self.refuted_below,
          "the claim is refuted if the interval lies below this");
    field("refuted_above", self.refuted_above,
          "the claim is refuted if the interval lies above this");
    field("refuted_within", self.refuted_within,
          "[low, high]: the claim is refuted if the interval lies between them");
    field("headline", self.headline, "whether it is among those that Holm's correction counts");
  }
};

/// [[best]]: the best level of an axis in every cell of the other axes.
struct BestConfig {
  std::string axis, measure = "area", position = "density";
  bool smaller = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("axis", self.axis, "the axis");
    field("measure", self.measure, "a measure of runs.csv");
    field("smaller", self.smaller, "whether small values are good; automatic for times and wire");
    field("position", self.position, "the column of runs.csv on which the levels are laid out");
  }
};

/// [statistics]
struct StatisticsConfig {
  std::optional<std::int64_t> seed{};
  double confidence = 0.95;
  std::vector<double> marks{0.5, 0.8, 0.9};

  static constexpr std::array<Renamed, 1> renamed_keys{{{"level", "confidence"}}};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("seed", self.seed, "of bootstrap and permutations; required", any_seed());
    field("confidence", self.confidence, "confidence level of the intervals, e.g. 0.95",
          between(0.5, 0.999));
    field("marks", self.marks, "shares of the mean ceiling whose times are measured",
          between(0.01, 1));
  }

  Seed resampling_seed() const { return seed_from("statistics.seed", seed.value()); }
};

/// [slurm]: what a job of the array asks for.
struct SlurmConfig {
  std::string partition{}, account{}, qos{};
  std::string time = "04:00:00";
  std::int64_t cpus = 2;
  std::string memory = "4G";
  std::int64_t throttle = 0;
  std::int64_t warning = 120;
  std::vector<std::string> options{}, setup{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("partition", self.partition, "partition; empty: the cluster's default");
    field("account", self.account, "account; empty: the user's default");
    field("qos", self.qos, "quality of service; empty: the default");
    field("time", self.time, "time limit of a job; a run that needs more is requeued and goes on");
    field("cpus", self.cpus, "processors of a job, one thread each", at_least(1));
    field("memory", self.memory, "memory of a job: a number and K, M, G or T");
    field("throttle", self.throttle, "jobs that may run at the same time; 0: as many as can",
          at_least(0));
    field("warning", self.warning, "seconds before the limit at which a run saves and ends",
          at_least(1));
    field("options", self.options, "further #SBATCH options, e.g. \"--constraint=avx2\"");
    field("setup", self.setup, "shell lines before the run, e.g. \"module load gcc\"");
  }
};

/// A study file.
struct StudyConfig {
  std::string claim{}, support{};
  std::vector<std::int64_t> seeds{};
  std::string results{};
  FreeTable config{}, axis{}, grid{};
  std::vector<StudyOverride> overrides{};
  TuningConfig tuning{};
  std::vector<ContrastConfig> contrasts{};
  std::vector<BestConfig> best{};
  StatisticsConfig statistics{};
  SlurmConfig slurm{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("claim", self.claim, "what is claimed; required");
    field("support", self.support,
          "what will be called support, written before the first run; required");
    field("seeds", self.seeds, "seeds of the reporting runs; required", any_seed());
    field("results", self.results,
          "CSV, relative to the study file, that finished runs append a row to; runs in it are "
          "not repeated");
    field("config", self.config, "what all runs share: keys of lmrnn train, and [config.pruning]");
    field("axis", self.axis, "[axis.NAME.LEVEL]: named levels, each a set of keys");
    field("grid", self.grid, "key = [values]: an axis each");
    field("override", self.overrides, "changes of single cells");
    field("tuning", self.tuning, "a learning rate of its own for every cell");
    field("contrast", self.contrasts, "paired comparisons");
    field("best", self.best, "the best level of an axis, with its selection in the interval");
    field("statistics", self.statistics, "marks, intervals");
    field("slurm", self.slurm, "jobs on a cluster");
  }
};

/// [tuning] of a cell, e.g. [axis.rate.runner-up]: which of the tuned values its runs take.
struct CellTuningConfig {
  std::int64_t rank = 1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("rank", self.rank,
          "1: the best of the tuned values; 2: the runner-up, to see whether a contrast depends on "
          "the choice",
          between(1, 10));
  }
};

/// Iterative magnitude pruning with rewinding (Frankle & Carbin 2019; Frankle et al. 2020), as
/// [pruning] of a cell: the cell's own network is trained, `rounds` times the smallest recurrent
/// weights are removed and the others set back to what they were after `rewind` steps of the first
/// training, and each time all of the training is done again (its schedule included).
enum class PruningStart {
  rewind,        ///< the first network's weights after `rewind` steps
  reinitialise,  ///< in the last round: fresh weights, from a seed of their own
};
constexpr std::array<std::pair<std::string_view, PruningStart>, 2> enum_names(PruningStart) {
  return {{{"rewind", PruningStart::rewind}, {"reinitialise", PruningStart::reinitialise}}};
}
struct PruningConfig {
  double density = 0.04;
  std::int64_t rounds = 4;
  std::int64_t rewind = 0;
  PruningStart start = PruningStart::rewind;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("density", self.density,
          "share of the first network's recurrent synapses that is left in the end",
          Range{.least = 0, .most = 1, .least_excluded = true});
    field("rounds", self.rounds, "rounds of pruning, each by the same factor", between(1, 50));
    field("rewind", self.rewind, "step of the first training whose weights the ticket starts from",
          at_least(0));
    field("start", self.start, "what the last round starts from");
  }
};

}  // namespace lmrnn
