// Evidence for a ring attractor in the delay of reach tasks: seven tests with thresholds.
#pragma once

#include <Eigen/Core>
#include <limits>
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

/// What the tests find in one condition (a direction in a modality).
struct RingCondition {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  double error = unknown;                    ///< degrees, at the end of the long delay
  double drift = unknown;                    ///< degrees per second
  double speed = unknown;                    ///< of the ring state, share of the radius per 100 ms
  double slow_angle = unknown;               ///< degrees, decoded at the slow point
  double first = unknown, second = unknown;  ///< moduli of the leading eigenvalues, per 100 ms
  double along = unknown;                    ///< cosine of the first eigenvector with the tangent
};

struct RingEvidence {
  std::vector<RingTest> tests;            ///< one per measure; a test has several
  std::vector<RingCondition> conditions;  ///< by trial of RingSetting::circle
};

class RingSetting;
RingEvidence ring_evidence(const RingSetting& setting);

}  // namespace lmrnn
