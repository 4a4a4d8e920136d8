// How many dimensions activity has, and how similar two sets of activity are.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "lmrnn/analysis.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {

/// (sum of eigenvalues)^2 / sum of their squares: 1 for a line, n for n equal dimensions.
double participation_ratio(const Eigen::VectorXd& eigenvalues);

/// Linear centred kernel alignment of two (sample, unit) matrices with the same samples: 1 up to
/// rotation and scale (Kornblith et al., ICML 2019).
double linear_cka(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y);

/// Dynamical similarity (Ostrow et al., NeurIPS 2023): the angle, in rad, between the linear
/// operators fitted to two sets of trajectories, minimised over orthogonal changes of basis.
/// Each trajectory is (time, dimension); operators act on `rank` leading principal components of
/// `n_delays` stacked steps.
Eigen::MatrixXd delay_operator(const std::vector<Eigen::MatrixXd>& trajectories,
                               Eigen::Index n_delays, Eigen::Index rank);
double dynamical_distance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, std::size_t n_starts,
                          const Key& key);

/// The DSA of the reference package (dsa-metric) since its version 2: the mean squared distance in
/// the complex plane between the eigenvalues of two operators, under the one-to-one matching that
/// makes it least. It uses only eigenvalues, so operators that differ by any change of basis,
/// orthogonal or not, have distance 0. The smaller operator is padded with eigenvalues 0.
double spectral_distance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

/// Activity in trials of a task: one (time, unit) matrix per trial, from the end of fixation.
std::vector<Eigen::MatrixXd> task_activity(const Subject& subject, std::size_t task,
                                           std::span<const Conditions> conditions, Seed seed);
/// The trajectories, stacked along time.
Eigen::MatrixXd stacked(const std::vector<Eigen::MatrixXd>& trajectories);

}  // namespace lmrnn
