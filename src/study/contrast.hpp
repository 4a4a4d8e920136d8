// A contrast: the values of two cells, paired by seed, and what they say about the claim.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "lmrnn/statistics.hpp"
#include "lmrnn/study_config.hpp"

namespace lmrnn {

/// ratio or difference; never automatic.
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

/// Values by pair, and how many of them are marks that were not reached. A mark that more than one
/// of eight runs of either level missed is not tested: its values are the horizon, and a comparison
/// would be of horizons. No pairs give NaN.
Comparison compare(std::span<const double> a, std::span<const double> b, std::size_t n_censored_a,
                   std::size_t n_censored_b, ContrastScale scale, Seed seed, double level);

/// supported, refuted or undecided; "descriptive" for fewer than `least_pairs_of_a_verdict`,
/// "not tested" for a mark that is not, and "" for a contrast without a criterion.
std::string_view verdict_of(const ContrastConfig& contrast, const Comparison& comparison);

}  // namespace lmrnn
