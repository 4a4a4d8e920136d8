// Dale's law on the sheet, and the cost of wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/files.hpp"
#include "lmrnn/run_tables.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "network_of_run.hpp"
#include "small_run.hpp"
#include "train/learner.hpp"
#include "train/step_table.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::HasSubstr;

/// Synapses whose weight does not have the sign of its source.
std::size_t n_violations(const Network& network) {
  const Architecture& a = network.architecture();
  const float* w = network.parameters().data() + network.layout().recurrent;
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.n_units(); ++i)
    for (const std::uint32_t j : a.recurrent.sources_of(i)) {
      n += a.excitatory[j] != 0 ? *w < 0 : *w > 0;
      ++w;
    }
  return n;
}

/// [wiring] with these keys.
WiringConfig wiring_of(const std::vector<std::string>& assignments) {
  ConfigTable table;
  for (const std::string& assignment : assignments) assign_key(table, assignment);
  WiringConfig wiring;
  read_config(wiring, table, "wiring");
  return wiring;
}

RunConfig typed_config() {
  RunConfig config = small_run_config();
  config.wiring.excitatory = 0.75;
  return config;
}

// Wire -----------------------------------------------------------------------------------------

// Three units in a row, all pairs: the distances of the weights 0 <- 0, 0 <- 1, ... are
// 0 1 2, 1 0 1, 2 1 0.
RunConfig three_units() {
  RunConfig config = small_run_config();
  config.battery.tasks = "go";
  config.wiring.kind = WiringKind::dense;
  config.wiring.rows = 1;
  config.wiring.cols = 3;
  config.wiring.boundary = Boundary::open;
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = 1, .momentum = 0, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.loss.wire_power = 2;
  return config;
}
constexpr float some_weights[] = {0.5f, -0.25f, 0.125f, 0, 1, -0.5f, -0.75f, 0.25f, -1};

struct OneStep {
  double loss;
  std::vector<float> weights;
};
OneStep one_step(const RunConfig& config) {
  const Battery battery(config.battery, config.run_seed());
  Network network = make_network(config, battery);
  std::ranges::copy(some_weights, network.write_weights().all().begin());
  ThreadPool pool(1);
  Learner learner(config, battery, std::move(network), 0, pool);
  const double loss = learner.step().loss;
  const auto w = recurrent_weights(learner.network());
  return {loss, {w.begin(), w.end()}};
}

TEST(Wire, PenaltyAndGradientOfThreeUnitsByHand) {
  RunConfig config = three_units();
  const OneStep without = one_step(config);
  config.loss.wire_penalty = 0.01;
  const OneStep with = one_step(config);
  // 1 0.25 + 4 0.125 + 1 0 + 1 0.5 + 4 0.75 + 1 0.25
  EXPECT_NEAR(with.loss - without.loss, 0.01 * 4.5, 1e-8);
  const double squares[] = {0, 1, 4, 1, 0, 1, 4, 1, 0};
  for (std::size_t k = 0; k < 9; ++k) {
    const float w = some_weights[k];
    const double sign = w > 0 ? 1 : w < 0 ? -1 : 0;
    EXPECT_NEAR(without.weights[k] - with.weights[k], 0.01 * squares[k] * sign, 5e-7) << k;
  }
}

TEST(Wire, OnlyTrainedSynapsesArePenalised) {
  RunConfig config = three_units();
  config.wiring.plastic.kind = SubsetKind::autapse;
  const OneStep without = one_step(config);
  config.loss.wire_penalty = 0.01;
  const OneStep with = one_step(config);
  EXPECT_EQ(with.loss, without.loss);  // autapses have no length
  EXPECT_EQ(with.weights, without.weights);
}

TEST(Wire, IsMeasuredOnTheSheet) {
  RunConfig config = three_units();
  Network network = initial_network(config);
  std::ranges::copy(some_weights, network.write_weights().all().begin());
  EXPECT_DOUBLE_EQ(wire_of(network, config, config.wiring.sheet()), 4.5);
  config.loss.wire_power = 1;
  EXPECT_DOUBLE_EQ(wire_of(network, config, config.wiring.sheet()),
                   0.25 + 2 * 0.125 + 0.5 + 2 * 0.75 + 0.25);
  config.wiring.boundary = Boundary::torus;  // the first and the last unit are neighbours
  EXPECT_DOUBLE_EQ(wire_of(network, config, config.wiring.sheet()),
                   0.25 + 0.125 + 0.5 + 0.75 + 0.25);
  config.loss.wire_power = 0;
  EXPECT_DOUBLE_EQ(wire_of(network, config, config.wiring.sheet()), 4.375);  // all, autapses too
}

