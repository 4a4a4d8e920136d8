// Measured networks: places of units, weights, types of cells, and gains instead of weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "network_of_run.hpp"
#include "small_run.hpp"
#include "train/gains.hpp"
#include "train/inputs.hpp"
#include "train/learner.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void save(const fs::path& path, const std::string& name, const std::vector<double>& values,
          std::vector<std::size_t> shape) {
  ArrayFile file;
  file.arrays.emplace_back(name, ArrayData::of<double>(values, std::move(shape)));
  write_arrays(path, file);
}

template <class Call>
std::string complaint(const Call& call) {
  return message_of<UsageError>(call);
}

/// Four units of a connectome, in this order: at the corners of a rectangle of 3 by 4, and two far
/// away. W[target, source]: 0 -> 1 (2 contacts), 1 -> 2 (3), 2 -> 0 (6), 3 -> 3 (1), 0 -> 3 (4).
constexpr double contacts[] = {0, 0, 6, 0,  //
                               2, 0, 0, 0,  //
                               0, 3, 0, 0,  //
                               4, 0, 0, 1};

class Measured : public ::testing::Test {
 protected:
  Measured() : config(small_run_config()) {
    config.battery.tasks = "go";
    config.network.activation = Activation::tanh;  // no unit is silent
    WiringConfig& w = config.wiring;
    w.kind = WiringKind::file;
    w.rows = 2;
    w.cols = 2;
    w.boundary = Boundary::open;
    w.metric = Metric::l2;
    w.path = dir / "worm.npz";
    ArrayFile file;
    const auto add = [&](const char* name, const std::vector<double>& values,
                         std::vector<std::size_t> shape) {
      file.arrays.emplace_back(name, ArrayData::of<double>(values, std::move(shape)));
    };
    add("mask", {0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1}, {4, 4});
    add("weights", {std::begin(contacts), std::end(contacts)}, {4, 4});
    add("coordinates", {0, 0, 0, 3, 0, 0, 3, 4, 0, 3, 4, 12}, {4, 3});
    add("types", {2, 0, 0, 2}, {4});
    add("excitatory", {1, 1, 0, 1}, {4});
    write_npz(dir / "worm.npz", file);
  }

  std::string worm() const { return dir / "worm.npz"; }

  TemporaryDirectory dir;
  RunConfig config;
};

// Places ---------------------------------------------------------------------------------------

// 0.3 - 0.2 is slightly less than 0.1, 0.30000000000000004 - 0.2 slightly more.
TEST_F(Measured, PlacesOnAGridAreNeighboursWhateverTheirPitch) {
  for (const double pitch : {0.1, 0.05, 0.4, 0.02}) {
    std::vector<double> places;
    for (int unit = 0; unit < 16; ++unit) {
      places.push_back(pitch * (unit / 4));
      places.push_back(pitch * (unit % 4));
    }
    save(dir / "grid.npz", "coordinates", places, {16, 2});
    WiringConfig w;
    w.rows = w.cols = 4;
    w.boundary = Boundary::open;
    w.metric = Metric::l2;
    w.radius = pitch;
    w.autapses = false;
    w.coordinates_path = dir / "grid.npz";
    EXPECT_EQ(make_mask(w, Seed{1}).n_synapses(), 48u) << pitch;
  }
}

TEST_F(Measured, WeightsThatAreTooSmallForSinglePrecisionAreRefused) {
  std::vector<double> tiny(std::begin(contacts), std::end(contacts));
  for (double& w : tiny) w *= 1e-60;
  save(dir / "tiny.npz", "weights", tiny, {4, 4});
  config.wiring.weights_path = dir / "tiny.npz";
  EXPECT_THAT(complaint([&] { initial_network(config); }), HasSubstr("0 in single precision"));
  config.wiring.weights_scale = WeightsScale::fan_in;  // whatever their size
  const Network network = initial_network(config);
  double squares = 0;
  for (const float w : recurrent_weights(network)) squares += double{w} * w;
  EXPECT_NEAR(squares, 4, 1e-5);
}

