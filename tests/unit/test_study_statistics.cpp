#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "lmrnn/error.hpp"
#include "lmrnn/statistics.hpp"

namespace lmrnn {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr Seed seed{20};

// Learning curves ------------------------------------------------------------------------------

TEST(TimeToMark, IsWhereTheLineCrosses) {
  const std::vector<double> times{100, 200, 300, 400}, values{0.2, 0.4, 0.6, 0.7};
  const TimeToMark t = time_to_mark(times, values, 0.5);
  EXPECT_TRUE(t.reached);
  EXPECT_DOUBLE_EQ(t.time, 250);
}

TEST(TimeToMark, CountsOnlyWhenHeldTwiceRunning) {
  const std::vector<double> times{1, 2, 3, 4, 5, 6};
  // Above at 2, but not at 3; for good from 4 on.
  EXPECT_DOUBLE_EQ(time_to_mark(times, std::vector{0.0, 0.9, 0.1, 0.9, 0.9, 0.9}, 0.5).time, 3.5);
  // Above only at the last evaluation: it is unknown whether it would have stayed there.
  const TimeToMark last = time_to_mark(times, std::vector{0.0, 0.0, 0.0, 0.0, 0.0, 0.9}, 0.5);
  EXPECT_FALSE(last.reached);
  EXPECT_EQ(last.time, 6);
}

TEST(TimeToMark, ReachedFromTheStartIsTheFirstTime) {
  const TimeToMark t = time_to_mark(std::vector{10.0, 20.0}, std::vector{0.8, 0.9}, 0.5);
  EXPECT_TRUE(t.reached);
  EXPECT_EQ(t.time, 10);
  EXPECT_TRUE(time_to_mark(std::vector{10.0, 20.0}, std::vector{0.5, 0.5}, 0.5).reached);
}

TEST(TimeToMark, RefusesACurveThatIsNone) {
  EXPECT_THROW(time_to_mark({}, {}, 0.5), UsageError);
  EXPECT_THROW(time_to_mark(std::vector{1.0}, std::vector{1.0, 2.0}, 0.5), UsageError);
}

TEST(AreaUnderCurve, IsTheMeanHeight) {
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector{0.0, 1.0, 3.0}, std::vector{0.0, 1.0, 1.0}),
                   (0.5 + 2.0) / 3);
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector{7.0}, std::vector{0.3}), 0.3);
}

// Censored times -------------------------------------------------------------------------------

// Textbook data: remission times of the 6-MP group of Freireich et al. (1963), as in Kalbfleisch &
// Prentice; + is censored. 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+
std::vector<TimeToMark> freireich() {
  return {{6, true},   {6, true},   {6, true},   {6, false}, {7, true},   {9, false},
          {10, true},  {10, false}, {11, false}, {13, true}, {16, true},  {17, false},
          {19, false}, {20, false}, {22, true},  {23, true}, {25, false}, {32, false},
          {32, false}, {34, false}, {35, false}};
}

TEST(KaplanMeier, GivesThePublishedTable) {
  const auto steps = kaplan_meier(freireich());
  const double times[] = {6, 7, 10, 13, 16, 22, 23};
  const std::size_t at_risk[] = {21, 17, 15, 12, 11, 7, 6};
  const double share[] = {0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448};
  const double error[] = {0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135};
  ASSERT_EQ(steps.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(steps[i].time, times[i]);
    EXPECT_EQ(steps[i].n_at_risk, at_risk[i]);
    EXPECT_NEAR(steps[i].share_left, share[i], 5e-4);
    EXPECT_NEAR(steps[i].standard_error, error[i], 5e-4);
  }
  EXPECT_EQ(median_time(freireich()), 23);
}

TEST(RestrictedMean, IsTheAreaUnderTheSurvivalCurve) {
  // Everybody was observed up to 10: the mean of min(time, 10).
  const std::vector<TimeToMark> whole{{2, true}, {4, true}, {10, false}, {10, false}};
  EXPECT_DOUBLE_EQ(restricted_mean(whole, 10), (2 + 4 + 10 + 10) / 4.0);
  EXPECT_DOUBLE_EQ(restricted_mean(whole, 3), (2 + 3 + 3 + 3) / 4.0);
  // One is lost at 3 of 10: 1 to 2, then 3/4 to 4, then half of that for the two who remain.
  const std::vector<TimeToMark> lost{{2, true}, {3, false}, {4, true}, {10, false}};
  EXPECT_DOUBLE_EQ(restricted_mean(lost, 10), 2 + 0.75 * 2 + 0.375 * 6);
  EXPECT_TRUE(std::isnan(restricted_mean({}, 10)));
}

