// The seven tests; docs/concepts/analysis-ring.md says what each asks.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "analysis/fixed_points.hpp"
#include "analysis/ring.hpp"
#include "analysis/ring_setting.hpp"
#include "analysis/work.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double enough = 0.9;                    // of the conditions
constexpr double most_angle = 11.25;              // degrees: half a direction of 16
const double slowest_decay = std::exp(-0.1 / 3);  // per 100 ms, at a time constant of 3 s

class Tests {
 public:
  explicit Tests(const RingSetting& setting)
      : s_(setting), conditions_(setting.n_trials), per_100ms_(100 / setting.dt) {}

  void run();
  std::vector<RingTest> tests;
  const std::vector<RingCondition>& conditions() const { return conditions_; }

 private:
  void memory();      // 1
  void no_grid();     // 2
  void slow_loop();   // 3
  void spectrum();    // 4
  void off_ring();    // 5
  void along_ring();  // 6
  void rotation();    // 7

  void add(int number, std::string claim, std::string measure, double value, std::string threshold,
           bool passed) {
    tests.push_back({number, std::move(claim), std::move(measure), std::move(threshold), value,
                     true, passed && std::isfinite(value)});
  }
  void not_applicable(int number, std::string claim, std::string why) {
    tests.push_back({number, std::move(claim), std::move(why), "", nan, false, false});
  }
  template <class Holds>
  double share(Holds holds) const {
    double n = 0;
    for (const RingCondition& c : conditions_) n += holds(c);
    return n / static_cast<double>(conditions_.size());
  }
  void rotate_with(const std::string& suffix_r, const std::string& suffix_l, bool in_delay);

  const RingSetting& s_;
  std::vector<RingCondition> conditions_;
  std::vector<VectorXd> slow_points_;
  double per_100ms_;
};

void Tests::memory() {
  const Circle& c = s_.circle;
  const std::size_t last = c.delay_end - 1;
  const std::size_t from =
      std::min(c.delay_begin + s_.trained_steps - 1, last);  // where training ended
  std::vector<double> errors;
  for (std::size_t k = 0; k < s_.n_trials; ++k) {
    RingCondition& row = conditions_[k];
    row.error = std::abs(degrees(
        angle_between(c.decoded(static_cast<Eigen::Index>(last), static_cast<Eigen::Index>(k)),
                      s_.true_angle(k))));
    row.drift = std::abs(degrees(c.turned(k, from, last))) * 1000 /
                (static_cast<double>(last - from) * s_.dt);
    errors.push_back(row.error);
  }
  const double median = median_of(errors);
  const std::string claim =
      fmt::format("the angle is remembered over {} s", s_.options.long_delay / 1000);
  add(1, claim, "median angular error, degrees", median, "< 11.25", median < most_angle);
  const double slow = share([](const RingCondition& x) { return x.drift < 5; });
  add(1, claim, "share of conditions that drift less than 5 degrees per s", slow, ">= 0.9",
      slow >= enough);
}

void Tests::no_grid() {
  const auto n_ring = static_cast<double>(s_.subject.battery.config().n_ring);
  double worst = 0;
  for (std::size_t m = 0; m < 2; ++m) {
    std::complex<double> sum = 0;
    for (std::size_t a = 0; a < s_.n_angles; ++a)
      sum += std::polar(
          1.0, n_ring * s_.circle.decoded(static_cast<Eigen::Index>(s_.circle.delay_end - 1),
                                          static_cast<Eigen::Index>(m * s_.n_angles + a)));
    worst = std::max(worst, std::abs(sum) / static_cast<double>(s_.n_angles));
  }
  add(2, "angles between the trained directions stay where they are",
      fmt::format("resultant length of {} times the end angle", n_ring), worst, "< 0.3",
      worst < 0.3);
}

