// Contrasts: intervals, tests and verdicts of pairs of runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "lmrnn/error.hpp"
#include "lmrnn/study.hpp"
#include "message_of.hpp"
#include "study/contrast.hpp"
#include "study/summary.hpp"
#include "study_file.hpp"

namespace lmrnn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Seed seed{20};

// Values of b are 1000, and of a the given ratios times that.
Comparison of_ratios(const std::vector<double>& ratios, std::size_t n_censored_a = 0) {
  std::vector<double> a;
  for (const double ratio : ratios) a.push_back(1000 * ratio);
  const std::vector<double> b(a.size(), 1000);
  return compare(a, b, n_censored_a, 0, ContrastScale::ratio, seed, 0.95);
}

// Eight ratios with this geometric mean, close to each other.
std::vector<double> around(double ratio) {
  return {ratio * 0.98, ratio / 0.98, ratio * 0.99, ratio / 0.99,
          ratio * 0.97, ratio / 0.97, ratio,        ratio};
}

ContrastConfig speed() {
  ContrastConfig c;
  c.measure = "steps_to_90";
  c.supported_below = 0.8;
  c.refuted_above = 0.9;
  return c;
}

ContrastConfig locality() {
  ContrastConfig c = speed();
  c.refuted_above = 1.0;
  c.refuted_within = {0.8, 1.25};
  return c;
}

TEST(TInterval, OfFourNumbersIsThatOfTheTable) {
  const std::vector<double> values{1, 2, 3, 4};
  const Band band = t_interval(values);
  EXPECT_DOUBLE_EQ(band.estimate, 2.5);
  // t(3) = 3.182446 at 97.5%; the standard deviation is sqrt(5/3).
  const double half = 3.182446 * std::sqrt(5.0 / 3) / 2;
  EXPECT_NEAR(band.lower, 2.5 - half, 1e-6);
  EXPECT_NEAR(band.upper, 2.5 + half, 1e-6);
  EXPECT_GT(t_interval(values, 0.99).upper, band.upper);
}

TEST(TInterval, OfOneNumberHasNoLimits) {
  const Band one = t_interval(std::vector{7.0});
  EXPECT_EQ(one.estimate, 7);
  EXPECT_TRUE(std::isnan(one.lower) && std::isnan(one.upper));
  EXPECT_TRUE(std::isnan(t_interval({}).estimate));
}

// The reason for t-intervals: with four values, a 95% bootstrap interval covers the mean in 80%.
TEST(TInterval, CoversTheMeanAsOftenAsItSays) {
  constexpr std::uint32_t n_sets = 4000, n = 4;
  int covered = 0;
  for (std::uint32_t set = 0; set < n_sets; ++set) {
    std::vector<double> values;
    for (std::uint32_t i = 0; i < n; ++i)
      values.push_back(normal(Key{seed, RandomPurpose::statistics, Split::train, set, 0}, i));
    const Band band = t_interval(values);
    covered += band.lower <= 0 && 0 <= band.upper;
  }
  EXPECT_NEAR(covered / double{n_sets}, 0.95, 0.015);  // four standard errors
}

TEST(LeastPairedP, IsWhatAllSignsAlikeGive) {
  EXPECT_EQ(least_paired_p(0), 1);
  EXPECT_EQ(least_paired_p(1), 1);
  EXPECT_EQ(least_paired_p(3), 0.25);
  EXPECT_EQ(least_paired_p(5), 0.0625);
  EXPECT_EQ(least_paired_p(8), 0.0078125);
  for (std::size_t n = 1; n < 10; ++n)
    EXPECT_EQ(paired_permutation_p(std::vector<double>(n, 1.5), seed), least_paired_p(n));
}

