// Evidence for a ring attractor in the delay of reach tasks: seven tests with thresholds.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <string>
#include <vector>

#include "analysis/numerics/dynamics.hpp"
#include "analysis/numerics/numerics.hpp"
#include "lmrnn/analysis.hpp"

namespace lmrnn {

struct RingOptions {
  std::string task = "dlygo";
  std::int64_t angles = 64;
  double long_delay = 5000;
  double ridge = 1e-3;
  double noise = 0.05;
  std::int64_t repeats = 8;
  std::int64_t kicks = 4;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("task", self.task, "a base task with a memory delay: dlygo or dlyanti");
    field("angles", self.angles, "directions of the stimulus, evenly spaced; at least twice n_ring",
          between(8, 1024));
    field("long_delay", self.long_delay, "delay over which memory is tested, ms", at_least(2000));
    field("ridge", self.ridge, "strength of the decoder's ridge, relative to the variance",
          at_least(0));
    field("noise", self.noise,
          "standard deviation of the noise inside f, times sqrt(tau / dt), with which diffusion is "
          "measured",
          at_least(0));
    field("repeats", self.repeats, "noisy trials per direction", between(1, 1000));
    field("kicks", self.kicks, "random kicks off the ring per direction", between(1, 1000));
  }
};

/// An angle decoded from the state by linear regression on (cos, sin).
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
  double value = 0;  ///< of the measure; NaN if it is unknown
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
