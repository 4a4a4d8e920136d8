// The seven tests that ring_evidence runs; docs/concepts/analysis-ring.md explains each.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "analysis/ring/ring.hpp"
#include "analysis/ring/setting.hpp"

namespace lmrnn {

class RingTests {
 public:
  explicit RingTests(const RingSetting& setting)
      : s_(setting),
        conditions_(setting.n_trials),
        per_100ms_(100 / setting.dt),
        tau_per_100ms_(per_100ms_ * setting.dynamics.alpha()) {}

  void run();
  std::vector<RingTest> tests;
  const std::vector<RingCondition>& conditions() const { return conditions_; }

  static constexpr double enough = 0.9;        ///< share of the conditions that must hold
  static constexpr double most_angle = 11.25;  ///< degrees: half a direction of 16

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
    tests.push_back({number, std::move(claim), std::move(why), "",
                     std::numeric_limits<double>::quiet_NaN(), false, false});
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
  std::vector<Eigen::VectorXd> slow_points_;
  double per_100ms_;      // steps in 100 ms
  double tau_per_100ms_;  // time constants in 100 ms
};

}  // namespace lmrnn
