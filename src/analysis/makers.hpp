// The analyses: the options of each, and its function. catalogue.cpp lists them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/analysis.hpp"

namespace lmrnn {

struct RecordOptions {
  std::string tasks;
  std::int64_t trials = 16;
  bool noise = true;
  double recurrent_noise = 0;
  std::optional<std::int64_t> modality{};
  std::optional<double> delay{};
  std::int64_t directions = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task", between(1, 1000000));
    field("noise", self.noise, "input noise");
    field("recurrent_noise", self.recurrent_noise, "standard deviation of noise inside f",
          at_least(0));
    field("modality", self.modality, "reach, match: 0 or 1 in all trials; else as drawn",
          between(0, 1));
    field("delay", self.delay, "ms; else as drawn", at_least(0));
    field("directions", self.directions,
          "reach: trial k has direction k of so many, evenly spaced; 0: as drawn", at_least(0));
  }
};
AnalysisResult record(const Subject&, const RecordOptions&, const AnalysisContext&);

enum class PeriodChoice { automatic, fixation, stimulus, delay, second_stimulus, decision };
constexpr std::array<std::pair<std::string_view, PeriodChoice>, 6> enum_names(PeriodChoice) {
  return {{{"auto", PeriodChoice::automatic},
           {"fixation", PeriodChoice::fixation},
           {"stimulus", PeriodChoice::stimulus},
           {"delay", PeriodChoice::delay},
           {"second-stimulus", PeriodChoice::second_stimulus},
           {"decision", PeriodChoice::decision}}};
}

struct FixedPointOptions {
  std::string tasks;
  PeriodChoice period = PeriodChoice::automatic;
  std::int64_t starts = 64;
  std::int64_t iterations = 100;
  double fixed = 1e-6, slow = 0.01;
  double merge = 0.01;
  double marginal = 0.03;
  std::int64_t eigenvalues = 10;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("period", self.period,
          "the input is that of the last step of this period; auto: delay, or else stimulus");
    field("starts", self.starts, "trials from whose states the search begins, per task",
          between(1, 100000));
    field("iterations", self.iterations, "of the minimisation, at most", at_least(1));
    field("fixed", self.fixed,
          "a point is fixed if its speed per step is at most this share of "
          "the mean norm of the states",
          at_least(0));
    field("slow", self.slow, "and slow up to this; faster ones are left out", at_least(0));
    field("merge", self.merge, "points closer than this share of the mean norm are one",
          at_least(0));
    field("marginal", self.marginal, "an eigenvalue is near 1 if its modulus is within this",
          at_least(0));
    field("eigenvalues", self.eigenvalues, "how many are found, largest first", between(1, 1000));
  }
};
AnalysisResult fixed_points(const Subject&, const FixedPointOptions&, const AnalysisContext&);

struct RingOptions {
  std::string task = "dlygo";
  std::int64_t angles = 64;
  double long_delay = 5000;
  double ridge = 1e-3;
  double noise = 0.05;
  std::int64_t repeats = 8;
  std::int64_t kicks = 4;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("task", self.task, "a base task with a memory delay: dlygo or dlyanti");
    field("angles", self.angles, "directions of the stimulus, evenly spaced; at least twice n_ring",
          between(8, 1024));
    field("long_delay", self.long_delay, "delay over which memory is tested, ms", at_least(2000));
    field("ridge", self.ridge, "strength of the decoder's ridge, relative to the variance",
          at_least(0));
    field("noise", self.noise, "recurrent noise with which diffusion is measured", at_least(0));
    field("repeats", self.repeats, "noisy trials per direction", between(1, 1000));
    field("kicks", self.kicks, "random kicks off the ring per direction", between(1, 1000));
  }
};
AnalysisResult ring(const Subject&, const RingOptions&, const AnalysisContext&);

struct AutapseOptions {
  std::string tasks;
  std::int64_t trials = 400;
  double relay = 0.37, memory = 0.9, integrator = 1.05;
  double silent = 0.05;
  double serves = 0.25;
  std::int64_t random_lesions = 5;
  bool pools = true;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and lesion", between(1, 1000000));
    field("relay", self.relay, "relay: |lambda| below this", at_least(0));
    field("memory", self.memory, "leaky memory: from relay to this", at_least(0));
    field("integrator", self.integrator, "integrator: from memory to this; grower: above",
          at_least(0));
    field("silent", self.silent, "silent: active in at most this share of the steps",
          between(0, 1));
    field("serves", self.serves,
          "a class is predicted to serve a task if this share of the margin of the right answer "
          "comes from it",
          between(0, 1));
    field("random_lesions", self.random_lesions, "lesions of random units per class",
          between(1, 1000));
    field("pools", self.pools, "score hand-made pools on the same tasks");
  }
};
AnalysisResult autapse(const Subject&, const AutapseOptions&, const AnalysisContext&);

