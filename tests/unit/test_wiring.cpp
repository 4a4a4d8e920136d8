#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/wiring.hpp"
#include "lmrnn/wiring_paths.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

constexpr Seed seed{7};

WiringConfig config_of(WiringKind kind, std::int64_t rows, std::int64_t cols) {
  WiringConfig config;
  config.kind = kind;
  config.rows = rows;
  config.cols = cols;
  return config;
}

MaskStatistics statistics_of(const WiringConfig& config) {
  return mask_statistics(make_mask(config, seed), config.sheet());
}

// Sheet -----------------------------------------------------------------------------------------

TEST(Sheet, Distances) {
  // Unit 0 is at (0, 0) and unit 5 * 8 + 3 at (5, 3); the long way round is 5, the short one 3.
  Sheet sheet{8, 8, Metric::l1, Boundary::torus};
  EXPECT_EQ(sheet.distance(0, 43), 6);
  EXPECT_EQ(sheet.distance(43, 0), 6);
  sheet.boundary = Boundary::open;
  EXPECT_EQ(sheet.distance(0, 43), 8);
  sheet.metric = Metric::l2;
  EXPECT_EQ(sheet.distance(0, 4 * 8 + 3), 5);
  sheet.metric = Metric::linf;
  EXPECT_EQ(sheet.distance(0, 43), 5);
  sheet = {2, 10, Metric::l1, Boundary::torus};  // rows and cols are not mixed up
  EXPECT_EQ(sheet.distance(0, 9), 1);
  EXPECT_EQ(sheet.distance(0, 10), 1);
  EXPECT_EQ(sheet.distance(0, 15), 6);
}

// Mask ------------------------------------------------------------------------------------------

TEST(Mask, FromPairs) {
  const Mask mask(2, 3, {{1, 2}, {0, 1}, {1, 0}});
  EXPECT_EQ(mask.n_synapses(), 3u);
  EXPECT_DOUBLE_EQ(mask.density(), 0.5);
  EXPECT_THAT(mask.row_offsets(), ElementsAre(0, 1, 3));
  EXPECT_THAT(mask.sources_of(0), ElementsAre(1));
  EXPECT_THAT(mask.sources_of(1), ElementsAre(0, 2));
  EXPECT_TRUE(mask.has(1, 2));
  EXPECT_FALSE(mask.has(0, 2));
  EXPECT_EQ(mask, Mask(2, 3, {0, 1, 3}, {1, 0, 2}));
  EXPECT_EQ(mask.transposed(), Mask(3, 2, {{0, 1}, {1, 0}, {2, 1}}));
  EXPECT_FALSE(mask.is_dense());
  EXPECT_FALSE(mask.is_diagonal());
}

TEST(Mask, DenseAndDiagonal) {
  EXPECT_TRUE(Mask::dense(2, 3).is_dense());
  EXPECT_THAT(Mask::dense(2, 3).sources_of(1), ElementsAre(0, 1, 2));
  EXPECT_EQ(Mask::diagonal(2), Mask(2, 2, {{0, 0}, {1, 1}}));
  EXPECT_TRUE(Mask::diagonal(3).is_diagonal());
  EXPECT_FALSE(Mask(2, 2, {{0, 1}, {1, 0}}).is_diagonal());
  EXPECT_FALSE(Mask(2, 2, {{0, 0}, {0, 1}}).is_diagonal());
  EXPECT_TRUE(Mask::dense(1, 1).is_diagonal());
  EXPECT_EQ(Mask().n_synapses(), 0u);
  EXPECT_EQ(Mask().density(), 0);
}

TEST(Mask, RefusesNonsense) {
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {{0, 2}}); }), HasSubstr("outside"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {{2, 0}}); }), HasSubstr("outside"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {{0, 1}, {0, 1}}); }), HasSubstr("twice"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {0, 1, 2}, {1, 2}); }), HasSubstr("outside"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {0, 2, 2}, {1, 1}); }), HasSubstr("twice"));
  EXPECT_THAT(message_of<UsageError>([] {
                Mask(2, 2, {0, 2, 2}, {1, 0});
              }),
              HasSubstr("ascending"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {0, 2}, {0, 1}); }), HasSubstr("row offsets"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {0, 2, 1}, {0}); }), HasSubstr("row offsets"));
  EXPECT_THAT(message_of<UsageError>([] { Mask(2, 2, {1, 1, 1}, {0}); }), HasSubstr("row offsets"));
  EXPECT_THAT(message_of<UsageError>([] { Mask::dense(1 << 16, 1 << 16); }),
              HasSubstr("too large"));
}

