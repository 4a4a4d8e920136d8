// Tests 1 and 2: memory of the angle. Also runs all tests in order.
#include "analysis/ring/tests.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <complex>

#include "analysis/numerics/numerics.hpp"

namespace lmrnn {

void RingTests::memory() {
  const Circle& c = s_.circle;
  const std::size_t last = c.delay_end - 1;
  const std::size_t from =
      std::min(c.delay_begin + s_.trained_steps - 1, last);  // end of the trained delay
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

void RingTests::no_grid() {
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

void RingTests::run() {
  memory();
  no_grid();
  slow_loop();
  spectrum();
  off_ring();
  along_ring();
  rotation();
}

RingEvidence ring_evidence(const RingSetting& setting) {
  RingTests tests(setting);
  tests.run();
  return {std::move(tests.tests), tests.conditions()};
}

}  // namespace lmrnn
