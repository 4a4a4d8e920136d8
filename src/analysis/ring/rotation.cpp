// Test 7: do int and seq turn the remembered angle?
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "analysis/numerics/numerics.hpp"
#include "analysis/ring/tests.hpp"

namespace lmrnn {

// Angular speed in a task with int (during the delay) or seq (during the decision) and in its base.
void RingTests::rotate_with(const std::string& r, const std::string& l, bool in_delay) {
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
      // One second later, well within the trained range.
      const std::size_t t = std::min(from + s_.steps(1000), to);
      const double elapsed = static_cast<double>(t - from) * s_.dt / 1000;
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

void RingTests::rotation() {
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

}  // namespace lmrnn
