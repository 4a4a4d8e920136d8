// Ceilings by Monte Carlo over the observer's posterior.
//
// The observer sees the noisy rings, knows when each stimulus is on, and uses the distribution of
// `draw` as its prior. Within a period nothing changes, so the mean of its steps is sufficient: for
// each modality shown a vector y = mu + sigma / sqrt(steps) * noise. With the posterior p(r) over
// the responses r that a trial may ask for (a direction, or none), the best expected score is max_r
// p(r); its mean over trials is the ceiling. Averaging the posterior instead of counting hits
// removes the randomness of guesses from the estimate.
//
// int and seq move all responses equally, so a base task's ceiling holds for its modified ones,
// except in the match family under published `ring_wrap`, where at each step one direction has the
// same class as "none".
#include "lmrnn/ceiling.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <span>
#include <tuple>

#include "core/shared/subnormals.hpp"
#include "lmrnn/error.hpp"
#include "tasks/decision.hpp"
#include "tasks/modifiers.hpp"
#include "tasks/ring.hpp"
#include "tasks/timing.hpp"

namespace lmrnn {
namespace {

/// With less noise than this no two conditions can be confused; it keeps likelihoods finite.
constexpr double least_noise = 1e-4;

struct Mean {
  double sum = 0, squares = 0;
  std::size_t n = 0;
  void add(double x) {
    sum += x;
    squares += x * x;
    ++n;
  }
  Score score() const {
    const auto count = static_cast<double>(n);
    const double value = sum / count;
    const double variance = std::max(0.0, squares / count - value * value);
    return {std::min(value, 1.0), std::sqrt(variance / count)};
  }
};

/// The observer of one task.
class Observer {
 public:
  Observer(const Battery& battery, std::size_t task, Seed seed)
      : battery_(battery),
        task_(task),
        base_(battery.tasks()[task].base_task()),
        ring_(static_cast<std::int32_t>(battery.config().n_ring)),
        n_(static_cast<std::size_t>(ring_.size())),
        sigma_(std::max(least_noise, static_cast<double>(battery.noise_deviation()))),
        seed_(seed),
        modifiers_(battery.tasks()[task], battery.config(), battery.semantics()),
        bumps_(n_, std::vector<float>(n_)),
        overlap_(n_),
        posterior_(n_ + 1) {
    for (std::size_t k = 0; k < n_; ++k)
      ring_.add_bump(ring_.angle(static_cast<std::int32_t>(k)), 1, bumps_[k].data());
    for (std::size_t k = 0; k < n_; ++k)
      overlap_[k] = std::inner_product(bumps_[0].begin(), bumps_[0].end(), bumps_[k].begin(), 0.0);
    if (base_.family != Family::match) prepare_combinations();
  }

  Ceiling run(std::size_t n_trials) {
    const FlushSubnormals flush;  // likelihoods of unlikely pairs can be subnormal
    Mean decision, trial;
    for (std::size_t i = 0; i < n_trials; ++i) {
      key_ = {seed_, RandomPurpose::ideal_observer, Split::test, 0, static_cast<std::uint32_t>(i)};
      n_normals_ = 0;
      const Conditions c = battery_.draw(task_, key_);
      std::fill(posterior_.begin(), posterior_.end(), 0.0);
      switch (base_.family) {
        case Family::decision:
          observe_both(c);
          break;
        case Family::delayed_decision:
          observe_one_by_one(c);
          break;
        default:
          observe_sample_and_test(c);
          break;
      }
      const double total = std::accumulate(posterior_.begin(), posterior_.end(), 0.0);
      for (double& p : posterior_) p /= total;
      score(c, decision, trial);
    }
    return {decision.score(), trial.score()};
  }

 private:
  std::int32_t steps(const Conditions& c, Period period) const {
    return battery_.n_steps({c.duration[period_index(period)]});
  }

