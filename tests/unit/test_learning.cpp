// Keys that speed up learning: balance of the loss, averaged weights, open-ended schedules, rates
// by in-degree, growing batches, plastic and initial synapses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/shared/csv.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/run_tables.hpp"
#include "message_of.hpp"
#include "reproducible.hpp"
#include "small_run.hpp"
#include "train/batches.hpp"
#include "train/learner.hpp"
#include "train/untrained.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> weights(const Network& network) {
  const auto w = network.parameters();
  return {w.begin(), w.end()};
}

// Balance --------------------------------------------------------------------------------------

// Sums of the weights of a long stream, by task and by whether it is the decision.
std::vector<std::array<double, 2>> shares_of_the_loss(const LossConfig& loss,
                                                      const std::string& tasks,
                                                      const std::map<std::string, double>& often) {
  RunConfig config = small_run_config();
  config.battery.tasks = tasks;
  config.battery.weights = often;
  config.loss = loss;
  config.stream.batch = 64;
  config.stream.steps = 4000;
  const Battery battery(config.battery, config.run_seed());
  const PackedStream stream(battery, config.stream, config.run_seed(), Split::train);
  const auto by_step = step_weights(config.loss, battery);
  const std::size_t n = 64 * 4000;
  std::vector<std::int32_t> task(n);
  std::vector<std::uint8_t> period(n);
  stream.fill(0, 0, {.periods = {period.data(), 4000, 64}, .tasks = {task.data(), 4000, 64}});
  std::vector<std::array<double, 2>> sums(battery.tasks().size());
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double w = by_step[static_cast<std::size_t>(task[i])][period[i]];
    sums[static_cast<std::size_t>(task[i])][period[i] == period_index(Period::decision)] += w;
    total += w;
  }
  for (auto& sum : sums)
    for (double& x : sum) x /= total;
  return sums;
}

TEST(Balance, StepsCountByTheirPeriodAlone) {
  const auto shares = shares_of_the_loss({}, "rtgo,dlygointr", {});
  EXPECT_LT(shares[0][1], shares[1][0]);  // 5 steps of decision against 15 of fixation and delay
  EXPECT_NEAR(shares[0][0], shares[0][1], 0.01);  // rtgo: 500 ms each
}

TEST(Balance, TrialsShareTheLossHoweverLongTheyAre) {
  const LossConfig loss{.balance = LossBalance::trials, .weights = {.decision = 3}};
  for (const auto& task : shares_of_the_loss(loss, "rtgo,dlygointr,dm1", {})) {
    EXPECT_NEAR(task[0], 1.0 / 3 / 4, 0.005);
    EXPECT_NEAR(task[1], 3.0 / 3 / 4, 0.01);
  }
  const auto often = shares_of_the_loss(loss, "go,dlygo", {{"go", 3}});
  EXPECT_NEAR(often[0][1] / often[1][1], 3, 0.1);
}

TEST(Balance, TasksShareTheLossHoweverOftenTheyAreDrawn) {
  const LossConfig loss{.balance = LossBalance::tasks};
  const auto shares = shares_of_the_loss(loss, "go,dm1,dms", {{"go", 3}});
  for (const auto& task : shares)
    for (const double share : task) EXPECT_NEAR(share, 1.0 / 6, 0.01);
}

TEST(Balance, ATaskThatIsNeverDrawnHasNoWeight) {
  RunConfig config = small_run_config();
  config.battery.weights = {{"go", 0}};
  const Battery battery(config.battery, config.run_seed());
  EXPECT_THAT(step_weights({.balance = LossBalance::tasks}, battery)[0], Each(0.0f));
}

TEST(Balance, NeedsABattery) {
  RunConfig config = small_run_config();
  config.loss.balance = LossBalance::tasks;
  config.source = "mine";
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("loss.balance = \"tasks\" needs the periods of a battery"));
}