TEST_F(Measured, DistancesAreBetweenPlaces) {
  EXPECT_EQ(make_sheet(config.wiring).distance(0, 3), std::sqrt(2.0));  // rows and columns
  EXPECT_EQ(make_sheet(config.wiring).spacing(), 1);
  config.wiring.coordinates_path = worm();
  const Sheet sheet = make_sheet(config.wiring);
  EXPECT_EQ(sheet.distance(0, 1), 3);
  EXPECT_EQ(sheet.distance(0, 2), 5);
  EXPECT_EQ(sheet.distance(0, 3), 13);
  EXPECT_EQ(sheet.distance(3, 0), 13);
  EXPECT_EQ(sheet.spacing(), (3 + 3 + 4 + 12) / 4.0);  // to the nearest
  config.wiring.metric = Metric::l1;
  EXPECT_EQ(make_sheet(config.wiring).distance(0, 3), 19);
  config.wiring.metric = Metric::linf;
  EXPECT_EQ(make_sheet(config.wiring).distance(0, 3), 12);
  // 2 -> 0: 5, 0 -> 1: 3, 1 -> 2: 4, 0 -> 3: 13, the autapse: 0
  config.wiring.metric = Metric::l2;
  EXPECT_EQ(mask_statistics(make_mask(config.wiring, Seed{1}), sheet).wire_length, 25);
}

TEST_F(Measured, LocalMasksAreBetweenPlaces) {
  WiringConfig& w = config.wiring;
  w.coordinates_path = worm();
  w.kind = WiringKind::local;
  w.radius = 4;
  const Mask mask = make_mask(w, Seed{1});
  EXPECT_EQ(mask, Mask(4, 4, {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 3}}));
  w.autapses = false;
  EXPECT_EQ(make_mask(w, Seed{1}), Mask(4, 4, {{0, 1}, {1, 0}, {1, 2}, {2, 1}}));
  w.radius = 2.5;
  EXPECT_THAT(complaint([&] { make_mask(w, Seed{1}); }),
              HasSubstr("wiring.radius = 2.5 reaches from no unit to another"));
  w.autapses = true;  // a radius in another unit than the places
  EXPECT_THAT(complaint([&] { make_mask(w, Seed{1}); }),
              HasSubstr("wiring.radius = 2.5 reaches from no unit to another"));
  w.radius = 0;
  EXPECT_EQ(make_mask(w, Seed{1}), Mask(4, 4, {{0, 0}, {1, 1}, {2, 2}, {3, 3}}));
  w.kind = WiringKind::exponential;
  w.density = 1 / 3.0;
  EXPECT_GT(make_mask(w, Seed{1}).n_synapses(), 0u);
  // A plastic part uses the same places.
  config.wiring.kind = WiringKind::file;
  w.autapses = true;
  w.plastic.kind = SubsetKind::local;
  w.plastic.radius = 4;
  EXPECT_EQ(make_subset(make_mask(w, Seed{1}), w, w.plastic, "wiring.plastic", Seed{1}),
            Mask(4, 4, {{1, 0}, {2, 1}, {3, 3}}));
}

TEST_F(Measured, PlacesThatAreNoneAreRefused) {
  WiringConfig& w = config.wiring;
  w.coordinates_path = dir / "places.npy";
  const auto refused = [&] { return complaint([&] { make_sheet(w); }); };
  EXPECT_THAT(refused(), HasSubstr("places.npy"));
  const auto write = [&](const std::vector<double>& values, std::vector<std::size_t> shape) {
    // write_arrays has no npy
    w.coordinates_path = dir / "places.npz";
    save(*w.coordinates_path, "coordinates", values, std::move(shape));
  };
  write({0, 1, 2, 3}, {4, 1});
  EXPECT_THAT(refused(), HasSubstr("a place has 1 numbers"));
  write({0, 1, 2, 3, 4, 5}, {3, 2});
  EXPECT_THAT(refused(), HasSubstr("has the coordinates of 3 units, but a sheet of 2 x 2 has 4"));
  write({0, 1, 2, 3, 4, 5, 6, 7}, {8});
  EXPECT_THAT(refused(), HasSubstr("have the shape (8)"));
  write({0, 1, 2, 3, 4, NAN, 6, 7}, {4, 2});
  EXPECT_THAT(refused(), HasSubstr("coordinate 1 of unit 2 is nan"));
  write({1, 2, 1, 2, 1, 2, 1, 2}, {4, 2});
  EXPECT_THAT(refused(), HasSubstr("all units are at one place"));
  write({0, 1, 2, 3, 4, 5, 6, 7}, {4, 2});
  EXPECT_NO_THROW(make_sheet(w));
  w.boundary = Boundary::torus;
  EXPECT_THAT(refused(), HasSubstr("set wiring.boundary = \"open\""));
  EXPECT_THAT(complaint([&] { check_config(config); }), HasSubstr("wiring.boundary = \"open\""));
  w.coordinates_path = "";
  EXPECT_THAT(refused(), HasSubstr("wiring.coordinates_path = \"\""));
}

