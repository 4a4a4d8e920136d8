// Several areas in one network: their sheets, and the synapses between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/files.hpp"
#include "lmrnn/wiring.hpp"
#include "message_of.hpp"
#include "small_run.hpp"

namespace lmrnn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr double infinity = std::numeric_limits<double>::infinity();

WiringConfig wiring_of(const std::string& toml) {
  WiringConfig wiring;
  read_config(wiring, parse_toml(toml, "areas.toml"), "wiring");
  return wiring;
}

/// Units 0 to 5 are a 2 x 3 sheet, units 6 and 7 a 1 x 2 sheet with autapses alone. Half of the 12
/// pairs from v1 onto m1 have a synapse, and a quarter of those back.
WiringConfig two_areas() {
  return wiring_of(R"(
boundary = "open"
radius = 1
areas = [{ name = "v1", rows = 2, cols = 3 }, { name = "m1", rows = 1, cols = 2, radius = 0 }]
projections = [{ from = "v1", to = "m1", density = 0.5 }]
between_density = 0.25
)");
}

std::string complaint_of(const WiringConfig& wiring) {
  return message_of<UsageError>([&] { static_cast<void>(make_mask(wiring, Seed{1})); });
}

std::size_t n_onto(const Mask& mask, std::size_t first, std::size_t last) {
  return mask.row_offsets()[last] - mask.row_offsets()[first];
}

TEST(Areas, EveryOrderedPairHasADrawOfItsOwn) {
  const Mask mask = make_mask(wiring_of("rows = 4\ncols = 4\nradius = 0\nbetween_density = 0.5\n"
                                        "areas = [{name = 'a'}, {name = 'b'}, {name = 'c'}]"),
                              Seed{1});
  std::set<std::vector<bool>> blocks;
  for (std::size_t to = 0; to < 3; ++to)
    for (std::size_t from = 0; from < 3; ++from) {
      if (to == from) continue;
      std::vector<bool> block(256, false);
      for (std::size_t i = 0; i < 16; ++i)
        for (const auto source : mask.sources_of(16 * to + i))
          if (source / 16 == from) block[16 * i + source % 16] = true;
      blocks.insert(block);
    }
  EXPECT_EQ(blocks.size(), 6u);
}

TEST(Areas, SizesAreTheirOwnOrThoseOfTheWiring) {
  const Sheet sheet =
      wiring_of("rows = 3\ncols = 5\nareas = [{name = 'a'}, {name = 'b', cols = 2}]").sheet();
  ASSERT_EQ(sheet.all_areas().size(), 2u);
  const Area &a = sheet.all_areas()[0], &b = sheet.all_areas()[1];
  EXPECT_EQ(a.rows, 3);
  EXPECT_EQ(a.cols, 5);
  EXPECT_EQ(a.first, 0u);
  EXPECT_EQ(b.rows, 3);
  EXPECT_EQ(b.cols, 2);
  EXPECT_EQ(b.first, 15u);
  EXPECT_EQ(sheet.n_units(), 21u);
  EXPECT_EQ(sheet.area_of(14), 0u);
  EXPECT_EQ(sheet.area_of(15), 1u);
  EXPECT_EQ(sheet.area_of(20), 1u);
  EXPECT_EQ(sheet.of_area(1).cols, 2);
  EXPECT_THAT(WiringConfig{}.sheet().all_areas(), IsEmpty());
}

TEST(Areas, DistancesAreWithinAnArea) {
  WiringConfig wiring = two_areas();
  wiring.between_length = 7;
  const Sheet sheet = wiring.sheet();
  EXPECT_EQ(sheet.distance(0, 5), 3);  // a row and two columns
  EXPECT_EQ(sheet.distance(6, 7), 1);
  EXPECT_EQ(sheet.distance(5, 6), infinity);
  EXPECT_EQ(sheet.wire_length(0, 5), 3);
  EXPECT_EQ(sheet.wire_length(5, 6), 7);
  EXPECT_TRUE(std::isnan(two_areas().sheet().wire_length(5, 6)));
  wiring.boundary = Boundary::torus;
  EXPECT_EQ(wiring.sheet().distance(0, 5), 2);  // columns 0 and 2 of three meet
}

