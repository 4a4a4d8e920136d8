#include "study/contrast.hpp"

#include <cmath>
#include <numeric>

namespace lmrnn {
namespace {

constexpr std::size_t runs_per_miss = 8;  // one missed mark is allowed in as many runs

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool below(double x, const std::optional<double>& limit) {
  return limit && x < *limit;
}
bool above(double x, const std::optional<double>& limit) {
  return limit && x > *limit;
}

}  // namespace

ContrastScale scale_of(const ContrastConfig& contrast) {
  if (contrast.scale != ContrastScale::automatic) return contrast.scale;
  const bool time =
      contrast.measure.starts_with("steps_to_") || contrast.measure.starts_with("trials_to_");
  return time ? ContrastScale::ratio : ContrastScale::difference;
}

Comparison compare(std::span<const double> a, std::span<const double> b, std::size_t n_censored_a,
                   std::size_t n_censored_b, ContrastScale scale, Seed seed, double level) {
  Comparison c;
  c.n_pairs = a.size();
  c.mean_a = mean(a);
  c.mean_b = mean(b);
  std::vector<double> differences, logs;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i] - b[i]);
    logs.push_back(std::log(a[i] / b[i]));
  }
  c.difference = t_interval(differences, level);
  const Band log_ratio = t_interval(logs, level);
  c.ratio = {std::exp(log_ratio.estimate), std::exp(log_ratio.lower), std::exp(log_ratio.upper)};
  const auto& tested = scale == ContrastScale::ratio ? logs : differences;
  c.p = std::isfinite(mean(tested)) ? paired_permutation_p(tested, seed) : std::nan("");
  c.tested = runs_per_miss * n_censored_a <= c.n_pairs && runs_per_miss * n_censored_b <= c.n_pairs;
  return c;
}

std::string_view verdict_of(const ContrastConfig& contrast, const Comparison& comparison) {
  if (!contrast.has_criterion()) return "";
  if (comparison.n_pairs < least_pairs_of_a_verdict) return "descriptive";
  if (!comparison.tested) return "not tested";
  const auto [estimate, lower, upper] =
      scale_of(contrast) == ContrastScale::ratio ? comparison.ratio : comparison.difference;
  if (below(upper, contrast.supported_below) || above(lower, contrast.supported_above))
    return "supported";
  const auto& within = contrast.refuted_within;
  if (below(upper, contrast.refuted_below) || above(lower, contrast.refuted_above) ||
      (within.size() == 2 && lower >= within[0] && upper <= within[1]))
    return "refuted";
  return "undecided";
}

}  // namespace lmrnn
