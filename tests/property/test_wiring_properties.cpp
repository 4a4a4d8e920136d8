// What must hold for every mask, or for every mask of a kind, for any sheet and seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "lmrnn/files.hpp"
#include "lmrnn/wiring.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;

/// One config per kind (except files), metric, boundary and use of autapses.
std::vector<WiringConfig> all_configs() {
  std::vector<WiringConfig> configs;
  for (const WiringEntry& entry : wirings())
    for (const Metric metric : {Metric::l1, Metric::l2, Metric::linf})
      for (const Boundary boundary : {Boundary::torus, Boundary::open})
        for (const bool autapses : {true, false}) {
          WiringConfig config;
          config.kind = entry.kind;
          config.rows = 8;
          config.cols = 12;
          config.metric = metric;
          config.boundary = boundary;
          config.radius = 2.3;
          config.autapses = autapses;
          config.rewire = 0.3;
          config.density = 0.1;
          config.block_units = 12;
          const bool possible = autapses || entry.kind != WiringKind::autapse;
          if (entry.kind != WiringKind::file && possible) configs.push_back(config);
        }
  return configs;
}

std::string name(const WiringConfig& config) {
  return std::string(to_name(config.kind)) + " " + std::string(to_name(config.metric)) + " " +
         std::string(to_name(config.boundary)) + (config.autapses ? " autapses" : "");
}

bool is_random(WiringKind kind) {
  return std::ranges::find(wirings(), kind, &WiringEntry::kind)->is_random;
}

std::vector<std::size_t> degrees(const Mask& mask) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < mask.n_targets(); ++i) result.push_back(mask.sources_of(i).size());
  return result;
}

std::size_t n_reciprocal(const Mask& mask, std::size_t unit) {
  return static_cast<std::size_t>(std::ranges::count_if(
      mask.sources_of(unit), [&](Index other) { return other != unit && mask.has(other, unit); }));
}

TEST(EveryWiring, CatalogueIsWhole) {
  std::set<WiringKind> kinds;
  for (const WiringEntry& entry : wirings()) {
    EXPECT_TRUE(kinds.insert(entry.kind).second) << to_name(entry.kind);
    EXPECT_FALSE(entry.meaning.empty());
  }
  EXPECT_EQ(kinds.size(), enum_names(WiringKind{}).size());
}

TEST(EveryWiring, IsInTheDocumentation) {
  const std::string page = read_file(source_directory() / "docs/concepts/wiring.md");
  for (const WiringEntry& entry : wirings())
    EXPECT_THAT(page, testing::HasSubstr("| `" + std::string(to_name(entry.kind)) + "` |"));
  for (const FieldDoc& field : document_fields<WiringConfig>())
    EXPECT_THAT(page, testing::ContainsRegex("\n\\| [^|]*`" + field.key + "`"));
}

TEST(EveryWiring, IsAFunctionOfConfigAndSeed) {
  for (WiringConfig config : all_configs()) {
    SCOPED_TRACE(name(config));
    const Mask mask = make_mask(config, Seed{1});
    EXPECT_EQ(mask, make_mask(config, Seed{1}));
    EXPECT_EQ(mask != make_mask(config, Seed{2}), is_random(config.kind));
    config.seed = 1;  // a seed of its own takes the place of the run's
    EXPECT_EQ(mask, make_mask(config, Seed{2}));
  }
}

TEST(EveryWiring, HasAutapsesForAllOrNone) {
  for (const WiringConfig& config : all_configs()) {
    SCOPED_TRACE(name(config));
    const MaskStatistics s = mask_statistics(make_mask(config, Seed{3}), config.sheet());
    EXPECT_EQ(s.n_units, 96u);
    EXPECT_EQ(s.n_autapses, config.autapses ? 96u : 0u);
  }
}

TEST(EveryWiring, TransposeIsItsOwnInverse) {
  for (const WiringConfig& config : all_configs()) {
    const Mask mask = make_mask(config, Seed{3});
    EXPECT_EQ(mask.transposed().transposed(), mask) << name(config);
    const Mask reverse = mask.transposed();
    for (std::size_t i = 0; i < mask.n_targets(); ++i)
      for (const Index j : mask.sources_of(i)) ASSERT_TRUE(reverse.has(j, i)) << name(config);
  }
}

TEST(Local, IsExactlyTheDisc) {
  for (const WiringConfig& config : all_configs()) {
    if (config.kind != WiringKind::local) continue;
    const Mask mask = make_mask(config, Seed{0});
    const Sheet sheet = config.sheet();
    for (std::size_t i = 0; i < 96; ++i)
      for (std::size_t j = 0; j < 96; ++j)
        ASSERT_EQ(mask.has(i, j),
                  sheet.distance(i, j) <= config.radius && (config.autapses || i != j))
            << name(config) << " " << i << " " << j;
  }
}