// Regular wirings -------------------------------------------------------------------------------

TEST(Wiring, KnownNumbersOfThePaper) {
  const MaskStatistics s = statistics_of(WiringConfig{});  // 32 x 32 torus, l1, radius 4
  EXPECT_EQ(s.n_units, 1024u);
  EXPECT_EQ(s.n_synapses, 41984u);
  EXPECT_EQ(s.n_autapses, 1024u);
  EXPECT_EQ(s.in_degree_min, 41u);
  EXPECT_EQ(s.in_degree_max, 41u);
  EXPECT_EQ(s.out_degree_min, 41u);
  EXPECT_EQ(s.out_degree_max, 41u);
  EXPECT_DOUBLE_EQ(s.in_degree_mean, 41);
  EXPECT_NEAR(s.density, 0.0400, 5e-5);
  EXPECT_EQ(s.reciprocity, 1);
  EXPECT_EQ(s.reachable, 1);
  // 4 d units at distance d: wire 4 (1 + 4 + 9 + 16) per unit.
  EXPECT_EQ(s.wire_length, 1024 * 120);

  WiringConfig larger = config_of(WiringKind::local, 50, 50);
  EXPECT_EQ(make_mask(larger, seed).n_synapses(), 2500u * 41u);
}

TEST(Wiring, LocalNeighbourhoods) {
  WiringConfig config = config_of(WiringKind::local, 9, 9);
  const auto degree = [&](Metric metric, double radius) {
    config.metric = metric;
    config.radius = radius;
    return make_mask(config, seed).sources_of(40).size();
  };
  EXPECT_EQ(degree(Metric::l1, 2), 13u);
  EXPECT_EQ(degree(Metric::linf, 2), 25u);
  EXPECT_EQ(degree(Metric::l2, 2), 13u);
  EXPECT_EQ(degree(Metric::l2, 2.3), 21u);  // (2, 1) is 2.236 away
  EXPECT_EQ(degree(Metric::l1, 0), 1u);
  EXPECT_EQ(degree(Metric::l1, 0.9), 1u);
  EXPECT_EQ(degree(Metric::linf, 4), 81u);
  EXPECT_EQ(degree(Metric::l1, 1e300), 81u);
  config.autapses = false;
  EXPECT_EQ(degree(Metric::l1, 2), 12u);
  EXPECT_EQ(degree(Metric::l1, 0), 0u);
}

TEST(Wiring, LocalBoundaries) {
  WiringConfig config = config_of(WiringKind::local, 3, 5);
  config.radius = 1;
  EXPECT_THAT(make_mask(config, seed).sources_of(0), ElementsAre(0, 1, 4, 5, 10));
  config.boundary = Boundary::open;
  EXPECT_THAT(make_mask(config, seed).sources_of(0), ElementsAre(0, 1, 5));
  EXPECT_THAT(make_mask(config, seed).sources_of(7), ElementsAre(2, 6, 7, 8, 12));
  config = config_of(WiringKind::local, 2, 2);  // both ways round meet in the same unit
  config.radius = 1;
  EXPECT_THAT(make_mask(config, seed).sources_of(0), ElementsAre(0, 1, 2));
}