TEST(Wire, IsInTheTableOfTheRun) {
  const TemporaryDirectory dir;
  const RunConfig config = small_run_config();
  Trainer::start(config, dir / "run", {.n_threads = 1}).run();
  const std::vector<MetricsRow> rows = read_metrics(dir / "run");
  ASSERT_FALSE(rows.empty());
  for (const MetricsRow& row : rows)
    EXPECT_EQ(row.wire.has_value(), row.mean_accuracy.has_value()) << row.step;
  const double wire = wire_of(final_network(dir / "run"), config, config.wiring.sheet());
  EXPECT_NEAR(rows.back().wire.value(), wire, 1e-7 * wire);
}

TEST(Wire, ShrinksUnderItsPenalty) {
  RunConfig config = small_run_config();
  const auto wire = [&] {
    const TemporaryDirectory dir;
    Trainer::start(config, dir / "run", {.n_threads = 1}).run();
    return read_metrics(dir / "run").back().wire.value();
  };
  const double free = wire();
  config.loss.wire_penalty = 0.1;
  EXPECT_LT(wire(), free);
}

TEST(Wire, ItsPowerAloneChangesNoBit) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  Trainer::start(config, dir / "one", {.n_threads = 1}).run();
  config.loss.wire_power = 3;
  Trainer::start(config, dir / "other", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "other", 20));
}

TEST(Wire, RunsOfEarlierVersionsAreResumed) {
  const TemporaryDirectory dir;
  write_file(dir / "table.csv", "step,loss,solved\n5,1,\n10,2,3\n15,3,\n");
  StepTable table(dir / "table.csv", "step,loss,solved,wire", {"step,loss,solved"}, 10);
  EXPECT_EQ(table.last_row(), "10,2,3,");
  table.append("12,1,,4");
  EXPECT_EQ(read_file(dir / "table.csv"), "step,loss,solved,wire\n5,1,,\n10,2,3,\n12,1,,4\n");
  EXPECT_THAT(
      message_of<UsageError>([&] { StepTable(dir / "table.csv", "step,loss", {"step"}, 10); }),
      HasSubstr("its first line is not"));
}

// Types of units -------------------------------------------------------------------------------

TEST(UnitTypes, AreDrawnBySeedInTheirShare) {
  WiringConfig wiring = wiring_of({"excitatory=0.8"});
  const auto types = excitatory_units(wiring, Seed{1});
  ASSERT_EQ(types.size(), 1024u);
  EXPECT_EQ(std::ranges::count(types, 1), 819);  // 1024 - 204.8, rounded
  EXPECT_EQ(excitatory_units(wiring, Seed{1}), types);
  EXPECT_NE(excitatory_units(wiring, Seed{2}), types);
  wiring.seed = 2;  // as for random masks
  EXPECT_EQ(excitatory_units(wiring, Seed{1}), excitatory_units(wiring, Seed{2}));
  wiring.excitatory = 1;
  EXPECT_THAT(excitatory_units(wiring, Seed{1}), Each(1));
  wiring.excitatory = 0;
  EXPECT_TRUE(excitatory_units(wiring, Seed{1}).empty());
  EXPECT_TRUE(excitatory_units({}, Seed{1}).empty());
}