TEST(OwnData, KeysThatNeedABatteryAreRefused) {
  const auto complaint = [](const auto& change) {
    RunConfig config = small_run_config();
    config.source = "mine";
    change(config);
    return message_of<UsageError>([&] { check_config(config); });
  };
  EXPECT_THAT(complaint([](RunConfig& config) { config.loss.weights.decision = 5; }),
              HasSubstr("loss.weights needs the periods of a battery, which your own data do not "
                        "have; give the steps of your data their weights instead"));
  EXPECT_THAT(complaint([](RunConfig& config) { config.stream.trials_per_task = 3; }),
              HasSubstr("stream.trials_per_task = 3 needs the numbered trials of a battery"));
}

TEST(Balance, KeepsTheBits) {
  RunConfig config = small_run_config();
  config.loss.balance = LossBalance::trials;
  expect_reproducible(config);
}

// Averaging ------------------------------------------------------------------------------------

TEST(Average, IsTheMeanThatItsEquationSays) {
  RunConfig config = small_run_config();
  config.train.average = 0.5;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(2);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  std::vector<double> expected(learner.network().layout().total);
  std::ranges::copy(learner.network().parameters(), expected.begin());
  for (int t = 1; t <= 12; ++t) {
    learner.step();
    const double d = std::min(0.5, (1.0 + t) / (10.0 + t));
    const auto w = learner.network().parameters();
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] += (1 - d) * (static_cast<double>(w[i]) - expected[i]);
  }
  const auto average = learner.result().parameters();
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(average[i], expected[i], 1e-6);
}

TEST(Average, ChangesNoWeightThatIsTrained) {
  RunConfig config = small_run_config();
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Learner plain(config, battery, make_network(config, battery), 0, pool);
  config.train.average = 0.9;
  Learner averaged(config, battery, make_network(config, battery), 0, pool);
  for (int i = 0; i < 5; ++i) {
    plain.step();
    averaged.step();
  }
  EXPECT_EQ(weights(plain.network()), weights(averaged.network()));
  EXPECT_NE(weights(averaged.result()), weights(averaged.network()));
  EXPECT_EQ(weights(plain.result()), weights(plain.network()));
}

TEST(Average, IsWhatIsEvaluatedAndSaved) {
  RunConfig config = small_run_config();
  config.train.average = 0.9;
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  trainer.run();
  const LoadedNetwork saved =
      load_network(checkpoint_path(dir / "run", 20) / "network.safetensors");
  EXPECT_EQ(weights(saved.network), weights(trainer.network()));
  const ArrayFile state = read_safetensors(checkpoint_path(dir / "run", 20) / "state.safetensors");
  const auto trained = state.at("weights", "state").as<float>();
  EXPECT_NE(std::vector<float>(trained.begin(), trained.end()), weights(saved.network));
}

TEST(Average, SurvivesAnInterruptionToTheBit) {
  RunConfig config = small_run_config();
  config.train.average = 0.9;
  expect_reproducible(config);
}

// Open-ended schedules -------------------------------------------------------------------------

TEST(OpenEnded, IsFlatUntilItCoolsDown) {
  const ScheduleConfig schedule{
      .kind = ScheduleKind::open_ended, .warmup = 0.1, .cooldown = 0.2, .last = 0.1};
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 4, 100), 0.45);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 99, 100), 1);
  EXPECT_EQ(end_of_cooldown(schedule, 40, 100), 50);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 40, 100, 40), 0.1 + 0.9 * 0.95);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 49, 100, 40), 0.1 + 0.9 * 0.05);
  EXPECT_EQ(end_of_cooldown(schedule, 80, 100), 100);
  // During the warm-up of ten steps, the rate falls from its value after five steps: a half.
  EXPECT_EQ(end_of_cooldown(schedule, 5, 100), 7);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 5, 100, 5), 0.5 * (0.1 + 0.9 * 0.75));
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 6, 100, 5), 0.5 * (0.1 + 0.9 * 0.25));
}

