// Data that a program brings along: the same bits as the battery's where they are the same data,
// known scores, and refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lmrnn/batches.hpp"
#include "lmrnn/error.hpp"
#include "message_of.hpp"
#include "small_run.hpp"
#include "train/batches.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

// Two channels, two classes; even steps are class 0, odd ones class 1, and channel 1 says which.
class EvenOdd : public BatchSource {
 public:
  std::string name() const override { return "even-odd"; }
  BatchShape shape() const override { return {2, 0, 0, 2}; }
  std::vector<std::string> tasks() const override { return {"even rows", "odd rows"}; }
  void fill(Split, std::uint32_t, std::uint32_t first_row, const BatchRows& rows) const override {
    for (std::size_t t = 0; t < rows.targets.n0; ++t)
      for (std::size_t k = 0; k < rows.targets.n1; ++k) {
        rows.inputs(t, 0, k) = 1;
        rows.inputs(t, 1, k) = static_cast<float>(t % 2);
        rows.targets(t, k) = static_cast<std::int32_t>(t % 2);
        rows.loss_weights(t, k) = 1;
        rows.trial_starts(t, k) = t % 4 == 0;
        if (!rows.tasks.empty()) rows.tasks(t, k) = static_cast<std::int32_t>((first_row + k) % 2);
        // In odd rows only the even steps count.
        if (!rows.scored.empty()) rows.scored(t, k) = (first_row + k) % 2 == 0 || t % 2 == 0;
      }
  }
};

// The readout's bias makes it answer class 0, whatever it sees.
Network always_zero() {
  Architecture a;
  a.n_channels = a.n_classes = 2;
  a.recurrent = Mask::diagonal(3);
  a.input = Mask::dense(3, 2);
  a.readout = Mask::dense(2, 3);
  Network network(std::move(a));
  network.parameters()[network.layout().readout_bias] = 1;
  network.weights_changed();
  return network;
}

TEST(Source, ScoresAreCountedByTaskTrialAndScoredStep) {
  StreamConfig stream;
  stream.batch = 70;  // three blocks
  stream.steps = 12;  // three trials of four steps
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads);
    const Evaluation e =
        evaluate_source(always_zero(), EvenOdd(), stream, Split::validation, 2, pool);
    ASSERT_EQ(e.tasks.size(), 2u);
    EXPECT_EQ(e.tasks[0].name, "even rows");
    EXPECT_EQ(e.tasks[0].counts.trials, 2u * 35 * 3);
    EXPECT_EQ(e.tasks[0].counts.decision_steps, 2u * 35 * 12);
    EXPECT_EQ(e.tasks[0].decision_accuracy, 0.5);
    EXPECT_EQ(e.tasks[0].trial_accuracy, 0);
    EXPECT_EQ(e.tasks[1].counts.decision_steps, 2u * 35 * 6);
    EXPECT_EQ(e.tasks[1].trial_accuracy, 1);
    EXPECT_EQ(e.tasks[1].share_of_ceiling, 1);
  }
}

TEST(Source, SameDataSameBits) {
  const RunConfig config = small_run_config();
  const Battery battery(config.battery, config.run_seed());
  const TemporaryDirectory place;
  Trainer::start(config, place / "battery", 2).run();
  Trainer::start(config, place / "own", 1, packed_source(config, battery)).run();
  const auto weights = [&](const std::string& name) {
    const LoadedNetwork loaded =
        load_network(checkpoint_path(place / name, 20) / "network.safetensors");
    const auto w = std::as_const(loaded.network).parameters();
    return std::vector<float>(w.begin(), w.end());
  };
  EXPECT_EQ(weights("battery"), weights("own"));
}

TEST(Source, ResumesOnlyWithItsOwnData) {
  RunConfig config = small_run_config();
  const TemporaryDirectory place;
  const auto source = std::make_shared<EvenOdd>();
  {
    Trainer trainer = Trainer::start(config, place / "run", 1, source);
    trainer.run({.progress = {}, .stop_requested = [] { return true; }});
  }
  EXPECT_THAT(message_of<UsageError>([&] { Trainer::resume(place / "run", 1); }),
              HasSubstr("even-odd"));
  const Battery battery(config.battery, config.run_seed());
  EXPECT_THAT(message_of<UsageError>(
                  [&] { Trainer::resume(place / "run", 1, packed_source(config, battery)); }),
              HasSubstr("brought along are \"battery\""));
  Trainer trainer = Trainer::resume(place / "run", 1, source);
  EXPECT_EQ(trainer.run(), Outcome::finished);
  config.source = "even-odd";
  EXPECT_THAT(message_of<UsageError>([&] { Trainer::start(config, place / "other", 1); }),
              HasSubstr("bring them along"));
  EXPECT_FALSE(std::filesystem::exists(place / "other"));
}

TEST(Source, WeightsOfTheBatterysTasksDoNotFit) {
  RunConfig config = small_run_config();
  config.init_from = "somewhere";
  EXPECT_THAT(message_of<UsageError>([&] { make_network(config, EvenOdd().shape()); }),
              HasSubstr("init_from"));
}

}  // namespace
}  // namespace lmrnn