TEST(Wiring, AutapseDenseBlocks) {
  EXPECT_TRUE(make_mask(config_of(WiringKind::autapse, 4, 4), seed).is_diagonal());
  WiringConfig dense = config_of(WiringKind::dense, 4, 4);
  EXPECT_TRUE(make_mask(dense, seed).is_dense());
  dense.autapses = false;
  EXPECT_EQ(make_mask(dense, seed).n_synapses(), 16u * 15u);
  WiringConfig blocks = config_of(WiringKind::blocks, 2, 3);
  blocks.block_units = 2;
  const Mask mask = make_mask(blocks, seed);
  EXPECT_THAT(mask.sources_of(2), ElementsAre(2, 3));
  EXPECT_THAT(mask.sources_of(3), ElementsAre(2, 3));
  EXPECT_EQ(mask.n_synapses(), 12u);
  blocks.autapses = false;
  EXPECT_THAT(make_mask(blocks, seed).sources_of(3), ElementsAre(2));
}

TEST(Wiring, ImpossibleValues) {
  const auto refusal = [](auto change) {
    WiringConfig config;
    change(config);
    return message_of<UsageError>([&] { make_mask(config, seed); });
  };
  EXPECT_THAT(refusal([](auto& c) { c.radius = -1; }), HasSubstr("wiring.radius = -1"));
  EXPECT_THAT(refusal([](auto& c) { c.radius = NAN; }), HasSubstr("wiring.radius"));
  EXPECT_THAT(refusal([](auto& c) { c.rows = 0; }), HasSubstr("wiring.rows = 0"));
  EXPECT_THAT(refusal([](auto& c) { c.cols = 5000; }), HasSubstr("wiring.cols = 5000"));
  EXPECT_THAT(refusal([](auto& c) { c.rewire = 1.5; }), HasSubstr("wiring.rewire"));
  EXPECT_THAT(refusal([](auto& c) { c.length = 0; }), HasSubstr("wiring.length"));
  EXPECT_THAT(refusal([](auto& c) { c.seed = -3; }), HasSubstr("wiring.seed"));
  EXPECT_THAT(refusal([](auto& c) {
                c.kind = WiringKind::blocks;
                c.block_units = 30;
              }),
              AllOf(HasSubstr("block_units = 30"), HasSubstr("32 does")));
  for (const std::int64_t size : {std::int64_t{5000}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_THAT(refusal([size](auto& c) {
                  c.kind = WiringKind::blocks;
                  c.block_units = size;
                }),
                HasSubstr("1024 does"));
  EXPECT_THAT(refusal([](auto& c) {
                c.kind = WiringKind::autapse;
                c.autapses = false;
              }),
              HasSubstr("autapses"));
  EXPECT_THAT(refusal([](auto& c) {
                c.kind = WiringKind::exponential;
                c.density = 1e-5;
              }),
              AllOf(HasSubstr("wiring.density"), HasSubstr("0.000976562")));
  EXPECT_THAT(refusal([](auto& c) {
                c.kind = WiringKind::exponential;
                c.density = 1;
                c.autapses = false;
              }),
              HasSubstr("wiring.density"));
  EXPECT_THAT(refusal([](auto& c) {
                c.kind = WiringKind::rewired;
                c.radius = 30;
                c.rewire = 0.5;
              }),
              HasSubstr("wiring.rewire"));
  EXPECT_THAT(message_of<UsageError>([] { shuffled_mask(Mask::dense(2, 3), seed); }),
              HasSubstr("square"));
}

// Projections -----------------------------------------------------------------------------------

TEST(Projection, WholePatchAndShare) {
  const Sheet sheet{4, 5, Metric::l1, Boundary::torus};
  EXPECT_TRUE(make_input_mask({}, sheet, 3, seed).is_dense());
  EXPECT_TRUE(make_readout_mask({}, sheet, 3, seed).is_dense());

  const ProjectionConfig patch{1.0, {1, 2, 2, 3}};
  const Mask input = make_input_mask(patch, sheet, 3, seed);
  EXPECT_EQ(input.n_targets(), 20u);
  EXPECT_EQ(input.n_synapses(), 6u * 3u);
  EXPECT_THAT(input.sources_of(6), IsEmpty());
  EXPECT_THAT(input.sources_of(7), ElementsAre(0, 1, 2));
  const Mask readout = make_readout_mask(patch, sheet, 2, seed);
  EXPECT_EQ(readout.n_targets(), 2u);
  EXPECT_THAT(readout.sources_of(1), ElementsAre(7, 8, 9, 12, 13, 14));

  const ProjectionConfig share{0.25, {}};
  EXPECT_EQ(make_input_mask(share, sheet, 8, seed).n_synapses(), 40u);
  EXPECT_EQ(make_readout_mask(share, sheet, 8, seed).n_synapses(), 40u);
  EXPECT_EQ(make_input_mask(share, sheet, 8, seed), make_input_mask(share, sheet, 8, seed));
  EXPECT_NE(make_input_mask(share, sheet, 8, seed), make_input_mask(share, sheet, 8, Seed{8}));
  EXPECT_NE(make_input_mask(share, sheet, 8, seed),
            make_readout_mask(share, sheet, 8, seed).transposed());
}

TEST(Projection, ImpossibleValues) {
  const Sheet sheet{4, 5, Metric::l1, Boundary::torus};
  const auto refusal = [&](ProjectionConfig config) {
    return message_of<UsageError>([&] { make_input_mask(config, sheet, 3, seed); });
  };
  EXPECT_THAT(refusal({1, {1, 2, 3}}), HasSubstr("[row, col, rows, cols]"));
  EXPECT_THAT(refusal({1, {1, 2, 4, 1}}), AllOf(HasSubstr("leaves"), HasSubstr("4 x 5")));
  EXPECT_THAT(refusal({1, {0, 0, 0, 1}}), HasSubstr("empty"));
  EXPECT_THAT(refusal({1, {-1, 0, 1, 1}}), HasSubstr("leaves"));
  EXPECT_THAT(refusal({1, {INT64_MAX, 0, 1, 1}}), HasSubstr("leaves"));
  EXPECT_THAT(refusal({1.5, {}}), HasSubstr("density"));
}

// Statistics of graphs whose numbers are known --------------------------------------------------

TEST(Statistics, DirectedRing) {
  // Unit i listens to i - 1: every distance 1 ... n - 1 occurs once per start.
  const std::size_t n = 130;  // more than two words of starts
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::uint32_t i = 0; i < n; ++i) pairs.emplace_back(i, (i + n - 1) % n);
  const MaskStatistics s =
      mask_statistics(Mask(n, n, pairs), {1, 130, Metric::l1, Boundary::torus});
  EXPECT_DOUBLE_EQ(s.mean_path_length, n / 2.0);
  EXPECT_EQ(s.reachable, 1);
  EXPECT_EQ(s.reciprocity, 0);
  EXPECT_EQ(s.clustering, 0);
  EXPECT_EQ(s.wire_length, n);
}

TEST(Statistics, FeedForwardChain) {
  const MaskStatistics s =
      mask_statistics(Mask(3, 3, {{1, 0}, {2, 1}, {2, 2}}), {1, 3, Metric::l1, Boundary::open});
  EXPECT_DOUBLE_EQ(s.mean_path_length, 4 / 3.0);  // 0-1, 1-2, 0-1-2
  EXPECT_DOUBLE_EQ(s.reachable, 0.5);
  EXPECT_EQ(s.n_autapses, 1u);
  EXPECT_EQ(s.in_degree_min, 0u);
  EXPECT_EQ(s.in_degree_max, 2u);
  EXPECT_EQ(s.out_degree_max, 1u);
  EXPECT_EQ(s.wire_length, 2);
}

TEST(Statistics, Clustering) {
  // A triangle 0-1-2 with a tail 2-3, directions mixed: 1, 1, 1/3, 0.
  const Mask mask(4, 4, {{1, 0}, {0, 2}, {2, 1}, {1, 2}, {3, 2}});
  const MaskStatistics s = mask_statistics(mask, {2, 2, Metric::l1, Boundary::open});
  EXPECT_DOUBLE_EQ(s.clustering, (1 + 1 + 1 / 3.0) / 4);
  EXPECT_DOUBLE_EQ(s.reciprocity, 2 / 5.0);
}

TEST(Statistics, Extremes) {
  const MaskStatistics autapse = statistics_of(config_of(WiringKind::autapse, 4, 4));
  EXPECT_TRUE(std::isnan(autapse.mean_path_length));
  EXPECT_EQ(autapse.reachable, 0);
  EXPECT_EQ(autapse.reciprocity, 0);
  EXPECT_EQ(autapse.clustering, 0);
  EXPECT_EQ(autapse.wire_length, 0);
  WiringConfig config = config_of(WiringKind::dense, 10, 10);
  const MaskStatistics dense = statistics_of(config);
  config.autapses = false;
  const MaskStatistics hollow = statistics_of(config);
  config.kind = WiringKind::blocks;  // takes the general way instead of the short cut
  config.cols = 20;
  config.block_units = 100;
  const MaskStatistics halves = statistics_of(config);
  EXPECT_DOUBLE_EQ(halves.reachable, 99 / 199.0);
  EXPECT_EQ(halves.mean_path_length, 1);
  EXPECT_DOUBLE_EQ(halves.clustering, 1);
  for (const MaskStatistics& s : {dense, hollow}) {
    EXPECT_EQ(s.mean_path_length, 1);
    EXPECT_EQ(s.reachable, 1);
    EXPECT_DOUBLE_EQ(s.clustering, 1);
    EXPECT_EQ(s.reciprocity, 1);
  }
  WiringConfig blocks = config_of(WiringKind::blocks, 10, 10);
  blocks.block_units = 10;
  EXPECT_DOUBLE_EQ(statistics_of(blocks).reachable, 9 / 99.0);
  EXPECT_EQ(statistics_of(blocks).mean_path_length, 1);
  EXPECT_THAT(message_of<UsageError>([] {
                mask_statistics(Mask::diagonal(9), {2, 4});
              }),
              HasSubstr("2 x 4"));
}

// Files -----------------------------------------------------------------------------------------

class WiringFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lmrnn-wiring-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override { fs::remove_all(directory); }

  WiringConfig config(const std::string& name, const std::string& dataset = "") const {
    WiringConfig result = config_of(WiringKind::file, 1, 3);
    result.path = directory / name;
    result.dataset = dataset;
    return result;
  }
  Mask edges(const std::string& csv) const {
    write_file(directory / "e.csv", csv);
    return make_mask(config("e.csv"), seed);
  }
  std::string refused_edges(const std::string& csv) const {
    return message_of<UsageError>([&] { edges(csv); });
  }
  fs::path directory;
};