RunConfig open_ended() {
  RunConfig config = small_run_config();
  config.train.steps = 30;
  config.schedule = {.kind = ScheduleKind::open_ended, .cooldown = 0.5};
  return config;
}

TEST(OpenEnded, CoolsDownOnceACriterionHolds) {
  RunConfig config = open_ended();
  config.train.stop_mean = 0;  // holds at the first evaluation, after step 8
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  EXPECT_EQ(trainer.run(), Outcome::criterion);
  EXPECT_EQ(trainer.step(), 16);
  // The evaluation that begins the cool-down has a row with the rate of its own step, still the
  // full one.
  const fs::path metrics = dir / "run" / "metrics.csv";
  std::map<std::int64_t, double> rates;
  for (const MetricsRow& row : csv_rows<MetricsRow>(read_file(metrics), metrics, ""))
    rates[row.step] = row.learning_rate;
  EXPECT_DOUBLE_EQ(rates.at(6), config.optimiser.learning_rate);
  EXPECT_DOUBLE_EQ(rates.at(8), config.optimiser.learning_rate);
  EXPECT_LT(rates.at(9), config.optimiser.learning_rate);
  expect_reproducible(config);
}

TEST(OpenEnded, CoolsDownInTimeWithoutACriterion) {
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(open_ended(), dir / "run", {.n_threads = 1});
  EXPECT_EQ(trainer.run(), Outcome::finished);
  EXPECT_EQ(trainer.step(), 30);
  expect_reproducible(open_ended());
}

TEST(OpenEnded, WithoutACoolDownEndsAtTheCriterion) {
  RunConfig config = open_ended();
  config.schedule.cooldown = 0;
  config.train.stop_mean = 0;
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  EXPECT_EQ(trainer.run(), Outcome::criterion);
  EXPECT_EQ(trainer.step(), 8);
  EXPECT_EQ(checkpoint_steps(dir / "run").back(), 8);
}

TEST(Plateau, IsLessGainThanAskedOverTheLastQuarter) {
  RunConfig config = small_run_config();
  config.train.steps = 40;
  config.evaluation.every = 2;
  config.train.stop_plateau = 2;  // no share gains that much
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  EXPECT_EQ(trainer.run(), Outcome::criterion);
  EXPECT_EQ(trainer.step(), 16);  // the eighth evaluation
  expect_reproducible(config);
  config.train.stop_plateau = 0;
  config.optimiser.learning_rate = 0;  // gains nothing, which is not less than nothing
  EXPECT_EQ(Trainer::start(config, dir / "still", {.n_threads = 1}).run(), Outcome::finished);
}

TEST(Plateau, NeedsEvaluations) {
  RunConfig config = small_run_config();
  config.train.stop_plateau = 0.01;
  config.evaluation.every = 0;
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("set evaluation.every"));
}

TEST(StopSolved, TakesAllTasks) {
  RunConfig config = small_run_config();
  read_config(config, parse_toml("train.stop_solved = \"all\"", "test"));
  EXPECT_EQ(config.train.stop_solved->of(82), 82u);
  EXPECT_THAT(to_toml(write_config(config)), HasSubstr("stop_solved = \"all\""));
  for (const char* bad : {"train.stop_solved = \"some\"", "train.stop_solved = 0"})
    EXPECT_THAT(message_of<UsageError>([&] { read_config(config, parse_toml(bad, "test")); }),
                HasSubstr("train.stop_solved"))
        << bad;
}

// Rates by in-degree, growing batches ----------------------------------------------------------

