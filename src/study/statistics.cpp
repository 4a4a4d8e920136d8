#include "lmrnn/statistics.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "lmrnn/error.hpp"
#include "study/nothing.hpp"

namespace lmrnn {
namespace {

void check_curve(std::span<const double> times, std::span<const double> values) {
  if (times.size() != values.size() || times.empty())
    throw UsageError(
        fmt::format("a learning curve needs one value per time and at least one; it has {} times "
                    "and {} values",
                    times.size(), values.size()));
}

void check_level(double level) {
  if (!(level > 0 && level < 1))
    throw UsageError(fmt::format("level = {}; it must be above 0 and below 1, e.g. 0.95", level));
}

// A random index below `n`: resample `sample`, item `i` of a bootstrap.
std::uint32_t draw(Seed seed, std::size_t sample, std::size_t i, std::size_t n) {
  const Key key{seed, RandomPurpose::statistics, Split::train, static_cast<std::uint32_t>(sample),
                0};
  return integer(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(n));
}

// The quantile of sorted values, with linear interpolation.
double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return nothing;
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

Band interval(double estimate, std::vector<double> values, double level) {
  std::erase_if(values, [](double x) { return std::isnan(x); });
  std::ranges::sort(values);
  const double tail = (1 - level) / 2;
  return {estimate, quantile(values, tail), quantile(values, 1 - tail)};
}

}  // namespace

TimeToMark time_to_mark(std::span<const double> times, std::span<const double> values,
                        double mark) {
  check_curve(times, values);
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    if (!(values[i] >= mark && values[i + 1] >= mark)) continue;
    if (i == 0 || !(values[i - 1] < mark)) return {times[i], true};
    const double share = (mark - values[i - 1]) / (values[i] - values[i - 1]);
    return {std::lerp(times[i - 1], times[i], share), true};
  }
  return {times.back(), false};
}

double area_under_curve(std::span<const double> times, std::span<const double> values) {
  check_curve(times, values);
  if (times.size() == 1) return values[0];
  double area = 0;
  for (std::size_t i = 1; i < times.size(); ++i)
    area += (times[i] - times[i - 1]) * (values[i] + values[i - 1]) / 2;
  return area / (times.back() - times.front());
}

std::vector<SurvivalStep> kaplan_meier(std::span<const TimeToMark> times) {
  std::vector<TimeToMark> sorted(times.begin(), times.end());
  std::ranges::sort(sorted, {}, &TimeToMark::time);
  std::vector<SurvivalStep> steps;
  double share = 1, greenwood = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    const std::size_t at_risk = sorted.size() - i;
    const double time = sorted[i].time;
    std::size_t reached = 0;
    for (; i < sorted.size() && sorted[i].time == time; ++i) reached += sorted[i].reached ? 1 : 0;
    if (reached == 0) continue;
    const auto n = static_cast<double>(at_risk), d = static_cast<double>(reached);
    share *= 1 - d / n;
    if (reached < at_risk) greenwood += d / (n * (n - d));
    steps.push_back({time, at_risk, reached, share, share * std::sqrt(greenwood)});
  }
  return steps;
}

double restricted_mean(std::span<const TimeToMark> times, double horizon) {
  if (times.empty()) return nothing;
  double mean = 0, share = 1, before = 0;
  for (const SurvivalStep& step : kaplan_meier(times)) {
    if (step.time >= horizon) break;
    mean += share * (step.time - before);
    before = step.time;
    share = step.share_left;
  }
  return mean + share * (horizon - before);
}

std::optional<double> median_time(std::span<const TimeToMark> times) {
  for (const SurvivalStep& step : kaplan_meier(times))
    if (step.share_left <= 0.5) return step.time;
  return std::nullopt;
}

Band bootstrap(std::size_t n,
               const std::function<double(std::span<const std::uint32_t>)>& statistic, Seed seed,
               double level, std::size_t n_samples) {
  check_level(level);
  if (n_samples == 0) throw UsageError("n_samples = 0; a bootstrap needs at least one");
  if (n == 0) return {nothing, nothing, nothing};
  std::vector<std::uint32_t> picks(n);
  std::iota(picks.begin(), picks.end(), 0u);
  const double estimate = statistic(picks);
  if (n == 1) return {estimate, nothing, nothing};  // resamples of one run are that run
  std::vector<double> values(n_samples);
  for (std::size_t sample = 0; sample < n_samples; ++sample) {
    for (std::size_t i = 0; i < n; ++i) picks[i] = draw(seed, sample, i, n);
    values[sample] = statistic(picks);
  }
  return interval(estimate, std::move(values), level);
}

Band bootstrap_mean(std::span<const double> values, Seed seed, double level,
                    std::size_t n_samples) {
  const auto mean = [values](std::span<const std::uint32_t> picks) {
    double sum = 0;
    for (const std::uint32_t i : picks) sum += values[i];
    return sum / static_cast<double>(picks.size());
  };
  return bootstrap(values.size(), mean, seed, level, n_samples);
}

