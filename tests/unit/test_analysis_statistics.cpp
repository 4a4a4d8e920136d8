// The tools of the analyses, on inputs with known answers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "analysis/behaviour/psychometric.hpp"
#include "analysis/numerics/communities.hpp"
#include "analysis/numerics/moran.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/numerics/representation.hpp"
#include "analysis/units/task_variance.hpp"
#include "lmrnn/ceiling.hpp"
#include "lmrnn/files.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr Key key{Seed{1}, RandomPurpose::statistics, Split::test, 1, 0};

MatrixXd random_matrix(Index rows, Index cols, std::uint32_t row) {
  MatrixXd m(rows, cols);
  const Key k{Seed{9}, RandomPurpose::statistics, Split::test, 2, row};
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = normal(k, static_cast<std::uint32_t>(i));
  return m;
}

// Zachary's karate club: the largest modularity is 0.4198, with four communities (Agarwal & Kempe
// 2008; Brandes et al. 2008).
TEST(Communities, KarateClub) {
  constexpr std::pair<int, int> edges[] = {
      {1, 2},   {1, 3},   {2, 3},   {1, 4},   {2, 4},   {3, 4},   {1, 5},   {1, 6},   {1, 7},
      {5, 7},   {6, 7},   {1, 8},   {2, 8},   {3, 8},   {4, 8},   {1, 9},   {3, 9},   {3, 10},
      {1, 11},  {5, 11},  {6, 11},  {1, 12},  {1, 13},  {4, 13},  {1, 14},  {2, 14},  {3, 14},
      {4, 14},  {6, 17},  {7, 17},  {1, 18},  {2, 18},  {1, 20},  {2, 20},  {1, 22},  {2, 22},
      {24, 26}, {25, 26}, {3, 28},  {24, 28}, {25, 28}, {3, 29},  {24, 30}, {27, 30}, {2, 31},
      {9, 31},  {1, 32},  {25, 32}, {26, 32}, {29, 32}, {3, 33},  {9, 33},  {15, 33}, {16, 33},
      {19, 33}, {21, 33}, {23, 33}, {24, 33}, {30, 33}, {31, 33}, {32, 33}, {9, 34},  {10, 34},
      {14, 34}, {15, 34}, {16, 34}, {19, 34}, {20, 34}, {21, 34}, {23, 34}, {24, 34}, {27, 34},
      {28, 34}, {29, 34}, {30, 34}, {31, 34}, {32, 34}, {33, 34}};
  Graph graph(34);
  for (const auto& [a, b] : edges)
    graph.connect(static_cast<std::uint32_t>(a - 1), static_cast<std::uint32_t>(b - 1), 1);
  EXPECT_EQ(graph.total_weight(), 78);
  const Communities found = find_communities(graph, 20, key);
  EXPECT_NEAR(found.modularity, 0.4198, 5e-5);
  EXPECT_EQ(found.n, 4u);
  EXPECT_NEAR(modularity_of(graph, std::vector<std::uint32_t>(34, 0)), 0, 1e-12);
}

// c cliques of equal size without edges between them: Q = 1 - 1 / c.
TEST(Communities, Cliques) {
  Graph graph(40);
  std::vector<std::uint32_t> truth;
  for (std::uint32_t i = 0; i < 40; ++i) {
    truth.push_back(i / 8);
    for (std::uint32_t j = i + 1; j < 40; ++j)
      if (i / 8 == j / 8) graph.connect(i, j, 0.3);
  }
  const Communities found = find_communities(graph, 3, key);
  EXPECT_NEAR(found.modularity, 0.8, 1e-12);
  EXPECT_EQ(adjusted_rand(found.of, truth), 1);
}

TEST(Communities, IndependentPartitionsAgreeAtChance) {
  std::vector<std::uint32_t> a, b;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    a.push_back(integer(key, 2 * i, 4));
    b.push_back(integer(key, 2 * i + 1, 3));
  }
  EXPECT_NEAR(adjusted_rand(a, b), 0, 0.01);
}