TEST(UnitTypes, OfALatticeAreEvenlySpaced) {
  WiringConfig wiring =
      wiring_of({"rows=4", "cols=6", "excitatory=0.75", "excitatory_placement=lattice"});
  const std::vector<std::uint8_t> expected{0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1,
                                           0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(excitatory_units(wiring, Seed{1}), expected);
  EXPECT_EQ(excitatory_units(wiring, Seed{2}), expected);
  wiring.rows = wiring.cols = 32;
  wiring.excitatory = 0.8;  // 14 rows of 15: the nearest to 204.8
  EXPECT_EQ(std::ranges::count(excitatory_units(wiring, Seed{1}), 0), 14 * 15);
}

TEST(UnitTypes, MayComeFromAFile) {
  const TemporaryDirectory dir;
  WiringConfig wiring = wiring_of({"rows=2", "cols=3", "excitatory_placement=file"});
  wiring.excitatory_path = dir / "types.safetensors";
  const auto complaint = [&] {
    return message_of<UsageError>([&] { excitatory_units(wiring, Seed{1}); });
  };
  const auto save = [&](const std::vector<float>& values, const std::string& name,
                        std::vector<std::size_t> shape) {
    ArrayFile file;
    file.arrays.emplace_back("other", ArrayData::of<float>(values, {values.size()}));
    file.arrays.emplace_back(name, ArrayData::of<float>(values, std::move(shape)));
    write_safetensors(dir / "types.safetensors", file);
  };
  EXPECT_THAT(complaint(), HasSubstr("types.safetensors"));
  EXPECT_NO_THROW(check_unit_types(wiring));  // without reading it
  save({1, 0, 1, 1, 1, 0}, "excitatory", {2, 3});
  EXPECT_EQ(excitatory_units(wiring, Seed{1}), (std::vector<std::uint8_t>{1, 0, 1, 1, 1, 0}));
  save({1, 0, 1, 1, 1, 0}, "more", {6});
  EXPECT_THAT(complaint(), HasSubstr("holds 2 arrays"));
  save({1, 0, 1, 1, -1, 0}, "excitatory", {6});
  EXPECT_THAT(complaint(), HasSubstr("the type of unit 4 is -1"));
  save({0, 0, 0, 0, 0, 0}, "excitatory", {6});
  EXPECT_THAT(complaint(), HasSubstr("all units are inhibitory"));
  save({1, 0, 1, 1, 1}, "excitatory", {5});
  EXPECT_THAT(complaint(), HasSubstr("the types of 5 units, but a sheet of 2 x 3 has 6"));
  wiring.excitatory = 0.8;
  EXPECT_THAT(complaint(), HasSubstr("leave one of them out"));
  wiring.excitatory.reset();
  wiring.excitatory_path.reset();
  EXPECT_THAT(complaint(), HasSubstr("needs wiring.excitatory_path"));
  wiring = wiring_of({"excitatory=0.8", "excitatory_path=types.npy"});
  EXPECT_THAT(complaint(), HasSubstr("needs wiring.excitatory_placement = \"file\""));
}

TEST(UnitTypes, OfAnotherNetworkCanBeTaken) {
  const TemporaryDirectory dir;
  save_network(dir / "other.safetensors", initial_network(typed_config()), {});
  RunConfig config = small_run_config();
  config.seed = 12;
  config.wiring.excitatory_placement = UnitPlacement::file;
  config.wiring.excitatory_path = dir / "other.safetensors";
  EXPECT_EQ(excitatory_units(config.wiring, config.run_seed()),
            excitatory_units(typed_config().wiring, typed_config().run_seed()));
  const std::vector<InputPath> inputs = input_paths(config);
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].key, "wiring.excitatory_path");
  // A run reads the file only once, so it can be resumed without it.
  {
    Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [&] { return trainer.step() >= 7; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  fs::remove(dir / "other.safetensors");
  Trainer::resume(dir / "run", {.n_threads = 1}).run();
  EXPECT_EQ(n_violations(final_network(dir / "run")), 0u);
  EXPECT_FALSE(final_network(dir / "run").architecture().excitatory.empty());
}

TEST(UnitTypes, WhatDoesNotGoTogetherIsRefused) {
  const auto complaint = [](const std::vector<std::string>& keys) {
    return message_of<UsageError>([&] { make_mask(wiring_of(keys), Seed{1}); });
  };
  EXPECT_THAT(complaint({"excitatory_placement=lattice"}), HasSubstr("set wiring.excitatory"));
  EXPECT_THAT(complaint({"radius_ei=2"}), HasSubstr("set wiring.excitatory"));
  EXPECT_THAT(complaint({"excitatory=0", "radius_ei=2"}), HasSubstr("set wiring.excitatory"));
  EXPECT_THAT(complaint({"kind=dense", "excitatory=0.8", "radius_ei=2"}),
              HasSubstr("wiring.kind = \"dense\" has no radius"));
  EXPECT_THAT(complaint({"rows=2", "cols=2", "excitatory=0.9"}),
              HasSubstr("makes all of 4 units excitatory"));
  EXPECT_THAT(complaint({"excitatory=1.5"}), HasSubstr("wiring.excitatory"));
  EXPECT_THAT(complaint({"excitatory=nan"}), HasSubstr("wiring.excitatory"));
  RunConfig config = small_run_config();
  config.network.readout_excitatory = true;
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("network.readout_excitatory = true needs excitatory units"));
  EXPECT_THAT(message_of<UsageError>([&] { initial_network(config); }),
              HasSubstr("network.readout_excitatory = true needs excitatory units"));
  for (const char* key : {"wire_penalty = -1", "wire_penalty = nan", "wire_penalty = inf",
                          "wire_power = -1", "wire_power = 9"}) {
    LossConfig loss;
    EXPECT_THAT(
        message_of<UsageError>([&] { read_config(loss, parse_toml(key, "a.toml"), "loss"); }),
        HasSubstr("loss.wire_p"))
        << key;
  }
}