const Mask expected(3, 3, {{0, 0}, {0, 2}, {1, 0}});

TEST_F(WiringFile, EdgeListNamesTheSourceFirst) {
  EXPECT_EQ(edges("0,0\n2,0\n0,1\n"), expected);
  EXPECT_EQ(edges("source,target\n0,0\n2,0\n0,1"), expected);
  EXPECT_EQ(edges("\xef\xbb\xbfsource, target\r\n0,1\r\n\r\n 2 , 0\r\n0,0\r\n"), expected);
  WiringConfig hollow = config("e.csv");
  edges("0,0\n2,0\n");
  hollow.autapses = false;
  EXPECT_EQ(make_mask(hollow, seed), Mask(3, 3, {{0, 2}}));
}

TEST_F(WiringFile, NoSynapseIsNoMask) {
  for (const char* csv : {"", "source,target\n", "\n\n"})
    EXPECT_THAT(refused_edges(csv), AllOf(HasSubstr("e.csv"), HasSubstr("no synapse")));
  WiringConfig hollow = config("e.csv");
  hollow.autapses = false;
  edges("0,0\n2,2\n");
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(hollow, seed); }),
              AllOf(HasSubstr("no synapse"), HasSubstr("wiring.autapses = false")));
  const std::vector<float> nothing(9, -0.0f);
  for (const char* name : {"m.npz", "m.safetensors"}) {
    write_arrays(directory / name, {{{"mask", ArrayData::of(std::span(nothing), {3, 3})}}, {}});
    EXPECT_THAT(message_of<UsageError>([&] { make_mask(config(name), seed); }),
                AllOf(HasSubstr(name), HasSubstr("\"mask\""), HasSubstr("no synapse")));
  }
}