  /// Inner products of every bump with the mean of `n_steps` noisy observations of a modality.
  std::vector<double> observe(std::span<const std::pair<double, double>> angle_strength,
                              std::int32_t n_steps) {
    std::vector<float> mu(n_, 0.0f);
    for (const auto& [angle, strength] : angle_strength) ring_.add_bump(angle, strength, mu.data());
    const double deviation = sigma_ / std::sqrt(std::max(1, n_steps));
    std::vector<double> y(n_), products(n_);
    for (std::size_t k = 0; k < n_; ++k)
      y[k] = static_cast<double>(mu[k]) + deviation * normal(key_, n_normals_++);
    for (std::size_t k = 0; k < n_; ++k)
      products[k] = std::inner_product(y.begin(), y.end(), bumps_[k].begin(), 0.0);
    return products;
  }
  /// Weight of a unit of squared distance: 1 / variance of the mean, 0 if nothing was shown.
  double precision(std::int32_t n_steps) const { return n_steps / (sigma_ * sigma_); }

  /// exp(values - their maximum), in place.
  static void exponentiate(std::vector<double>& values) {
    constexpr double least = -746;  // exp of less is 0, and slow to compute
    const double largest = *std::ranges::max_element(values);
    for (double& v : values) v = v - largest < least ? 0 : std::exp(v - largest);
  }

  /// A strength in the first modality, combined with all strengths in the second. These are in
  /// second_, sorted by balance: with those before `first_tie` the second stimulus is the answer,
  /// with those from `first_wins` on the first one.
  struct Combinations {
    std::size_t first_tie, first_wins;
  };

  void prepare_combinations() {
    const bool in_order = base_.family == Family::delayed_decision;
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = in_order ? 0 : i + 1; j < n_; ++j)
        if (i != j) pairs_.push_back({i, j});
    strengths_ = strengths_of(base_.family);
    const bool without_ties = base_.counted == 3 && battery_.semantics().ties;
    const std::size_t n0 = base_.shows(0) ? strengths_.size() : 1;
    second_.resize(base_.shows(1) ? strengths_.size() : 1);
    std::iota(second_.begin(), second_.end(), std::size_t{0});
    const auto balance_of = [this](std::size_t i, std::size_t j) {
      return balance(base_, {strengths_[i], strengths_[j]});
    };
    std::ranges::stable_sort(second_, {}, [&](std::size_t j) { return balance_of(0, j); });
    for (std::size_t i = 0; i < n0; ++i) {
      Combinations c{0, 0};
      for (const std::size_t j : second_) {
        const double difference = balance_of(i, j);
        c.first_tie += !is_tie(difference) && difference < 0;
        c.first_wins += is_tie(difference) || difference < 0;
      }
      combinations_.push_back(c);
    }
    tie_wins_ = without_ties ? 0 : 0.5;
  }

  /// Pairs of directions are processed in groups, so that their sums stay in registers.
  static constexpr std::size_t pairs_together = 8;
  static std::size_t padded(std::size_t n_pairs) {
    return (n_pairs + pairs_together - 1) / pairs_together * pairs_together;
  }

  /// For each pair of directions, adds the weights of all combinations to its two directions.
  /// `likelihood` is that of each modality (strength, padded pair); empty if it is not shown.
  void add_combinations(const std::array<std::vector<double>, 2>& likelihood) {
    const std::size_t n = padded(pairs_.size());
    const std::vector<double> ones(n, 1.0);
    std::array<const double*, 2> from{};
    for (std::size_t m = 0; m < 2; ++m)
      from[m] = likelihood[m].empty() ? ones.data() : likelihood[m].data();
    using Sums = std::array<double, pairs_together>;
    // Sums over the strengths of the second modality: over the first k, and over those from k on.
    std::vector<Sums> before(second_.size() + 1), after(second_.size() + 1);
    for (std::size_t first = 0; first < pairs_.size(); first += pairs_together) {
      const auto of_second = [&](std::size_t k) { return from[1] + second_[k] * n + first; };
      for (std::size_t k = 0; k < second_.size(); ++k) add(before[k + 1], before[k], of_second(k));
      for (std::size_t k = second_.size(); k-- > 0;) add(after[k], after[k + 1], of_second(k));
      std::array<Sums, 2> wins{};
      for (std::size_t i = 0; i < combinations_.size(); ++i) {
        const auto [first_tie, first_wins] = combinations_[i];
        Sums tie{};
        for (std::size_t k = first_tie; k < first_wins; ++k) add(tie, tie, of_second(k));
        const double* x = from[0] + i * n + first;
        for (std::size_t p = 0; p < pairs_together; ++p) {
          wins[0][p] += x[p] * (after[first_wins][p] + tie_wins_ * tie[p]);
          wins[1][p] += x[p] * (before[first_tie][p] + tie_wins_ * tie[p]);
        }
      }
      for (std::size_t p = 0; p < std::min(pairs_together, pairs_.size() - first); ++p)
        for (std::size_t s = 0; s < 2; ++s) posterior_[pairs_[first + p][s]] += wins[s][p];
    }
  }