TEST(UnitTypes, EveryPairHasItsRadius) {
  const std::vector<std::string> sheet{"rows=9", "cols=7", "radius=2"};
  WiringConfig wiring = wiring_of(sheet);
  wiring.excitatory = 0.7;
  wiring.radius_ei = 3;
  wiring.radius_ie = 1;
  wiring.radius_ii = 0;
  EXPECT_TRUE(depends_on_seed(wiring));
  const Mask mask = make_mask(wiring, Seed{5});
  const auto types = excitatory_units(wiring, Seed{5});
  for (std::size_t target = 0; target < 63; ++target)
    for (std::size_t source = 0; source < 63; ++source) {
      const double radius =
          types[source] != 0 ? (types[target] != 0 ? 2 : 3) : (types[target] != 0 ? 1 : 0);
      EXPECT_EQ(mask.has(target, source), wiring.sheet().distance(target, source) <= radius)
          << source << " -> " << target;
    }
  wiring.radius_ei = wiring.radius_ie = wiring.radius_ii = 2;
  EXPECT_EQ(make_mask(wiring, Seed{5}), make_mask(wiring_of(sheet), Seed{5}));
}

// Signs ----------------------------------------------------------------------------------------

TEST(Signs, InitialWeightsHaveThemAndAreBalanced) {
  RunConfig config = small_run_config();
  config.wiring.rows = config.wiring.cols = 32;
  config.wiring.radius = 4;
  const Network free = initial_network(config);
  config.wiring.excitatory = 0.8;
  const Network network = initial_network(config);
  EXPECT_EQ(n_violations(network), 0u);
  const Mask& mask = network.architecture().recurrent;
  const auto w = recurrent_weights(network);
  double sum = 0, squares = 0;
  for (const float x : w) {
    sum += double{x} / 1024;
    squares += double{x} * x / 1024;
  }
  EXPECT_NEAR(sum, 0, 0.08);      // of a unit's weights; four standard errors
  EXPECT_NEAR(squares, 1, 0.04);  // as without signs
  // The numbers are those of the unsigned network, except for the factors of the balance.
  const auto sources = mask.sources_of(0);
  const auto n_inhibitory = static_cast<double>(std::ranges::count_if(
      sources, [&](std::uint32_t j) { return network.architecture().excitatory[j] == 0; }));
  const double ratio =
      std::sqrt(n_inhibitory / (static_cast<double>(sources.size()) - n_inhibitory));
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const bool excitatory = network.architecture().excitatory[sources[k]] != 0;
    EXPECT_NEAR(std::abs(w[k]),
                std::abs(recurrent_weights(free)[k]) * (excitatory ? ratio : 1 / ratio), 1e-6);
  }
  EXPECT_TRUE(std::ranges::equal(free.parameters().subspan(free.layout().input, 100),
                                 network.parameters().subspan(network.layout().input, 100)));
}

TEST(Signs, EverySchemeAndWiringBeginsWithThem) {
  for (const Initialisation scheme :
       {Initialisation::identity, Initialisation::fan_in, Initialisation::spectral_radius})
    for (const WiringKind kind : {WiringKind::local, WiringKind::autapse, WiringKind::dense}) {
      RunConfig config = typed_config();
      config.network.initialisation = scheme;
      config.wiring.kind = kind;
      const Network network = initial_network(config);
      EXPECT_EQ(n_violations(network), 0u);
      const auto w = recurrent_weights(network);
      EXPECT_LT(*std::ranges::min_element(w), 0);
      EXPECT_GT(*std::ranges::max_element(w), 0);
    }
}