TEST(Compare, RatiosAreGeometricMeansWithTheirIntervalOnTheLogarithm) {
  const Comparison c = of_ratios({0.5, 0.5, 2, 2});
  EXPECT_NEAR(c.ratio.estimate, 1, 1e-12);
  EXPECT_NEAR(c.ratio.lower * c.ratio.upper, 1, 1e-12);
  const double half = 3.182446 * std::log(2) * std::sqrt(4.0 / 3) / 2;
  EXPECT_NEAR(std::log(c.ratio.upper), half, 1e-6);
  EXPECT_EQ(c.mean_a, 1250);
  EXPECT_EQ(c.difference.estimate, 250);
  EXPECT_EQ(c.p, 1);  // on the logarithm: the signs cancel
}

TEST(Compare, ARatioOfZeroHasNoInterval) {
  const Comparison c = of_ratios({0, 0.5, 2, 2, 2, 2});
  EXPECT_TRUE(std::isnan(c.ratio.lower));
  EXPECT_TRUE(std::isnan(c.p));
  EXPECT_EQ(verdict_of(speed(), c), "undecided");
}

TEST(Verdict, FollowsTheLimits) {
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(0.7))), "supported");
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(0.8))), "undecided");   // holds the limit
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(0.85))), "undecided");  // between them
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(1.2))), "refuted");
  EXPECT_EQ(verdict_of(locality(), of_ratios(around(0.7))), "supported");
  EXPECT_EQ(verdict_of(locality(), of_ratios(around(0.9))), "refuted");  // no effect that matters
  EXPECT_EQ(verdict_of(locality(), of_ratios(around(1.5))), "refuted");
  EXPECT_EQ(verdict_of(locality(), of_ratios({0.3, 3, 0.4, 2.5, 0.5, 2, 1, 1})), "undecided");
}

TEST(Verdict, OfALargerShareIsAboveTheLimit) {
  ContrastConfig c;
  c.measure = "final_share";
  c.supported_above = 0.01;
  c.refuted_below = 0;
  const std::vector<double> low{.90, .91, .92, .90, .91, .92}, high{.95, .96, .97, .95, .96, .96};
  const auto verdict = [&](const auto& a, const auto& b) {
    return verdict_of(c, compare(a, b, 0, 0, scale_of(c), seed, 0.95));
  };
  EXPECT_EQ(verdict(high, low), "supported");
  EXPECT_EQ(verdict(low, high), "refuted");
  EXPECT_EQ(verdict(low, low), "undecided");
}

TEST(Verdict, NeedsSixPairs) {
  EXPECT_EQ(verdict_of(speed(), of_ratios({.5, .5, .5, .5, .51})), "descriptive");
  EXPECT_EQ(verdict_of(speed(), of_ratios({.5, .5, .5, .5, .5, .51})), "supported");
}

TEST(Verdict, IsNotGivenWhereTooManyRunsMissedTheMark) {
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(0.7), 1)), "supported");  // one of eight
  EXPECT_EQ(verdict_of(speed(), of_ratios(around(0.7), 2)), "not tested");
  EXPECT_EQ(verdict_of(speed(), of_ratios({.5, .5, .5, .5, .5, .51}, 1)), "not tested");
}

TEST(Verdict, IsEmptyWithoutACriterion) {
  EXPECT_EQ(verdict_of(ContrastConfig{}, of_ratios(around(0.7))), "");
}

// Study files ----------------------------------------------------------------------------------

std::string study(const std::string& seeds, const std::string& contrast) {
  return R"(
claim = "a claim"
support = "what supports it"
seeds = )" +
         seeds +
         R"(
statistics.seed = 3
[config]
battery.tasks = "go"
wiring.rows = 4
wiring.cols = 4
[axis.network.local]
wiring.radius = 1
[axis.network.dense]
wiring.kind = "dense"
[[contrast]]
axis = "network"
a = "local"
b = "dense"
measure = "steps_to_90"
)" + contrast;
}

std::string refusal(const std::string& contrast) {
  const StudyFile file(study("[1, 2]", contrast));
  return message_of<UsageError>([&] { file.load(); });
}

