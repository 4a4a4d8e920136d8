// Pools built by hand, without training and without synapses between units, solve their tasks.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "analysis/autapse/pools.hpp"
#include "analysis/units/unit_epochs.hpp"
#include "analysis_networks.hpp"
#include "lmrnn/evaluate.hpp"

namespace lmrnn {
namespace {

Evaluation score_pool(const std::string& name) {
  BatteryConfig config;
  config.tasks = name;
  const Battery battery(config, Seed{1});
  ThreadPool threads(2);
  const Network pool = hand_made_pool(battery, 0);
  EXPECT_TRUE(pool.architecture().recurrent.is_diagonal());
  return Evaluator(battery, Seed{4}, Split::test, 1000, threads).evaluate(pool, threads);
}

class PoolOf : public ::testing::TestWithParam<std::string> {};

TEST_P(PoolOf, ReachesNineTenthsOfTheCeiling) {
  const Evaluation evaluation = score_pool(GetParam());
  RecordProperty("share_of_ceiling", std::to_string(evaluation.tasks[0].share_of_ceiling));
  EXPECT_GE(evaluation.tasks[0].share_of_ceiling, 0.9) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(BaseTasks, PoolOf,
                         ::testing::Values("go", "rtgo", "dlygo", "anti", "rtanti", "dlyanti",
                                           "dm1", "dm2", "ctxdm1", "ctxdm2", "multidm", "dlydm1",
                                           "dlydm2", "ctxdlydm1", "ctxdlydm2", "multidlydm", "dms",
                                           "dnms", "dmc", "dnmc"),
                         [](const auto& info) { return info.param; });

// A ramp in every unit, no coupling: int and seq can be represented without rotating anything.
class RampsOf : public ::testing::TestWithParam<std::string> {};

TEST_P(RampsOf, RepresentIntAndSeqExactly) {
  const Evaluation evaluation = score_pool(GetParam());
  EXPECT_EQ(evaluation.tasks[0].decision_accuracy, 1) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Modified, RampsOf,
                         ::testing::Values("dlygointr", "dlygointl", "dlyantiintr", "dlygoseqr",
                                           "dlygoseql", "dlyantiseql", "dlygointrseqr",
                                           "dlyantiintlseql"),
                         [](const auto& info) { return info.param; });

// The class of a unit depends on its autapse, not on the size of time steps.
TEST(UnitClass, CountsHowMuchIsLeftAfterATimeConstant) {
  const AutapseOptions o;
  for (const double alpha : {1.0, 0.5, 0.25})
    for (const auto& [w, expected] :
         std::initializer_list<std::pair<double, UnitClass>>{{0, UnitClass::relay},
                                                             {0.3, UnitClass::relay},
                                                             {0.5, UnitClass::memory},
                                                             {1, UnitClass::integrator},
                                                             {1.2, UnitClass::grower}})
      EXPECT_EQ(class_of(1 + alpha * (w - 1), alpha, 1, o), expected) << w << " " << alpha;
  // A state that changes its sign at every step may last or grow as well.
  EXPECT_EQ(class_of(-0.5, 1, 1, o), UnitClass::memory);
  EXPECT_EQ(class_of(-1, 1, 1, o), UnitClass::integrator);
  EXPECT_EQ(class_of(-2, 1, 1, o), UnitClass::grower);
  EXPECT_EQ(class_of(1 - 0.5 * 3, 0.5, 1, o), UnitClass::relay);  // w = -2: halved at every step
}

TEST(Pools, TheTimeStepDoesNotChangeTheClasses) {
  const std::map<float, std::string> expected{
      {-0.2f, "relay"},      {0.2f, "relay"},      {0.5f, "leaky memory"}, {0.8f, "leaky memory"},
      {0.95f, "integrator"}, {1.0f, "integrator"}, {1.08f, "grower"}};
  for (const double alpha : {1.0, 0.5, 0.2, 0.1, 0.02}) {
    const BatteryConfig config = testing::battery_of("dlygo", alpha);
    const Battery battery(config, Seed{1});
    const auto n = static_cast<Eigen::Index>(expected.size());
    testing::Weights w(n, static_cast<Eigen::Index>(battery.n_channels()), 1,
                       static_cast<Eigen::Index>(battery.n_classes()));
    Eigen::Index i = 0;
    for (const auto& entry : expected) w.recurrent(i, i) = entry.first, ++i;
    w.bias.setConstant(0.1f);  // active always
    const Subject subject =
        testing::subject_of(testing::make_network(w, alpha, Activation::relu, true), config);
    ThreadPool threads(2);
    ConfigTable options;
    for (const char* option : {"trials=8", "random_lesions=1", "pools=false"})
      assign_key(options, option);
    const AnalysisResult result =
        find_analysis("autapse").run(subject, options, {.pool = threads, .seed = Seed{3}});
    for (const auto& row : result.table("units").rows)
      EXPECT_EQ(std::get<std::string>(row[4]),
                expected.at(static_cast<float>(std::get<double>(row[1]))))
          << "alpha = " << alpha << ", autapse " << std::get<double>(row[1]);
  }
}

// A unit that was charged by a stimulus and now only decays is not active, although in single
// precision its state is never exactly (1 - alpha) times the last one.
TEST(Pools, AUnitThatDecaysIsNotActive) {
  const double alpha = 0.2;
  const BatteryConfig config = testing::battery_of("dlygo", alpha);
  const Battery battery(config, Seed{1});
  testing::Weights w(16, static_cast<Eigen::Index>(battery.n_channels()), 1,
                     static_cast<Eigen::Index>(battery.n_classes()));
  for (Eigen::Index i = 0; i < 16; ++i) w.input(i, 1 + i) = w.input(i, 17 + i) = 1;
  w.bias.setConstant(-0.01f);  // below 0 without a stimulus
  const Subject subject =
      testing::subject_of(testing::make_network(w, alpha, Activation::relu, true), config);
  const Epochs epochs = watch_task(subject, 0, 50, Seed{3});
  for (const double active : epochs.active[period_index(Period::stimulus)]) EXPECT_GT(active, 0);
  for (const double active : epochs.active[period_index(Period::delay)]) EXPECT_EQ(active, 0);
}

// The analysis finds the construction: a relay for the cue, and integrators for the directions,
// without which the task fails.
TEST(Pools, AreUnderstoodByTheAnalysis) {
  const BatteryConfig config = testing::battery_of("dlygo");
  const Battery battery(config, Seed{1});
  const Subject subject = testing::subject_of(hand_made_pool(battery, 0), config);
  ThreadPool threads(2);
  const AnalysisResult result =
      find_analysis("autapse").run(subject, {}, {.pool = threads, .seed = Seed{3}});
  std::map<std::string, std::int64_t> units;
  for (const auto& row : result.table("classes").rows)
    units[std::get<std::string>(row[0])] = std::get<std::int64_t>(row[1]);
  EXPECT_EQ(units["relay"], 1);
  EXPECT_EQ(units["integrator"], 16);
  EXPECT_EQ(units["leaky memory"] + units["grower"] + units["silent"], 0);
  for (const auto& row : result.table("lesions").rows)
    if (std::get<std::string>(row[0]) == "integrator") {
      EXPECT_GT(std::get<double>(row[4]), 90);  // points
      EXPECT_TRUE(std::get<bool>(row[8]));
    }
  for (const auto& row : result.table("delays").rows) {
    EXPECT_EQ(std::get<double>(row[2]), 1);  // an integrator does not forget
    EXPECT_EQ(std::get<double>(row[3]), 1);
  }
  for (const auto& row : result.table("evidence").rows) {
    if (!std::get<std::string>(row[1]).starts_with("share of the mean")) continue;
    EXPECT_EQ(std::get<double>(row[2]), 1);
  }
}

TEST(Pools, OthersAreRefused) {
  BatteryConfig config;
  config.tasks = "dlygointrseql";
  EXPECT_FALSE(has_hand_made_pool(parse_task("dlygointrseql")));
  EXPECT_FALSE(has_hand_made_pool(parse_task("dlydm1intr")));
  EXPECT_THROW(hand_made_pool(Battery(config, Seed{1}), 0), UsageError);
}

}  // namespace
}  // namespace lmrnn
