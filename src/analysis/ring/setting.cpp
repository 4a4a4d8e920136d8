#include "analysis/ring/setting.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

constexpr double settle_ms = 2000;  // from here on, the delay's states count as being on the ring

bool is_reach_with_delay(const Task& t) {
  return t.base_task().family == Family::reach && t.base_task().memory_delay && t.interval == 0 &&
         t.sequence == 0;
}

std::size_t reach_with_delay(const Battery& battery, const std::string& name) {
  const auto tasks = battery.tasks();
  std::vector<std::string> suitable;
  for (std::size_t task = 0; task < tasks.size(); ++task)
    if (is_reach_with_delay(tasks[task])) {
      if (tasks[task].name() == name) return task;
      suitable.push_back(tasks[task].name());
    }
  if (suitable.empty())
    throw UsageError(
        "ring needs a network that was trained on a reach task that remembers, dlygo or dlyanti; "
        "its "
        "battery has neither");
  throw UsageError(
      fmt::format("task = \"{}\": ring needs a reach task that remembers, and this battery has "
                  "\"{}\"; give one of them",
                  name, fmt::join(suitable, "\", \"")));
}

// Test 2 needs angles between the trained directions.
std::size_t enough_angles(std::int64_t angles, const Battery& battery) {
  const auto n_ring = static_cast<std::int64_t>(battery.config().n_ring);
  if (angles < 2 * n_ring)
    throw UsageError(
        fmt::format("angles = {}: at least {} are needed, twice the {} trained directions", angles,
                    2 * n_ring, n_ring));
  return static_cast<std::size_t>(angles);
}

std::size_t mean_steps(const Duration& duration, const Battery& battery) {
  double sum = 0;
  for (const double ms : duration.values) sum += ms;
  const double mean = sum / static_cast<double>(duration.values.size());
  return static_cast<std::size_t>(std::max(1, battery.n_steps({mean})));
}

// Test 1 measures drift from the end of the trained delay to the end of the long one.
double longer_delay(double long_delay, std::size_t trained_steps, const Battery& battery) {
  if (static_cast<std::size_t>(battery.n_steps({long_delay})) <= trained_steps) {
    const double trained = static_cast<double>(trained_steps) * battery.config().dt;
    throw UsageError(fmt::format(
        "long_delay = {:g}: the delays of the battery last {:g} ms on average, and ring "
        "tests memory beyond them; set long_delay = {:g}",
        long_delay, trained, 4 * trained));
  }
  return long_delay;
}

}  // namespace

AngleDecoder::AngleDecoder(const Eigen::MatrixXd& states, const std::vector<double>& angles,
                           double ridge) {
  Eigen::MatrixXd y(states.rows(), 2);
  for (Eigen::Index i = 0; i < states.rows(); ++i) {
    y(i, 0) = std::cos(angles[static_cast<std::size_t>(i)]);
    y(i, 1) = std::sin(angles[static_cast<std::size_t>(i)]);
  }
  regression_ = ridge_regression(states, y, ridge);
}

double AngleDecoder::angle(const Eigen::VectorXd& state) const {
  const Eigen::RowVector2d y = state.transpose() * regression_.weights + regression_.intercept;
  return std::atan2(y[1], y[0]);
}

double Circle::turned(std::size_t trial, std::size_t from, std::size_t to) const {
  double sum = 0;
  const auto k = static_cast<Eigen::Index>(trial);
  for (std::size_t t = from; t < to; ++t)
    sum += angle_between(decoded(static_cast<Eigen::Index>(t + 1), k),
                         decoded(static_cast<Eigen::Index>(t), k));
  return sum;
}

RingSetting::RingSetting(const Subject& s, const RingOptions& o, const AnalysisContext& c)
    : subject(s),
      options(o),
      context(c),
      task(reach_with_delay(s.battery, o.task)),
      dt(s.battery.config().dt),
      n_angles(enough_angles(o.angles, s.battery)),
      n_trials(2 * n_angles),
      dynamics(s.network),
      trained_steps(mean_steps(s.battery.durations(task)[period_index(Period::delay)], s.battery)),
      circle(
          run_circle(task, longer_delay(o.long_delay, trained_steps, s.battery), {}, s.network)) {
  fit_decoder();
  circle.decoded = decode(circle.run);
  find_points();
}

double RingSetting::true_angle(std::size_t trial) const {
  return 2 * std::numbers::pi * static_cast<double>(trial % n_angles) /
         static_cast<double>(n_angles);
}

std::size_t RingSetting::steps(double ms) const {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(ms / dt)));
}