TEST(Areas, SynapsesAreThoseOfEachSheetAndTheShareOfPairsBetween) {
  const Mask mask = make_mask(two_areas(), Seed{1});
  const auto statistics = area_statistics(mask, two_areas().sheet());
  ASSERT_EQ(statistics.size(), 4u);                 // (from, to)
  EXPECT_EQ(statistics[0].n_synapses, 6u + 2 * 7);  // autapses, and 7 pairs of neighbours
  EXPECT_EQ(statistics[1].n_synapses, 6u);
  EXPECT_EQ(statistics[1].density, 0.5);
  EXPECT_EQ(statistics[2].n_synapses, 3u);
  EXPECT_EQ(statistics[2].density, 0.25);
  EXPECT_EQ(statistics[3].n_synapses, 2u);
  EXPECT_EQ(mask.n_synapses(), 31u);
  EXPECT_EQ(statistics[1].from, 0u);
  EXPECT_EQ(statistics[1].to, 1u);
  EXPECT_EQ(n_onto(mask, 6, 8), 6u + 2);  // rows are targets
  WiringConfig alone = wiring_of("rows = 2\ncols = 3\nradius = 1\nboundary = 'open'");
  const Sheet sheet = two_areas().sheet();
  EXPECT_EQ(mask_of_area(mask, sheet.all_areas()[0]), make_mask(alone, Seed{1}));
  EXPECT_EQ(mask_of_area(mask, sheet.all_areas()[1]), Mask::diagonal(2));
}

TEST(Areas, WireIsOfBothKindsOfSynapses) {
  WiringConfig wiring = two_areas();
  const Mask mask = make_mask(wiring, Seed{1});
  EXPECT_TRUE(std::isnan(mask_statistics(mask, wiring.sheet()).wire_length));
  wiring.between_length = 0;
  EXPECT_EQ(mask_statistics(mask, wiring.sheet()).wire_length, 14);
  wiring.between_length = 7;
  EXPECT_EQ(mask_statistics(mask, wiring.sheet()).wire_length, 14 + 7 * 9);
}

TEST(Areas, SynapsesBetweenAreFunctionsOfTheSeed) {
  WiringConfig wiring = two_areas();
  EXPECT_TRUE(depends_on_seed(wiring));
  const Mask mask = make_mask(wiring, Seed{1});
  EXPECT_EQ(mask, make_mask(wiring, Seed{1}));
  EXPECT_NE(mask, make_mask(wiring, Seed{2}));
  wiring.seed = 1;
  EXPECT_EQ(mask, make_mask(wiring, Seed{2}));
  wiring.projections.reset();
  for (const double density : {0.0, 1.0}) {
    wiring.between_density = density;
    EXPECT_FALSE(depends_on_seed(wiring));
    EXPECT_EQ(make_mask(wiring, Seed{1}).n_synapses(), density == 0 ? 22u : 22u + 24);
  }
}

// Pairs between areas are drawn evenly: over 400 seeds, each of the 12 has a synapse in half of
// them.
TEST(Areas, EveryPairIsEquallyLikely) {
  std::vector<int> counts(12, 0);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Mask mask = make_mask(two_areas(), Seed{seed});
    for (std::size_t target = 6; target < 8; ++target)
      for (std::size_t source = 0; source < 6; ++source)
        counts[(target - 6) * 6 + source] += mask.has(target, source);
  }
  EXPECT_THAT(counts, Each(::testing::AllOf(::testing::Gt(150), ::testing::Lt(250))));
}

