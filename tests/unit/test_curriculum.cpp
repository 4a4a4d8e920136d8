// Curricula: stages, and frequencies that favour tasks that are not yet learned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lmrnn/error.hpp"
#include "message_of.hpp"
#include "reproducible.hpp"
#include "train/batches.hpp"
#include "train/curriculum.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Three stages of go, dlygointr and antiseqr in 20 steps.
RunConfig staged_config() {
  RunConfig config = small_run_config();
  config.curriculum.stage = {{.tasks = "go", .steps = 6, .durations = {}},
                             {.tasks = "go,dlygointr", .steps = 6, .durations = {}},
                             {.tasks = "go,dlygointr,antiseqr", .steps = 0, .durations = {}}};
  return config;
}

struct Drawn {
  std::vector<double> shares;  ///< of the trials that begin, by task
  Buffer<float> inputs;
};

// The content of a batch.
Drawn drawn(const BatchSource& source, const StreamConfig& stream, std::uint32_t batch) {
  const auto n_steps = static_cast<std::size_t>(stream.steps);
  const auto n_rows = static_cast<std::size_t>(stream.batch);
  const BatchShape shape = source.shape();
  Trials trials(n_steps, n_rows, shape.n_channels, shape.n_rule_slots,
                {.loss_weights = true, .trial_starts = true, .tasks = true});
  source.fill(Split::train, batch, 0, trials.rows());
  Drawn out{std::vector<double>(source.tasks().size()), trials.inputs};
  double total = 0;
  for (std::size_t i = 0; i < trials.step_tasks.size(); ++i)
    if (trials.trial_starts[i] != 0)
      out.shares[static_cast<std::size_t>(trials.step_tasks[i])] += 1, total += 1;
  for (double& share : out.shares) share /= total;
  return out;
}

std::string refusal(const RunConfig& config) {
  return message_of<UsageError>([&] { check_config(config); });
}

// Stages ---------------------------------------------------------------------------------------

TEST(Stages, EachBatchIsOfTheStageOfItsStep) {
  const RunConfig config = staged_config();
  const CurriculumSource source(config);
  const std::vector<std::size_t> n_tasks = {1, 1, 2, 2, 3, 3};
  std::size_t i = 0;
  for (const std::uint32_t batch : {0u, 5u, 6u, 11u, 12u, 19u}) {
    const auto shares = drawn(source, config.stream, batch).shares;
    const auto n = std::ranges::count_if(shares, [](double x) { return x > 0; });
    EXPECT_EQ(static_cast<std::size_t>(n), n_tasks[i++]) << "batch " << batch;
    EXPECT_GT(shares[0], 0) << "go is in every stage";
  }
}

TEST(Stages, WhatAStageSaysOfAFamilyHoldsForTasksWithRowsOfTheirOwn) {
  RunConfig config = staged_config();
  const auto fixed = [](double ms) { return Duration{Duration::Kind::fixed, {ms}}; };
  config.battery.durations["dlygointr"] = {{"delay", fixed(3000)}, {"stimulus", fixed(700)}};
  config.curriculum.stage[1].durations["reach"]["delay"] = fixed(200);
  config.curriculum.stage[2].durations["reach"]["delay"] = fixed(200);
  config.curriculum.stage[2].durations["dlygointr"]["delay"] = fixed(400);
  const std::vector<Battery> stages = stage_batteries(config);
  const std::size_t task = 1;
  ASSERT_EQ(stages[0].tasks()[task].name(), "dlygointr");
  const auto of = [&](std::size_t stage, Period period) {
    return stages[stage].durations(task)[period_index(period)].values;
  };
  EXPECT_THAT(of(0, Period::delay), ElementsAre(3000));
  EXPECT_THAT(of(1, Period::delay), ElementsAre(200));
  EXPECT_THAT(of(1, Period::stimulus), ElementsAre(700));  // the stage does not set it
  EXPECT_THAT(of(2, Period::delay), ElementsAre(400));
}

TEST(Stages, AStageOfAllTasksIsTheTrainingWithoutStages) {
  RunConfig config = small_run_config();
  const auto plain = packed_source(config, Battery(config.battery, config.run_seed()));
  config.curriculum.stage = {{.tasks = "antiseqr,dlygointr,go", .steps = 0, .durations = {}}};
  const CurriculumSource staged(config);
  EXPECT_EQ(drawn(staged, config.stream, 3).inputs, drawn(*plain, config.stream, 3).inputs);
}

TEST(Stages, KeepTheFrequenciesOfTheirTasksAndTheRulesOfAll) {
  RunConfig config = staged_config();
  config.battery.weights = {{"go", 3}};
  const std::vector<Battery> stages = stage_batteries(config);
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_DOUBLE_EQ(stages[1].frequency(0), 0.75);
  EXPECT_DOUBLE_EQ(stages[1].frequency(1), 0.25);
  EXPECT_EQ(stages[1].frequency(2), 0);
  EXPECT_EQ(stages[0].n_rules(), 3u);
}

