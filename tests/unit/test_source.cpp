// A program's own data: the same bits as from the battery if the data are the same, known scores,
// and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>

#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"
#include "message_of.hpp"
#include "small_run.hpp"
#include "train/batches.hpp"

namespace lmrnn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Two channels, two classes; even steps are class 0, odd ones class 1, and channel 1 says which.
class EvenOdd : public BatchSource {
 public:
  std::string name() const override { return "even-odd"; }
  BatchShape shape() const override { return {2, 0, 0, 2}; }
  std::vector<std::string> tasks() const override { return {"even rows", "odd rows"}; }
  void fill(Split, std::uint32_t, std::uint32_t first_row, const TrialRows& rows) const override {
    for (std::size_t t = 0; t < rows.n_steps(); ++t)
      for (std::size_t k = 0; k < rows.n_trials(); ++k) {
        rows.inputs(t, k, 0) = 1;
        rows.inputs(t, k, 1) = static_cast<float>(t % 2);
        rows.targets(t, k) = static_cast<std::int32_t>(t % 2);
        rows.loss_weights(t, k) = 1;
        rows.trial_starts(t, k) = t % 4 == 0;
        if (!rows.tasks.empty()) rows.tasks(t, k) = static_cast<std::int32_t>((first_row + k) % 2);
        // In odd rows only the even steps count.
        if (!rows.scored.empty()) rows.scored(t, k) = (first_row + k) % 2 == 0 || t % 2 == 0;
      }
  }
};

// The bias of the readout makes it answer class 0 for any input.
Network always_zero() {
  Architecture a;
  a.n_channels = a.n_classes = 2;
  a.recurrent = Mask::diagonal(3);
  a.input = Mask::dense(3, 2);
  a.readout = Mask::dense(2, 3);
  Network network(std::move(a));
  network.write_weights()[network.layout().readout_bias] = 1;
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

// EvenOdd with rules, which spoils one array at step 3 of row 33 of batch 1.
class Spoilt : public EvenOdd {
 public:
  using Spoil = std::function<void(const TrialRows&, std::size_t row)>;
  explicit Spoilt(Spoil spoil) : spoil_(std::move(spoil)) {}
  BatchShape shape() const override { return {2, 3, 1, 2}; }
  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override {
    EvenOdd::fill(split, batch, first_row, rows);
    for (std::size_t t = 0; t < rows.n_steps(); ++t)
      for (std::size_t k = 0; k < rows.n_trials(); ++k)
        rows.rules(t, k) = static_cast<std::int32_t>(k % 4) - 1;
    if (batch == 1 && first_row <= 33 && 33 < first_row + rows.n_trials())
      spoil_(rows, 33 - first_row);
  }

 private:
  Spoil spoil_;
};

TEST(Source, WhatItWritesIsCheckedOnEveryWayIn) {
  RunConfig config = small_run_config();
  config.stream.batch = 40;
  config.stream.steps = 12;
  config.train.steps = 3;
  config.evaluation.trials = 40;  // two tasks: two batches
  ThreadPool pool(2);
  const auto messages = [&](const Spoilt::Spoil& spoil) {
    const auto source = std::make_shared<Spoilt>(spoil);
    const TemporaryDirectory place;
    const Network network = make_network(config, source->shape());
    return std::array<std::string, 2>{
        message_if_any<UsageError>([&] {
          Trainer::start(config, place / "run", {.n_threads = 2, .source = source}).run();
        }),
        message_if_any<UsageError>(
            [&] { evaluate_source(network, *source, config.stream, Split::validation, 2, pool); })};
  };
  for (const std::string& message : messages([](auto&, std::size_t) {})) EXPECT_EQ(message, "");
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<const char*, Spoilt::Spoil>> cases{
      {"an input is nan", [](auto& rows, auto k) { rows.inputs(3, k, 1) = nan; }},
      {"an input is -inf", [](auto& rows, auto k) { rows.inputs(3, k, 1) = -infinite; }},
      {"a rule is 3", [](auto& rows, auto k) { rows.rules(3, k) = 3; }},
      {"a rule is -2", [](auto& rows, auto k) { rows.rules(3, k) = -2; }},
      {"a target is 2", [](auto& rows, auto k) { rows.targets(3, k) = 2; }},
      {"a target is -1", [](auto& rows, auto k) { rows.targets(3, k) = -1; }},
      {"a loss weight is -1", [](auto& rows, auto k) { rows.loss_weights(3, k) = -1; }},
      {"a loss weight is nan", [](auto& rows, auto k) { rows.loss_weights(3, k) = nan; }},
      {"a trial start is 2", [](auto& rows, auto k) { rows.trial_starts(3, k) = 2; }}};
  for (const auto& [what, spoil] : cases)
    for (const std::string& message : messages(spoil)) {
      EXPECT_THAT(message, HasSubstr(what));
      EXPECT_THAT(message, HasSubstr("source \"even-odd\""));
      EXPECT_THAT(message, HasSubstr("at step 3"));
      EXPECT_THAT(message, HasSubstr("row 33 of batch 1"));
    }
  // Data that only evaluation asks for.
  EXPECT_THAT(
      messages([](auto& rows, auto k) {
        if (!rows.tasks.empty()) rows.tasks(3, k) = 2;
      })[1],
      HasSubstr("a task is 2 at step 3, row 33 of batch 1 (validation); it must be one of 2"));
  EXPECT_THAT(messages([](auto& rows, auto k) {
                if (!rows.scored.empty()) rows.scored(3, k) = 7;
              })[1],
              HasSubstr("scored is 7"));
}

// Returns the answers that it was given.
class Odd : public EvenOdd {
 public:
  std::string named = "odd";
  std::vector<std::string> has_tasks{"one", "two"};
  mutable std::vector<BatchShape> shapes{{2, 0, 0, 2}};  ///< one answer after the other

  std::string name() const override { return named; }
  std::vector<std::string> tasks() const override { return has_tasks; }
  BatchShape shape() const override {
    const BatchShape now = shapes.front();
    if (shapes.size() > 1) shapes.erase(shapes.begin());
    return now;
  }
};

TEST(Source, ItsShapeIsCheckedAndAskedForOnce) {
  const auto refusal = [](auto spoil) {
    Odd source;
    spoil(source);
    ThreadPool pool(1);
    StreamConfig stream;
    stream.batch = 3;
    stream.steps = 8;
    return message_if_any<UsageError>(
        [&] { evaluate_source(always_zero(), source, stream, Split::test, 1, pool); });
  };
  EXPECT_EQ(refusal([](Odd&) {}), "");
  EXPECT_THAT(refusal([](Odd& s) { s.named = ""; }), HasSubstr("its name is empty"));
  EXPECT_THAT(refusal([](Odd& s) { s.has_tasks = {}; }), HasSubstr("it has no tasks"));
  EXPECT_THAT(refusal([](Odd& s) { s.shapes = {{2, 0, 0, 0}}; }), HasSubstr("it has no classes"));
  EXPECT_THAT(refusal([](Odd& s) { s.shapes = {{2, 4, 0, 2}}; }), HasSubstr("4 rules and 0 rule"));
  // A network that would write more logits than the source has classes.
  EXPECT_THAT(refusal([](Odd& s) {
                s.shapes = {{2, 0, 0, 1}};
              }),
              HasSubstr("1 classes, but the network 2, 0 and 2"));
  EXPECT_THAT(refusal([](Odd& s) { s.shapes = {{3, 0, 0, 2}}; }), HasSubstr("3 channels"));
  EXPECT_EQ(refusal([](Odd& s) { s.shapes = {{2, 0, 0, 2}, {1, 0, 0, 1}}; }), "");
}

TEST(Source, SameDataSameBits) {
  const RunConfig config = small_run_config();
  const Battery battery(config.battery, config.run_seed());
  const TemporaryDirectory place;
  Trainer::start(config, place / "battery", {.n_threads = 2}).run();
  Trainer::start(config, place / "own", {.n_threads = 1, .source = packed_source(config, battery)})
      .run();
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
    Trainer trainer = Trainer::start(config, place / "run", {.n_threads = 1, .source = source});
    trainer.run({.progress = {}, .stop_requested = [] { return true; }});
  }
  EXPECT_THAT(message_of<UsageError>([&] { Trainer::resume(place / "run", {.n_threads = 1}); }),
              HasSubstr("even-odd"));
  const Battery battery(config.battery, config.run_seed());
  EXPECT_THAT(message_of<UsageError>([&] {
                Trainer::resume(place / "run",
                                {.n_threads = 1, .source = packed_source(config, battery)});
              }),
              HasSubstr("passed in is named \"battery\""));
  Trainer trainer = Trainer::resume(place / "run", {.n_threads = 1, .source = source});
  EXPECT_EQ(trainer.run(), Outcome::finished);
  config.source = "even-odd";
  EXPECT_THAT(
      message_of<UsageError>([&] { Trainer::start(config, place / "other", {.n_threads = 1}); }),
      HasSubstr("must pass in"));
  EXPECT_FALSE(std::filesystem::exists(place / "other"));
}