TEST(Signs, HoldAfterAnyNumberOfSteps) {
  RunConfig config = typed_config();
  config.optimiser.learning_rate = 0.02;
  config.train.average = 0.9;
  config.train.steps = 200;
  config.loss.wire_penalty = 1e-3;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(2);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int step = 0; step < 200; ++step) learner.step();
  EXPECT_EQ(n_violations(learner.network()), 0u);
  EXPECT_EQ(n_violations(learner.result()), 0u);
  // Some would have the other sign by now, but are kept at 0.
  EXPECT_GT(std::ranges::count(recurrent_weights(learner.network()), 0.0f), 0);
}

TEST(Signs, AndWireKeepTheBitsForAnyThreadsAndInterruption) {
  const TemporaryDirectory dir;
  RunConfig config = typed_config();
  config.loss.wire_penalty = 1e-3;
  config.optimiser.learning_rate = 0.02;
  Trainer::start(config, dir / "one", {.n_threads = 1}).run();
  Trainer::start(config, dir / "three", {.n_threads = 3}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "three", 20));
  {
    Trainer trainer = Trainer::start(config, dir / "resumed", {.n_threads = 2});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [&] { return trainer.step() >= 7; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  Trainer::resume(dir / "resumed", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "resumed", 20));
  EXPECT_EQ(timeless(dir / "one" / "metrics.csv"), timeless(dir / "resumed" / "metrics.csv"));
  EXPECT_EQ(n_violations(final_network(dir / "resumed")), 0u);
}

TEST(Signs, AreInTheFileOfTheNetwork) {
  const TemporaryDirectory dir;
  const RunConfig config = typed_config();
  const Network network = initial_network(config);
  save_network(dir / "network.safetensors", network, {});
  const Network back = std::move(load_network(dir / "network.safetensors").network);
  EXPECT_EQ(back.architecture().excitatory, excitatory_units(config.wiring, config.run_seed()));
  save_network(dir / "free.safetensors", initial_network(small_run_config()), {});
  EXPECT_EQ(read_safetensors(dir / "free.safetensors").find("excitatory"), nullptr);
  EXPECT_TRUE(load_network(dir / "free.safetensors").network.architecture().excitatory.empty());
  Architecture a = network.copy().architecture();
  a.excitatory.pop_back();
  EXPECT_THAT(message_of<UsageError>([&] { Network{a}; }), HasSubstr("15 units have a type"));
}

TEST(Signs, OfInitFromMustFit) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  Trainer::start(config, dir / "free", {.n_threads = 1}).run();
  Trainer::start(typed_config(), dir / "typed", {.n_threads = 1}).run();
  config = typed_config();
  config.init_from = dir / "free";
  EXPECT_THAT(message_of<UsageError>([&] { initial_network(config); }),
              HasSubstr("with wiring.excitatory unit"));
  config.init_from = dir / "typed";
  EXPECT_EQ(n_violations(initial_network(config)), 0u);
  config.wiring.excitatory.reset();  // signs may become free
  EXPECT_TRUE(initial_network(config).architecture().excitatory.empty());
}

TEST(Signs, TheReadoutMayBeOfExcitatoryUnitsAlone) {
  RunConfig config = typed_config();
  EXPECT_TRUE(initial_network(config).architecture().readout.is_dense());
  config.network.readout_excitatory = true;
  const Network network = initial_network(config);
  const Architecture& a = network.architecture();
  for (std::size_t c = 0; c < a.n_classes; ++c)
    for (std::size_t i = 0; i < a.n_units(); ++i)
      EXPECT_EQ(a.readout.has(c, i), a.excitatory[i] != 0);
  // A patch of one inhibitory unit.
  const auto unit = std::ranges::find(a.excitatory, 0) - a.excitatory.begin();
  config.network.readout.patch = {unit / 4, unit % 4, 1, 1};
  EXPECT_THAT(message_of<UsageError>([&] { initial_network(config); }),
              HasSubstr("leaves no readout synapse"));
}

}  // namespace
}  // namespace lmrnn