TEST(Areas, EveryKindIsThatOfEachSheet) {
  for (const WiringEntry& entry : wirings()) {
    if (entry.kind == WiringKind::file) continue;
    SCOPED_TRACE(to_name(entry.kind));
    WiringConfig wiring = wiring_of(R"(
rows = 6
cols = 6
radius = 2
density = 0.2
block_units = 6
between_density = 0
areas = [{ name = "a" }, { name = "b" }, { name = "c", rows = 4, cols = 9 }]
)");
    wiring.kind = entry.kind;
    const Mask mask = make_mask(wiring, Seed{3});
    const Sheet sheet = wiring.sheet();
    std::size_t n_synapses = 0;
    for (const Area& area : sheet.all_areas()) n_synapses += mask_of_area(mask, area).n_synapses();
    EXPECT_EQ(mask.n_synapses(), n_synapses);
    const Mask a = mask_of_area(mask, sheet.all_areas()[0]);
    EXPECT_EQ(a == mask_of_area(mask, sheet.all_areas()[1]), !entry.is_random);
    WiringConfig alone = wiring;
    alone.areas.reset();
    alone.between_density.reset();
    if (!entry.is_random) {
      EXPECT_EQ(a, make_mask(alone, Seed{3}));
    }
    EXPECT_NEAR(a.density(), make_mask(alone, Seed{3}).density(), 0.08);
  }
}

TEST(Areas, OnlyExcitatoryUnitsProjectIfItIsSaid) {
  WiringConfig wiring = two_areas();
  wiring.excitatory = 0.5;
  wiring.between_excitatory = true;
  wiring.projections.reset();
  wiring.between_density = 1;
  EXPECT_TRUE(depends_on_seed(wiring));  // the seed places the units
  const auto types = excitatory_units(wiring, Seed{4});
  ASSERT_EQ(types.size(), 8u);
  const Mask mask = make_mask(wiring, Seed{4});
  for (std::size_t target = 0; target < 8; ++target)
    for (std::size_t source = 0; source < 8; ++source) {
      if ((target < 6) == (source < 6)) continue;
      EXPECT_EQ(mask.has(target, source), types[source] == 1) << target << " " << source;
    }
}

TEST(Areas, ALatticeIsOnEachSheet) {
  WiringConfig wiring = wiring_of(R"(
excitatory = 0.75
excitatory_placement = "lattice"
between_density = 0
areas = [{ name = "a", rows = 4, cols = 4 }, { name = "b", rows = 2, cols = 6 }]
)");
  const auto types = excitatory_units(wiring, Seed{1});
  ASSERT_EQ(types.size(), 28u);
  WiringConfig alone =
      wiring_of("excitatory = 0.75\nexcitatory_placement = 'lattice'\nrows = 4\ncols = 4");
  const auto own = excitatory_units(alone, Seed{1});
  EXPECT_TRUE(std::equal(own.begin(), own.end(), types.begin()));
  EXPECT_EQ(std::count(types.begin() + 16, types.end(), 0), 3);
}

TEST(Areas, InputsAndReadoutsAreThoseOfNamedAreas) {
  const Sheet sheet = two_areas().sheet();
  ProjectionConfig in;
  in.areas = std::vector<std::string>{"v1"};
  const Mask input = make_input_mask(in, sheet, 3, Seed{1});
  EXPECT_EQ(input.n_synapses(), 18u);
  EXPECT_EQ(n_onto(input, 0, 6), 18u);
  in.patch = {1, 1, 1, 2};  // of v1: units 4 and 5
  EXPECT_EQ(n_onto(make_input_mask(in, sheet, 3, Seed{1}), 4, 6), 6u);
  EXPECT_EQ(make_input_mask(in, sheet, 3, Seed{1}).n_synapses(), 6u);
  ProjectionConfig out;
  out.areas = std::vector<std::string>{"m1"};
  const Mask readout = make_readout_mask(out, sheet, 5, Seed{1});
  for (std::size_t k = 0; k < 5; ++k) EXPECT_THAT(readout.sources_of(k), ElementsAre(6u, 7u));
  out.areas = std::vector<std::string>{"m1", "v1"};
  EXPECT_TRUE(make_readout_mask(out, sheet, 5, Seed{1}).is_dense());
  out.areas.reset();
  EXPECT_TRUE(make_readout_mask(out, sheet, 5, Seed{1}).is_dense());
}

