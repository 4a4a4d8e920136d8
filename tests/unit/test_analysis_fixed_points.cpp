// Fixed points of networks whose fixed points are known.
#include <gtest/gtest.h>

#include <numbers>

#include "analysis/fixed_points.hpp"
#include "analysis_networks.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;
using testing::Matrix;
using testing::Weights;

Network two_units(float a, float b, float c, float d, double alpha, Activation activation) {
  Weights w(2, 1, 1, 2);
  w.recurrent << a, b, c, d;
  return testing::make_network(w, alpha, activation);
}

struct Found {
  std::vector<FixedPoint> points;
  std::size_t unstable = 0, marginal = 0;
};

Found search(const Dynamics& dynamics, const std::vector<VectorXd>& starts, const VectorXd& c,
             double merge) {
  std::vector<FixedPoint> points;
  for (const VectorXd& start : starts) {
    FixedPoint p;
    p.state = minimise_speed(dynamics, start, c, {});
    p.speed = speed(dynamics, p.state, c);
    p.n_starts = 1;
    points.push_back(p);
  }
  Found found{merge_points(points, merge, 1e-6)};
  for (FixedPoint& p : found.points) {
    p.eigenvalues = leading_spectrum(dynamics, dynamics.slope(p.state, c),
                                     std::min<Eigen::Index>(10, dynamics.n_units()), false)
                        .values;
    p.stability = classify(p.eigenvalues, static_cast<std::size_t>(dynamics.n_units()), 0.02,
                           p.n_unstable, p.n_marginal);
  }
  return found;
}

std::vector<VectorXd> grid(double reach) {
  std::vector<VectorXd> starts;
  for (int i = -3; i <= 3; ++i)
    for (int j = -3; j <= 3; ++j) starts.push_back(Eigen::Vector2d(i, j) * (reach / 3));
  return starts;
}

// tanh with self-excitation 2: h = tanh(2 h) has the solutions 0 and +-0.957504.
TEST(FixedPoints, EveryPointOfABistablePairIsFound) {
  const Dynamics dynamics(two_units(2, 0, 0, 2, 1, Activation::tanh));
  const Found found = search(dynamics, grid(1.2), VectorXd::Zero(2), 1e-4);
  ASSERT_EQ(found.points.size(), 9u);
  std::array<int, 5> by_class{};
  for (const FixedPoint& p : found.points) {
    ++by_class[static_cast<std::size_t>(p.stability)];
    for (const double x : p.state)
      EXPECT_LT(std::min(std::abs(x), std::abs(std::abs(x) - 0.9575040240772687)), 1e-6);
  }
  EXPECT_EQ(by_class[static_cast<std::size_t>(Stability::attractor)], 4);
  EXPECT_EQ(by_class[static_cast<std::size_t>(Stability::saddle)], 4);
  EXPECT_EQ(by_class[static_cast<std::size_t>(Stability::repeller)], 1);
}

// relu(W h) with W = (1/2)(1, 1; 1, 1): every point of the half line h0 = h1 >= 0 stays.
TEST(FixedPoints, ALineIsALineOfMarginalPoints) {
  const Dynamics dynamics(two_units(.5f, .5f, .5f, .5f, .5, Activation::relu));
  const std::vector<VectorXd> starts{Eigen::Vector2d(1, 0.2), Eigen::Vector2d(2, 2.5),
                                     Eigen::Vector2d(4, 3)};
  const Found found = search(dynamics, starts, VectorXd::Zero(2), 1e-3);
  ASSERT_EQ(found.points.size(), 3u);
  for (const FixedPoint& p : found.points) {
    EXPECT_NEAR(p.state[0], p.state[1], 1e-8);
    EXPECT_EQ(p.stability, Stability::marginal);
    EXPECT_EQ(p.n_marginal, 1u);
    EXPECT_NEAR(p.eigenvalues[0].real(), 1, 1e-6);
    EXPECT_NEAR(p.eigenvalues[1].real(), 0.5, 1e-6);  // 1 - alpha
  }
}

// tanh around 0 with W = r (cos, -sin; sin, cos): eigenvalues r exp(+-i phi).
TEST(FixedPoints, ARotationHasItsAngleAndItsDecay) {
  for (const double r : {0.9, 1.0, 1.2}) {
    const double phi = std::numbers::pi / 8;
    const auto cosine = static_cast<float>(r * std::cos(phi)),
               sine = static_cast<float>(r * std::sin(phi));
    const Dynamics dynamics(two_units(cosine, -sine, sine, cosine, 1, Activation::tanh));
    const Found found = search(dynamics, {Eigen::Vector2d(0.1, 0.05)}, VectorXd::Zero(2), 1e-3);
    ASSERT_EQ(found.points.size(), 1u);
    const FixedPoint& p = found.points[0];
    EXPECT_LT(p.state.norm(), 1e-4);
    EXPECT_NEAR(std::arg(p.eigenvalues[0]), phi, 1e-5);
    EXPECT_NEAR(std::abs(p.eigenvalues[0]), r, 1e-5);
    EXPECT_EQ(p.stability, r < 1    ? Stability::attractor
                           : r == 1 ? Stability::rotation
                                    : Stability::repeller);
  }
}

