// Statistics of studies: times until a mark is reached, their uncertainty, and which differences
// are more than chance. Everything random is a function of a seed that the caller gives.
//
// The unit of sampling is the run (a seed), never the trial or the task: whole runs are resampled,
// and runs of two arms with the same seed (same data, same input weights) are a pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {

// Learning curves ------------------------------------------------------------------------------

/// When a run reached a mark. If it never did, it is censored: `time` is how long it was observed.
struct TimeToMark {
  double time = 0;
  bool reached = false;
};

/// The mark counts as reached when two evaluations in a row are at or above it. The time is where
/// the straight line from the evaluation before the first of the two crosses the mark (the time of
/// the first evaluation, if that one is already above). `times` ascend; one value per time. Throws
/// UsageError for lengths that differ or an empty curve.
TimeToMark time_to_mark(std::span<const double> times, std::span<const double> values, double mark);

/// Mean height of a curve between its first and last time (trapezoids); its value if it has one
/// point. Compare only curves over the same times. Throws UsageError as `time_to_mark`.
double area_under_curve(std::span<const double> times, std::span<const double> values);

// Censored times -------------------------------------------------------------------------------

/// The Kaplan-Meier estimate after one time at which marks were reached.
struct SurvivalStep {
  double time = 0;
  std::size_t n_at_risk = 0, n_reached = 0;
  double share_left = 1;      ///< of runs that have not reached the mark by then
  double standard_error = 0;  ///< Greenwood's
};

/// Source: Kaplan & Meier, J. Am. Stat. Assoc. 53:457 (1958). A run censored at a time is still at
/// risk at that time.
std::vector<SurvivalStep> kaplan_meier(std::span<const TimeToMark> times);

/// Mean time to the mark within the first `horizon`: the area under the Kaplan-Meier curve from 0
/// to `horizon`. If every run was observed until the horizon, it is the mean of min(time, horizon).
/// Source: Royston & Parmar, BMC Med. Res. Methodol. 13:152 (2013).
double restricted_mean(std::span<const TimeToMark> times, double horizon);

/// The first time at which at most half of the runs are left; nothing if that never happens.
std::optional<double> median_time(std::span<const TimeToMark> times);

// Resampling -----------------------------------------------------------------------------------

constexpr std::size_t n_bootstrap_samples = 10000;

/// An estimate with an interval.
struct Band {
  double estimate = 0, lower = 0, upper = 0;
};

/// The percentile bootstrap (Efron 1979): `statistic` of n items drawn with replacement, many
/// times; the interval holds the middle `level` of its values. `statistic` gets indices < n; the
/// estimate is its value for 0 ... n - 1. NaN values of resamples are left out. n = 0 gives NaN,
/// and one item has no interval (NaN). Throws UsageError for a level outside (0, 1), as all
/// functions here do that take one, and for no samples.
Band bootstrap(std::size_t n,
               const std::function<double(std::span<const std::uint32_t>)>& statistic, Seed seed,
               double level = 0.95, std::size_t n_samples = n_bootstrap_samples);

/// The mean of `values` with its bootstrap interval.
Band bootstrap_mean(std::span<const double> values, Seed seed, double level = 0.95,
                    std::size_t n_samples = n_bootstrap_samples);

/// The mean of `values` with Student's t-interval; both limits are NaN for fewer than two values.
/// For small numbers of pairs use this, not the bootstrap: with 3, 4, 5 and 8 of them a 95%
/// percentile interval covers the mean in about 74, 80, 82 and 88% of cases.
Band t_interval(std::span<const double> values, double level = 0.95);

/// Which of several levels is best, and how certain that is.
struct BestLevel {
  std::size_t best = 0;         ///< the first level with the best mean over all runs
  std::vector<bool> ties;       ///< per level: whether it has this mean, too, as `best` has
  std::vector<double> share;    ///< per level: share of the resamples in which it is best
  double position = 0;          ///< of `best`, or the mean of levels that tie
  double lower = 0, upper = 0;  ///< interval of the best level's position
  double margin = 0;            ///< how much better than the runner-up, in the measure's units
  double margin_lower = 0, margin_upper = 0;  ///< of the same two levels, over resamples
};

/// `values` (level, run); runs are resampled jointly over the levels, and the best level is chosen
/// again in every resample, so the interval includes the selection. `positions`: where a level
/// lies (its density, say). Levels that tie share a resample. Throws UsageError for no levels or
/// runs.
BestLevel bootstrap_best(View2<const double> values, std::span<const double> positions,
                         bool smaller_is_better, Seed seed, double level = 0.95,
                         std::size_t n_samples = n_bootstrap_samples);

// Tests ----------------------------------------------------------------------------------------

/// Two-sided p of the paired permutation test: the share of sign patterns of the differences whose
/// mean is at least as far from 0 as the observed one. All patterns are counted for up to 20 pairs,
/// 100 000 random ones (plus the observed one) beyond. 1 if there are no pairs, NaN if a
/// difference is NaN. With n pairs it is never below 2^(1-n): three seeds cannot give less than
/// 0.25.
double paired_permutation_p(std::span<const double> differences, Seed seed);

/// The least p that `paired_permutation_p` can give for n pairs: 2^(1-n), at most 1.
double least_paired_p(std::size_t n_pairs) noexcept;

/// Contrasts with fewer pairs get no verdict: their p cannot reach 0.05.
constexpr std::size_t least_pairs_of_a_verdict = 6;

/// Holm's step-down correction: adjusted p in the order given, at most 1. A p of NaN stays NaN and
/// counts as one of the tests. Source: Holm, Scand. J. Stat. 6:65 (1979).
std::vector<double> holm(std::span<const double> p);

}  // namespace lmrnn