TEST(Areas, ProjectionsThatCannotBeAreRefused) {
  const auto complaint = [](const ProjectionConfig& config, const Sheet& sheet) {
    return message_of<UsageError>(
        [&] { static_cast<void>(make_input_mask(config, sheet, 2, Seed{1})); });
  };
  const Sheet sheet = two_areas().sheet();
  ProjectionConfig config;
  config.areas = std::vector<std::string>{"V1"};
  EXPECT_THAT(complaint(config, sheet), HasSubstr("\"V1\" is not one of \"v1\", \"m1\""));
  EXPECT_THAT(complaint(config, WiringConfig{}.sheet()), HasSubstr("needs wiring.areas"));
  config.areas = std::vector<std::string>{"m1", "m1"};
  EXPECT_THAT(complaint(config, sheet), HasSubstr("\"m1\" is named twice"));
  config.areas.emplace();
  EXPECT_THAT(complaint(config, sheet), HasSubstr("name at least one"));
  config.areas.reset();
  config.patch = {0, 0, 1, 1};
  EXPECT_THAT(complaint(config, sheet), HasSubstr("name one of them, e.g. areas = [\"v1\"]"));
  config.areas = std::vector<std::string>{"m1"};
  config.patch = {0, 0, 2, 1};  // m1 has one row
  EXPECT_THAT(complaint(config, sheet), HasSubstr("leaves the sheet of 1 x 2"));
}

TEST(Areas, SubsetsAreWithinAreasOrBetweenThem) {
  const WiringConfig wiring = two_areas();
  const Mask mask = make_mask(wiring, Seed{1});
  const auto subset = [&](SubsetKind kind, double radius) {
    SubsetConfig config;
    config.kind = kind;
    config.radius = radius;
    return make_subset(mask, wiring, config, "wiring.plastic", Seed{1});
  };
  EXPECT_EQ(subset(SubsetKind::within, 0).n_synapses(), 22u);
  const Mask between = subset(SubsetKind::between, 0);
  EXPECT_EQ(between.n_synapses(), 9u);
  for (std::size_t target = 0; target < 8; ++target)
    for (const std::uint32_t source : between.sources_of(target)) EXPECT_NE(target < 6, source < 6);
  EXPECT_EQ(subset(SubsetKind::local, 0).n_synapses(), 8u);  // one radius for all areas
  EXPECT_EQ(subset(SubsetKind::autapse, 0).n_synapses(), 8u);
  WiringConfig without;
  without.plastic.kind = SubsetKind::between;
  EXPECT_THAT(complaint_of(without),
              HasSubstr("wiring.plastic.kind = \"between\" needs wiring.areas"));
}