// The output of scipy.sparse.save_npz; `data` of three diagonals has the shape of a mask of 3
// units.
TEST_F(WiringFile, PartsOfASparseMatrixAreNoMask) {
  const std::vector<double> square(9, 1);
  const std::vector<std::int64_t> shape{3, 3}, numbers{0, 1, 2};
  const std::vector<std::int32_t> indices{0, 1, 2, 0};
  const auto data = ArrayData::of(std::span<const double>(square), {3, 3});
  const auto some = ArrayData::of(std::span<const std::int32_t>(indices), {4});
  const auto whole = ArrayData::of(std::span<const std::int64_t>(shape), {2});
  const auto refused = [&](const char* name, const char* dataset) {
    return message_of<UsageError>([&] { make_mask(config(name, dataset), seed); });
  };
  for (const char* format : {"dia", "csr", "csc", "coo", "bsr"}) {
    write_arrays(directory / "m.npz", {{{"data", data}, {"shape", whole}}, {{"format", format}}});
    EXPECT_THAT(refused("m.npz", "data"),
                AllOf(HasSubstr("m.npz"), HasSubstr("scipy"), HasSubstr("lmrnn.wirings convert")));
    EXPECT_THAT(refused("m.npz", ""), HasSubstr("scipy"));
  }
  const std::vector<std::vector<std::string>> parts_of_groups{
      {"indices", "indptr"}, {"row", "col"}, {"coords", "shape"}, {"offsets", "shape"}};
  for (const auto& parts : parts_of_groups) {
    write_arrays(directory / "m.npz",
                 {{{"X/data", data}, {"X/" + parts[0], some}, {"X/" + parts[1], some}}, {}});
    EXPECT_THAT(refused("m.npz", "X/data"), HasSubstr("scipy"));
  }
  // An array called `data`, or parts next to it in another group, are not a sparse matrix.
  write_arrays(directory / "m.npz",
               {{{"data", data}, {"X/indices", some}, {"X/indptr", some}}, {}});
  EXPECT_EQ(make_mask(config("m.npz", "data"), seed).n_synapses(), 9u);
  // HDF5, and formats that the core does not read, must be converted.
  for (const char* name : {"m.h5", "m.mat", "m.graphml"})
    EXPECT_THAT(
        refused(name, ""),
        AllOf(HasSubstr(name), HasSubstr("python -m lmrnn.wirings convert"), HasSubstr("m.npz")));
}

