// The seven tests for a ring attractor, on networks that are ring attractors and on others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "analysis/autapse/pools.hpp"
#include "analysis_networks.hpp"
#include "message_of.hpp"
#include "rotating_ring.hpp"

namespace lmrnn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::subject_of;

std::map<int, std::string> verdicts(const Subject& subject, int n_threads = 2,
                                    std::string* measures = nullptr) {
  ThreadPool pool(n_threads);
  const AnalysisResult result =
      find_analysis("ring").run(subject, {}, {.pool = pool, .seed = Seed{3}});
  std::map<int, std::string> by_test;
  for (const auto& row : result.table("tests").rows)
    by_test[static_cast<int>(std::get<std::int64_t>(row[0]))] = std::get<std::string>(row[2]);
  if (measures) *measures = to_csv(result.table("measures"));
  return by_test;
}

TEST(Ring, ARingAttractorPasses) {
  std::string measures;
  const auto verdict = verdicts(testing::ring_subject(250), 2, &measures);
  for (int test = 1; test <= 6; ++test) EXPECT_EQ(verdict.at(test), "pass") << test << measures;
  EXPECT_EQ(verdict.at(7), "not applicable");
}

// Steps of a half, a tenth and a fiftieth of tau: all thresholds are per ms. (101 units: with 100,
// the edge of every eighth bump is on a unit, whose slope is then either of two values.)
TEST(Ring, TheTimeStepDoesNotChangeTheVerdicts) {
  ThreadPool pool(2);
  ConfigTable options;
  for (const char* option : {"angles=32", "kicks=2", "repeats=1"}) assign_key(options, option);
  for (const double alpha : {1.0, 0.5, 0.1, 0.02}) {
    const AnalysisResult result = find_analysis("ring").run(
        testing::ring_subject(101, alpha), options, {.pool = pool, .seed = Seed{3}});
    for (const auto& row : result.table("tests").rows)
      EXPECT_EQ(std::get<std::string>(row[2]),
                std::get<std::int64_t>(row[0]) == 7 ? "not applicable" : "pass")
          << "alpha = " << alpha << ", test " << std::get<std::int64_t>(row[0]) << "\n"
          << to_csv(result.table("measures"));
  }
}

// White noise of the same power moves a bump equally far in a second, with steps of any size.
TEST(Ring, TheTimeStepDoesNotChangeDiffusion) {
  ThreadPool pool(2);
  ConfigTable options;
  for (const char* option : {"angles=32", "kicks=1", "repeats=8", "long_delay=3000"})
    assign_key(options, option);
  std::vector<double> diffusion;
  for (const double alpha : {1.0, 0.5, 0.1}) {
    const AnalysisResult result = find_analysis("ring").run(
        testing::ring_subject(101, alpha), options, {.pool = pool, .seed = Seed{3}});
    for (const auto& [key, value] : result.summary)
      if (key == "diffusion_degrees2_per_s") diffusion.push_back(std::get<double>(value));
  }
  ASSERT_EQ(diffusion.size(), 3u);
  EXPECT_GT(diffusion[0], 0);
  for (const double d : diffusion) EXPECT_NEAR(d / diffusion[0], 1, 0.3) << d;
}

// Independent integrators also remember the angle, but a kick persists.
TEST(Ring, IndependentIntegratorsRememberButDoNotAttract) {
  const Battery battery(testing::battery_of("dlygo"), Seed{1});
  std::string measures;
  const auto verdict =
      verdicts(subject_of(hand_made_pool(battery, 0), testing::battery_of("dlygo")), 2, &measures);
  EXPECT_EQ(verdict.at(1), "pass") << measures;
  EXPECT_EQ(verdict.at(2), "pass") << measures;
  EXPECT_EQ(verdict.at(4), "fail") << measures;
  EXPECT_EQ(verdict.at(5), "fail") << measures;
  EXPECT_EQ(verdict.at(6), "fail") << measures;
}

// A ring with too little excitation forgets.
TEST(Ring, AnUntrainedNetworkFails) {
  const Battery battery(testing::battery_of("dlygo"), Seed{1});
  Architecture a;
  a.n_channels = battery.n_channels();
  a.n_rules = battery.n_rules();
  a.n_classes = battery.n_classes();
  a.recurrent = Mask::dense(64, 64);
  a.input = Mask::dense(64, a.n_channels);
  a.readout = Mask::dense(a.n_classes, 64);
  Network network(a);
  network.initialise(Initialisation::spectral_radius, Seed{2});
  const auto verdict = verdicts(subject_of(std::move(network), testing::battery_of("dlygo")));
  EXPECT_EQ(verdict.at(1), "fail");
  EXPECT_EQ(verdict.at(3), "fail");
  EXPECT_EQ(verdict.at(4), "fail");
}

// Test 7 ------------------------------------------------------------------------------------------

struct Rotations {
  std::map<int, std::string> verdicts;
  std::map<std::string, bool> passed;   // by measure of test 7
  std::map<std::string, double> value;  // the same
};