// On a torus with neighbours at distance 1, I of cos(2 pi k x / n) is (1 + cos(2 pi k / n)) / 2,
// and that of a chessboard -1.
TEST(Moran, WavesAndChessboards) {
  const Sheet sheet{.rows = 8, .cols = 8};
  const Neighbours neighbours(sheet, 1);
  std::vector<double> wave, chess;
  for (int r = 0; r < 8; ++r)
    for (int c = 0; c < 8; ++c) {
      wave.push_back(std::cos(2 * std::numbers::pi * c / 8));
      chess.push_back((r + c) % 2);
    }
  EXPECT_NEAR(neighbours.moran(wave), (1 + std::cos(2 * std::numbers::pi / 8)) / 2, 1e-12);
  EXPECT_NEAR(neighbours.moran(chess), -1, 1e-12);
  EXPECT_TRUE(std::isnan(neighbours.moran(std::vector<double>(64, 2.0))));
  EXPECT_EQ(moran_test(neighbours, wave, 99, Seed{1}, 0).p, 0.01);
}

// Wherever one active unit of a torus is, its neighbours are alike: no permutation is lower.
TEST(Moran, TiesAreNotDecidedByRounding) {
  const Neighbours neighbours(Sheet{.rows = 4, .cols = 5}, 1);
  for (const std::size_t place : {0u, 5u, 10u, 15u})
    for (const double value : {1.0, 0.1, 3.7e-3}) {
      std::vector<double> map(20, 0.0);
      map[place] = value;
      const MoranTest test = moran_test(neighbours, map, 99, Seed{1}, 0);
      EXPECT_EQ(test.p, 1) << place;
      EXPECT_EQ(test.null_deviation, 0) << place;
    }
}

// Two areas of noise with different means: there is order between areas, but none within them.
TEST(Moran, AreasThatDifferInTheirMeansHaveNoOrder) {
  WiringConfig wiring;
  wiring.areas = std::vector<AreaConfig>{{"a", 10, 10, {}}, {"b", 10, 10, {}}};
  const Sheet sheet = wiring.sheet();
  const Neighbours neighbours(sheet, 1);
  int below = 0, below_by_mistake = 0;
  for (std::uint32_t m = 0; m < 50; ++m) {
    std::vector<double> map;
    for (std::uint32_t i = 0; i < 200; ++i)
      map.push_back(normal({Seed{4}, RandomPurpose::statistics, Split::test, 3, m}, i) +
                    (i < 100 ? 0 : 3));
    below_by_mistake += moran_test(neighbours, map, 19, Seed{1}, m).p <= 0.05;
    map = centred_by_area(std::move(map), sheet.all_areas());
    EXPECT_NEAR(std::accumulate(map.begin(), map.begin() + 100, 0.0), 0, 1e-9);
    below += moran_test(neighbours, map, 19, Seed{1}, m, sheet.all_areas()).p <= 0.05;
  }
  EXPECT_EQ(below_by_mistake, 50);
  EXPECT_LE(below, 9);  // binomial(50, 0.05): beyond 4 standard deviations
}

// Values stay in their area: a map that is 0 in one of two areas is 0 there in every permutation.
TEST(Moran, ValuesArePermutedWithinAreas) {
  WiringConfig wiring;
  wiring.areas = std::vector<AreaConfig>{{"a", 1, 8, {}}, {"b", 1, 8, {}}};
  const Sheet sheet = wiring.sheet();
  const Neighbours neighbours(sheet, 1);
  std::vector<double> map(16, 0.0);
  for (int i = 0; i < 8; ++i) map[static_cast<std::size_t>(8 + i)] = i % 2 ? 1 : -1;
  const MoranTest test = moran_test(neighbours, map, 99, Seed{1}, 0, sheet.all_areas());
  EXPECT_NEAR(test.value, -1, 1e-12);  // as a chessboard: 16 of 32 pairs, half of the squares
  // The mean over permutations of 8 values in a ring is -1 / 7.
  EXPECT_NEAR(test.null_mean, -1.0 / 7, 0.1);
}

// Maps without order: p is uniform, so that few are below 0.1 and the null has mean -1 / (n - 1).
TEST(Moran, NoiseIsNotSignificant) {
  const Sheet sheet{.rows = 10, .cols = 10};
  const Neighbours neighbours(sheet, 1);
  int below = 0;
  for (std::uint32_t m = 0; m < 100; ++m) {
    std::vector<double> map;
    for (std::uint32_t i = 0; i < 100; ++i)
      map.push_back(normal({Seed{4}, RandomPurpose::statistics, Split::test, 3, m}, i));
    const MoranTest test = moran_test(neighbours, map, 99, Seed{1}, m);
    below += test.p <= 0.1;
    EXPECT_NEAR(test.null_mean, -1.0 / 99, 0.03);
  }
  EXPECT_GE(below, 3);
  EXPECT_LE(below, 19);  // binomial(100, 0.1): beyond 3 standard deviations
}