TEST(MedianTime, IsNothingWhenTooFewReachIt) {
  EXPECT_FALSE(median_time(std::vector<TimeToMark>{{1, true}, {5, false}, {5, false}}));
  EXPECT_EQ(median_time(std::vector<TimeToMark>{{1, true}, {3, true}, {5, false}}), 3);
}

// Resampling -----------------------------------------------------------------------------------

TEST(Bootstrap, OfTheMeanIsAsWideAsTheory) {
  std::vector<double> values(200);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = normal({Seed{5}, RandomPurpose::statistics}, static_cast<std::uint32_t>(i));
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 200;
  double square = 0;
  for (const double x : values) square += (x - mean) * (x - mean);
  const double half = 1.96 * std::sqrt(square / 200 / 200);
  const Band band = bootstrap_mean(values, seed);
  EXPECT_DOUBLE_EQ(band.estimate, mean);
  EXPECT_NEAR(band.lower, mean - half, 0.05 * half);
  EXPECT_NEAR(band.upper, mean + half, 0.05 * half);
}

TEST(Bootstrap, IsAFunctionOfTheSeed) {
  const std::vector<double> values{1, 2, 4, 8, 16};
  const Band a = bootstrap_mean(values, seed), b = bootstrap_mean(values, seed);
  EXPECT_EQ(a.lower, b.lower);
  EXPECT_EQ(a.upper, b.upper);
  EXPECT_NE(bootstrap_mean(values, Seed{21}, 0.95, 99).lower,
            bootstrap_mean(values, Seed{22}, 0.95, 99).lower);
}

TEST(Bootstrap, OfTwoValuesKnowsAllResamples) {
  // (a, a), (a, b), (b, a), (b, b): means 0, 0.5, 0.5, 1.
  const Band band = bootstrap_mean(std::vector{0.0, 1.0}, seed, 0.4);
  EXPECT_EQ(band.lower, 0.5);
  EXPECT_EQ(band.upper, 0.5);
  const Band wide = bootstrap_mean(std::vector{0.0, 1.0}, seed, 0.6);
  EXPECT_EQ(wide.lower, 0);
  EXPECT_EQ(wide.upper, 1);
}

TEST(BootstrapBest, SaysHowOftenALevelWins) {
  // Level 1 beats level 0 in every run but the last, where it loses by far more.
  const std::vector<double> values{0,  0,  0,  0,  5,   //
                                   1,  1,  1,  1,  -1,  //
                                   -9, -9, -9, -9, -9};
  const std::vector<double> positions{0.01, 0.04, 1.0};
  const BestLevel best = bootstrap_best({values.data(), 3, 5}, positions, false, seed);
  EXPECT_EQ(best.best, 0u);  // means 1 against 0.6
  EXPECT_EQ(best.position, 0.01);
  EXPECT_NEAR(best.margin, 0.4, 1e-12);
  // Level 1 wins a resample without the last run (share (4/5)^5 = 0.32768), and never with it:
  // 4 - 6 k < 0 for k >= 1 only if 5 k - 4 ... ; k = 1 gives 5 against 3.
  EXPECT_NEAR(best.share[0], 1 - 0.32768, 0.015);
  EXPECT_NEAR(best.share[1], 0.32768, 0.015);
  EXPECT_EQ(best.share[2], 0);
  EXPECT_EQ(best.lower, 0.01);
  EXPECT_EQ(best.upper, 0.04);  // the selection is part of the interval
}

TEST(BootstrapBest, SmallerCanBeBetter) {
  const std::vector<double> values{300, 310, 100, 120};
  const BestLevel best = bootstrap_best({values.data(), 2, 2}, std::vector{1.0, 2.0}, true, seed);
  EXPECT_EQ(best.best, 1u);
  EXPECT_DOUBLE_EQ(best.margin, 195);
  EXPECT_THAT(best.share, ElementsAre(0, DoubleNear(1, 1e-9)));
  EXPECT_THROW(bootstrap_best({values.data(), 0, 2}, {}, true, seed), UsageError);
}