TEST_F(Measured, NetworksHoldTheirPlaces) {
  config.wiring.coordinates_path = worm();
  config.loss.wire_penalty = 1e-3;
  Trainer::start(config, dir / "whole", {.n_threads = 1}).run();
  {
    Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [&] { return trainer.step() >= 7; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  std::vector<std::string> keys;
  for (const InputPath& input : input_paths(config)) keys.push_back(input.key);
  EXPECT_THAT(keys, ElementsAre("wiring.path", "wiring.coordinates_path"));
  fs::remove(worm());
  Trainer::resume(dir / "run", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "whole", 20), checkpoint_bytes(dir / "run", 20));
  const fs::path file = find_network(dir / "run");
  const LoadedNetwork loaded = load_network(file);
  const Sheet sheet = trained_on(loaded.metadata, file).sheet;
  EXPECT_EQ(sheet.distance(0, 3), 13);
  NetworkMetadata metadata = loaded.metadata;
  metadata["coordinates"] = "0 1\n2 x\n";
  EXPECT_THAT(complaint([&] { trained_on(metadata, file); }),
              HasSubstr("\"x\" in its coordinates"));
  metadata.erase("coordinates");
  EXPECT_THAT(complaint([&] { trained_on(metadata, file); }), HasSubstr("does not hold them"));
}

TEST_F(Measured, TextOfPlacesIsExact) {
  const std::vector<double> values{0.1,           -1.0 / 3, 1e-300, std::numbers::pi,
                                   123456789.123, -0.5,     7,      8};
  const Sheet sheet = with_coordinates({2, 2, Metric::l2, Boundary::open}, 2, values, "here");
  WiringConfig wiring = config.wiring;
  const Sheet back = sheet_of(wiring, {{"coordinates", coordinates_text(sheet)}}, "file");
  ASSERT_TRUE(back.coordinates);
  EXPECT_EQ(back.coordinates->values, values);
  EXPECT_EQ(back.coordinates->n_dimensions, 2u);
}

// Weights --------------------------------------------------------------------------------------

TEST_F(Measured, WeightsAreThoseOfTheFile) {
  config.wiring.weights_path = worm();
  EXPECT_THAT(recurrent_weights(initial_network(config)), ElementsAre(6, 2, 3, 4, 1));
  config.network.gain = 0.5;
  EXPECT_THAT(recurrent_weights(initial_network(config)), ElementsAre(3, 1, 1.5, 2, 0.5));
  config.network.gain = 1;
  config.wiring.weights_scale = WeightsScale::fan_in;
  const Network scaled = initial_network(config);
  const auto w = recurrent_weights(scaled);
  double squares = 0;
  for (const float x : w) squares += double{x} * x;
  EXPECT_NEAR(squares, 4, 1e-5);  // of four units with synapses
  EXPECT_NEAR(w[0] / w[1], 3, 1e-6);
  // Everything else is drawn as without a file.
  config.wiring.weights_scale.reset();
  const Network from_file = initial_network(config);
  config.wiring.weights_path.reset();
  const Network drawn = initial_network(config);
  EXPECT_TRUE(std::ranges::equal(from_file.parameters().subspan(5), drawn.parameters().subspan(5)));
}

TEST_F(Measured, CountsTakeTheSignOfTheirSource) {
  config.wiring.weights_path = worm();
  config.wiring.excitatory_placement = UnitPlacement::file;
  config.wiring.excitatory_path = worm();
  EXPECT_THAT(recurrent_weights(initial_network(config)), ElementsAre(-6, 2, 3, 4, 1));
  // Weights with signs of their own must agree with the types.
  config.wiring.weights_path = dir / "signed.npz";
  std::vector<double> weights(std::begin(contacts), std::end(contacts));
  weights[2] = -6;
  save(*config.wiring.weights_path, "weights", weights, {4, 4});
  EXPECT_THAT(recurrent_weights(initial_network(config)), ElementsAre(-6, 2, 3, 4, 1));
  weights[4] = -2;
  save(*config.wiring.weights_path, "weights", weights, {4, 4});
  EXPECT_THAT(complaint([&] { initial_network(config); }),
              HasSubstr("its weight from unit 0 onto unit 1 is -2"));
}

TEST_F(Measured, WeightsThatDoNotFitAreRefused) {
  WiringConfig& w = config.wiring;
  w.weights_path = dir / "weights.npz";
  const auto refused = [&](std::vector<double> weights, std::vector<std::size_t> shape) {
    save(*w.weights_path, "weights", weights, std::move(shape));
    return complaint([&] { initial_network(config); });
  };
  std::vector<double> values(std::begin(contacts), std::end(contacts));
  std::vector<double> transposed(16);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) transposed[4 * j + i] = values[4 * i + j];
  EXPECT_THAT(refused(transposed, {4, 4}), HasSubstr("the weight at [0, 1] (from unit 1 onto unit "
                                                     "0) is 2, but there is no such synapse"));
  EXPECT_THAT(refused(values, {16}), HasSubstr("have the shape (16), but 4 units need (4, 4)"));
  EXPECT_THAT(refused(std::vector<double>(16, 0.0), {4, 4}), HasSubstr("all weights are 0"));
  values[2] = INFINITY;
  EXPECT_THAT(refused(values, {4, 4}), HasSubstr("the weight at [0, 2] is inf"));
  values[2] = 1e300;
  EXPECT_THAT(refused(values, {4, 4}), HasSubstr("too large for single precision"));
  // Without autapses, the file's are left out of mask and weights alike.
  w.weights_path = worm();
  w.autapses = false;
  EXPECT_THAT(recurrent_weights(initial_network(config)), ElementsAre(6, 2, 3, 4));

  const auto conflict = [&] { return complaint([&] { check_config(config); }); };
  w.initial.kind = SubsetKind::none;
  EXPECT_THAT(conflict(), HasSubstr("wiring.initial.kind = \"none\" does not go with"));
  w.initial.kind = SubsetKind::all;
  config.init_from = "somewhere";
  EXPECT_THAT(conflict(), HasSubstr("both say the initial weights"));
  config.init_from.clear();
  config.network.initialisation = Initialisation::identity;
  EXPECT_THAT(conflict(), HasSubstr("network.initialisation = \"identity\" does not go with"));
  config.network.initialisation = Initialisation::fan_in;
  w.weights_path.reset();
  w.weights_scale = WeightsScale::fan_in;
  EXPECT_THAT(conflict(), HasSubstr("wiring.weights_scale needs wiring.weights_path"));
}