Band t_interval(std::span<const double> values, double level) {
  check_level(level);
  const auto n = static_cast<double>(values.size());
  if (values.empty()) return {nothing, nothing, nothing};
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return {mean, nothing, nothing};
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), (1 + level) / 2);
  return {mean, mean - t * standard_error, mean + t * standard_error};
}

BestLevel bootstrap_best(View2<const double> values, std::span<const double> positions,
                         bool smaller_is_better, Seed seed, double level, std::size_t n_samples) {
  const std::size_t n_levels = values.n0, n = values.n1;
  if (n_levels == 0 || n == 0 || positions.size() != n_levels)
    throw UsageError(
        "the best level needs at least one level, one run, and one position per level");
  check_level(level);
  // Sets `means`, the levels' means over the picked runs (larger is better); returns the largest.
  std::vector<double> means(n_levels);
  const auto rank = [&](const auto& pick) {
    for (std::size_t l = 0; l < n_levels; ++l) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += values(l, pick(i));
      means[l] = (smaller_is_better ? -sum : sum) / static_cast<double>(n);
    }
    return std::ranges::max(means);
  };
  // Sums in another order round differently.
  const auto is_best = [&](std::size_t l, double most) {
    return means[l] >= most - 1e-12 * std::abs(most);
  };
  const auto mean_position = [&](double most) {
    double sum = 0, n_best = 0;
    for (std::size_t l = 0; l < n_levels; ++l)
      if (is_best(l, most)) sum += positions[l], ++n_best;
    return sum / n_best;
  };
  BestLevel result;
  const double most = rank([](std::size_t i) { return i; });
  result.position = mean_position(most);
  for (std::size_t l = 0; l < n_levels; ++l) result.ties.push_back(is_best(l, most));
  result.best =
      static_cast<std::size_t>(std::ranges::find(result.ties, true) - result.ties.begin());
  std::size_t second = result.best;
  for (std::size_t l = 0; l < n_levels; ++l)
    if (l != result.best && (second == result.best || means[l] > means[second])) second = l;
  result.margin = means[result.best] - means[second];

  result.share.assign(n_levels, 0);
  std::vector<double> best_positions(n_samples), margins(n_samples);
  for (std::size_t sample = 0; sample < n_samples; ++sample) {
    const double best = rank([&](std::size_t i) { return draw(seed, sample, i, n); });
    double n_best = 0;
    for (std::size_t l = 0; l < n_levels; ++l) n_best += is_best(l, best) ? 1 : 0;
    for (std::size_t l = 0; l < n_levels; ++l)
      if (is_best(l, best)) result.share[l] += 1 / (n_best * static_cast<double>(n_samples));
    best_positions[sample] = mean_position(best);
    margins[sample] = means[result.best] - means[second];
  }
  const Band position = interval(result.position, std::move(best_positions), level);
  const Band margin = interval(result.margin, std::move(margins), level);
  result.lower = position.lower;
  result.upper = position.upper;
  result.margin_lower = margin.lower;
  result.margin_upper = margin.upper;
  return result;
}

double paired_permutation_p(std::span<const double> differences, Seed seed) {
  const std::size_t n = differences.size();
  if (n == 0) return 1;
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  if (std::isnan(observed)) return nothing;
  double size = 0;
  for (const double d : differences) size += std::abs(d);
  const double enough = observed - 1e-12 * size;  // sums in another order round differently
  constexpr std::size_t most_exact = 20, n_random = 100000;
  if (n <= most_exact) {
    std::size_t extreme = 0;
    const std::size_t n_patterns = std::size_t{1} << n;
    for (std::size_t pattern = 0; pattern < n_patterns; ++pattern) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i)
        sum += (pattern >> i) & 1 ? -differences[i] : differences[i];
      extreme += std::abs(sum) >= enough ? 1 : 0;
    }
    return static_cast<double>(extreme) / static_cast<double>(n_patterns);
  }
  std::size_t extreme = 1;  // the observed pattern is one of them
  for (std::size_t sample = 0; sample < n_random; ++sample) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      sum += draw(seed, sample, i, 2) == 1 ? -differences[i] : differences[i];
    extreme += std::abs(sum) >= enough ? 1 : 0;
  }
  return static_cast<double>(extreme) / static_cast<double>(n_random + 1);
}

double least_paired_p(std::size_t n_pairs) noexcept {
  return n_pairs == 0 ? 1
                      : std::ldexp(2.0, -static_cast<int>(std::min<std::size_t>(n_pairs, 1000)));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // NaN counts as a test that found nothing: it comes last.
  std::ranges::stable_sort(order, {}, [p](std::size_t i) {
    return std::isnan(p[i]) ? std::numeric_limits<double>::infinity() : p[i];
  });
  std::vector<double> adjusted(p.size(), nothing);
  double largest = 0;
  for (std::size_t k = 0; k < order.size() && !std::isnan(p[order[k]]); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(p.size() - k) * p[order[k]]));
    adjusted[order[k]] = largest;
  }
  return adjusted;
}

}  // namespace lmrnn