TEST(InDegreePower, DividesTheRateOfEverySynapse) {
  RunConfig config = small_run_config();
  config.wiring.boundary = Boundary::open;  // in-degrees 3, 4 and 5
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = 1, .momentum = 0, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  const Network initial = make_network(config, battery);
  Learner plain(config, battery, make_network(config, battery), 0, pool);
  config.optimiser.in_degree_power = 1;
  Learner scaled(config, battery, make_network(config, battery), 0, pool);
  plain.step();
  scaled.step();
  const Mask& mask = initial.architecture().recurrent;
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (std::size_t k = mask.row_offsets()[i]; k < mask.row_offsets()[i + 1]; ++k) {
      const double from = initial.parameters()[k];
      const auto degree = static_cast<double>(mask.sources_of(i).size());
      ASSERT_NEAR((scaled.network().parameters()[k] - from) * degree,
                  plain.network().parameters()[k] - from, 1e-6);
    }
  const std::size_t bias = initial.layout().bias;
  EXPECT_EQ(plain.network().parameters()[bias], scaled.network().parameters()[bias]);
}

TEST(GrowingBatches, GrowByWholeBlocks) {
  RunConfig config = small_run_config();  // blocks of 8, 8 and 4 rows; 20 steps
  config.stream.grow_from = 8;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  RunConfig small = config;
  small.stream = {.steps = config.stream.steps, .batch = 8};
  small.train.block = 8;
  Learner first(small, battery, make_network(small, battery), 0, pool);
  const StepResult a = learner.step(), b = first.step();
  EXPECT_EQ(a.trials, b.trials);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(weights(learner.network()), weights(first.network()));
  std::vector<std::uint64_t> trials;
  for (int step = 1; step < 12; ++step) trials.push_back(learner.step().trials);
  EXPECT_LT(trials[0], 1.7 * static_cast<double>(a.trials) + 8);
  EXPECT_GT(trials.back(), 2 * a.trials);  // from step 10 on, all 20 rows
  config.loss.rate_penalty = 0.1;
  expect_reproducible(config);
}

TEST(GrowingBatches, BeginWithTheRowsThatWereAsked) {
  RunConfig config;
  config.stream.batch = 64;
  config.train.steps = 100;
  const auto rows = [&](std::int64_t grow_from) {
    config.stream.grow_from = grow_from;
    std::vector<std::size_t> rows;
    for (const std::int64_t step : {0, 20, 40, 49, 50, 99})
      rows.push_back(batch_rows(config, step));
    return rows;
  };
  EXPECT_THAT(rows(0), ElementsAre(64, 64, 64, 64, 64, 64));
  EXPECT_THAT(rows(32), ElementsAre(32, 64, 64, 64, 64, 64));
  EXPECT_THAT(rows(16), ElementsAre(16, 48, 64, 64, 64, 64));  // 16, 35.2, 54.4, ... rounded up
  EXPECT_THAT(rows(8), ElementsAre(8, 32, 56, 64, 64, 64));
  EXPECT_THAT(rows(5), ElementsAre(8, 32, 56, 64, 64, 64));
  config.train.block = 5;
  EXPECT_THAT(rows(5), ElementsAre(5, 30, 55, 64, 64, 64));
  config.train.block = 32;
  EXPECT_THAT(rows(16), ElementsAre(32, 64, 64, 64, 64, 64));
}

TEST(GrowingBatches, WarnWhereBlocksAreLarger) {
  RunConfig config = small_run_config();
  config.train.block = 8;
  config.stream.grow_from = 8;
  EXPECT_EQ(warning_of_first_batch(config), std::nullopt);
  config.stream.grow_from = 5;
  EXPECT_THAT(warning_of_first_batch(config).value(),
              AllOf(HasSubstr("stream.grow_from = 5, but the first batch has 8 rows"),
                    HasSubstr("set train.block = 5, or stream.grow_from = 8")));
  EXPECT_THAT(estimate_run(config, 1).notices, Contains(HasSubstr("stream.grow_from = 5")));
}

TEST(GrowingBatches, CannotShrink) {
  RunConfig config = small_run_config();
  config.stream.grow_from = 21;
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("stream.grow_from = 21 is more than stream.batch = 20"));
}

// Plastic and initial synapses -----------------------------------------------------------------

