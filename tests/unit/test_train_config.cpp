#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lmrnn/error.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

RunConfig resolve(const std::string& toml) {
  return resolve_config(parse_toml(toml, "test.toml"));
}

std::string complaint(const std::string& toml) {
  try {
    resolve(toml);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(RunConfig, SeedIsRequired) {
  EXPECT_THAT(complaint(""), AllOf(HasSubstr("no seed"), HasSubstr("--seed")));
  EXPECT_EQ(resolve("seed = 7").run_seed(), Seed{7});
  EXPECT_EQ(resolve("seed = 7").evaluation_seed(), Seed{7});
  EXPECT_EQ(resolve("seed = 7\nevaluation.seed = 9").evaluation_seed(), Seed{9});
}

TEST(Recipe, ModernIsTheDefault) {
  const RunConfig config = resolve("seed = 1");
  EXPECT_EQ(config.recipe, Recipe::modern);
  EXPECT_EQ(config.network.initialisation, Initialisation::fan_in);
  EXPECT_EQ(config.network.recurrent_noise, 0);
  EXPECT_EQ(config.stream.mode, StreamMode::restart);
  EXPECT_EQ(config.stream.batch, 64);
  EXPECT_EQ(config.stream.steps, 350);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::cosine);
  EXPECT_EQ(config.schedule.warmup, 0.05);
  EXPECT_EQ(config.schedule.last, 0);
  EXPECT_EQ(config.train.steps, 5000);
  EXPECT_EQ(config.optimiser.clip, 1);
}

TEST(Recipe, SolveIsWhatTheSelectionChose) {
  RunConfig expected = resolve(
      "seed = 1\n[stream]\nrow_steps = 100\nreset_at_trial = true\n[optimiser]\n"
      "learning_rate = 3e-3\nbeta2 = 0.99\n[train]\naverage = 0.99\nsteps = 10000\n");
  expected.recipe = Recipe::solve;
  EXPECT_EQ(to_toml(write_config(resolve("seed = 1\nrecipe = \"solve\""))),
            to_toml(write_config(expected)));
}

TEST(Recipe, FieldIsWhatTheFieldRuns) {
  const RunConfig config = resolve("seed = 1\nrecipe = \"field\"\nbattery.tasks = \"cog20\"");
  EXPECT_EQ(config.wiring.rows * config.wiring.cols, 256);
  EXPECT_EQ(config.network.activation, Activation::relu);
  EXPECT_EQ(config.network.initialisation, Initialisation::identity);
  EXPECT_DOUBLE_EQ(config.network.recurrent_noise, std::sqrt(2.0) * 0.05);
  EXPECT_EQ(config.stream.mode, StreamMode::carry_on);
  EXPECT_EQ(config.stream.batch, 4);
  EXPECT_EQ(config.stream.steps, 100);
  EXPECT_EQ(config.optimiser.learning_rate, 1e-3);
  EXPECT_EQ(config.optimiser.clip, 1);
  EXPECT_EQ(schedule_factor(config.schedule, 0, config.train.steps), 1);
  EXPECT_EQ(config.train.steps, 40000);
  EXPECT_EQ(resolve("seed = 1\nrecipe = \"field\"").stream.steps, 350);  // modcog82
}

TEST(Recipe, FieldNoiseGrowsWithTau) {
  const RunConfig config =
      resolve("seed = 1\nrecipe = \"field\"\nbattery.dt = 20\nnetwork.tau = 100");
  EXPECT_DOUBLE_EQ(config.network.recurrent_noise, std::sqrt(2 / 0.2) * 0.05);
}

TEST(Recipe, TheFilesKeysAndAssignmentsWin) {
  ConfigTable table = parse_toml(
      "seed = 1\nrecipe = \"field\"\n[stream]\nbatch = 8\n[wiring]\nrows = 4\n", "test.toml");
  assign_key(table, "stream.batch=16");
  const RunConfig config = resolve_config(table);
  EXPECT_EQ(config.stream.batch, 16);
  EXPECT_EQ(config.wiring.rows, 4);
  EXPECT_EQ(config.wiring.cols, 16);
  EXPECT_EQ(config.stream.mode, StreamMode::carry_on);
}

TEST(RunConfig, TheResolvedConfigReadsBackTheSame) {
  for (const char* toml :
       {"seed = 1", "seed = 2\nrecipe = \"field\"\nnetwork.tau = 300",
        "seed = 3\nbattery.tasks = \"dly*,!*seql\"\noptimiser.recurrent_rate = 1e-4\n"
        "train.stop_mean = 0.9\nloss.weights.decision = 5\n[battery.durations.reach]\n"
        "delay = {uniform = [100, 300]}\n[battery.weights]\n\"dlygo*\" = 2"}) {
    const std::string once = to_toml(write_config(resolve(toml)));
    EXPECT_EQ(to_toml(write_config(resolve(once))), once);
  }
}

TEST(RunConfig, WhatIsWrongIsSaidInOneLine) {
  EXPECT_THAT(complaint("seed = 1\n[wiring]\nradus = 3"),
              AllOf(HasSubstr("test.toml:3"), HasSubstr("radus"), HasSubstr("radius")));
  EXPECT_THAT(complaint("seed = 1\nradius = 3"), HasSubstr("did you mean \"wiring.radius\"?"));
  EXPECT_THAT(complaint("claim = \"local is better\""), HasSubstr("lmrnn study"));
  EXPECT_THAT(complaint("seed = 1\n[wiring]\nradius = -1"), HasSubstr("test.toml:3"));
  // One range of seeds and one message, for every error and every place of the key.
  const std::string range = "; a seed is a whole number from 0 to 9223372036854775807";
  EXPECT_EQ(complaint("seed = \"one\""), "test.toml:1: seed = \"one\"" + range);
  EXPECT_EQ(complaint("seed = -1"), "test.toml:1: seed = -1" + range);
  EXPECT_EQ(complaint("seed = 1.5"), "test.toml:1: seed = 1.5" + range);
  EXPECT_EQ(complaint("seed = 9223372036854775808"),
            "test.toml:1: seed = 9223372036854775808" + range);
  EXPECT_EQ(complaint("seed = 1\n[wiring]\nseed = -2"), "test.toml:3: wiring.seed = -2" + range);
  EXPECT_EQ(complaint("seed = 1\nevaluation.seed = -3"),
            "test.toml:2: evaluation.seed = -3" + range);
  EXPECT_EQ(resolve("seed = 9223372036854775807").run_seed(), Seed{9223372036854775807u});
  EXPECT_THAT(complaint("seed = 1\nrecipe = \"modem\""), HasSubstr("did you mean \"modern\""));
  EXPECT_THAT(complaint("seed = 1\nbattery.tasks = \"dlygoo\""), HasSubstr("dlygo"));
  EXPECT_THAT(complaint("seed = 1\nbattery.dt = 100\nnetwork.tau = 50"), HasSubstr("network.tau"));
  EXPECT_THAT(complaint("seed = 1\n[loss.weights]\nfixation = 0\nstimulus = 0\ndelay = 0\n"
                        "second_stimulus = 0\ndecision = 0"),
              HasSubstr("loss.weights"));
  EXPECT_THAT(complaint("seed = 1\n[schedule]\nkind = \"warmup-cooldown\"\nwarmup = 0.6\n"
                        "cooldown = 0.6"),
              HasSubstr("add to more than 1"));
  EXPECT_THAT(complaint("seed = 1\nstream.batch = 4\ntrain.block = 8"), HasSubstr("train.block"));
  EXPECT_THAT(complaint("seed = 1\nbattery.tasks = \"go\"\ntrain.stop_solved = 2"),
              HasSubstr("train.stop_solved"));
  EXPECT_THAT(complaint("seed = 1\ntrain.stop_solved = 2\nevaluation.trials = 999"),
              HasSubstr("evaluation.trials"));
  EXPECT_THAT(complaint("seed = 1\ntrain.steps = 0"), HasSubstr("train.steps"));
  EXPECT_THAT(complaint("seed = 1\noptimiser.learning_rate = nan"), HasSubstr("learning_rate"));
  EXPECT_THAT(complaint("seed = 1\nevaluation.split = \"tset\""), HasSubstr("\"test\""));
}

}  // namespace
}  // namespace lmrnn