TEST(Source, KeysThatOnlyABatteryReadsAreNamed) {
  const TemporaryDirectory place;
  const auto source = std::make_shared<EvenOdd>();
  const auto notices = [&](const char* name, const RunConfig& config) {
    return Trainer::start(config, place / name, {.n_threads = 1, .source = source}).notices();
  };
  RunConfig config;
  config.seed = 1;
  config.recipe = Recipe::neurogym;
  apply_recipe(config, config.recipe, config.battery, config.network.tau);
  config.wiring.rows = config.wiring.cols = 4;
  config.stream.steps = 12;
  config.battery.dt = 20;  // is read: alpha comes of it
  config.network.tau = 100;
  EXPECT_THAT(notices("read", config), ElementsAre());
  config.battery.tasks = "cog20";
  EXPECT_THAT(notices("one", config),
              ElementsAre(StartsWith("battery.tasks: a battery reads this")));
  config.battery.input_noise = 0;
  config.battery.semantics.base = SemanticsBase::published;
  config.stream.mode = StreamMode::restart;
  EXPECT_THAT(notices("several", config),
              ElementsAre("battery.tasks, battery.semantics, battery.input_noise, stream.mode: a "
                          "battery reads these, but your own data take its place; leave them out"));
}

TEST(Source, WeightsOfTheBatterysTasksDoNotFit) {
  RunConfig config = small_run_config();
  config.init_from = "somewhere";
  EXPECT_THAT(message_of<UsageError>([&] { make_network(config, EvenOdd().shape()); }),
              HasSubstr("init_from"));
}

}  // namespace
}  // namespace lmrnn
