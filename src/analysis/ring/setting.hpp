// Delay trials of a reach task, and the values read from them, which the seven tests share.
#pragma once

#include <memory>
#include <optional>

#include "analysis/ring/ring.hpp"
#include "analysis/simulate.hpp"

namespace lmrnn {

/// Reach trials over a circle of directions, in both modalities, without noise: trial
/// m * n_angles + a has modality m and direction 2 pi a / n_angles.
struct Circle {
  TrialBatch trials;
  Simulation run;
  Eigen::MatrixXd decoded;  ///< (time, trial) rad; empty until there is a decoder
  std::size_t delay_begin = 0, delay_end = 0, decision_end = 0;  ///< steps

  /// Rotation of the decoded angle from step `from` to `to`, including full turns.
  double turned(std::size_t trial, std::size_t from, std::size_t to) const;
};

/// The ring in state space, one per modality, at the end of a delay.
struct RingPoint {
  Eigen::VectorXd state;    ///< two seconds into the long delay
  Eigen::VectorXd current;  ///< input during the delay
  Eigen::VectorXd tangent;  ///< d state / d angle, by central difference
  double radius = 0;        ///< of its ring
};

class RingSetting {
 public:
  RingSetting(const Subject& subject, const RingOptions& options, const AnalysisContext& context);

  const Subject& subject;
  const RingOptions& options;
  const AnalysisContext& context;
  std::size_t task;
  double dt;
  std::size_t n_angles, n_trials;  ///< n_trials = 2 n_angles
  Dynamics dynamics;
  std::size_t trained_steps;  ///< of the delay, on average
  Circle circle;              ///< the base task with the long delay
  std::unique_ptr<AngleDecoder> decoder;
  std::vector<RingPoint> points;

  double true_angle(std::size_t trial) const;
  std::size_t steps(double ms) const;  ///< at least 1
  /// Runs trials of another task of the same family (int, seq), or of this task with another delay
  /// or decision, or with another network. With noise inside the units, `repeat` is the number of
  /// the repetition.
  Circle run_circle(std::size_t task, double delay_ms, std::optional<double> decision_ms,
                    const Network& network, double sigma = 0, std::size_t repeat = 0) const;
  Eigen::MatrixXd decode(const Simulation& run) const;
  /// Angle of the answer: circular mean of directions weighted by the softmax of their logits. NaN
  /// if no direction is preferred.
  double response_angle(const Eigen::VectorXd& logits) const;
  /// Length of that circular mean: 0 if all directions have the same weight, 1 if one has all the
  /// weight.
  double preference(const Eigen::VectorXd& logits) const;

 private:
  void fit_decoder();
  void find_points();
};

}  // namespace lmrnn
