// An example of an analysis, and of its test. docs/contributing/index.md explains it.
#include <gtest/gtest.h>

#include "analysis/entry.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "analysis_networks.hpp"

namespace lmrnn {
namespace {

// --8<-- [start:options]
struct SilenceOptions {
  std::string tasks;
  std::int64_t trials = 100;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task", between(1, 1000000));
  }
};
// --8<-- [end:options]

// --8<-- [start:analysis]
/// The share of units that are silent throughout all trials of a task.
AnalysisResult silence(const Subject& subject, const SilenceOptions& options,
                       const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  std::vector<double> share(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    const TrialBatch trials = test_trials(
        subject.battery, tasks[i], static_cast<std::size_t>(options.trials), context.seed, true);
    const Simulation run = simulate(subject.network, subject.battery, trials);
    std::size_t n_silent = 0;
    for (std::size_t unit = 0; unit < run.n_units; ++unit) {
      bool active = false;
      for (std::size_t k = 0; k < run.n_trials; ++k)
        for (std::int32_t t = 0; t < trials.lengths[k]; ++t)
          active |= run.state(static_cast<std::size_t>(t), unit, k) != 0;
      n_silent += !active;
    }
    share[i] = static_cast<double>(n_silent) / static_cast<double>(run.n_units);
  });
  Table table{"silence", {"task", "silent_share"}, {}, "Share of units that never fire"};
  for (std::size_t i = 0; i < tasks.size(); ++i)
    table.add({subject.battery.tasks()[tasks[i]].name(), share[i]});
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.tables.push_back(std::move(table));
  return result;
}

constexpr AnalysisEntry entry =
    analysis_entry<SilenceOptions, silence>("silence", "units that never fire, by task");
// --8<-- [end:analysis]

// --8<-- [start:test]
// A network whose answer is known: of the eight units, three get a large negative bias.
TEST(ExampleAnalysis, CountsSilentUnits) {
  const Battery battery(testing::battery_of("go,dlygo"), Seed{1});
  testing::Weights w(8, static_cast<Eigen::Index>(battery.n_channels()), 2,
                     static_cast<Eigen::Index>(battery.n_classes()));
  w.input.setConstant(1);
  w.bias.head(3).setConstant(-1000);
  const Subject subject = testing::subject_of(testing::make_network(w, 1, Activation::relu),
                                              testing::battery_of("go,dlygo"));
  for (const int n_threads : {1, 2}) {
    ThreadPool pool(n_threads);
    const AnalysisResult result = entry.run(subject, {}, {.pool = pool, .seed = Seed{1}});
    ASSERT_EQ(result.table("silence").rows.size(), 2u);
    EXPECT_EQ(std::get<double>(result.table("silence").rows[0][1]), 3.0 / 8);
  }
}
// --8<-- [end:test]

}  // namespace
}  // namespace lmrnn