// Gains ----------------------------------------------------------------------------------------

TEST_F(Measured, TypesAreReadAndChecked) {
  EXPECT_TRUE(cell_types(config.wiring).empty());
  config.wiring.types_path = worm();
  EXPECT_THAT(cell_types(config.wiring), ElementsAre(2, 0, 0, 2));
  config.wiring.types_path = dir / "types.npz";
  save(*config.wiring.types_path, "types", {0, 1, 1.5, 0}, {4});
  EXPECT_THAT(complaint([&] { cell_types(config.wiring); }), HasSubstr("type of unit 2 is 1.5"));
  save(*config.wiring.types_path, "types", {0, 1}, {2});
  EXPECT_THAT(complaint([&] { cell_types(config.wiring); }),
              HasSubstr("has the types of 2 units, but a sheet of 2 x 2 has 4"));
  // Even if they are not used.
  EXPECT_THAT(complaint([&] { Trainer::start(config, dir / "run", {.n_threads = 1}); }),
              HasSubstr("has the types of 2 units"));
}

TEST_F(Measured, GroupsOfSynapsesByHand) {
  // In the order of the mask: 2 -> 0, 0 -> 1, 1 -> 2, 0 -> 3, 3 -> 3; types 2 0 0 2.
  config.wiring.types_path = worm();
  const Network network = initial_network(config);
  const auto groups = [&](GainGroups kind) {
    config.wiring.gains = kind;
    return initial_gains(config, network);
  };
  const GainState types = groups(GainGroups::types);
  EXPECT_THAT(types.target, ElementsAre(0, 0, 2, 2));
  EXPECT_THAT(types.source, ElementsAre(0, 2, 0, 2));
  EXPECT_THAT(types.groups, ElementsAre(2, 1, 0, 3, 3));
  EXPECT_THAT(types.values, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(groups(GainGroups::targets).groups, ElementsAre(0, 1, 2, 3, 3));
  const GainState sources = groups(GainGroups::sources);
  EXPECT_THAT(sources.groups, ElementsAre(2, 0, 1, 0, 3));
  EXPECT_THAT(sources.target, ElementsAre(-1, -1, -1, -1));
  EXPECT_THAT(sources.source, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(groups(GainGroups::all).groups, ElementsAre(0, 0, 0, 0, 0));
  // Without types of cells, excitatory (1) and inhibitory (0) units are the types.
  config.wiring.types_path.reset();
  config.wiring.excitatory_placement = UnitPlacement::file;
  config.wiring.excitatory_path = worm();
  config.wiring.gains = GainGroups::types;
  const GainState signs = initial_gains(config, initial_network(config));
  EXPECT_THAT(signs.target, ElementsAre(0, 1, 1));
  EXPECT_THAT(signs.source, ElementsAre(1, 0, 1));
  EXPECT_THAT(signs.groups, ElementsAre(1, 2, 0, 2, 2));
}

// One step of gradient descent at rate 1: the change of a gain is minus the sum of W0 times the
// gradient of the weight, which is what the same step changes the weights by without gains.
TEST_F(Measured, GradientsOfGainsAreThoseOfWeightsAddedUp) {
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = 1e-3, .momentum = 0, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.wiring.weights_path = worm();
  config.wiring.weights_scale = WeightsScale::fan_in;
  config.wiring.types_path = worm();
  const Battery battery(config.battery, config.run_seed());
  const auto step = [&] {
    ThreadPool pool(1);
    Learner learner(config, battery, make_network(config, battery), 0, pool);
    learner.step();
    const auto w = recurrent_weights(learner.network());
    return std::pair(std::vector<double>(w.begin(), w.end()), learner.gains().state());
  };
  const Network start = initial_network(config);
  const auto w0 = recurrent_weights(start);
  const auto [free, none] = step();
  EXPECT_TRUE(none.empty());
  for (const GainGroups kind :
       {GainGroups::types, GainGroups::targets, GainGroups::sources, GainGroups::all}) {
    config.wiring.gains = kind;
    const auto [w, gains] = step();
    std::vector<double> expected(gains.values.size(), 1.0);
    for (std::size_t k = 0; k < 5; ++k)
      expected[gains.groups[k]] += double{w0[k]} * (free[k] - double{w0[k]});
    for (std::size_t g = 0; g < expected.size(); ++g)
      EXPECT_NEAR(gains.values[g], expected[g], 2e-6) << to_name(kind) << g;
    for (std::size_t k = 0; k < 5; ++k)
      EXPECT_EQ(static_cast<float>(w[k]), gains.values[gains.groups[k]] * w0[k]);
  }
}

TEST_F(Measured, GainsKeepTheRatiosOfWeightsAndTheirBits) {
  config.wiring.weights_path = worm();
  config.wiring.weights_scale = WeightsScale::fan_in;
  config.wiring.types_path = worm();
  config.wiring.gains = GainGroups::types;
  config.train.average = 0.9;
  config.optimiser.learning_rate = 0.01;
  Trainer::start(config, dir / "one", {.n_threads = 1}).run();
  Trainer::start(config, dir / "three", {.n_threads = 3}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "three", 20));
  {
    Trainer trainer = Trainer::start(config, dir / "resumed", {.n_threads = 2});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [&] { return trainer.step() >= 7; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  fs::remove(worm());  // the checkpoint holds what came from it
  Trainer::resume(dir / "resumed", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "resumed", 20));
  const Network network = final_network(dir / "resumed");
  const auto w = recurrent_weights(network);
  EXPECT_NEAR(w[3] / w[4], 4, 1e-4);  // 0 -> 3 and 3 -> 3 are of the same pair of types
  EXPECT_GT(std::abs(w[0] / w[1] - 3), 1e-3);
}

TEST_F(Measured, OnlyGainsOfPlasticSynapsesAreTrained) {
  config.wiring.gains = GainGroups::all;
  config.wiring.plastic.kind = SubsetKind::autapse;
  config.optimiser.learning_rate = 0.05;
  const Network start = initial_network(config);
  Trainer::start(config, dir / "run", {.n_threads = 1}).run();
  const Network network = final_network(dir / "run");
  for (std::size_t k = 0; k < 5; ++k)
    EXPECT_EQ(recurrent_weights(network)[k] == recurrent_weights(start)[k], k < 4) << k;
}

TEST_F(Measured, GainsWithoutPlasticSynapsesDoNotDecay) {
  config.wiring.gains = GainGroups::sources;
  config.wiring.plastic.kind = SubsetKind::autapse;  // 3 -> 3
  config.optimiser.weight_decay = 0.5;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int step = 0; step < 5; ++step) learner.step();
  const std::vector<float> values = learner.gains().state().values;
  EXPECT_THAT(std::vector(values.begin(), values.begin() + 3), ElementsAre(1, 1, 1));
  EXPECT_NE(values[3], 1);
}

TEST_F(Measured, GainsOfUnitsWithTypesKeepTheirSigns) {
  config.wiring.excitatory_placement = UnitPlacement::file;
  config.wiring.excitatory_path = worm();
  config.wiring.gains = GainGroups::sources;
  config.optimiser.learning_rate = 0.5;
  config.train.steps = 60;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int step = 0; step < 60; ++step) {
    learner.step();
    const std::vector<float> values = learner.gains().state().values;
    EXPECT_GE(*std::ranges::min_element(values), 0);
  }
  EXPECT_NO_THROW(require_signs(learner.network(), "trained"));
}

