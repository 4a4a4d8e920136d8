// Fixed points of networks whose fixed points are known.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <numbers>
#include <optional>
#include <string>

#include "analysis/fixed_points/fixed_points.hpp"
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
    p.stability = classify(p.eigenvalues, static_cast<std::size_t>(dynamics.n_units()),
                           dynamics.alpha(), 0.02, p.n_unstable, p.n_marginal);
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

// A start far from every minimum of q must not be called a fixed point.
TEST(FixedPoints, AMapWithoutFixedPointsHasNone) {
  Weights w(1, 1, 1, 2);
  w.recurrent << 1;
  const Dynamics dynamics(testing::make_network(w, 1, Activation::relu));
  const VectorXd drive = VectorXd::Constant(1, 0.5);  // h grows by 0.5 at every step, without end
  const Found found = search(dynamics, {VectorXd::Constant(1, 2.0)}, drive, 1e-3);
  EXPECT_TRUE(found.points.empty());
}

// A leak of 0.1% per time constant: one fixed point, at 0, and slow points everywhere.
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
    EXPECT_LT((0.4 * dynamics.velocity(h, c) + h - dynamics.step(h, c)).norm(), 1e-12);
    const Eigen::MatrixXd per_tau = dynamics.velocity_jacobian(slope);
    EXPECT_LT((0.4 * per_tau + Eigen::MatrixXd::Identity(3, 3) - j).norm(), 1e-12);
  }
}

// The same network in steps of tau and of parts of it ------------------------------------------

constexpr std::array alphas{1.0, 0.5, 0.2, 0.1, 0.02};

/// A network with these weights, and the states where the search begins.
struct Case {
  std::string name;
  Matrix recurrent;
  Activation activation;
  VectorXd current;
  std::vector<VectorXd> starts;
  std::map<Stability, int> expected;
  bool at_alpha_1 = true;  ///< whether the map of one step per tau is stable where the flow is
};

Matrix matrix(float a, float b, float c, float d) {
  Matrix m(2, 2);
  m << a, b, c, d;
  return m;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  // Units that leak, each with its own autapse; every start leads to the one rest.
  Matrix leaky = Matrix::Zero(6, 6);
  leaky.diagonal() << -0.4f, 0.0f, 0.3f, 0.6f, 0.8f, 0.9f;
  std::vector<VectorXd> starts;
  for (int k = 0; k < 27; ++k) {
    VectorXd h(6);
    for (int i = 0; i < 6; ++i) h[i] = 0.1 + 0.3 * ((k * (i + 2)) % 7);
    starts.push_back(h);
  }
  all.push_back({"leaky",
                 leaky,
                 Activation::relu,
                 VectorXd::Constant(6, 0.2),
                 starts,
                 {{Stability::attractor, 1}}});
  all.push_back({"bistable pair",
                 matrix(2, 0, 0, 2),
                 Activation::tanh,
                 VectorXd::Zero(2),
                 grid(1.2),
                 {{Stability::attractor, 4}, {Stability::saddle, 4}, {Stability::repeller, 1}}});
  all.push_back({"line",
                 matrix(.5f, .5f, .5f, .5f),
                 Activation::relu,
                 VectorXd::Zero(2),
                 {Eigen::Vector2d(1, 0.2), Eigen::Vector2d(2, 2.5), Eigen::Vector2d(4, 3)},
                 {{Stability::marginal, 3}}});
  // A limit cycle around a point that repels: growth 2 cos 0.3 - 1 per tau.
  const auto c = static_cast<float>(2 * std::cos(0.3)), s = static_cast<float>(2 * std::sin(0.3));
  all.push_back({"limit cycle",
                 matrix(c, -s, s, c),
                 Activation::tanh,
                 VectorXd::Zero(2),
                 {Eigen::Vector2d(0.1, 0.05)},
                 {{Stability::repeller, 1}}});
  // Inhibition stronger than -1: in steps of tau the unit overshoots, and there the map is a
  // repeller; the continuous unit is not.
  Matrix inhibited(1, 1);
  inhibited << -1.5f;
  all.push_back({"strong inhibition",
                 inhibited,
                 Activation::tanh,
                 VectorXd::Zero(1),
                 {VectorXd::Constant(1, 0.4)},
                 {{Stability::attractor, 1}},
                 false});
  return all;
}

std::map<Stability, int> by_class(const Found& found) {
  std::map<Stability, int> n;
  for (const FixedPoint& p : found.points) ++n[p.stability];
  return n;
}

TEST(TimeStep, DoesNotChangeWhatIsFound) {
  for (const Case& example : cases()) {
    std::optional<Found> first;
    for (const double alpha : alphas) {
      SCOPED_TRACE(example.name + ", alpha = " + std::to_string(alpha));
      Weights w(example.recurrent.rows(), 1, 1, 2);
      w.recurrent = example.recurrent;
      const Dynamics dynamics(testing::make_network(w, alpha, example.activation));
      Found found = search(dynamics, example.starts, example.current, 1e-3);
      if (alpha < 1 || example.at_alpha_1) {
        EXPECT_EQ(by_class(found), example.expected);
      }
      if (!first) first = found;
      ASSERT_EQ(found.points.size(), first->points.size());
      for (std::size_t p = 0; p < found.points.size(); ++p) {
        // The search does not know alpha: to the last bit.
        EXPECT_EQ(found.points[p].state, first->points[p].state);
        EXPECT_EQ(found.points[p].speed, first->points[p].speed);
        EXPECT_EQ(found.points[p].n_starts, first->points[p].n_starts);
      }
    }
  }
}