Circle RingSetting::run_circle(std::size_t of_task, double delay_ms,
                               std::optional<double> decision_ms, const Network& network,
                               double sigma, std::size_t repeat) const {
  Conditions base =
      subject.battery.draw(of_task, {context.seed, RandomPurpose::conditions, Split::test});
  base.noise = false;
  base.duration[period_index(Period::delay)] = delay_ms;
  if (decision_ms) base.duration[period_index(Period::decision)] = *decision_ms;
  std::vector<Conditions> conditions(n_trials, base);
  for (std::size_t k = 0; k < n_trials; ++k) {
    conditions[k].modality = static_cast<int>(k / n_angles);
    conditions[k].direction = true_angle(k);
  }
  Circle made{compose_task(subject.battery, of_task, conditions, context.seed), {}, {}, 0, 0, 0};
  made.run =
      simulate(network, subject.battery, made.trials, sigma, context.seed, repeat * n_trials);
  const PeriodSpan delay = span_of(made.trials, 0, Period::delay);
  made.delay_begin = static_cast<std::size_t>(delay.first);
  made.delay_end = static_cast<std::size_t>(delay.last);
  made.decision_end = made.trials.n_steps;
  return made;
}

// Fits the decoder on the end of a delay of the trained length.
void RingSetting::fit_decoder() {
  const std::size_t last = std::min(trained_steps, circle.delay_end - circle.delay_begin);
  const std::size_t first = last > 2 ? last - 2 : 0;  // only the end of the delay, after transients
  Eigen::MatrixXd states(static_cast<Eigen::Index>((last - first) * n_trials), dynamics.n_units());
  std::vector<double> angles;
  for (std::size_t t = first; t < last; ++t)
    for (std::size_t k = 0; k < n_trials; ++k) {
      states.row(static_cast<Eigen::Index>(angles.size())) =
          circle.run.state_at(circle.delay_begin + t, k).transpose();
      angles.push_back(true_angle(k));
    }
  decoder = std::make_unique<AngleDecoder>(states, angles, options.ridge);
}

Eigen::MatrixXd RingSetting::decode(const Simulation& run) const {
  Eigen::MatrixXd angles(static_cast<Eigen::Index>(run.n_steps),
                         static_cast<Eigen::Index>(run.n_trials));
  for (std::size_t t = 0; t < run.n_steps; ++t)
    for (std::size_t k = 0; k < run.n_trials; ++k)
      angles(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(k)) =
          decoder->angle(run.state_at(t, k));
  return angles;
}

void RingSetting::find_points() {
  const std::size_t t = std::min(circle.delay_begin + steps(settle_ms), circle.delay_end) - 1;
  points.resize(n_trials);
  for (std::size_t k = 0; k < n_trials; ++k) {
    points[k].state = circle.run.state_at(t, k);
    points[k].current = dynamics.current(circle.trials, t, k);
  }
  for (std::size_t m = 0; m < 2; ++m) {
    Eigen::VectorXd centre = Eigen::VectorXd::Zero(dynamics.n_units());
    for (std::size_t a = 0; a < n_angles; ++a)
      centre += points[m * n_angles + a].state / static_cast<double>(n_angles);
    double radius = 0;
    for (std::size_t a = 0; a < n_angles; ++a)
      radius += (points[m * n_angles + a].state - centre).norm() / static_cast<double>(n_angles);
    const double apart = 2 * std::numbers::pi / static_cast<double>(n_angles);
    for (std::size_t a = 0; a < n_angles; ++a) {
      RingPoint& p = points[m * n_angles + a];
      const RingPoint& next = points[m * n_angles + (a + 1) % n_angles];
      const RingPoint& last = points[m * n_angles + (a + n_angles - 1) % n_angles];
      p.tangent = (next.state - last.state) / (2 * apart);
      p.radius = radius;
    }
  }
}

namespace {

// Mean of the directions of the ring, weighted by the softmax of their logits.
std::complex<double> mean_direction(const Eigen::VectorXd& logits) {
  const Eigen::Index n = logits.size() - 1;
  const double best = logits.tail(n).maxCoeff();
  double x = 0, y = 0, sum = 0;
  for (Eigen::Index k = 0; k < n; ++k) {
    const double weight = std::exp(logits[1 + k] - best);
    sum += weight;
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
    x += weight * std::cos(angle);
    y += weight * std::sin(angle);
  }
  return {x / sum, y / sum};
}

}  // namespace

double RingSetting::response_angle(const Eigen::VectorXd& logits) const {
  const std::complex<double> mean = mean_direction(logits);
  // If all directions are equal up to rounding, there is no answer.
  return std::abs(mean) < 1e-6 ? nan : std::arg(mean);
}

double RingSetting::preference(const Eigen::VectorXd& logits) const {
  return std::abs(mean_direction(logits));
}

}  // namespace lmrnn
