// A contrast: the values of two cells, paired by seed, and the verdict on the claim.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "lmrnn/statistics.hpp"
#include "lmrnn/study_config.hpp"

namespace lmrnn {

/// Returns ratio or difference, never automatic.
ContrastScale scale_of(const ContrastConfig& contrast);

/// Two levels compared over pairs of runs.
struct Comparison {
  std::size_t n_pairs = 0;
  double mean_a = 0, mean_b = 0;
  Band difference;  ///< mean of a - b, t-interval
  Band ratio;    ///< geometric mean of a / b, t-interval of its logarithm; NaN unless all are > 0
  double p = 0;  ///< sign flips, on the contrast's scale
  bool tested = true;  ///< false: a mark is missed by too many runs
};

/// `a` and `b` hold one value per pair; `n_censored_a` and `n_censored_b` count marks that were not
/// reached. If more than one in eight runs of either level missed the mark, nothing is tested: the
/// values would be horizons. Without pairs, all numbers are NaN.
Comparison compare(std::span<const double> a, std::span<const double> b, std::size_t n_censored_a,
                   std::size_t n_censored_b, ContrastScale scale, Seed seed, double level);

/// supported, refuted or undecided; "descriptive" for fewer than `least_pairs_of_a_verdict`, "not
/// tested" if the mark was not tested, and "" for a contrast without a criterion.
std::string_view verdict_of(const ContrastConfig& contrast, const Comparison& comparison);

}  // namespace lmrnn