TEST_F(WiringFile, BadEdgeLists) {
  EXPECT_THAT(refused_edges("0,0\n0,3\n"), AllOf(HasSubstr("e.csv:2:"), HasSubstr("0 to 2")));
  EXPECT_THAT(refused_edges("-1,0\n"), HasSubstr("e.csv:1:"));
  EXPECT_THAT(refused_edges("0,1,2\n"), HasSubstr("e.csv:1:"));
  EXPECT_THAT(refused_edges("0;1\n"), HasSubstr("source,target"));
  EXPECT_THAT(refused_edges("0,1.0\n"), HasSubstr("e.csv:1:"));
  EXPECT_THAT(refused_edges("target,source\n0,1\n"), HasSubstr("e.csv:1:"));
  EXPECT_THAT(refused_edges("0,1\nsource,target\n"), HasSubstr("e.csv:2:"));
  EXPECT_THAT(refused_edges("0,1\n1,1\n0,1\n"), AllOf(HasSubstr("e.csv:3:"), HasSubstr("line 1")));
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("e.csv", "mask"), seed); }),
              HasSubstr("dataset"));
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("none.csv"), seed); }),
              HasSubstr("none.csv"));
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config_of(WiringKind::file, 1, 3), seed); }),
              HasSubstr("wiring.path"));
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("mask.txt"), seed); }),
              AllOf(HasSubstr("mask.txt"), HasSubstr(".csv")));
  for (const char* name : {"mask.mat", "mask.graphml", "mask.tsv", "mask"})
    EXPECT_THAT(message_of<UsageError>([&] { make_mask(config(name), seed); }),
                AllOf(HasSubstr("python -m lmrnn.wirings convert " + (directory / name).string()),
                      HasSubstr("mask.npz")));
}

