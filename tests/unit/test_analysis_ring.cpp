// The seven tests for a ring attractor, on networks that are one, and that are not.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "analysis/pools.hpp"
#include "analysis_networks.hpp"

namespace lmrnn {
namespace {

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

// Integrators that know nothing of each other remember the angle as well, but a kick stays.
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
  network.initialise(Initialisation::radius, Seed{2});
  const auto verdict = verdicts(subject_of(std::move(network), testing::battery_of("dlygo")));
  EXPECT_EQ(verdict.at(1), "fail");
  EXPECT_EQ(verdict.at(3), "fail");
  EXPECT_EQ(verdict.at(4), "fail");
}

TEST(Ring, ThreadsDoNotMatter) {
  std::string one, three;
  verdicts(testing::ring_subject(50), 1, &one);
  verdicts(testing::ring_subject(50), 3, &three);
  EXPECT_EQ(one, three);
}

TEST(Ring, NeedsATaskWithAMemory) {
  const Subject subject = testing::ring_subject(20);
  ThreadPool pool(1);
  ConfigTable options;
  assign(options, "task=go");
  EXPECT_THROW(find_analysis("ring").run(subject, options, {.pool = pool, .seed = Seed{1}}),
               UsageError);
}

}  // namespace
}  // namespace lmrnn