struct VarianceOptions {
  std::string tasks;
  std::int64_t trials = 200;
  double active = 1e-3;
  std::int64_t most_clusters = 20, starts = 5;
  bool lesions = true;
  std::int64_t lesion_trials = 200;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the variance", between(2, 100000));
    field("active", self.active, "units whose variance over all tasks is at most this are left out",
          at_least(0));
    field("most_clusters", self.most_clusters, "largest number of clusters that is tried",
          between(2, 1000));
    field("starts", self.starts, "starts of k-means for each number", between(1, 1000));
    field("lesions", self.lesions, "remove each cluster, and as many random units");
    field("lesion_trials", self.lesion_trials, "held-out trials per task and lesion",
          between(1, 1000000));
  }
};
AnalysisResult variance(const Subject&, const VarianceOptions&, const AnalysisContext&);

struct SheetOptions {
  std::string tasks;
  std::int64_t trials = 200;
  double reach = 1;
  std::int64_t permutations = 999;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the variance", between(2, 100000));
    field("reach", self.reach, "units up to this distance on the sheet are neighbours",
          more_than(0));
    field("permutations", self.permutations, "of the places, for the null", between(19, 1000000));
  }
};
AnalysisResult sheet(const Subject&, const SheetOptions&, const AnalysisContext&);

struct ModularityOptions {
  std::string tasks;
  std::int64_t trials = 10;
  double correlation = 0.1;
  std::int64_t starts = 5, permutations = 19;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the correlations", between(1, 100000));
    field("correlation", self.correlation, "weaker correlations of activity are no edges",
          between(0, 1));
    field("starts", self.starts, "orders of the nodes that are tried", between(1, 1000));
    field("permutations", self.permutations, "for each null", between(1, 100000));
  }
};
AnalysisResult modularity(const Subject&, const ModularityOptions&, const AnalysisContext&);

struct DimensionalityOptions {
  std::string tasks;
  std::int64_t trials = 50;
  std::int64_t components = 10;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task", between(2, 100000));
    field("components", self.components, "components that are compared between tasks",
          between(1, 1000));
  }
};
AnalysisResult dimensionality(const Subject&, const DimensionalityOptions&, const AnalysisContext&);

struct SimilarityOptions {
  std::string other;
  std::string tasks;
  std::int64_t trials = 50;
  std::int64_t delays = 3, rank = 10, starts = 5;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("other", self.other, "run directory or network file to compare with");
    field("tasks", self.tasks, "which tasks; empty: all that both were trained on");
    field("trials", self.trials, "trials per task", between(2, 100000));
    field("delays", self.delays, "dynamics: steps that are stacked", between(1, 20));
    field("rank", self.rank, "dynamics: dimensions of the fitted operators", between(1, 100));
    field("starts", self.starts, "dynamics: starts of the search for the best alignment",
          between(1, 1000));
  }
};
AnalysisResult similarity(const Subject&, const SimilarityOptions&, const AnalysisContext&);

struct PsychometricOptions {
  std::string tasks;
  std::int64_t trials = 500;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per point of a curve", between(1, 1000000));
  }
};
AnalysisResult psychometric(const Subject&, const PsychometricOptions&, const AnalysisContext&);

struct PruningOptions {
  std::string tasks;
  std::int64_t trials = 200;
  std::vector<double> fractions{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  double keep = 0.95;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and network", between(1, 1000000));
    field("fractions", self.fractions, "shares of the recurrent synapses, or of the units, removed",
          between(0, 1));
    field("keep", self.keep, "the minimal pool keeps this share of the mean accuracy",
          between(0, 1));
  }
};
AnalysisResult pruning(const Subject&, const PruningOptions&, const AnalysisContext&);

struct ExtrapolationOptions {
  std::string tasks;
  std::int64_t trials = 200;
  std::vector<double> delays{0.5, 1, 2, 4};
  std::vector<double> input_noise{0, 1, 2, 4};
  std::vector<double> recurrent_noise{0.05, 0.1, 0.2};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and point", between(1, 1000000));
    field("delays", self.delays, "multiples of the trained delays", at_least(0));
    field("input_noise", self.input_noise, "multiples of the trained input noise", at_least(0));
    field("recurrent_noise", self.recurrent_noise, "standard deviations of noise inside f",
          at_least(0));
  }
};
AnalysisResult extrapolation(const Subject&, const ExtrapolationOptions&, const AnalysisContext&);

struct ConfusionOptions {
  std::string tasks;
  std::int64_t trials = 500;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task", between(1, 1000000));
  }
};
AnalysisResult confusion(const Subject&, const ConfusionOptions&, const AnalysisContext&);

struct WeightsOptions {
  std::int64_t bins = 20;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("bins", self.bins, "of the distribution of wire length by weight", between(1, 1000));
  }
};
AnalysisResult weights(const Subject&, const WeightsOptions&, const AnalysisContext&);

}  // namespace lmrnn