  static void add(std::array<double, pairs_together>& to,
                  const std::array<double, pairs_together>& sums, const double* values) {
    for (std::size_t p = 0; p < pairs_together; ++p) to[p] = sums[p] + values[p];
  }

  // Both stimuli at once. The strengths are symmetric in the two, so unordered pairs suffice.
  void observe_both(const Conditions& c) {
    const std::int32_t n_steps = steps(c, Period::stimulus);
    const double a = precision(n_steps);
    std::array<std::vector<double>, 2> likelihood;  // (strength, padded pair)
    for (std::size_t m = 0; m < 2; ++m) {
      if (!base_.shows(static_cast<int>(m))) continue;
      const std::array<std::pair<double, double>, 2> shown{
          {{c.directions[0], c.strength[m][0]}, {c.directions[1], c.strength[m][1]}}};
      const std::vector<double> y = observe(shown, n_steps);
      likelihood[m] = pair_likelihood_by_factors(y, a);
      const double most = *std::ranges::max_element(likelihood[m]);
      if (most > 1e-100)
        for (double& p : likelihood[m]) p *= 1 / most;
      else  // long stimuli or little noise: the factors of the best pairs may underflow to 0
        likelihood[m] = pair_likelihood(y, a);
    }
    add_combinations(likelihood);
  }

  /// (strength, padded pair) likelihood of pairs of directions shown at once, up to a factor. `y`:
  /// from observe; `a`: precision.
  std::vector<double> pair_likelihood(const std::vector<double>& y, double a) const {
    const std::size_t n = padded(pairs_.size());
    std::vector<double> likelihood(strengths_.size() * n, -std::numeric_limits<double>::infinity());
    for (std::size_t q = 0; q < strengths_.size(); ++q) {
      const auto [s, r] = strengths_[q];
      const double both = 0.5 * (s * s + r * r) * overlap_[0];
      double* to = likelihood.data() + q * n;
      for (std::size_t i = 0; i < n_; to += n_ - ++i) {
        const double *later = y.data() + i + 1, *overlap = overlap_.data() + 1;
        for (std::size_t k = 0; k + i + 1 < n_; ++k)
          to[k] = a * (s * y[i] + r * later[k] - both - s * r * overlap[k]);
      }
    }
    exponentiate(likelihood);
    return likelihood;
  }

  /// The same as a product of a factor per direction and one for the distance between them, each at
  /// most 1: needs a tenth of the exponentials.
  std::vector<double> pair_likelihood_by_factors(const std::vector<double>& y, double a) const {
    const std::size_t n = padded(pairs_.size());
    const double most = *std::ranges::max_element(y);
    const double least_overlap = *std::ranges::min_element(overlap_);
    std::vector<double> scale;  // (strength) logarithms of what the factors leave out
    for (const auto& [s, r] : strengths_)
      scale.push_back(
          a * ((s + r) * most - 0.5 * (s * s + r * r) * overlap_[0] - s * r * least_overlap));
    const double largest = *std::ranges::max_element(scale);
    std::vector<double> first(n_), second(n_), distance(n_);
    std::vector<double> likelihood(strengths_.size() * n);
    for (std::size_t q = 0; q < strengths_.size(); ++q) {
      const auto [s, r] = strengths_[q];
      const double common = std::exp(scale[q] - largest);
      for (std::size_t k = 0; k < n_; ++k) {
        first[k] = common * std::exp(a * s * (y[k] - most));
        second[k] = std::exp(a * r * (y[k] - most));
        distance[k] = std::exp(a * s * r * (least_overlap - overlap_[k]));
      }
      double* to = likelihood.data() + q * n;
      for (std::size_t i = 0; i < n_; to += n_ - ++i)
        for (std::size_t k = 0; k + i + 1 < n_; ++k)
          to[k] = first[i] * second[i + 1 + k] * distance[1 + k];
    }
    return likelihood;
  }