TEST(Areas, KeysThatDoNotGoTogetherAreRefused) {
  const auto with = [](const std::string& toml) {
    return complaint_of(wiring_of("rows = 2\ncols = 2\nradius = 1\n" + toml));
  };
  const std::string areas = "areas = [{name = 'a'}, {name = 'b'}]\n";
  EXPECT_THAT(with("between_density = 0.1"),
              HasSubstr("wiring.between_density needs wiring.areas"));
  EXPECT_THAT(with("between_length = 1"), HasSubstr("wiring.between_length needs wiring.areas"));
  EXPECT_THAT(with("between_excitatory = false"), HasSubstr("needs wiring.areas"));
  EXPECT_THAT(with("projections = []"), HasSubstr("wiring.projections needs wiring.areas"));
  EXPECT_THAT(with("areas = []"), HasSubstr("list at least one area"));
  EXPECT_THAT(with("areas = [{rows = 2}]"), HasSubstr("give every area a name"));
  EXPECT_THAT(with("areas = [{name = 'a b'}]"), HasSubstr("name = \"a b\""));
  EXPECT_THAT(with("areas = [{name = 'a'}, {name = 'a'}]"), HasSubstr("two areas are named \"a\""));
  EXPECT_THAT(with(areas), HasSubstr("set wiring.between_density, e.g. to 0.1"));
  EXPECT_THAT(with(areas + "projections = [{from = 'a', to = 'x', density = 1}]"),
              HasSubstr("to = \"x\" is not one of \"a\", \"b\""));
  EXPECT_THAT(with(areas + "projections = [{from = 'a', to = 'a', density = 1}]"),
              HasSubstr("\"a\" onto itself"));
  const std::string twice = "{from = 'a', to = 'b', density = 1}";
  EXPECT_THAT(with(areas + "projections = [" + twice + ", " + twice + "]"),
              HasSubstr("from \"a\" to \"b\" is listed twice"));
  EXPECT_THAT(with(areas + "projections = [{from = 'a', to = 'b'}]"),
              HasSubstr("from \"a\" to \"b\" has no density; give the share of the pairs"));
  EXPECT_THAT(
      with(areas + "between_density = 0.03"),  // half of 1 of 16 pairs would round to 0
      HasSubstr("density 0.03 from \"a\" to \"b\" leaves none of 16 pairs of units; give at "
                "least 0.062, or 0 for no synapse"));
  EXPECT_THAT(with(areas + "between_density = 0.1\nbetween_excitatory = true"),
              HasSubstr("wiring.between_excitatory = true needs units of two types"));
  EXPECT_THAT(with(areas + "between_density = 0.1\nboundary = 'open'\ncoordinates_path = 'x.npy'"),
              HasSubstr("wiring.coordinates_path does not go with wiring.areas"));
  EXPECT_THAT(with(areas + "between_density = 0.1\nexcitatory = 0.5\nradius_ei = 2"),
              HasSubstr("do not go with wiring.areas"));
  EXPECT_THAT(with("kind = 'dense'\nareas = [{name = 'a', radius = 2}]"),
              HasSubstr("radius = 2 of \"a\" does not go with wiring.kind = \"dense\""));
  EXPECT_THAT(with("kind = 'file'\npath = 'x.npy'\nbetween_density = 0.1\n" + areas),
              HasSubstr("the file says which synapses exist between areas"));
  EXPECT_THAT(with("kind = 'blocks'\nblock_units = 3\nbetween_density = 0\n" + areas),
              HasSubstr("wiring.areas: \"a\": wiring.block_units = 3 does not divide 4 units"));
  EXPECT_THAT(message_of<UsageError>([] { wiring_of("areas = [{name = 'a', rows = 0}]"); }),
              HasSubstr("wiring.areas.rows = 0 is out of range"));
  EXPECT_THAT(message_of<UsageError>([] { wiring_of("areas = [{nmae = 'a'}]"); }),
              HasSubstr("unknown key \"nmae\" in [wiring.areas]; did you mean \"name\"?"));
}

TEST(Areas, AFileMaySayAllSynapsesOfAreas) {
  const TemporaryDirectory dir;
  const WiringConfig drawn = two_areas();
  const Mask mask = make_mask(drawn, Seed{1});
  std::vector<std::uint8_t> dense(64);
  for (std::size_t target = 0; target < 8; ++target)
    for (const std::uint32_t source : mask.sources_of(target)) dense[target * 8 + source] = 1;
  ArrayFile file;
  file.arrays.emplace_back(
      "mask", ArrayData::of<std::uint8_t>(std::span<const std::uint8_t>(dense), {8, 8}));
  write_arrays(dir / "mask.npz", file);
  WiringConfig wiring = drawn;
  wiring.kind = WiringKind::file;
  wiring.path = (dir / "mask.npz").string();
  wiring.projections.reset();
  wiring.between_density.reset();
  wiring.areas->back().radius.reset();
  EXPECT_EQ(make_mask(wiring, Seed{9}), mask);
  EXPECT_FALSE(depends_on_seed(wiring));
  wiring.areas->back().cols = 3;
  EXPECT_THAT(complaint_of(wiring), HasSubstr("but the list of wiring.areas needs a mask (9, 9)"));
}

TEST(Areas, KeysAreWrittenAsTheyAreRead) {
  const std::string text = to_toml(write_config(two_areas()));
  EXPECT_EQ(to_toml(write_config(wiring_of(text))), text);
  EXPECT_THAT(to_toml(write_config(WiringConfig{})), Not(HasSubstr("areas")));
}

}  // namespace
}  // namespace lmrnn