// The output of lmrnn.wirings: the mask, and other known data.
TEST_F(WiringFile, AnArrayCalledMaskIsTheOneOfSeveral) {
  const std::vector<std::uint8_t> mask{0, 1, 0, 0, 0, 1, 1, 0, 0};
  const std::vector<double> weights(9, 0.5);
  write_arrays(directory / "m.npz", {{{"weights", ArrayData::of(std::span(weights), {3, 3})},
                                      {"mask", ArrayData::of(std::span(mask), {3, 3})}},
                                     {}});
  EXPECT_EQ(make_mask(config("m.npz"), seed).n_synapses(), 3u);
}

TEST_F(WiringFile, PathsCountFromTheFolderOfTheConfiguration) {
  const fs::path folder = directory / "studies";
  fs::create_directories(folder);
  write_file(folder / "m.csv", "0,1\n");
  write_file(folder / "mine.toml", "[wiring]\npath = \"m.csv\"\nplastic.path = \"none.csv\"\n");
  const ConfigTable table = read_toml(folder / "mine.toml");
  WiringConfig wiring;
  wiring.path = "m.csv";
  wiring.plastic.path = "none.csv";
  const auto* keys = std::get_if<ConfigTable>(&find_key(table, "wiring")->value);
  ASSERT_NE(keys, nullptr);
  find_mask_files(wiring, *keys);
  EXPECT_EQ(wiring.path, (folder / "m.csv").string());
  EXPECT_EQ(wiring.plastic.path, "none.csv");  // nowhere: left as it was written
  wiring.path = "other.csv";                   // set from elsewhere afterwards
  find_mask_files(wiring, *keys);
  EXPECT_EQ(wiring.path, "other.csv");
}

TEST_F(WiringFile, ArraysOfEveryFormat) {
  const std::vector<float> weights{0.5f, 0, -1e-20f, 3, 0, 0, 0, 0, -0.0f};
  const std::vector<std::uint8_t> other(12, 1);
  const auto mask = ArrayData::of(std::span(weights), {3, 3});
  const auto wrong = ArrayData::of(std::span(other), {3, 4});
  for (const char* name : {"m.npz", "m.safetensors"}) {
    write_arrays(directory / name, {{{"mask", mask}}, {}});
    EXPECT_EQ(make_mask(config(name), seed), expected);
    write_arrays(directory / name, {{{"mask", mask}, {"labels", wrong}}, {}});
    EXPECT_EQ(make_mask(config(name, "mask"), seed), expected);
    EXPECT_EQ(make_mask(config(name), seed), expected);  // the one called mask
    EXPECT_THAT(message_of<UsageError>([&] { make_mask(config(name, "maks"), seed); }),
                AllOf(HasSubstr(name), HasSubstr("did you mean \"mask\"")));
    EXPECT_THAT(message_of<UsageError>([&] { make_mask(config(name, "labels"), seed); }),
                AllOf(HasSubstr("(3, 4)"), HasSubstr("1 x 3"), HasSubstr("(3, 3)")));
    write_arrays(directory / name, {{{"w", mask}, {"labels", wrong}}, {}});
    EXPECT_THAT(message_of<UsageError>([&] { make_mask(config(name), seed); }),
                AllOf(HasSubstr(name), HasSubstr("labels"), HasSubstr("wiring.dataset")));
  }
}

TEST_F(WiringFile, BadArrays) {
  std::vector<double> weights(9, 0);
  weights[5] = NAN;
  write_arrays(directory / "m.npz",
               {{{"mask", ArrayData::of(std::span<const double>(weights), {3, 3})}}, {}});
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("m.npz"), seed); }),
              AllOf(HasSubstr("nan"), HasSubstr("[1, 2]")));
  write_arrays(directory / "m.npz", {});
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("m.npz"), seed); }),
              HasSubstr("no array"));
  write_file(directory / "m.npz", "garbage");
  EXPECT_THAT(message_of<UsageError>([&] { make_mask(config("m.npz"), seed); }),
              HasSubstr("m.npz"));
}

}  // namespace
}  // namespace lmrnn
