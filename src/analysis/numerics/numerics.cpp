#include "analysis/numerics/numerics.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "lmrnn/evaluate.hpp"

namespace lmrnn {
double mean_of(std::span<const double> x) {
  if (x.empty()) return nan;
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double deviation_of(std::span<const double> x) {
  if (x.size() < 2) return 0;
  const double mean = mean_of(x);
  double sum = 0;
  for (const double v : x) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(x.size() - 1));
}

double median_of(std::vector<double> x) {
  if (x.empty()) return nan;
  std::ranges::sort(x);
  const std::size_t half = x.size() / 2;
  return x.size() % 2 ? x[half] : (x[half - 1] + x[half]) / 2;
}

namespace {

/// Means, and sums of squares and products about them.
struct Moments {
  double mx, my, xx = 0, yy = 0, xy = 0;
};

Moments moments(std::span<const double> x, std::span<const double> y) {
  Moments m{mean_of(x), mean_of(y)};
  for (std::size_t i = 0; i < x.size(); ++i) {
    m.xx += (x[i] - m.mx) * (x[i] - m.mx);
    m.yy += (y[i] - m.my) * (y[i] - m.my);
    m.xy += (x[i] - m.mx) * (y[i] - m.my);
  }
  return m;
}

}  // namespace

double correlation(std::span<const double> x, std::span<const double> y) {
  const auto [mx, my, xx, yy, xy] = moments(x, y);
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : nan;
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  const auto [mx, my, xx, yy, xy] = moments(x, y);
  Line line;
  line.slope = xx > 0 ? xy / xx : nan;
  line.intercept = my - line.slope * mx;
  line.r_squared = xx > 0 && yy > 0 ? xy * xy / (xx * yy) : nan;
  return line;
}

double angle_between(double a, double b) noexcept {
  return std::remainder(a - b, 2 * std::numbers::pi);
}

double degrees(double rad) noexcept {
  return rad * 180 / std::numbers::pi;
}

Regression ridge_regression(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, double ridge) {
  const Eigen::RowVectorXd mean_x = x.colwise().mean(), mean_y = y.colwise().mean();
  const Eigen::MatrixXd cx = x.rowwise() - mean_x, cy = y.rowwise() - mean_y;
  const double strength = std::max(ridge * cx.squaredNorm() / static_cast<double>(x.cols()), 1e-12);
  Regression r;
  if (x.cols() <= x.rows()) {
    Eigen::MatrixXd gram = cx.transpose() * cx;
    gram.diagonal().array() += strength;
    r.weights = gram.ldlt().solve(cx.transpose() * cy);
  } else {
    Eigen::MatrixXd gram = cx * cx.transpose();
    gram.diagonal().array() += strength;
    r.weights = cx.transpose() * gram.ldlt().solve(cy);
  }
  r.intercept = mean_y - mean_x * r.weights;
  return r;
}

std::vector<std::uint32_t> permutation(std::size_t n, const Key& key) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = n; i > 1; --i)
    std::swap(order[i - 1],
              order[integer(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i))]);
  return order;
}

std::size_t n_discoveries(std::vector<double> p_values, double rate) {
  std::ranges::sort(p_values);
  std::size_t n = 0;
  for (std::size_t i = 0; i < p_values.size(); ++i)
    if (p_values[i] <= rate * static_cast<double>(i + 1) / static_cast<double>(p_values.size()))
      n = i + 1;
  return n;
}

double wilson_upper(double share, double n) noexcept {
  return 1 - wilson_lower(1 - share, n);
}

}  // namespace lmrnn