SubsetConfig synapses(SubsetKind kind, double radius) {
  SubsetConfig subset;
  subset.kind = kind;
  subset.radius = radius;
  return subset;
}

TEST(Plastic, OthersKeepTheirInitialWeightsToTheBit) {
  RunConfig config = small_run_config();
  config.wiring.kind = WiringKind::dense;
  config.wiring.plastic = synapses(SubsetKind::local, 1);
  config.optimiser.weight_decay = 0.1;
  config.loss.weight_penalty = 0.1;
  config.train.average = 0.5;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(2);
  const Network initial = make_network(config, battery);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int i = 0; i < 5; ++i) learner.step();
  WiringConfig local = config.wiring;
  local.kind = WiringKind::local;
  local.radius = 1;
  const Mask plastic = make_mask(local, config.run_seed());
  std::size_t k = 0;
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t j = 0; j < 16; ++j, ++k) {
      const bool moved = learner.network().parameters()[k] != initial.parameters()[k];
      ASSERT_EQ(moved, plastic.has(i, j)) << i << " " << j;
      if (!moved) {
        ASSERT_EQ(learner.result().parameters()[k], initial.parameters()[k]);
      }
    }
  expect_reproducible(config);
}

TEST(Plastic, NoneTrainsEverythingButRecurrentWeights) {
  RunConfig config = small_run_config();
  config.wiring.plastic.kind = SubsetKind::none;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  const Network initial = make_network(config, battery);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int i = 0; i < 3; ++i) learner.step();
  const std::size_t n = initial.layout().n_recurrent;
  EXPECT_TRUE(
      std::ranges::equal(initial.parameters().first(n), learner.network().parameters().first(n)));
  EXPECT_FALSE(std::ranges::equal(initial.parameters().subspan(n),
                                  learner.network().parameters().subspan(n)));
}

TEST(Plastic, MustHaveSynapsesThatExist) {
  RunConfig config = small_run_config();
  config.wiring.kind = WiringKind::autapse;
  config.wiring.plastic.kind = SubsetKind::file;
  const TemporaryDirectory dir;
  write_file(dir / "mask.csv", "source,target\n0,1\n");
  config.wiring.plastic.path = (dir / "mask.csv").string();
  EXPECT_THAT(
      message_of<UsageError>([&] { Trainer::start(config, dir / "run", {.n_threads = 1}); }),
      HasSubstr("wiring.plastic.kind = \"file\": none of its synapses exist"));
  EXPECT_FALSE(fs::exists(dir / "run"));
}

TEST(Initial, DenseNetworksCanBeginAsLocalOnes) {
  RunConfig config = small_run_config();
  for (const auto scheme : {Initialisation::fan_in, Initialisation::spectral_radius}) {
    config.network.initialisation = scheme;
    const Battery battery(config.battery, config.run_seed());
    const Network local = make_network(config, battery);
    RunConfig dense = config;
    dense.wiring.kind = WiringKind::dense;
    dense.wiring.initial = synapses(SubsetKind::local, 1);
    const Network begun = make_network(dense, battery);
    const Mask& mask = local.architecture().recurrent;
    std::size_t k = 0;
    for (std::size_t i = 0; i < 16; ++i)
      for (std::size_t j = 0; j < 16; ++j) {
        const float expected = mask.has(i, j) ? local.parameters()[k++] : 0.0f;
        ASSERT_EQ(begun.parameters()[i * 16 + j], expected);
      }
  }
}

TEST(Gain, MultipliesTheRecurrentWeights) {
  RunConfig config = small_run_config();
  const Battery battery(config.battery, config.run_seed());
  const Network plain = make_network(config, battery);
  config.network.gain = 2;
  const Network twice = make_network(config, battery);
  for (std::size_t k = 0; k < plain.layout().total; ++k)
    ASSERT_EQ(twice.parameters()[k],
              (k < plain.layout().n_recurrent ? 2 : 1) * plain.parameters()[k]);
}

}  // namespace
}  // namespace lmrnn