TEST(Clusters, SeparatedOnesAreFoundAndCounted) {
  MatrixXd rows = 0.05 * random_matrix(60, 5, 1);
  for (Index i = 0; i < 60; ++i) rows(i, i % 4) += 1;
  ThreadPool pool(2);
  const ChosenClustering chosen = choose_clusters(rows, 10, 5, {.pool = pool, .seed = Seed{1}});
  EXPECT_EQ(chosen.clustering.n_clusters, 4u);
  for (std::size_t i = 0; i < 60; ++i)
    EXPECT_EQ(chosen.clustering.label[i], chosen.clustering.label[i % 4]);
  EXPECT_GT(chosen.silhouettes[2], 0.8);
}

// Two pairs at distance 1 and 10 apart.
TEST(Clusters, SilhouetteByHand) {
  MatrixXd rows(4, 1);
  rows << 0, 1, 10, 11;
  const double outer = (10.5 - 1) / 10.5, inner = (9.5 - 1) / 9.5;
  EXPECT_NEAR(silhouette(rows, {0, 0, 1, 1}), (outer + inner) / 2, 1e-12);
}

TEST(Dimensions, ParticipationRatio) {
  EXPECT_NEAR(participation_ratio(Eigen::Vector4d(1, 1, 1, 1)), 4, 1e-12);
  EXPECT_NEAR(participation_ratio(Eigen::Vector4d(5, 0, 0, 0)), 1, 1e-12);
}

TEST(Similarity, CkaIsBlindToRotationAndScaleOnly) {
  const MatrixXd x = random_matrix(200, 6, 2);
  const MatrixXd q =
      Eigen::MatrixXd(Eigen::HouseholderQR<MatrixXd>(random_matrix(6, 6, 3)).householderQ());
  EXPECT_NEAR(linear_cka(x, 3 * x * q), 1, 1e-10);
  EXPECT_LT(linear_cka(x, random_matrix(200, 6, 4)), 0.15);
}

// The same spiral seen through two mixings has the same dynamics; a spiral with another speed does
// not, although both fill the same space.
TEST(Similarity, DynamicsAreToldApartFromGeometry) {
  const auto spirals = [](double turn, std::uint32_t row) {
    Eigen::Matrix2d a;
    a << std::cos(turn), -std::sin(turn), std::sin(turn), std::cos(turn);
    const MatrixXd mixing = random_matrix(2, 8, row);
    std::vector<MatrixXd> trajectories;
    for (std::uint32_t k = 0; k < 20; ++k) {
      Eigen::Vector2d h(normal(key, 10 * k), normal(key, 10 * k + 1));
      MatrixXd x(30, 8);
      for (Index t = 0; t < 30; ++t) {
        x.row(t) = h.transpose() * mixing;
        h = 0.98 * a * h;
      }
      trajectories.push_back(x);
    }
    return delay_operator(trajectories, 1, 2);
  };
  const MatrixXd slow = spirals(0.2, 5), same = spirals(0.2, 6), fast = spirals(1.2, 7);
  const double own = dynamical_distance(slow, same, 5, key);
  const double other = dynamical_distance(slow, fast, 5, key);
  EXPECT_LT(own, 0.25);
  EXPECT_GT(other, 0.5);
  EXPECT_NEAR(dynamical_distance(slow, slow, 5, key), 0, 1e-5);
}

