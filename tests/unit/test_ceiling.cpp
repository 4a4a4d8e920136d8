// Ceilings: closed forms, bounds, and changes that must have no effect.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "battery_cases.hpp"
#include "lmrnn/ceiling.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/streams.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

Ceiling ceiling_of(const BatteryConfig& config, std::size_t n_trials = 20000) {
  return ceiling(Battery(config, test_seed), 0, test_seed, n_trials);
}

TEST(Ceiling, RefusesATaskThatTheBatteryDoesNotHave) {
  BatteryConfig config;
  config.tasks = "go,dm1";
  const Battery battery(config, test_seed);
  EXPECT_THAT(message_of<UsageError>([&] { ceiling(battery, 2, test_seed); }),
              ::testing::HasSubstr("no task number 2; the battery has 2"));
  ThreadPool pool(1);
  const std::vector<std::size_t> tasks{0, 7};
  EXPECT_THAT(message_of<UsageError>([&] { ceilings(battery, tasks, test_seed, pool); }),
              ::testing::HasSubstr("no task number 7"));
}

BatteryConfig published(BatteryConfig config) {
  config.semantics.base = SemanticsBase::published;
  return config;
}

BatteryConfig without_noise(BatteryConfig config) {
  config.input_noise = 0;
  return config;
}

/// P(the observer is right) if it knew which two directions are shown: two known vectors in
/// Gaussian noise, Phi(distance / 2 sigma), averaged over coherences and pairs.
double knowing_the_directions() {
  const double sigma = 0.1 / std::sqrt(5.0);  // mean of 5 steps
  double sum = 0;
  for (int apart = 1; apart < 16; ++apart)
    for (const double coherence : {0.08, 0.16, 0.32, 0.64}) {
      double square = 0;
      for (int k = 0; k < 16; ++k) {
        const auto bump = [&](int centre) {
          const int d = std::min((k - centre + 16) % 16, (centre - k + 16) % 16);
          return 0.8 * std::exp(-0.5 * d * d);
        };
        square += std::pow(coherence * (bump(0) - bump(apart)), 2);
      }
      sum += 0.5 * std::erfc(-std::sqrt(square) / (2 * sigma) / std::sqrt(2.0));
    }
  return sum / 60;
}

TEST(Grace, IsAHundredMilliseconds) {
  EXPECT_EQ(grace_steps(100), 1);
  EXPECT_EQ(grace_steps(20), 5);
  EXPECT_EQ(grace_steps(30), 4);  // the step that begins after 90 ms is still within
  EXPECT_EQ(grace_steps(100. / 3), 3);
  EXPECT_EQ(grace_steps(33.3333333333), 3);
  EXPECT_EQ(grace_steps(250), 1);
}

TEST(Grace, LeavesTheLastStepToTheObserverAndToNetworks) {
  BatteryConfig config = config_of("dm1");
  config.dt = 33.3333333333;
  const int grace = grace_steps(config.dt);
  for (const int n : {1, grace, grace + 1, grace + 3}) {
    config.durations["dm1"]["decision"] = {Duration::Kind::fixed, {(n + 0.5) * config.dt}};
    EXPECT_LT(ceiling_of(config, 200).trial_accuracy.value, 1) << n;
    const TrialBatch trial = draw_trials(Battery(config, Seed{1}), 0, 1, Seed{1}, Split::test);
    EXPECT_EQ(std::ranges::count(trial.scored, static_cast<std::uint8_t>(Scored::yes)),
              std::max(1, n - grace))
        << n;
    EXPECT_EQ(trial.scored[trial.n_steps - 1], static_cast<std::uint8_t>(Scored::yes)) << n;
  }
}

TEST(Ceiling, OfReachIsExactlyOne) {
  for (const char* task : {"go", "rtanti", "dlygointrseql"})
    for (const bool as_published : {false, true}) {
      const BatteryConfig config = config_of(task);
      const Ceiling c = ceiling_of(as_published ? published(config) : config);
      EXPECT_EQ(c.decision_accuracy.value, 1);
      EXPECT_EQ(c.decision_accuracy.standard_error, 0);
      EXPECT_EQ(c.trial_accuracy.value, 1);
    }
}

