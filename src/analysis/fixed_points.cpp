#include "analysis/fixed_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/makers.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;

// Minimises |A d + r|^2 + damping |d|^2 with A = J - I, by conjugate gradients on the normal
// equations.
VectorXd damped_step(const Dynamics& dynamics, const VectorXd& slope, const VectorXd& r,
                     double damping, std::int64_t n_inner) {
  const auto forward = [&](const VectorXd& v) -> VectorXd {
    return dynamics.apply_jacobian(slope, v) - v;
  };
  const auto backward = [&](const VectorXd& v) -> VectorXd {
    return dynamics.apply_transposed(slope, v) - v;
  };
  VectorXd d = VectorXd::Zero(r.size());
  VectorXd residual = -backward(r), direction = residual;
  double square = residual.squaredNorm();
  const double enough = 1e-24 * square;
  for (std::int64_t i = 0; i < n_inner && square > enough && square > 0; ++i) {
    const VectorXd along = forward(direction);
    const double curvature = along.squaredNorm() + damping * direction.squaredNorm();
    if (!(curvature > 0)) break;
    const double length = square / curvature;
    d += length * direction;
    residual -= length * (backward(along) + damping * direction);
    const double next = residual.squaredNorm();
    direction = residual + next / square * direction;
    square = next;
  }
  return d;
}

}  // namespace

double speed(const Dynamics& dynamics, const VectorXd& h, const VectorXd& current) {
  return (dynamics.step(h, current) - h).norm();
}

VectorXd minimise_speed(const Dynamics& dynamics, const VectorXd& start, const VectorXd& current,
                        const Minimisation& options) {
  VectorXd h = start, r = dynamics.step(h, current) - h;
  double damping = 1e-2;
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    if (r.norm() <= std::max(options.slow_enough, options.speed_tolerance * (1 + h.norm()))) break;
    const VectorXd d = damped_step(dynamics, dynamics.slope(h, current), r, damping, options.inner);
    const VectorXd next = h + d;
    const VectorXd next_r = dynamics.step(next, current) - next;
    if (next_r.squaredNorm() < r.squaredNorm()) {
      const bool stalled = next_r.norm() > (1 - 1e-6) * r.norm();
      h = next;
      r = next_r;
      damping = std::max(damping / 5, 1e-12);
      if (stalled) break;
    } else {
      damping *= 4;
      if (damping > 1e8) break;
    }
  }
  return h;
}

std::string_view stability_name(Stability stability) {
  switch (stability) {
    case Stability::attractor:
      return "attractor";
    case Stability::marginal:
      return "marginal";
    case Stability::rotation:
      return "rotation";
    case Stability::saddle:
      return "saddle";
    case Stability::repeller:
      return "repeller";
  }
  return "?";
}

Stability classify(std::span<const std::complex<double>> eigenvalues, std::size_t n_units,
                   double tolerance, std::size_t& n_unstable, std::size_t& n_marginal) {
  n_unstable = n_marginal = 0;
  bool real_marginal = false;
  for (const std::complex<double>& lambda : eigenvalues) {
    const double modulus = std::abs(lambda);
    if (modulus > 1 + tolerance) ++n_unstable;
    if (std::abs(modulus - 1) > tolerance) continue;
    ++n_marginal;
    real_marginal = real_marginal || std::abs(lambda - 1.0) <= tolerance;
  }
  if (n_unstable == n_units) return Stability::repeller;
  if (n_unstable > 0) return Stability::saddle;
  if (real_marginal) return Stability::marginal;
  return n_marginal > 0 ? Stability::rotation : Stability::attractor;
}

std::vector<FixedPoint> merge_points(std::vector<FixedPoint> points, double distance, double slow) {
  std::vector<FixedPoint> kept;
  for (FixedPoint& point : points) {
    if (!(point.speed <= slow)) continue;
    const auto twin = std::ranges::find_if(kept, [&](const FixedPoint& other) {
      return (other.state - point.state).norm() <= distance;
    });
    if (twin == kept.end()) {
      kept.push_back(std::move(point));
    } else {
      twin->n_starts += point.n_starts;
      if (point.speed < twin->speed) {
        twin->state = std::move(point.state);
        twin->speed = point.speed;
      }
    }
  }
  return kept;
}