TEST(SpectralDistance, IsTheBestMatchingOfEigenvalues) {
  const auto diagonal = [](std::vector<double> values) -> MatrixXd {
    return Eigen::Map<Eigen::VectorXd>(values.data(), static_cast<Index>(values.size()))
        .asDiagonal();
  };
  EXPECT_NEAR(spectral_distance(diagonal({1, 2}), diagonal({2.5, 1})), 0.125, 1e-12);
  EXPECT_NEAR(spectral_distance(diagonal({3}), diagonal({3, 1})), 0.5, 1e-12);  // padded with 0
  const MatrixXd a = random_matrix(5, 5, 1), b = random_matrix(5, 5, 2);
  const MatrixXd basis = random_matrix(5, 5, 3);
  EXPECT_NEAR(spectral_distance(a, basis * a * basis.inverse()), 0, 1e-10);
  // Compared with all 120 matchings.
  const Eigen::VectorXcd of_a = Eigen::EigenSolver<MatrixXd>(a, false).eigenvalues(),
                         of_b = Eigen::EigenSolver<MatrixXd>(b, false).eigenvalues();
  std::vector<Index> order{0, 1, 2, 3, 4};
  double least = std::numeric_limits<double>::infinity();
  do {
    double sum = 0;
    for (Index i = 0; i < 5; ++i) sum += std::norm(of_a(i) - of_b(order[std::size_t(i)]));
    least = std::min(least, sum / 5);
  } while (std::ranges::next_permutation(order).found);
  EXPECT_NEAR(spectral_distance(a, b), least, 1e-12);
}

// dsa-metric 2.0.2 on operators of trained networks; see tests/data/make_dsa.py.
TEST(DynamicalDistance, IsNotAboveThatOfTheReferencePackage) {
  const auto path = source_directory() / "tests/data/dsa.npz";
  const ArrayFile file = read_npz(path);
  const auto angular = file.at("angular", path).to_doubles();
  const auto spectral = file.at("spectral", path).to_doubles();
  ASSERT_GE(angular.size(), 4u);
  for (std::size_t i = 0; i < angular.size(); ++i) {
    const auto matrix = [&](const char* name) -> MatrixXd {
      const ArrayData& data = file.at(fmt::format("{}{}", name, i), path);
      const std::vector<double> values = data.to_doubles();
      return Eigen::Map<const Eigen::Matrix<double, -1, -1, Eigen::RowMajor>>(
          values.data(), static_cast<Index>(data.shape[0]), static_cast<Index>(data.shape[1]));
    };
    const MatrixXd a = matrix("a"), b = matrix("b");
    const double ours =
        dynamical_distance(a, b, 10, {Seed{1}, RandomPurpose::statistics, Split::test, 0, 0});
    EXPECT_LE(ours, angular[i] + 1e-4) << i;
    EXPECT_GE(ours, angular[i] - 0.1) << i;
    EXPECT_NEAR(spectral_distance(a, b), spectral[i], 1e-5 * (1 + spectral[i])) << i;
  }
}

TEST(Regression, RecoversALinearMapInBothShapes) {
  for (const Index n : {200, 20}) {
    const MatrixXd x = random_matrix(n, 40, 8), w = random_matrix(40, 2, 9);
    const MatrixXd y = (x * w).array() + 3;
    const Regression fit = ridge_regression(x, y, 1e-8);
    EXPECT_LT((fit.predict(x) - y).norm(), 1e-4 * y.norm());
  }
}

// By hand: 0.05 i / 5 = 0.01, 0.02, 0.03, 0.04, 0.05; the third holds again after the second fails.
TEST(Statistics, FalseDiscoveryRate) {
  EXPECT_EQ(n_discoveries({0.9, 0.025, 0.004, 0.5, 0.021}, 0.05), 3u);
  EXPECT_EQ(n_discoveries({0.9, 0.5}, 0.05), 0u);
  EXPECT_EQ(n_discoveries(std::vector<double>(85, 0.001), 0.05), 85u);
}

TEST(Statistics, WilsonUpperMirrorsLower) {
  EXPECT_NEAR(wilson_upper(0.5, 100), 0.5962, 1e-4);  // 0.5 +- 0.0962
  EXPECT_NEAR(wilson_lower(0.5, 100), 0.4038, 1e-4);
}

// Averaged over the trials of dm1, the closed form is the ceiling of the battery.
TEST(Psychometric, IdealObserverAgreesWithTheCeiling) {
  BatteryConfig config;
  config.tasks = "dm1";
  const Battery battery(config, Seed{1});
  const TrialBatch trials = draw_trials(battery, 0, 20000, Seed{3}, Split::test);
  double sum = 0;
  for (const Conditions& c : trials.conditions)
    sum += ideal_choice(battery, battery.tasks()[0], c, 5);
  const Score score = ceiling(battery, 0, Seed{1}).decision_accuracy;
  EXPECT_NEAR(sum / 20000, score.value, 0.003 + 3 * score.standard_error);
}

}  // namespace
}  // namespace lmrnn