TEST(Ceiling, OfDm1IsJustBelowThatOfAnObserverWhoIsToldTheDirections) {
  const double told = knowing_the_directions();
  EXPECT_NEAR(told, 0.965, 0.0005);
  const Score score = ceiling_of(config_of("dm1")).decision_accuracy;
  EXPECT_LT(score.standard_error, 0.001);
  EXPECT_LT(score.value, told + 3 * score.standard_error);
  EXPECT_GT(score.value, told - 0.005);
}

TEST(Ceiling, OfMultidmWithoutNoise) {
  const Score mended = ceiling_of(without_noise(config_of("multidm"))).decision_accuracy;
  EXPECT_NEAR(mended.value, 1, 1e-9);
  const Score old = ceiling_of(published(without_noise(config_of("multidm")))).decision_accuracy;
  EXPECT_NEAR(old.value, 15.0 / 16, 4 * old.standard_error);
  EXPECT_GT(old.standard_error, 0);
  const Score delayed =
      ceiling_of(published(without_noise(config_of("multidlydm")))).decision_accuracy;
  EXPECT_NEAR(delayed.value, 11.0 / 12, 4 * delayed.standard_error);
}

// Likelihoods of pairs of directions are products of factors, which may all underflow.
TEST(Ceiling, IsANumberHoweverLittleNoiseThereIsAndHoweverLongTheStimulusIs) {
  for (const char* task : {"dm1", "multidm", "multidlydm"})
    for (const std::int64_t n_ring : {16, 64})
      for (const double noise : {1.0, 0.1, 0.01}) {
        BatteryConfig config;
        config.tasks = task;
        config.n_ring = n_ring;
        config.input_noise = noise;
        const double value = ceiling_of(config, 100).decision_accuracy.value;
        EXPECT_GT(value, 0.8) << task << " " << n_ring << " " << noise;
        EXPECT_LE(value, 1) << task << " " << n_ring << " " << noise;
      }
}

TEST(Ceiling, FallsAsNoiseGrows) {
  double before = 1.01;
  for (const double noise : {0.0, 1.0, 2.0, 4.0, 16.0}) {
    BatteryConfig config = config_of("dm1");
    config.input_noise = noise;
    const double now = ceiling_of(config, 4000).decision_accuracy.value;
    EXPECT_LT(now, before) << noise;
    before = now;
  }
  EXPECT_GT(before, 1.0 / 16);  // chance
}

TEST(Ceiling, SeesBothModalitiesWhereTheyCount) {
  const auto value = [](const char* task) {
    return ceiling_of(config_of(task)).decision_accuracy.value;
  };
  EXPECT_GT(value("multidm"), value("dm1") + 0.005);
  EXPECT_NEAR(value("ctxdm1"), value("ctxdm2"), 0.003);
  EXPECT_GT(value("dlydm1"), 0.999);
  EXPECT_GT(value("dmc"), 0.999);
}

// Published ring_wrap: responses to the last direction look like fixation. If it is sure of the
// answer, the observer loses nothing; otherwise it gains.
TEST(Ceiling, UnderPublishedRingWrap) {
  BatteryConfig config = config_of("dms");
  config.input_noise = 20;
  const double mended = ceiling_of(config, 4000).decision_accuracy.value;
  config.semantics.switches["ring_wrap"] = SemanticsBase::published;
  EXPECT_GT(ceiling_of(config, 4000).decision_accuracy.value, mended);
}

TEST(Ceilings, AreThoseOfEachTaskForAnyNumberOfThreads) {
  const Battery battery(config_of("go,dm1,dm1seqr,ctxdm1,multidlydm,dmc,dmcintr"), test_seed);
  const std::vector<std::size_t> tasks{0, 1, 2, 3, 4, 5, 6};
  ThreadPool one(1), three(3);
  std::size_t last_done = 0;
  const auto a =
      ceilings(battery, tasks, test_seed, one, 500, [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(done, ++last_done);
        EXPECT_LE(done, total);
      });
  const auto b = ceilings(battery, tasks, test_seed, three, 500);
  EXPECT_GT(last_done, 2u);
  for (const std::size_t task : tasks) {
    EXPECT_EQ(a[task].decision_accuracy.value, b[task].decision_accuracy.value);
    const Ceiling alone = ceiling(battery, task, test_seed, 500);
    const double error = alone.decision_accuracy.standard_error;
    EXPECT_NEAR(a[task].decision_accuracy.value, alone.decision_accuracy.value, 5 * error + 1e-12)
        << battery.tasks()[task].name();
  }
}

}  // namespace
}  // namespace lmrnn
