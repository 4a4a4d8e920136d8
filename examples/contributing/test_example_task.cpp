// An example of your own task in C++: data that the trainer takes in place of a battery.
// docs/contributing/index.md explains it.
#include <gtest/gtest.h>

#include "lmrnn/train.hpp"
#include "lmrnn/trials.hpp"
#include "unit/small_run.hpp"

namespace lmrnn {
namespace {

// --8<-- [start:task]
/// One of four signals at step 1; say which at steps 4 and 5. Trials of six steps, end to end.
class WhichSignal : public BatchSource {
 public:
  std::string name() const override { return "which-signal"; }
  BatchShape shape() const override { return {.n_channels = 4, .n_classes = 5}; }
  std::vector<std::string> tasks() const override { return {"which"}; }

  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override {
    for (std::size_t k = 0; k < rows.n_trials(); ++k) {
      const auto row = first_row + static_cast<std::uint32_t>(k);
      for (std::size_t t = 0; t < rows.n_steps(); ++t) {
        const auto trial = static_cast<std::uint32_t>(t / 6);
        // A function of what the batch is called by, so that any row can be made by any thread.
        const Key key{Seed{1}, RandomPurpose::conditions, split, batch, row};
        const auto signal = integer(key, trial, 4);
        const bool answer = t % 6 >= 4;
        for (std::size_t c = 0; c < 4; ++c) rows.inputs(t, k, c) = t % 6 == 1 && c == signal;
        rows.targets(t, k) = answer ? static_cast<std::int32_t>(1 + signal) : 0;
        rows.loss_weights(t, k) = 1;
        rows.trial_starts(t, k) = t % 6 == 0;
        if (!rows.tasks.empty()) rows.tasks(t, k) = 0;
        if (!rows.scored.empty()) rows.scored(t, k) = answer;
      }
    }
  }
};
// --8<-- [end:task]

// --8<-- [start:test]
TEST(ExampleTask, IsLearned) {
  RunConfig config = small_run_config();
  config.stream.steps = 24;
  config.stream.reset_at_trial = true;
  config.optimiser.learning_rate = 0.01;
  config.train.steps = 300;
  config.evaluation.every = 0;
  const TemporaryDirectory place;
  Trainer trainer = Trainer::start(config, place / "run",
                                   {.n_threads = 2, .source = std::make_shared<WhichSignal>()});
  trainer.run();
  EXPECT_GT(trainer.last_evaluation()->tasks[0].decision_accuracy, 0.9);
}
// --8<-- [end:test]

}  // namespace
}  // namespace lmrnn
