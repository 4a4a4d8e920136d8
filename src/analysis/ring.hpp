// Evidence for a ring attractor in the delay of reach tasks: seven tests with thresholds.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "analysis/dynamics.hpp"
#include "analysis/makers.hpp"
#include "analysis/numerics.hpp"

namespace lmrnn {

/// An angle read from the state by linear regression on (cos, sin).
class AngleDecoder {
 public:
  /// `states` (sample, unit), `angles` in rad.
  AngleDecoder(const Eigen::MatrixXd& states, const std::vector<double>& angles, double ridge);
  double angle(const Eigen::VectorXd& state) const;

 private:
  Regression regression_;
};

/// One of the seven tests.
struct RingTest {
  int number;
  std::string claim, measure, threshold;
  double value = 0;  ///< of the measure; NaN if it could not be taken
  bool applies = true;
  bool passed = false;
};

}  // namespace lmrnn