TEST(Local, TorusLooksTheSameFromEveryUnit) {
  for (const WiringConfig& config : all_configs()) {
    if (config.kind != WiringKind::local || config.boundary != Boundary::torus) continue;
    const Mask mask = make_mask(config, Seed{0});
    const auto moved = [&](std::size_t unit) { return (unit / 12 + 3) % 8 * 12 + (unit + 5) % 12; };
    // (unit + 5) % 12 moves the column: 12 divides row * 12.
    for (std::size_t i = 0; i < 96; ++i)
      for (const Index j : mask.sources_of(i)) ASSERT_TRUE(mask.has(moved(i), moved(j)));
  }
}

TEST(SheetProperties, DistanceIsAMetric) {
  for (const Metric metric : {Metric::l1, Metric::l2, Metric::linf})
    for (const Boundary boundary : {Boundary::torus, Boundary::open}) {
      const Sheet sheet{5, 4, metric, boundary};
      for (std::size_t a = 0; a < 20; ++a)
        for (std::size_t b = 0; b < 20; ++b) {
          EXPECT_EQ(sheet.distance(a, b), sheet.distance(b, a));
          EXPECT_EQ(sheet.distance(a, b) == 0, a == b);
          for (std::size_t c = 0; c < 20; ++c)
            ASSERT_LE(sheet.distance(a, c), sheet.distance(a, b) + sheet.distance(b, c) + 1e-12);
        }
    }
}

// Shuffling -------------------------------------------------------------------------------------

void expect_preserved(const Mask& before, const Mask& after) {
  EXPECT_EQ(degrees(after), degrees(before));
  EXPECT_EQ(degrees(after.transposed()), degrees(before.transposed()));
  for (std::size_t i = 0; i < before.n_targets(); ++i) {
    EXPECT_EQ(after.has(i, i), before.has(i, i));
    EXPECT_EQ(n_reciprocal(after, i), n_reciprocal(before, i));
  }
}

TEST(Shuffle, KeepsWhatItMust) {
  for (const WiringConfig& config : all_configs())
    for (const std::uint64_t seed : {1, 2}) {
      SCOPED_TRACE(name(config));
      const Mask before = make_mask(config, Seed{9});
      expect_preserved(before, shuffled_mask(before, Seed{seed}));
    }
}

TEST(Shuffle, MixesOneWayAndMutualSynapses) {
  WiringConfig config;
  config.kind = WiringKind::rewired;  // has mutual and one-way synapses
  config.rows = config.cols = 20;
  config.rewire = 0.4;
  const Mask before = make_mask(config, Seed{1});
  const Mask after = shuffled_mask(before, Seed{2});
  std::size_t n_kept = 0;
  for (std::size_t i = 0; i < 400; ++i)
    for (const Index j : before.sources_of(i)) n_kept += i != j && after.has(i, j);
  // By chance, a tenth of the 16000 synapses (40 of 399 places) is where one was before.
  EXPECT_NEAR(static_cast<double>(n_kept), 16000 * 40.0 / 399, 300);
}

TEST(Shuffle, ForgetsTheSheet) {
  WiringConfig config;
  config.kind = WiringKind::random;
  const Sheet sheet = config.sheet();
  double mean = 0, square = 0;
  for (std::size_t unit = 1; unit < 1024; ++unit) {
    mean += sheet.distance(0, unit) / 1023;
    square += sheet.distance(0, unit) * sheet.distance(0, unit) / 1023;
  }
  const double n_mutual_pairs = 1024 * 40 / 2;
  const double standard_error = std::sqrt((square - mean * mean) / n_mutual_pairs);
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Mask mask = make_mask(config, Seed{seed});
    const MaskStatistics s = mask_statistics(mask, sheet);
    EXPECT_EQ(s.n_synapses, 41984u);
    EXPECT_EQ(s.in_degree_min, 41u);
    EXPECT_EQ(s.in_degree_max, 41u);
    EXPECT_EQ(s.n_autapses, 1024u);
    EXPECT_EQ(s.reciprocity, 1);
    EXPECT_NEAR(s.wire_length / (1024 * 40), mean, 4 * standard_error);
    EXPECT_NEAR(s.clustering, 40.0 / 1023, 0.005);  // local: about 0.5
    EXPECT_LT(s.mean_path_length, 3);
  }
}

TEST(Shuffle, EveryMaskIsEquallyLikely) {
  // The 70 labelled 2-regular graphs on 6 units: 60 hexagons and 10 pairs of triangles.
  std::vector<std::pair<Index, Index>> pairs;
  for (Index i = 0; i < 6; ++i) {
    pairs.emplace_back(i, (i + 1) % 6);
    pairs.emplace_back((i + 1) % 6, i);
  }
  const Mask ring(6, 6, pairs);
  std::map<std::vector<Index>, int> counts;
  constexpr int n_draws = 14000;
  for (std::uint64_t seed = 0; seed < n_draws; ++seed) {
    const Mask mask = shuffled_mask(ring, Seed{seed});
    ++counts[{mask.sources().begin(), mask.sources().end()}];
  }
  EXPECT_EQ(counts.size(), 70u);
  double chi_square = 0;
  for (const auto& [mask, count] : counts) chi_square += std::pow(count - 200.0, 2) / 200;
  EXPECT_LT(chi_square, 69 + 4 * std::sqrt(2 * 69.0));
}