  // One stimulus after the other: the likelihood of a pair is a product.
  void observe_one_by_one(const Conditions& c) {
    const std::size_t n_strengths = strengths_.size(), n = padded(pairs_.size());
    std::array<std::vector<double>, 2> product;  // (strength, padded pair)
    for (std::size_t m = 0; m < 2; ++m) {
      if (!base_.shows(static_cast<int>(m))) continue;
      std::array<std::vector<double>, 2> likelihood;  // [stimulus] (strength, direction)
      for (std::size_t s = 0; s < 2; ++s) {
        const std::int32_t n_steps = steps(c, s == 0 ? Period::stimulus : Period::second_stimulus);
        const std::array<std::pair<double, double>, 1> shown{{{c.directions[s], c.strength[m][s]}}};
        const std::vector<double> y = observe(shown, n_steps);
        for (const auto& pair : strengths_)
          for (std::size_t k = 0; k < n_; ++k)
            likelihood[s].push_back(precision(n_steps) *
                                    (pair[s] * y[k] - 0.5 * pair[s] * pair[s] * overlap_[0]));
        exponentiate(likelihood[s]);
      }
      product[m].assign(n_strengths * n, 0.0);
      for (std::size_t q = 0; q < n_strengths; ++q) {
        const double *first = likelihood[0].data() + q * n_,
                     *second = likelihood[1].data() + q * n_;
        double* to = product[m].data() + q * n;
        for (std::size_t i = 0; i < n_; ++i) {
          for (std::size_t j = 0; j < i; ++j) *to++ = first[i] * second[j];
          for (std::size_t j = i + 1; j < n_; ++j) *to++ = first[i] * second[j];
        }
      }
    }
    add_combinations(product);
  }

  // The prior of draw_match: a coin decides on match, the sample is uniform, the test follows.
  void observe_sample_and_test(const Conditions& c) {
    const std::array<std::pair<double, double>, 1> sample{{{c.sample, 1}}}, test{{{c.test, 1}}};
    const std::array<std::int32_t, 2> n_steps{steps(c, Period::stimulus),
                                              steps(c, Period::second_stimulus)};
    std::array<std::vector<double>, 2> likelihood{observe(sample, n_steps[0]),
                                                  observe(test, n_steps[1])};
    for (std::size_t s = 0; s < 2; ++s) {
      for (double& v : likelihood[s]) v *= precision(n_steps[s]);
      exponentiate(likelihood[s]);
    }
    const std::size_t half = n_ / 2;
    for (std::size_t k = 0; k < n_; ++k)
      for (const bool match : {false, true}) {
        const auto add = [&](std::size_t j, double prior) {
          posterior_[match == base_.respond_to_match ? j : n_] +=
              prior * likelihood[0][k] * likelihood[1][j];
        };
        if (!base_.category) {
          add(match ? k : (k + half) % n_, 1);
          continue;
        }
        const bool upper = battery_.semantics().category_boundary ? k >= half : k > half;
        const std::size_t first = upper == match ? half : 0;
        for (std::size_t j = first; j < first + half; ++j) add(j, 1.0 / static_cast<double>(half));
      }
  }

  /// Best probability if response `k` and "none" count as one.
  double best(std::size_t k) const {
    double most = k < n_ ? posterior_[k] + posterior_[n_] : posterior_[n_];
    for (std::size_t r = 0; r < n_; ++r)
      if (r != k) most = std::max(most, posterior_[r]);
    return most;
  }