TEST_F(Measured, GainsThatCannotBeAreRefused) {
  const auto conflict = [&] { return complaint([&] { check_config(config); }); };
  config.wiring.gains = GainGroups::types;
  EXPECT_THAT(conflict(), HasSubstr("wiring.gains = \"types\" needs types of units"));
  config.wiring.types_path = worm();
  EXPECT_NO_THROW(check_config(config));
  config.optimiser.in_degree_power = 0.5;
  EXPECT_THAT(conflict(), HasSubstr("optimiser.in_degree_power = 0.5"));
  config.optimiser.in_degree_power = 0;
  config.wiring.plastic.kind = SubsetKind::none;
  EXPECT_THAT(conflict(), HasSubstr("trains no recurrent synapse"));
  config.wiring.plastic.kind = SubsetKind::all;
  config.network.gain = 0;
  EXPECT_THAT(complaint([&] { Trainer::start(config, dir / "run", {.n_threads = 1}); }),
              HasSubstr("which are all 0"));
}

TEST_F(Measured, KeysThatAreAbsentAreInNoFile) {
  const std::string text = to_toml(write_config(WiringConfig{}));
  for (const char* key : {"coordinates", "types", "weights", "gains"})
    EXPECT_EQ(text.find(key), std::string::npos) << key;
}

}  // namespace
}  // namespace lmrnn