// Rewiring --------------------------------------------------------------------------------------

TEST(Rewired, ReplacesTheGivenShareAndKeepsInDegrees) {
  for (const double share : {0.0, 0.1, 0.5, 1.0}) {
    WiringConfig config;
    config.rows = config.cols = 16;
    const Mask local = make_mask(config, Seed{0});
    config.kind = WiringKind::rewired;
    config.rewire = share;
    const Mask mask = make_mask(config, Seed{5});
    EXPECT_EQ(degrees(mask), degrees(local));
    std::size_t n_new = 0;
    for (std::size_t i = 0; i < 256; ++i)
      for (const Index j : mask.sources_of(i)) n_new += !local.has(i, j);
    EXPECT_EQ(n_new, static_cast<std::size_t>(std::llround(share * 256 * 40)));
  }
}

TEST(Rewired, NewSourcesAreAnywhere) {
  WiringConfig config;
  config.radius = 1;
  config.kind = WiringKind::rewired;
  config.rewire = 1;
  const Mask mask = make_mask(config, Seed{5});
  const Sheet sheet = config.sheet();
  double mean = 0, n_far = 0;
  for (std::size_t unit = 0; unit < 1024; ++unit)
    if (sheet.distance(0, unit) > 1) mean += sheet.distance(0, unit), ++n_far;
  mean /= n_far;
  EXPECT_NEAR(mask_statistics(mask, sheet).wire_length / (4 * 1024), mean,
              4 * 6.6 / std::sqrt(4096));
}

// Exponential -----------------------------------------------------------------------------------

TEST(Exponential, HasTheExpectedDensity) {
  for (const Boundary boundary : {Boundary::torus, Boundary::open})
    for (const double density : {0.01, 0.04, 0.5})
      for (const bool autapses : {true, false}) {
        WiringConfig config;
        config.kind = WiringKind::exponential;
        config.boundary = boundary;
        config.density = density;
        config.autapses = autapses;
        const auto n = static_cast<double>(make_mask(config, Seed{11}).n_synapses());
        // A sum of independent draws: variance at most its mean.
        const double mean = density * 1024 * 1024;
        EXPECT_NEAR(n, mean, 4 * std::sqrt(mean)) << to_name(boundary) << " " << density;
      }
}

TEST(Exponential, FallsByEOverTheLength) {
  WiringConfig config;
  config.kind = WiringKind::exponential;
  config.rows = config.cols = 48;
  config.length = 3;
  config.density = 0.005;  // low enough for P < 1 everywhere
  const Mask mask = make_mask(config, Seed{11});
  const Sheet sheet = config.sheet();
  const auto share_at = [&](double distance) {
    double n = 0, n_pairs = 0;
    for (std::size_t i = 0; i < mask.n_targets(); ++i) {
      for (const Index j : mask.sources_of(i)) n += sheet.distance(i, j) == distance;
      n_pairs += 4 * distance;
    }
    return n / n_pairs;
  };
  EXPECT_LT(share_at(1), 0.5);
  EXPECT_NEAR(share_at(4) / share_at(1), std::exp(-1), 0.05);
  EXPECT_NEAR(share_at(7) / share_at(4), std::exp(-1), 0.08);
}

TEST(Exponential, ReachesItsExtremes) {
  WiringConfig config;
  config.kind = WiringKind::exponential;
  config.rows = config.cols = 8;
  config.density = 1;
  EXPECT_TRUE(make_mask(config, Seed{1}).is_dense());
  config.density = 1 / 64.0;
  EXPECT_TRUE(make_mask(config, Seed{1}).is_diagonal());
  config.density = 0;
  config.autapses = false;
  EXPECT_EQ(make_mask(config, Seed{1}).n_synapses(), 0u);
}

// Statistics against a direct count -------------------------------------------------------------

TEST(StatisticsProperties, PathsAgreeWithFloydAndWarshall) {
  for (const WiringConfig& config : all_configs()) {
    SCOPED_TRACE(name(config));
    const Mask mask = make_mask(config, Seed{4});
    const std::size_t n = mask.n_targets();
    constexpr int never = 1000;
    std::vector<int> d(n * n, never);
    for (std::size_t i = 0; i < n; ++i)
      for (const Index j : mask.sources_of(i)) d[j * n + i] = 1;
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
          d[i * n + j] = std::min(d[i * n + j], d[i * n + k] + d[k * n + j]);
    double sum = 0, n_joined = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (i != j && d[i * n + j] < never) sum += d[i * n + j], ++n_joined;
    const MaskStatistics s = mask_statistics(mask, config.sheet());
    EXPECT_DOUBLE_EQ(s.reachable, n_joined / static_cast<double>(n * (n - 1)));
    if (n_joined > 0)
      EXPECT_DOUBLE_EQ(s.mean_path_length, sum / n_joined);
    else
      EXPECT_TRUE(std::isnan(s.mean_path_length));
  }
}

}  // namespace
}  // namespace lmrnn