// Growth of a real direction is the eigenvalue of the continuous system, whatever the step; of an
// oscillation it tends to the real part.
TEST(TimeStep, GrowthIsPerTimeConstant) {
  for (const double alpha : alphas) {
    for (const double mu : {0.0, 0.5, 0.97, 1.0, 1.2})
      EXPECT_NEAR(growth(1 + alpha * (mu - 1), alpha), mu - 1, 1e-12);
  }
  const std::complex<double> mu(0.9, 0.4);
  EXPECT_NEAR(growth(1.0 + 1e-6 * (mu - 1.0), 1e-6), -0.1, 1e-6);
  EXPECT_DOUBLE_EQ(growth(mu, 1), std::abs(mu) - 1);
}

// Random networks of leaking units with one rest: the gain is below 1 in every direction.
TEST(TimeStep, ContractingNetworksHaveOneAttractor) {
  EXPECT_TRUE(rc::check("one attractor for any alpha", [] {
    const auto n = static_cast<Eigen::Index>(*rc::gen::inRange(1, 9));
    Weights w(n, 1, 1, 2);
    for (Eigen::Index k = 0; k < w.recurrent.size(); ++k)
      w.recurrent.data()[k] = static_cast<float>(*rc::gen::inRange(-1000, 1001)) / 1000;
    const float norm = w.recurrent.norm();
    w.recurrent *= 0.9f / std::max(norm, 1e-3f);  // at least the spectral norm
    const double alpha = *rc::gen::elementOf(std::vector<double>(alphas.begin(), alphas.end()));
    const Dynamics dynamics(testing::make_network(w, alpha, Activation::relu));
    std::vector<VectorXd> starts;
    for (int k = 0; k < 8; ++k) {
      VectorXd h(n);
      for (double& x : h) x = *rc::gen::inRange(0, 2001) / 1000.0;
      starts.push_back(h);
    }
    VectorXd c(n);
    for (double& x : c) x = *rc::gen::inRange(-1000, 1001) / 1000.0;
    const Found found = search(dynamics, starts, c, 1e-3);
    RC_ASSERT(found.points.size() == 1u);
    RC_ASSERT(found.points[0].stability == Stability::attractor);
  }));
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

// rtgo shows its stimulus with the decision; a delay of 0 ms has no last step.
TEST(FixedPoints, TheInputIsOfAPeriodThatTheTaskHas) {
  BatteryConfig without_delay = testing::battery_of("dlygo");
  without_delay.durations["reach"]["delay"] = {Duration::Kind::fixed, {0}};
  for (const auto& [config, period] :
       {std::pair(testing::battery_of("rtgo"), "decision"), std::pair(without_delay, "stimulus")}) {
    const Battery battery(config, Seed{1});
    const Weights w(2, static_cast<Eigen::Index>(battery.n_channels()), 1,
                    static_cast<Eigen::Index>(battery.n_classes()));
    const Subject subject =
        testing::subject_of(testing::make_network(w, 1, Activation::relu), config);
    ThreadPool pool(1);
    const AnalysisResult result =
        find_analysis("fixed-points").run(subject, {}, {.pool = pool, .seed = Seed{3}});
    const auto& rows = result.table("fixed_points").rows;
    ASSERT_FALSE(rows.empty()) << period;
    EXPECT_EQ(std::get<std::string>(rows[0][1]), period);
  }
}

// Units without coupling, with autapses from -0.4 to 0.9: they hold nothing for long.
Subject leaky_subject(double alpha) {
  const BatteryConfig config = testing::battery_of("dlygo", alpha);
  const Battery battery(config, Seed{1});
  constexpr Eigen::Index n = 32;
  Weights w(n, static_cast<Eigen::Index>(battery.n_channels()), 1,
            static_cast<Eigen::Index>(battery.n_classes()));
  for (Eigen::Index i = 0; i < n; ++i) {
    w.recurrent(i, i) = -0.4f + 1.3f * static_cast<float>(i) / (n - 1);
    w.input(i, 1 + i) = 1;
    w.bias[i] = 0.1f;
  }
  return testing::subject_of(testing::make_network(w, alpha, Activation::relu), config);
}

// The whole analysis: one attractor per stimulus, in steps of any part of tau.
TEST(TimeStep, DoesNotChangeTheTableOfATask) {
  ThreadPool pool(2);
  ConfigTable options;
  assign_key(options, "period=stimulus");
  std::optional<std::string> first;
  for (const double alpha : alphas) {
    const AnalysisResult result =
        find_analysis("fixed-points")
            .run(leaky_subject(alpha), options, {.pool = pool, .seed = Seed{3}});
    const std::string counts = to_csv(result.table("by_task"));
    if (!first) first = counts;
    EXPECT_EQ(counts, *first) << alpha;
    for (const auto& row : result.table("fixed_points").rows) {
      EXPECT_EQ(std::get<std::string>(row[5]), "fixed") << alpha;
      EXPECT_EQ(std::get<std::string>(row[6]), "attractor") << alpha;
    }
  }
}

// The same for slow points: a leak of 2% per tau is marginal and slow everywhere, with steps of any
// size.
TEST(TimeStep, DoesNotChangeWhatIsSlow) {
  for (const double alpha : alphas) {
    Weights w(1, 1, 1, 2);
    w.recurrent << 0.98f;
    const Dynamics dynamics(testing::make_network(w, alpha, Activation::relu));
    const VectorXd h = VectorXd::Constant(1, 2.0), c = VectorXd::Zero(1);
    EXPECT_NEAR(speed(dynamics, h, c), 0.04, 1e-6);
    EXPECT_EQ(minimise_speed(dynamics, h, c, {.slow_enough = 0.041})[0], 2.0);
    EXPECT_LT(minimise_speed(dynamics, h, c, {.slow_enough = 0.039})[0], 2.0);
  }
}

}  // namespace
}  // namespace lmrnn
