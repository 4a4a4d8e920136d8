// Small numerical tools that several analyses share.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "lmrnn/random.hpp"

namespace lmrnn {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> x);       ///< NaN if empty
double deviation_of(std::span<const double> x);  ///< sample standard deviation; 0 for n < 2
double median_of(std::vector<double> x);         ///< NaN if empty
double correlation(std::span<const double> x, std::span<const double> y);  ///< NaN if constant

/// Least-squares line y = intercept + slope x.
struct Line {
  double intercept = 0, slope = 0, r_squared = 0;
};
Line fit_line(std::span<const double> x, std::span<const double> y);

/// Difference of angles in (-pi, pi].
double angle_between(double a, double b) noexcept;
double degrees(double rad) noexcept;

/// Ridge regression of the rows of `y` on those of `x` (sample, feature), with intercept; `ridge`
/// is relative to the mean variance of the features. Solved in the smaller of the two spaces.
struct Regression {
  Eigen::MatrixXd weights;       ///< (feature, output)
  Eigen::RowVectorXd intercept;  ///< (output)
  Eigen::MatrixXd predict(const Eigen::MatrixXd& x) const {
    return (x * weights).rowwise() + intercept;
  }
};
Regression ridge_regression(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, double ridge);

/// A random order of 0 ... n - 1.
std::vector<std::uint32_t> permutation(std::size_t n, const Key& key);

/// How many of these tests are significant at a false discovery rate of `rate` (Benjamini &
/// Hochberg, J. R. Stat. Soc. B 57:289, 1995).
std::size_t n_discoveries(std::vector<double> p_values, double rate);

/// Upper end of the 95% Wilson interval (lower end: wilson_lower).
double wilson_upper(double share, double n) noexcept;

}  // namespace lmrnn