Rotations rotations_of(Eigen::Index n, const testing::Rotation& rotation) {
  ThreadPool pool(2);
  ConfigTable options;
  for (const char* option : {"angles=32", "kicks=2", "repeats=2"}) assign_key(options, option);
  const AnalysisResult result = find_analysis("ring").run(
      testing::rotating_ring_subject(n, rotation), options, {.pool = pool, .seed = Seed{3}});
  Rotations found;
  for (const auto& row : result.table("tests").rows)
    found.verdicts[static_cast<int>(std::get<std::int64_t>(row[0]))] =
        std::get<std::string>(row[2]);
  for (const auto& row : result.table("measures").rows) {
    if (std::get<std::int64_t>(row[0]) != 7) continue;
    const std::string measure = std::get<std::string>(row[2]);
    found.passed[measure] = std::get<bool>(row[6]);
    found.value[measure] = std::get<double>(row[3]);
  }
  return found;
}

const std::string slope = ": slope of the angular speed against omega", straight = ": R squared",
                  on = ": share that goes on past one full turn",
                  transfer = ": median error of the decoder of dlygo after 1 s, degrees";

// A ring attractor with shifted copies turns at the speed of its construction.
TEST(Rotation, ARingThatTurnsAtOmegaPassesAllSevenTests) {
  const Rotations found = rotations_of(128, {});
  for (int test = 1; test <= 7; ++test) EXPECT_EQ(found.verdicts.at(test), "pass") << test;
  for (const std::string task : {"int", "seq"}) {
    EXPECT_NEAR(found.value.at(task + slope), 1, 0.01);
    EXPECT_LT(found.value.at(task + transfer), 5);
  }
}

// Too slow by a fifth: as straight, and past one turn in the time of two turns, but at the wrong
// angle.
TEST(Rotation, AnotherSpeedIsMeasuredAndRefused) {
  const Rotations found = rotations_of(64, {.speed = 0.8});
  EXPECT_EQ(found.verdicts.at(7), "fail");
  for (const std::string task : {"int", "seq"}) {
    EXPECT_NEAR(found.value.at(task + slope), 0.8, 0.01);
    EXPECT_TRUE(found.passed.at(task + straight));
    EXPECT_TRUE(found.passed.at(task + on));
    // 0.2 x 225 degrees after 1 s
    EXPECT_NEAR(found.value.at(task + transfer), 45, 5);
    EXPECT_FALSE(found.passed.at(task + transfer));
  }
}

// int turns for 2 s of cue, 1 s of which is delay, and then no longer; seq is unchanged.
TEST(Rotation, ATurnThatWasLearnedByHeartStopsShort) {
  const Rotations found = rotations_of(64, {.stop_after = 2000});
  EXPECT_EQ(found.verdicts.at(7), "fail");
  EXPECT_EQ(found.value.at("int" + on), 0);
  EXPECT_FALSE(found.passed.at("int" + slope));
  EXPECT_TRUE(found.passed.at("seq" + on));
  EXPECT_TRUE(found.passed.at("seq" + slope));
}

// A ring that remembers and does not turn at all.
TEST(Rotation, AMemoryAloneFails) {
  const Rotations found = rotations_of(64, {.speed = 0});
  EXPECT_EQ(found.verdicts.at(1), "pass");
  EXPECT_EQ(found.verdicts.at(7), "fail");
  for (const auto& [measure, passed] : found.passed) EXPECT_FALSE(passed) << measure;
  for (const std::string task : {"int", "seq"}) EXPECT_NEAR(found.value.at(task + slope), 0, 0.01);
}

TEST(Ring, ThreadsDoNotMatter) {
  std::string one, three;
  verdicts(testing::ring_subject(50), 1, &one);
  verdicts(testing::ring_subject(50), 3, &three);
  EXPECT_EQ(one, three);
}

std::string complaint_of(const Subject& subject, const std::string& option) {
  ThreadPool pool(1);
  ConfigTable options;
  if (!option.empty()) assign_key(options, option);
  return message_of<UsageError>(
      [&] { find_analysis("ring").run(subject, options, {.pool = pool, .seed = Seed{1}}); });
}

TEST(Ring, NeedsATaskWithAMemory) {
  EXPECT_THAT(
      complaint_of(testing::ring_subject(20), "task=go"),
      HasSubstr("task = \"go\": ring needs a reach task that remembers, and this battery has "
                "\"dlygo\"; give one of them"));
  const Battery battery(testing::battery_of("dlydm1"), Seed{1});
  EXPECT_THAT(
      complaint_of(subject_of(hand_made_pool(battery, 0), testing::battery_of("dlydm1")), ""),
      HasSubstr("dlygo or dlyanti; its battery has neither"));
}

TEST(Ring, NeedsADelayBeyondTheTrainedOne) {
  BatteryConfig config = testing::battery_of("dlygo");
  config.durations["reach"]["delay"] = {Duration::Kind::fixed, {2500}};
  const Subject pool = subject_of(hand_made_pool(Battery(config, Seed{1}), 0), config);
  EXPECT_THAT(complaint_of(pool, "long_delay=2500"),
              AllOf(HasSubstr("the delays of the battery last 2500 ms on average"),
                    HasSubstr("set long_delay = 10000")));
}

// The 16 trained directions alone cannot show whether others are drawn to them.
TEST(Ring, NeedsAnglesBetweenTheTrainedDirections) {
  EXPECT_THAT(complaint_of(testing::ring_subject(20), "angles=16"),
              HasSubstr("angles = 16: at least 32 are needed"));
}

}  // namespace
}  // namespace lmrnn