  void score(const Conditions& c, Mean& decision, Mean& trial) const {
    const std::int32_t n_steps = steps(c, Period::decision);
    const auto grace = std::min(grace_steps(battery_.config().dt), n_steps - 1);
    if (base_.family != Family::match || battery_.semantics().ring_wrap) {
      const double most = best(n_);
      decision.add(most);
      trial.add(most);
      return;
    }
    // Published ring_wrap: the response that looks like "none", at each step and throughout.
    const auto p = period_index(Period::delay);
    ResponsePath path = modifiers_.path(c.duration[p], steps(c, Period::delay));
    double sum = 0;
    std::vector<bool> always_none(n_, true);
    for (std::int32_t t = 0; t < n_steps; ++t) {
      std::size_t like_none = n_;
      for (std::size_t k = 0; k < n_; ++k) {
        path.begin(ring_, static_cast<std::int32_t>(k));
        if (path.target(ring_, t) == 0)
          like_none = k;
        else if (t >= grace)
          always_none[k] = false;
      }
      sum += best(like_none);
    }
    decision.add(sum / n_steps);
    const auto merged = std::ranges::find(always_none, true) - always_none.begin();
    trial.add(best(static_cast<std::size_t>(merged)));
  }

  const Battery& battery_;
  std::size_t task_;
  const BaseTask& base_;
  Ring ring_;
  std::size_t n_;
  double sigma_;
  Seed seed_;
  Modifiers modifiers_;
  std::vector<std::vector<float>> bumps_;  ///< (direction, channel)
  std::vector<double> overlap_;            ///< inner product of bumps k directions apart
  std::vector<Strengths> strengths_;
  std::vector<std::size_t> second_;                ///< strengths in the second modality, by balance
  std::vector<Combinations> combinations_;         ///< (strength in the first modality)
  double tie_wins_ = 0.5;                          ///< share of ties that each stimulus wins
  std::vector<std::array<std::size_t, 2>> pairs_;  ///< of directions, as observations list them
  std::vector<double> posterior_;                  ///< (direction), and last: no response
  Key key_{};
  std::uint32_t n_normals_ = 0;
};

/// Tasks with equal keys have the same ceiling: the same evidence about the same number of
/// responses.
using Likeness = std::tuple<Family, int, int, bool, bool, bool, std::string>;

Likeness likeness(const Battery& battery, std::size_t task) {
  const Task t = battery.tasks()[task];
  const BaseTask& base = t.base_task();
  // Only the durations of stimuli and decisions matter, and an override may set them for a task.
  const bool own = base.family == Family::match || !battery.config().durations.empty();
  return {base.family,
          std::popcount(base.shown),
          std::popcount(base.counted),
          base.category,
          base.respond_to_match,
          t.sequence != 0,
          own ? t.name() : std::string()};
}

void require_task(const Battery& battery, std::size_t task) {
  if (task >= battery.tasks().size())
    throw UsageError(fmt::format("ceiling: there is no task number {}; the battery has {}", task,
                                 battery.tasks().size()));
}

}  // namespace

std::int32_t grace_steps(double dt) noexcept {
  constexpr double grace_ms = 100;
  // The tolerance keeps 100 / 33.3333333333 at 3 steps.
  return static_cast<std::int32_t>(std::ceil(grace_ms / dt - 1e-9));
}

Ceiling ceiling(const Battery& battery, std::size_t task, Seed seed, std::size_t n_trials) {
  require_task(battery, task);
  // Without noise, a single step of a stimulus is enough to know it.
  if (battery.tasks()[task].base_task().family == Family::reach) return {{1, 0}, {1, 0}};
  return Observer(battery, task, seed).run(n_trials);
}

std::vector<Ceiling> ceilings(const Battery& battery, std::span<const std::size_t> tasks, Seed seed,
                              ThreadPool& pool, std::size_t n_trials,
                              const std::function<void(std::size_t, std::size_t)>& progress) {
  std::map<Likeness, std::size_t> first_like;
  std::vector<std::size_t> representative;
  for (const std::size_t task : tasks) require_task(battery, task);
  for (const std::size_t task : tasks)
    if (first_like.try_emplace(likeness(battery, task), representative.size()).second)
      representative.push_back(task);
  std::vector<Ceiling> distinct(representative.size()), result;
  std::mutex mutex;
  std::size_t n_done = 0;
  pool.for_each(distinct.size(), [&](std::size_t i) {
    distinct[i] = ceiling(battery, representative[i], seed, n_trials);
    if (!progress) return;
    const std::scoped_lock lock(mutex);
    progress(++n_done, distinct.size());
  });
  for (const std::size_t task : tasks)
    result.push_back(distinct[first_like.at(likeness(battery, task))]);
  return result;
}

}  // namespace lmrnn