TEST(FixedPoints, ARingIsARingOfMarginalPoints) {
  constexpr Eigen::Index n = 256;  // above what is solved dense: Arnoldi
  Weights w(n, 1, 1, 2);
  w.recurrent = testing::ring_weights(n);
  const Dynamics dynamics(testing::make_network(w, 1, Activation::relu));
  const VectorXd c = VectorXd::Ones(n);
  std::vector<VectorXd> starts;
  for (int k = 0; k < 12; ++k) {
    VectorXd h(n);
    for (Eigen::Index i = 0; i < n; ++i)
      h[i] = std::max(0.0, 1.3 * std::cos(2 * std::numbers::pi *
                                          (static_cast<double>(i) / n - k / 12.0 - 0.013)));
    starts.push_back(h);
  }
  const Found found = search(dynamics, starts, c, 1e-3);
  ASSERT_EQ(found.points.size(), 12u);
  for (const FixedPoint& p : found.points) {
    EXPECT_EQ(p.stability, Stability::marginal);
    EXPECT_EQ(p.n_marginal, 1u);
    EXPECT_NEAR(p.eigenvalues[0].real(), 1, 0.02);
    EXPECT_LT(std::abs(p.eigenvalues[1]), 0.5);
    EXPECT_NEAR(p.state.maxCoeff(), std::numbers::pi / 2, 0.02);  // A = pi / j0
  }
}

// One start far from every minimum of q must not be called a fixed point.
TEST(FixedPoints, AMapWithoutFixedPointsHasNone) {
  Weights w(1, 1, 1, 2);
  w.recurrent << 1;
  const Dynamics dynamics(testing::make_network(w, 1, Activation::relu));
  const VectorXd drive = VectorXd::Constant(1, 0.5);  // h grows by 0.5 for ever
  const Found found = search(dynamics, {VectorXd::Constant(1, 2.0)}, drive, 1e-3);
  EXPECT_TRUE(found.points.empty());
}

// A leak of 0.1% per step: one fixed point, at 0, and slow points everywhere.
TEST(FixedPoints, SlowPointsAreNotFollowedUnlessAskedFor) {
  Weights w(1, 1, 1, 2);
  w.recurrent << 0.999f;
  const Dynamics dynamics(testing::make_network(w, 1, Activation::relu));
  const VectorXd start = VectorXd::Constant(1, 2.0), c = VectorXd::Zero(1);
  EXPECT_LT(minimise_speed(dynamics, start, c, {})[0], 1e-3);
  EXPECT_EQ(minimise_speed(dynamics, start, c, {.slow_enough = 0.0021})[0], 2.0);
}

TEST(FixedPoints, JacobianIsTheDerivative) {
  Weights w(3, 1, 1, 2);
  w.recurrent << .3f, -.4f, .8f, .1f, .6f, -.5f, .7f, .2f, -.1f;
  for (const Activation f : {Activation::relu, Activation::tanh, Activation::softplus}) {
    const Dynamics dynamics(testing::make_network(w, 0.4, f));
    const VectorXd h = Eigen::Vector3d(0.5, 0.8, 0.3), c = Eigen::Vector3d(0.2, 0.4, -0.9);
    const VectorXd slope = dynamics.slope(h, c);
    const Eigen::MatrixXd j = dynamics.jacobian(slope);
    for (Eigen::Index i = 0; i < 3; ++i) {
      VectorXd e = VectorXd::Zero(3);
      e[i] = 1e-6;
      const VectorXd difference = (dynamics.step(h + e, c) - dynamics.step(h - e, c)) / 2e-6;
      EXPECT_LT((difference - j.col(i)).norm(), 1e-8);
    }
    const Eigen::MatrixXd shifted = dynamics.sparse_jacobian(slope, 1);
    EXPECT_LT((shifted + Eigen::MatrixXd::Identity(3, 3) - j).norm(), 1e-12);
  }
}

// The whole analysis on the ring that solves dlygo.
TEST(FixedPoints, OfATask) {
  const Subject subject = testing::ring_subject(250);
  ThreadPool pool(2);
  const AnalysisContext context{.pool = pool, .seed = Seed{3}};
  const auto run = [&](ThreadPool& p) {
    return find_analysis("fixed-points").run(subject, {}, {.pool = p, .seed = Seed{3}});
  };
  const AnalysisResult result = run(pool);
  const auto& rows = result.table("fixed_points").rows;
  ASSERT_EQ(rows.size(), 16u);  // a point for each of the 16 directions that were drawn
  for (const auto& row : rows) EXPECT_EQ(std::get<std::string>(row[6]), "marginal");
  ThreadPool alone(1);
  EXPECT_EQ(to_csv(run(alone).table("fixed_points")), to_csv(result.table("fixed_points")));
}

}  // namespace
}  // namespace lmrnn