void Tests::slow_loop() {
  slow_points_.resize(s_.n_trials);
  for_each_item(s_.context, s_.n_trials, "slow point", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    conditions_[k].speed =
        speed(s_.dynamics, p.state, p.current) * per_100ms_ / std::max(p.radius, 1e-12);
    // A memory that leaks slowly has one true fixed point, its end; slow points are what is meant.
    slow_points_[k] = minimise_speed(s_.dynamics, p.state, p.current,
                                     {.slow_enough = 0.002 * p.radius / per_100ms_});
    conditions_[k].slow_angle = degrees(s_.decoder->angle(slow_points_[k]));
  });
  const double slow = share([](const RingCondition& x) { return x.speed < 0.01; });
  const std::string claim = "states on the ring hardly move, and slow points form one loop";
  add(3, claim, "share of ring states slower than 1% of the radius per 100 ms", slow, ">= 0.9",
      slow >= enough);
  double widest = 0;
  for (std::size_t m = 0; m < 2; ++m) {
    std::vector<double> angles;
    for (std::size_t a = 0; a < s_.n_angles; ++a)
      angles.push_back(conditions_[m * s_.n_angles + a].slow_angle);
    std::ranges::sort(angles);
    for (std::size_t a = 0; a + 1 < angles.size(); ++a)
      widest = std::max(widest, angles[a + 1] - angles[a]);
    widest = std::max(widest, angles.front() + 360 - angles.back());
  }
  add(3, claim, "widest gap between the angles of neighbouring slow points, degrees", widest,
      "< 22.5", widest < 2 * most_angle);
}

void Tests::spectrum() {
  for_each_item(s_.context, s_.n_trials, "spectrum", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    const VectorXd slope = s_.dynamics.slope(slow_points_[k], p.current);
    const Eigen::Index n = std::min<Eigen::Index>(6, s_.dynamics.n_units());
    const Spectrum spectrum = leading_spectrum(s_.dynamics, slope, n, true);
    RingCondition& row = conditions_[k];
    row.first = std::pow(std::abs(spectrum.values[0]), per_100ms_);
    row.second =
        spectrum.values.size() > 1 ? std::pow(std::abs(spectrum.values[1]), per_100ms_) : 0;
    const VectorXd direction = spectrum.vectors.col(0).real();
    row.along =
        std::abs(direction.dot(p.tangent)) / std::max(direction.norm() * p.tangent.norm(), 1e-300);
  });
  const auto neutral = [](const RingCondition& c) {
    return c.first > slowest_decay && c.first < 1 / slowest_decay;
  };
  const std::string claim = "one neutral direction, along the ring; all others decay";
  const double one = share(neutral);
  add(4, claim, "share with an eigenvalue near 1 (time constant above 3 s)", one, ">= 0.9",
      one >= enough);
  const double along = share([](const RingCondition& c) { return c.along > 0.9; });
  add(4, claim, "share whose first eigenvector lies along the tangent (cosine above 0.9)", along,
      ">= 0.9", along >= enough);
  const double decay = share([](const RingCondition& c) { return c.second < 0.8; });
  add(4, claim, "share whose second eigenvalue is below 0.8 per 100 ms", decay, ">= 0.9",
      decay >= enough);
}

