// Measured networks: places of units.
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
#include "small_run.hpp"
#include "train/inputs.hpp"
#include "train/learner.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::span<const float> recurrent_weights(const Network& network) {
  return network.parameters().subspan(network.layout().recurrent, network.layout().n_recurrent);
}

Network initial_network(const RunConfig& config) {
  return make_network(config, Battery(config.battery, config.run_seed()));
}

Network final_network(const fs::path& run) {
  return std::move(load_network(find_network(run)).network);
}

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
  w.kind = WiringKind::exponential;
  w.density = 1 / 3.0;
  EXPECT_GT(make_mask(w, Seed{1}).n_synapses(), 0u);
  // A plastic part is of the same places.
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
  EXPECT_THAT(refused(), HasSubstr("coordinates in 1 dimensions"));
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

TEST_F(Measured, KeysThatAreAbsentAreInNoFile) {
  const std::string text = to_toml(write_config(WiringConfig{}));
  for (const char* key : {"coordinates", "types", "weights", "gains"})
    EXPECT_EQ(text.find(key), std::string::npos) << key;
}

}  // namespace
}  // namespace lmrnn