double time_constant(double modulus, double dt) {
  if (!(modulus > 0)) return 0;
  return std::abs(modulus - 1) < 1e-15 ? std::numeric_limits<double>::infinity()
                                       : -dt / std::log(modulus);
}

// The analysis ------------------------------------------------------------------------------------

namespace {

// Where the minimisation begins, and under which input.
struct Start {
  VectorXd state, current;
  std::size_t trial;
};

Period wanted_period(const FixedPointOptions& options, const Battery& battery, std::size_t task) {
  if (options.period != PeriodChoice::automatic)
    return static_cast<Period>(static_cast<int>(options.period) - 1);
  return has_period(battery, task, Period::delay) ? Period::delay : Period::stimulus;
}

std::vector<Start> starts_of(const Subject& subject, const FixedPointOptions& options,
                             const Dynamics& dynamics, std::size_t task, Seed seed) {
  const Battery& battery = subject.battery;
  const Period period = wanted_period(options, battery, task);
  const auto n = static_cast<std::size_t>(options.starts);
  const TrialBatch trials = test_trials(battery, task, n, seed, false);
  const Simulation run = simulate(subject.network, battery, trials);
  std::vector<Start> starts;
  for (std::size_t k = 0; k < n; ++k) {
    const PeriodSpan span = span_of(trials, k, period);
    if (span.last == span.first) continue;
    const auto last = static_cast<std::size_t>(span.last - 1);
    starts.push_back({run.state_at(last, k), dynamics.current(trials, last, k), k});
  }
  return starts;
}

struct TaskPoints {
  std::size_t task = 0, n_starts = 0;
  std::vector<FixedPoint> points;
  double scale = 0;  // typical norm of the states from which the search began
};

// Points found under different inputs are different points, however near.
std::vector<FixedPoint> merge_by_input(std::vector<FixedPoint> points,
                                       const std::vector<Start>& starts, double distance,
                                       double slow) {
  std::vector<std::size_t> group(starts.size());
  std::vector<std::size_t> leaders;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const auto leader = std::ranges::find_if(leaders, [&](std::size_t other) {
      return (starts[other].current - starts[s].current).norm() <=
             1e-6 * (1 + starts[s].current.norm());
    });
    group[s] = static_cast<std::size_t>(leader - leaders.begin());
    if (leader == leaders.end()) leaders.push_back(s);
  }
  std::vector<FixedPoint> merged;
  for (std::size_t g = 0; g < leaders.size(); ++g) {
    std::vector<FixedPoint> members;
    for (std::size_t s = 0; s < points.size(); ++s)
      if (group[s] == g) members.push_back(std::move(points[s]));
    for (FixedPoint& point : merge_points(std::move(members), distance, slow))
      merged.push_back(std::move(point));
  }
  return merged;
}

TaskPoints find_points(const Subject& subject, const FixedPointOptions& options,
                       const Dynamics& dynamics, std::size_t task, const AnalysisContext& context) {
  const std::vector<Start> starts = starts_of(subject, options, dynamics, task, context.seed);
  TaskPoints found{task, starts.size(), {}, 0};
  if (starts.empty()) return found;
  for (const Start& s : starts) found.scale += s.state.norm() / static_cast<double>(starts.size());
  const Minimisation minimisation{.iterations = options.iterations};
  std::vector<FixedPoint> points(starts.size());
  const std::string name = subject.battery.tasks()[task].name();
  for_each_item(context, starts.size(), "start of " + name, [&](std::size_t s) {
    points[s].state = minimise_speed(dynamics, starts[s].state, starts[s].current, minimisation);
    points[s].speed = speed(dynamics, points[s].state, starts[s].current);
    points[s].n_starts = 1;
    points[s].first_start = s;
  });
  found.points = merge_by_input(std::move(points), starts, options.merge * found.scale,
                                options.slow * std::max(found.scale, 1e-12));
  for_each_item(context, found.points.size(), "linearisation in " + name, [&](std::size_t i) {
    FixedPoint& point = found.points[i];
    const VectorXd slope = dynamics.slope(point.state, starts[point.first_start].current);
    point.eigenvalues = leading_spectrum(dynamics, slope, options.eigenvalues, false).values;
    point.stability = classify(point.eigenvalues, static_cast<std::size_t>(dynamics.n_units()),
                               options.marginal, point.n_unstable, point.n_marginal);
    point.first_start = starts[point.first_start].trial;
  });
  return found;
}