void Tests::off_ring() {
  const auto n_kicks = static_cast<std::size_t>(s_.options.kicks);
  const std::size_t n_steps = s_.steps(1000);
  std::vector<double> good(s_.n_trials, 0), remains(s_.n_trials * (n_kicks + 2)),
      moves(s_.n_trials * (n_kicks + 2));
  for_each_item(s_.context, s_.n_trials, "kick", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    const VectorXd tangent = p.tangent / std::max(p.tangent.norm(), 1e-300);
    const VectorXd rest = s_.dynamics.after(p.state, p.current, n_steps);
    const Key key{s_.context.seed, Stream::statistics, Split::test, 1,
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

void Tests::along_ring() {
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
  const Circle c =
      s_.run_circle(s_.task, static_cast<double>(s_.trained_steps) * s_.dt, {}, uncoupled);
  const bool anti = s_.subject.battery.tasks()[s_.task].base_task().anti;
  std::vector<double> errors;
  for (std::size_t k = 0; k < s_.n_trials; ++k) {
    VectorXd logits(static_cast<Eigen::Index>(c.run.n_classes));
    const std::size_t t = std::min(c.delay_end + 1, c.decision_end - 1);
    for (std::size_t i = 0; i < c.run.n_classes; ++i)
      logits[static_cast<Eigen::Index>(i)] =
          c.run.logits[(t * c.run.n_classes + i) * c.run.n_trials + k];
    errors.push_back(std::abs(degrees(angle_between(
        s_.response_angle(logits), s_.true_angle(k) + (anti ? std::numbers::pi : 0)))));
  }
  const double median = median_of(errors);
  add(6, claim, "median error of the answer without synapses between units, degrees", median,
      "> 45", median > 45);
}

// Angular speed in a task with int (during the delay) or seq (during the decision) and in its base.
void Tests::rotate_with(const std::string& r, const std::string& l, bool in_delay) {
  const Battery& battery = s_.subject.battery;
  const double omega = battery.config().omega * 1000;  // rad per s
  const double two_turns = 2 * 2 * std::numbers::pi / omega * 1000;
  const std::string what = in_delay ? "int" : "seq";
  std::vector<double> wanted, found, turns, transfer;
  const auto measure = [&](std::size_t task, double direction) {
    const double trained = static_cast<double>(s_.trained_steps) * s_.dt;
    Circle c =
        s_.run_circle(task, in_delay ? two_turns : trained,
                      in_delay ? std::nullopt : std::optional(two_turns), s_.subject.network);
    c.decoded = s_.decode(c.run);
    const std::size_t from = in_delay ? c.delay_begin : c.delay_end;
    const std::size_t to = (in_delay ? c.delay_end : c.decision_end) - 1;
    const double seconds = static_cast<double>(to - from) * s_.dt / 1000;
    for (std::size_t k = 0; k < s_.n_trials; ++k) {
      const double turned = c.turned(k, from, to);
      wanted.push_back(direction * omega);
      found.push_back(turned / seconds);
      if (direction == 0) continue;
      turns.push_back(direction * turned / (2 * std::numbers::pi));
      // A second into it, well within what was trained.
      const std::size_t t = std::min(from + s_.steps(1000), to);
      const double elapsed = static_cast<double>(t + 1 - from) * s_.dt / 1000;
      transfer.push_back(std::abs(degrees(
          angle_between(c.decoded(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(k)),
                        s_.true_angle(k) + direction * omega * elapsed))));
    }
  };
  const std::string base = battery.tasks()[s_.task].name();
  measure(s_.task, 0);
  measure(battery.index_of(base + r), 1);
  measure(battery.index_of(base + l), -1);
  const Line line = fit_line(wanted, found);
  const std::string claim = what + " is a rotation on the ring, at the speed omega";
  add(7, claim, what + ": slope of the angular speed against omega", line.slope, "0.9 to 1.1",
      std::abs(line.slope - 1) <= 0.1);
  add(7, claim, what + ": R squared", line.r_squared, "> 0.95", line.r_squared > 0.95);
  double past = 0;
  for (const double t : turns) past += t > 1;
  past /= static_cast<double>(turns.size());
  add(7, claim, what + ": share that goes on past one full turn", past, ">= 0.9", past >= enough);
  const double error = median_of(transfer);
  add(7, claim, what + ": median error of the decoder of " + base + " after 1 s, degrees", error,
      "< 22.5", error < 2 * most_angle);
}

void Tests::rotation() {
  const Battery& battery = s_.subject.battery;
  const std::string base = battery.tasks()[s_.task].name();
  const auto has = [&](const std::string& suffix) {
    return std::ranges::any_of(battery.tasks(),
                               [&](const Task& t) { return t.name() == base + suffix; });
  };
  const bool with_int = has("intr") && has("intl"), with_seq = has("seqr") && has("seql");
  if (with_int) rotate_with("intr", "intl", true);
  if (with_seq) rotate_with("seqr", "seql", false);
  if (!with_int && !with_seq)
    not_applicable(7, "int and seq are rotations on the ring, at the speed omega",
                   "the network knows neither int nor seq of " + base);
}

void Tests::run() {
  memory();
  no_grid();
  slow_loop();
  spectrum();
  off_ring();
  along_ring();
  rotation();
}

}  // namespace

RingEvidence ring_evidence(const RingSetting& setting) {
  Tests tests(setting);
  tests.run();
  return {std::move(tests.tests), tests.conditions()};
}

}  // namespace lmrnn
