// Tests 5 and 6: how the state changes after a kick off the ring, and along it.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "analysis/numerics/numerics.hpp"
#include "analysis/ring/tests.hpp"
#include "analysis/work.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {

using Eigen::VectorXd;

namespace {

constexpr double least_preference = 0.01;  // share of the intact network's; below it, no answer

}  // namespace

void RingTests::off_ring() {
  const auto n_kicks = static_cast<std::size_t>(s_.options.kicks);
  const std::size_t n_steps = s_.steps(1000);
  std::vector<double> good(s_.n_trials, 0), remains(s_.n_trials * (n_kicks + 2)),
      moves(s_.n_trials * (n_kicks + 2));
  for_each_item(s_.context, s_.n_trials, "kick", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    const VectorXd tangent = p.tangent / std::max(p.tangent.norm(), 1e-300);
    const VectorXd rest = s_.dynamics.after(p.state, p.current, n_steps);
    const Key key{s_.context.seed, RandomPurpose::statistics, Split::test, 1,
                  static_cast<std::uint32_t>(k)};
    for (std::size_t j = 0; j < n_kicks + 2; ++j) {
      VectorXd kick = p.state * (j == n_kicks ? -0.5 : 1.0);  // gain x 0.5, x 2
      if (j < n_kicks) {
        for (Eigen::Index i = 0; i < kick.size(); ++i)
          kick[i] =
              normal(key, static_cast<std::uint32_t>(j * 100000 + static_cast<std::size_t>(i)));
        kick -= tangent * tangent.dot(kick);
        kick *= p.radius *
                (0.2 + 0.3 * uniform(key, static_cast<std::uint32_t>(j * 100000 + 99999))) /
                kick.norm();
      }
      const VectorXd end = s_.dynamics.after(p.state + kick, p.current, n_steps);
      VectorXd left = end - rest;
      left -= tangent * tangent.dot(left);
      const double remaining = left.norm() / std::max(kick.norm(), 1e-300);
      const double moved =
          std::abs(degrees(angle_between(s_.decoder->angle(end), s_.decoder->angle(rest))));
      remains[k * (n_kicks + 2) + j] = remaining;
      moves[k * (n_kicks + 2) + j] = moved;
      good[k] += (remaining < 0.1 && moved < 11) / static_cast<double>(n_kicks + 2);
    }
  });
  const std::string claim = "kicks off the ring die out within 1 s and leave the angle alone";
  const double share = mean_of(good);
  add(5, claim, "share of kicks of which < 10% remains and which move the angle < 11 degrees",
      share, ">= 0.9", share >= enough);
  add(5, claim, "median share of a kick that remains", median_of(remains), "< 0.1",
      median_of(remains) < 0.1);
}

void RingTests::along_ring() {
  const std::size_t n_steps = s_.steps(1000), decision = s_.steps(200);
  constexpr std::array<double, 4> kicks{-22.5, -11.25, 11.25, 22.5};
  std::vector<double> size(s_.n_trials * kicks.size()), moved(size.size());
  for_each_item(s_.context, s_.n_trials, "kick along the ring", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    const VectorXd answer_input = s_.dynamics.current(s_.circle.trials, s_.circle.delay_end, k);
    const auto response = [&](const VectorXd& state) {
      const VectorXd end =
          s_.dynamics.after(s_.dynamics.after(state, p.current, n_steps), answer_input, decision);
      return s_.response_angle(s_.dynamics.logits(end));
    };
    const double rest = response(p.state);
    for (std::size_t j = 0; j < kicks.size(); ++j) {
      size[k * kicks.size() + j] = kicks[j];
      moved[k * kicks.size() + j] = degrees(
          angle_between(response(p.state + p.tangent * (kicks[j] * std::numbers::pi / 180)), rest));
    }
  });
  const Line line = fit_line(size, moved);
  const std::string claim = "kicks along the ring move the answer; the memory is in the coupling";
  add(6, claim, "slope of the answer's shift against the kick", line.slope, "0.9 to 1.1",
      std::abs(line.slope - 1) <= 0.1);

  const Network uncoupled =
      without_synapses(s_.subject.network, synapses_between_units(s_.subject.network));
  const double trained = static_cast<double>(s_.trained_steps) * s_.dt;
  const Circle intact = s_.run_circle(s_.task, trained, {}, s_.subject.network);
  const Circle c = s_.run_circle(s_.task, trained, {}, uncoupled);
  const std::size_t t = std::min(c.delay_end + decision, c.decision_end) - 1;
  const auto logits_of = [t](const Simulation& run, std::size_t k) {
    VectorXd logits(static_cast<Eigen::Index>(run.n_classes));
    for (std::size_t i = 0; i < run.n_classes; ++i)
      logits[static_cast<Eigen::Index>(i)] = run.logits[(t * run.n_classes + i) * run.n_trials + k];
    return logits;
  };
  const bool anti = s_.subject.battery.tasks()[s_.task].base_task().anti;
  std::vector<double> errors;
  for (std::size_t k = 0; k < s_.n_trials; ++k) {
    const VectorXd logits = logits_of(c.run, k);
    // A leaky unit keeps e^(-t/tau) of the stimulus and, without noise, its exact angle: a trace
    // that does not count as an answer.
    const bool answers =
        s_.preference(logits) >= least_preference * s_.preference(logits_of(intact.run, k));
    const double answer = answers ? s_.response_angle(logits) : nan;
    const double right = s_.true_angle(k) + (anti ? std::numbers::pi : 0);
    // Without an answer, the error is that of a random answer: 90 degrees in the median.
    errors.push_back(std::isnan(answer) ? 90 : std::abs(degrees(angle_between(answer, right))));
  }
  const double median = median_of(errors);
  add(6, claim, "median error of the answer without synapses between units, degrees", median,
      "> 45", median > 45);
}

}  // namespace lmrnn