TEST(Stages, HaveDurationsOfTheirOwn) {
  RunConfig config = staged_config();
  config.battery.durations["dlygointr"]["fixation"] = {Duration::Kind::fixed, {200}};
  config.curriculum.stage[1].durations["dlygointr"]["delay"] = {Duration::Kind::fixed, {100}};
  const std::vector<Battery> stages = stage_batteries(config);
  const auto delay = period_index(Period::delay), fixation = period_index(Period::fixation);
  EXPECT_EQ(stages[1].durations(1)[delay].values, std::vector<double>{100});
  EXPECT_EQ(stages[1].durations(1)[fixation].values, std::vector<double>{200});
  EXPECT_NE(stages[2].durations(1)[delay].values, std::vector<double>{100});
}

TEST(Stages, KeepTheBits) {
  expect_reproducible(staged_config());
}

TEST(Stages, KeepTheBitsOfStreamsThatGoOn) {
  RunConfig config = staged_config();
  config.stream.mode = StreamMode::carry_on;
  expect_reproducible(config);
  config.stream.trials_per_task = 30;
  expect_reproducible(config);
}

TEST(Stages, AreReadFromAFileAndWrittenBack) {
  const ConfigTable table = parse_toml(R"(
seed = 1
battery.tasks = "go,dlygo"
[[curriculum.stage]]
tasks = "go"
steps = 100
[[curriculum.stage]]
tasks = "go,dlygo"
durations = { dlygo = { delay = { uniform = [200, 400] } } }
)",
                                       "stages.toml");
  const RunConfig config = resolve_config(table);
  ASSERT_EQ(config.curriculum.stage.size(), 2u);
  EXPECT_EQ(config.curriculum.stage[0].steps, 100);
  EXPECT_EQ(config.curriculum.stage[1].durations.at("dlygo").at("delay").values,
            (std::vector<double>{200, 400}));
  const std::string written = to_toml(write_config(config));
  EXPECT_EQ(to_toml(write_config(resolve_config(parse_toml(written, "again.toml")))), written);
}

TEST(Stages, WarnOfTheStageWhoseTrialsAreTooLongForRows) {
  RunConfig config = staged_config();
  EXPECT_FALSE(warning_of_short_rows(config));
  config.curriculum.stage[1].durations["dlygointr"]["delay"] = {Duration::Kind::fixed, {9000}};
  EXPECT_THAT(warning_of_short_rows(config).value_or(""), HasSubstr("too short for trials of 1"));
}

TEST(Stages, RefuseWhatDoesNotFit) {
  RunConfig config = staged_config();
  config.curriculum.stage[1].tasks = "go,dlygointr,go";
  EXPECT_EQ(refusal(config),
            "curriculum.stage 2: tasks = \"go,dlygointr,go\" names go twice; name each task once, "
            "and use battery.weights to draw it more often");
  config.curriculum.stage[1].tasks = "dlygo*,dlygointr";
  EXPECT_THAT(refusal(config), HasSubstr("names dlygointr twice"));
  config.curriculum.stage[1].tasks = "go,dms";
  EXPECT_EQ(refusal(config),
            "curriculum.stage 2: dms is not one of battery.tasks = \"go,dlygointr,antiseqr\"; add "
            "it there, or take it out of the stage");
  config.curriculum.stage[1].tasks = "";
  EXPECT_THAT(refusal(config), StartsWith("curriculum.stage 2: tasks is missing"));
  config = staged_config();
  config.curriculum.stage[2].tasks = "go";
  EXPECT_THAT(refusal(config), StartsWith("curriculum: no stage trains antiseqr; add it"));
  config.battery.weights = {{"antiseqr", 0}};
  check_config(config);  // held out on purpose
  config.battery.weights = {{"go", 0}};
  EXPECT_THAT(refusal(config), StartsWith("curriculum.stage 1: battery.weights is 0 for all"));
  config = staged_config();
  config.curriculum.stage[0].durations["goo"]["delay"] = {Duration::Kind::fixed, {100}};
  EXPECT_THAT(refusal(config), StartsWith("curriculum.stage 1: battery.durations.goo"));
}

TEST(Stages, RefuseStepsThatDoNotAddUp) {
  RunConfig config = staged_config();
  config.train.steps = 12;
  EXPECT_THAT(refusal(config),
              AllOf(HasSubstr("before the last take 12 steps"), HasSubstr("train.steps = 12")));
  config = staged_config();
  config.curriculum.stage[2].steps = 9;
  EXPECT_THAT(refusal(config), HasSubstr("the stages take 21 steps, but train.steps = 20"));
  config.curriculum.stage[2].steps = 8;
  check_config(config);
  config.curriculum.stage[1].steps = 0;
  EXPECT_THAT(refusal(config), StartsWith("curriculum.stage 2: steps is missing"));
}

