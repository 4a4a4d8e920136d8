// [curriculum] of a configuration: which tasks are drawn at which steps. For single networks:
// networks that you compare with each other should be trained on the same trials.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// [[curriculum.stage]]: some of the battery's tasks for some of the steps. Rules, channels and
/// evaluations stay those of the whole battery in every stage.
struct StageConfig {
  std::string tasks{};
  std::int64_t steps = 0;
  std::map<std::string, std::map<std::string, Duration>> durations{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "those of battery.tasks that are drawn in this stage; required");
    field("steps", self.steps, "optimiser steps of the stage; 0, the last stage only: all others",
          between(0, 99999999));
    field("durations", self.durations,
          "durations of its trials, over battery.durations: by family or task, then period, ms");
  }
};

/// [curriculum].
struct CurriculumConfig {
  double adaptive = 0;
  std::vector<StageConfig> stage{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("adaptive", self.adaptive,
          "share of the trials that goes to tasks in proportion to what they lacked of their "
          "ceiling at the last evaluation; 0: none",
          between(0, 1));
    field("stage", self.stage, "[[curriculum.stage]]: stages, one after the other");
  }

  bool empty() const noexcept { return adaptive == 0 && stage.empty(); }
};

}  // namespace lmrnn