TEST(BootstrapBest, LevelsThatTieShareAResample) {
  const std::vector<double> values{1, 1,     1,  //
                                   1, 0.999, 1,  //
                                   1, 1,     1};
  const std::vector<double> positions{0.01, 0.04, 0.03};
  const BestLevel best = bootstrap_best({values.data(), 3, 3}, positions, false, seed);
  EXPECT_THAT(best.ties, ElementsAre(true, false, true));
  EXPECT_DOUBLE_EQ(best.position, 0.02);
  EXPECT_EQ(best.margin, 0);
  // Resamples without the second run, (2/3)^3 of all, have three best levels, the others two.
  EXPECT_NEAR(best.share[1], 8.0 / 27 / 3, 0.01);
  EXPECT_NEAR(best.share[0], 8.0 / 27 / 3 + 19.0 / 27 / 2, 0.01);
  EXPECT_NEAR(best.share[0], best.share[2], 1e-9);
}

// Tests ----------------------------------------------------------------------------------------

TEST(PairedPermutation, CountsAllSignPatterns) {
  // All have the same sign: only the observed pattern and its mirror image are as extreme.
  EXPECT_DOUBLE_EQ(paired_permutation_p(std::vector{1.0, 2.0, 3.0}, seed), 0.25);
  EXPECT_DOUBLE_EQ(paired_permutation_p(std::vector<double>(10, 0.3), seed), 2.0 / 1024);
  // Sum 4; |sums| of the eight patterns of 1, 2, 3: 6, 6, 4, 4, 2, 2, 0, 0.
  EXPECT_DOUBLE_EQ(paired_permutation_p(std::vector{-1.0, 2.0, 3.0}, seed), 0.5);
  EXPECT_DOUBLE_EQ(paired_permutation_p(std::vector{0.0, 0.0}, seed), 1);
  EXPECT_DOUBLE_EQ(paired_permutation_p({}, seed), 1);
}

// Fisher's example of Darwin's maize (The Design of Experiments, 1935, section 21): 15 differences
// in eighths of an inch; 1726 of 32768 patterns are at least as extreme.
TEST(PairedPermutation, GivesFishersAnswerForDarwinsMaize) {
  const std::vector<double> differences{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
  EXPECT_DOUBLE_EQ(paired_permutation_p(differences, seed), 1726.0 / 32768);
}

TEST(PairedPermutation, RandomPatternsAgreeWithTheNormalLimit) {
  // 30 differences with mean 0.3 and unit size: p of a two-sided z of about 0.3 sqrt(30) / 1.
  std::vector<double> differences;
  for (int i = 0; i < 30; ++i) differences.push_back(i % 20 < 13 ? 1 : -1);
  const double sum = std::accumulate(differences.begin(), differences.end(), 0.0);
  // Sums of 30 signs: P(|S| >= sum), exact from the binomial distribution.
  double exact = 0;
  for (int k = 0; k <= 30; ++k)
    if (std::abs(2 * k - 30) >= sum) {
      exact +=
          std::exp(std::lgamma(31) - std::lgamma(k + 1) - std::lgamma(31 - k)) * std::pow(0.5, 30);
    }
  EXPECT_NEAR(paired_permutation_p(differences, seed), exact, 0.004);
}

TEST(Holm, StepsDown) {
  EXPECT_THAT(holm(std::vector{0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12),
                          DoubleNear(0.02, 1e-12)));
  EXPECT_THAT(holm(std::vector{0.7, 0.6}), ElementsAre(1, 1));
  EXPECT_TRUE(holm({}).empty());
  // A test without a p counts, wherever it stands.
  const double none = std::nan("");
  const auto some = holm(std::vector{none, 0.01, 0.2});
  EXPECT_TRUE(std::isnan(some[0]));
  EXPECT_NEAR(some[1], 0.03, 1e-12);
  EXPECT_NEAR(some[2], 0.4, 1e-12);
}

TEST(Statistics, RefuseWhatHasNoAnswer) {
  const std::vector<double> values{1, 2, 4}, with_nan{1, std::nan(""), 2};
  for (const double level : {0.0, 1.0, 2.0, std::nan("")}) {
    EXPECT_THROW(t_interval(values, level), UsageError);
    EXPECT_THROW(bootstrap_mean(values, Seed{1}, level), UsageError);
  }
  EXPECT_THROW(bootstrap_mean(values, Seed{1}, 0.95, 0), UsageError);
  EXPECT_TRUE(std::isnan(paired_permutation_p(with_nan, Seed{1})));  // 0 would be the best p of all
  const Band one = bootstrap_mean(std::vector{0.18}, Seed{1});
  EXPECT_EQ(one.estimate, 0.18);
  EXPECT_TRUE(std::isnan(one.lower) && std::isnan(one.upper));
}

}  // namespace
}  // namespace lmrnn