TEST(Criterion, LimitsThatContradictEachOtherAreRefused) {
  EXPECT_THAT(refusal("supported_below = 0.9\nrefuted_above = 0.8\n"),
              AllOf(HasSubstr("contrast local, dense"),
                    HasSubstr("supported_below and refuted_above overlap (0.9 is above 0.8)")));
  EXPECT_THAT(refusal("supported_below = 0.9\nrefuted_within = [0.8, 1.25]\n"),
              HasSubstr("supported_below and refuted_within overlap"));
  EXPECT_THAT(refusal("refuted_within = [1.25, 0.8]\n"), HasSubstr("two numbers that ascend"));
  EXPECT_THAT(refusal("refuted_within = [0.8]\n"), HasSubstr("two numbers that ascend"));
  EXPECT_THAT(refusal("supported_below = -1\n"),
              HasSubstr("above 0, since the contrast is a ratio"));
  EXPECT_THAT(refusal("supported_above = inf\n"), HasSubstr("must be finite"));
  EXPECT_THAT(refusal("supported_above = 2\nrefuted_above = 3\n"), HasSubstr("overlap"));
}

std::vector<std::string> warnings(const std::string& seeds, const std::string& more = "") {
  const StudyFile file(study(seeds, more));
  const Study s = file.load();
  return plan_warnings(s, plan_study(s));
}

TEST(PlanWarnings, SayWhenNoOutcomeCouldBeSignificant) {
  const auto few = warnings("[1, 2, 3]");
  ASSERT_EQ(few.size(), 1u);
  EXPECT_THAT(few[0], AllOf(HasSubstr("with 3 seeds, p is at least 0.25"),
                            HasSubstr("use at least 6 seeds"), HasSubstr("headline = false")));
  EXPECT_THAT(warnings("[1, 2, 3, 4, 5, 6]"), IsEmpty());
  EXPECT_THAT(warnings("[1, 2, 3]", "headline = false\n"), IsEmpty());
  // Two of them: Holm's correction doubles the least p, so that six pairs no longer do.
  const std::string second =
      "[[contrast]]\naxis = \"network\"\na = \"local\"\nb = \"dense\"\nmeasure = \"area\"\n";
  const auto two = warnings("[1, 2, 3, 4, 5, 6]", second);
  ASSERT_EQ(two.size(), 1u);
  EXPECT_THAT(two[0], AllOf(HasSubstr("p is at least 0.0625 after Holm's correction over 2"),
                            HasSubstr("use at least 7 seeds")));
}

TEST(PlanWarnings, ContrastsWithLimitsNeedPairsForAVerdictAndNoP) {
  const std::string limited =
      "[[contrast]]\naxis = \"network\"\na = \"local\"\nb = \"dense\"\nmeasure = \"steps_to_80\"\n"
      "supported_below = 0.8\n";
  const std::string describes = "headline = false\n" + limited;  // the first contrast
  const auto five = warnings("[1, 2, 3, 4, 5]", describes);
  ASSERT_EQ(five.size(), 1u);
  EXPECT_THAT(five[0], AllOf(HasSubstr("no contrast can get a verdict from 5 seeds"),
                             HasSubstr("at least 6")));
  EXPECT_THAT(warnings("[1, 2, 3, 4, 5, 6]", describes + limited), IsEmpty());
  // The first contrast is decided by p, which Holm's correction over both doubles.
  const auto both = warnings("[1, 2, 3, 4, 5, 6]", limited);
  ASSERT_EQ(both.size(), 1u);
  EXPECT_THAT(both[0], HasSubstr("Holm's correction over 2"));
}

// Plateaus -------------------------------------------------------------------------------------

TEST(LateGain, IsWhatTheLastQuarterOfTheStepsAdded) {
  RunSummary s;
  EXPECT_TRUE(std::isnan(s.late_gain()));
  s.curve_steps = {100, 200, 400};
  s.curve_share = {0.2, 0.6, 0.8};
  EXPECT_NEAR(s.late_gain(), 0.1, 1e-12);  // from step 300, halfway between 0.6 and 0.8
  s.curve_steps = {400};
  s.curve_share = {0.8};
  EXPECT_TRUE(std::isnan(s.late_gain()));
}

}  // namespace
}  // namespace lmrnn