void add_rows(const Subject& subject, const FixedPointOptions& options, const Dynamics& dynamics,
              const TaskPoints& found, Table& table) {
  const double dt = subject.battery.config().dt;
  const Period period = wanted_period(options, subject.battery, found.task);
  const Task& task = subject.battery.tasks()[found.task];
  std::int64_t number = 0;
  for (const FixedPoint& p : found.points) {
    const std::complex<double> first = p.eigenvalues.front();
    const double relative = p.speed / found.scale;
    Eigen::Index answer = 0;
    dynamics.logits(p.state).maxCoeff(&answer);
    table.add({task.name(), std::string(period_name(task.base_task().family, period)), number++,
               static_cast<std::int64_t>(p.n_starts), relative,
               std::string(relative <= options.fixed ? "fixed" : "slow"),
               std::string(stability_name(p.stability)), static_cast<std::int64_t>(p.n_unstable),
               static_cast<std::int64_t>(p.n_marginal), first.real(), first.imag(),
               time_constant(std::abs(first), dt),
               std::abs(std::arg(first)) / (2 * std::numbers::pi * dt) * 1000, p.state.norm(),
               static_cast<std::int64_t>(answer), static_cast<std::int64_t>(p.first_start)});
  }
}

void add_arrays(const TaskPoints& found, const std::string& task, Recording& to) {
  if (found.points.empty()) return;
  const std::size_t n = found.points.size();
  const auto n_units = static_cast<std::size_t>(found.points.front().state.size());
  std::vector<double> states, real, imaginary;
  std::size_t n_values = found.points.front().eigenvalues.size();
  for (const FixedPoint& p : found.points) n_values = std::min(n_values, p.eigenvalues.size());
  for (const FixedPoint& p : found.points) {
    states.insert(states.end(), p.state.begin(), p.state.end());
    for (std::size_t k = 0; k < n_values; ++k) {
      real.push_back(p.eigenvalues[k].real());
      imaginary.push_back(p.eigenvalues[k].imag());
    }
  }
  to.add<double>(task + "/states", states, {n, n_units}, {"point", "unit"});
  to.add<double>(task + "/eigenvalues_real", real, {n, n_values}, {"point", "eigenvalue"});
  to.add<double>(task + "/eigenvalues_imaginary", imaginary, {n, n_values},
                 {"point", "eigenvalue"});
}

}  // namespace

AnalysisResult fixed_points(const Subject& subject, const FixedPointOptions& options,
                            const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const Dynamics dynamics(subject.network);
  Table table{"fixed_points",
              {"task", "period", "point", "starts", "speed", "kind", "stability", "unstable",
               "marginal", "eigenvalue_real", "eigenvalue_imaginary", "time_constant_ms",
               "frequency_hz", "norm", "answer", "first_trial"},
              {},
              "Fixed and slow points under constant input"};
  Table counts{"by_task",
               {"task", "starts", "points", "fixed", "slow", "attractor", "marginal", "rotation",
                "saddle", "repeller"},
               {},
               "Points by task"};
  Recording arrays;
  arrays.name = "fixed_points";
  std::int64_t n_points = 0, n_fixed = 0;
  for (const std::size_t task : tasks) {
    const TaskPoints found = find_points(subject, options, dynamics, task, context);
    const std::string name = subject.battery.tasks()[task].name();
    add_rows(subject, options, dynamics, found, table);
    add_arrays(found, name, arrays);
    std::array<std::int64_t, 5> by_class{};
    std::int64_t fixed = 0;
    for (const FixedPoint& p : found.points) {
      ++by_class[static_cast<std::size_t>(p.stability)];
      fixed += p.speed / found.scale <= options.fixed;
    }
    const auto n = static_cast<std::int64_t>(found.points.size());
    counts.add({name, static_cast<std::int64_t>(found.n_starts), n, fixed, n - fixed, by_class[0],
                by_class[1], by_class[2], by_class[3], by_class[4]});
    n_points += n;
    n_fixed += fixed;
  }
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.headline("points", n_points);
  result.headline("fixed", n_fixed);
  result.headline("slow", n_points - n_fixed);
  result.tables = {std::move(counts), std::move(table)};
  result.recordings.push_back(std::move(arrays));
  return result;
}

}  // namespace lmrnn