TEST(Stages, NeedABatteryWhoseTasksCanBeChosen) {
  RunConfig config = staged_config();
  config.source = "mine";
  EXPECT_THAT(refusal(config), HasSubstr("your own data do not have"));
  config = staged_config();
  config.battery.tasks = "go,dlygo,anti";
  config.battery.semantics = SemanticsConfig{};
  const ConfigTable published = parse_toml(
      "seed = 1\nbattery = { tasks = \"go,dlygo\", semantics.base = \"published\" }\n"
      "curriculum.adaptive = 0.5\n",
      "a.toml");
  EXPECT_THAT(message_of<UsageError>([&] { resolve_config(published); }),
              HasSubstr("battery.semantics.task_order = \"corrected\""));
}

// Adaptive frequencies ---------------------------------------------------------------------------

TEST(Adaptive, FrequenciesFollowWhatIsLackingAsTheirEquationSays) {
  const std::vector<double> frequencies = {0.5, 0.25, 0.25}, shares = {1, 0.8, 0.4};
  // Lacking on average: 0.25 * 0.2 + 0.25 * 0.6 = 0.2.
  EXPECT_THAT(
      adapted_frequencies(frequencies, shares, 0.5),
      ElementsAre(DoubleNear(0.25, 1e-12), DoubleNear(0.25, 1e-12), DoubleNear(0.5, 1e-12)));
  EXPECT_THAT(adapted_frequencies(frequencies, shares, 0), ElementsAre(0.5, 0.25, 0.25));
  EXPECT_THAT(adapted_frequencies(frequencies, shares, 1),
              ElementsAre(0, DoubleNear(0.25, 1e-12), DoubleNear(0.75, 1e-12)));
  // A task above its ceiling lacks nothing; nor do all together.
  EXPECT_THAT(adapted_frequencies(frequencies, std::vector<double>{1.01, 1, 1}, 1),
              ElementsAre(0.5, 0.25, 0.25));
}

TEST(Adaptive, DrawsWhatIsLacking) {
  RunConfig config = small_run_config();
  config.curriculum.adaptive = 1;
  config.stream.batch = 256;
  CurriculumSource source(config);
  for (const double share : drawn(source, config.stream, 1).shares)
    EXPECT_NEAR(share, 1.0 / 3, 0.1);
  source.adapt(std::vector<double>{1, 0.7, 0.9});
  const auto shares = drawn(source, config.stream, 1).shares;
  EXPECT_EQ(shares[0], 0);
  EXPECT_NEAR(shares[1], 0.75, 0.08);
  EXPECT_NEAR(shares[2], 0.25, 0.08);
}

TEST(Adaptive, WithinAStageOnlyItsTasksAreDrawn) {
  RunConfig config = staged_config();
  config.curriculum.adaptive = 0.5;
  CurriculumSource source(config);
  source.adapt(std::vector<double>{0.9, 0.5, 0});
  EXPECT_EQ(drawn(source, config.stream, 7).shares[2], 0);
  EXPECT_GT(drawn(source, config.stream, 15).shares[2], 0);
}

TEST(Adaptive, KeepsTheBits) {
  RunConfig config = small_run_config();
  config.curriculum.adaptive = 0.7;
  config.evaluation.every = 4;  // interrupted at step 7 and 13, between evaluations and checkpoints
  expect_reproducible(config);
  config.evaluation.every = 7;  // right after an evaluation
  expect_reproducible(config);
}

TEST(Adaptive, ChangesTheTrainingAfterTheFirstEvaluationOnly) {
  RunConfig config = small_run_config();
  config.checkpoint = {.every = 4, .keep_last = 9, .keep_every = 0};
  config.evaluation.every = 8;
  const TemporaryDirectory dir;
  bytes_after(config, dir / "plain", 1);
  config.curriculum.adaptive = 0.7;
  bytes_after(config, dir / "adaptive", 1);
  const auto network_at = [&](const char* run, std::int64_t step) {
    return read_file(checkpoint_path(dir / run, step) / "network.safetensors");
  };
  EXPECT_TRUE(network_at("plain", 8) == network_at("adaptive", 8));
  EXPECT_FALSE(network_at("plain", 12) == network_at("adaptive", 12));
}

TEST(Adaptive, RefusesWhatDoesNotFit) {
  const auto refusal_with = [](auto change) {
    RunConfig config = small_run_config();
    config.curriculum.adaptive = 0.5;
    change(config);
    return refusal(config);
  };
  EXPECT_THAT(refusal_with([](RunConfig& c) { c.evaluation.every = 0; }),
              HasSubstr("evaluation.every = 0 makes only the last one"));
  EXPECT_THAT(refusal_with([](RunConfig& c) { c.evaluation.split = Split::test; }),
              HasSubstr("would be no test any more"));
  for (const auto change : {+[](RunConfig& c) { c.stream.mode = StreamMode::carry_on; },
                            +[](RunConfig& c) { c.stream.trials_per_task = 5; }})
    EXPECT_THAT(refusal_with(change), HasSubstr("rows must not depend on those before them"));
  const auto out_of_range = [] {
    resolve_config(parse_toml("seed = 1\ncurriculum.adaptive = 1.5\n", "a.toml"));
  };
  EXPECT_THAT(message_of<UsageError>(out_of_range), HasSubstr("from 0 to 1"));
}

}  // namespace
}  // namespace lmrnn
