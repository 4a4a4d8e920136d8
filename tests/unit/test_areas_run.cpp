// Networks of several areas are trained, saved and resumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "small_run.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t n_onto(const Mask& mask, std::size_t first, std::size_t last) {
  return mask.row_offsets()[last] - mask.row_offsets()[first];
}

TEST(AreasConfig, ConfigurationsWithoutThemAreWrittenAsBefore) {
  EXPECT_THAT(to_toml(write_config(RunConfig{})), Not(HasSubstr("areas")));
  EXPECT_THAT(to_toml(write_config(RunConfig{})), Not(HasSubstr("between")));
}

class AreasRun : public ::testing::Test {
 protected:
  AreasRun() {
    config = small_run_config();
    config.wiring.areas = std::vector<AreaConfig>{{"sensory", 3, 4, {}}, {"motor", 2, 3, {}}};
    config.wiring.between_density = 0.3;
    config.network.input.areas = std::vector<std::string>{"sensory"};
    config.network.readout.areas = std::vector<std::string>{"motor"};
  }
  Network final_network(const std::string& name) const {
    return std::move(load_network(find_network(dir / name)).network);
  }

  RunConfig config;
  TemporaryDirectory dir;
};

TEST_F(AreasRun, WrongNamesAreRefusedBeforeANetworkIsMade) {
  config.network.readout.areas = std::vector<std::string>{"moter"};
  EXPECT_THAT(
      message_of<UsageError>([&] { check_config(config); }),
      HasSubstr("network.readout.areas: \"moter\" is not one of \"sensory\", \"motor\"; did "
                "you mean \"motor\"?"));
}

TEST_F(AreasRun, ResumesToTheSameBitsAndItsNetworkKnowsTheAreas) {
  Trainer::start(config, dir / "whole", {.n_threads = 1}).run();
  {
    Trainer trainer = Trainer::start(config, dir / "parts", {.n_threads = 2});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [&] { return trainer.step() >= 7; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  Trainer::resume(dir / "parts", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "parts", 20), checkpoint_bytes(dir / "whole", 20));

  const fs::path file = find_network(dir / "whole");
  const TrainedOn trained = trained_on(load_network(file).metadata, file);
  ASSERT_EQ(trained.sheet.all_areas().size(), 2u);
  EXPECT_EQ(trained.sheet.all_areas()[1].name, "motor");
  EXPECT_EQ(trained.sheet.all_areas()[1].first, 12u);
  const Network network = final_network("whole");
  EXPECT_EQ(network.architecture().n_units(), 18u);
  EXPECT_EQ(n_onto(network.architecture().input, 12, 18), 0u);
  EXPECT_EQ(area_statistics(network.architecture().recurrent, trained.sheet)[1].n_synapses, 22u);
}

TEST_F(AreasRun, SynapsesBetweenAloneCanBeTrained) {
  config.wiring.plastic.kind = SubsetKind::between;
  const Network start = make_network(config, Battery(config.battery, config.run_seed()));
  Trainer::start(config, dir / "run", {.n_threads = 1}).run();
  const Network end = final_network("run");
  const Mask& mask = start.architecture().recurrent;
  const float* before = start.parameters().data() + start.layout().recurrent;
  const float* after = end.parameters().data() + end.layout().recurrent;
  std::size_t n_changed = 0;
  for (std::size_t target = 0; target < 18; ++target)
    for (const std::uint32_t source : mask.sources_of(target)) {
      const bool changed = *before++ != *after++;
      n_changed += changed;
      if ((target < 12) == (source < 12)) {
        EXPECT_FALSE(changed) << target << " " << source;
      }
    }
  EXPECT_GT(n_changed, 0u);
}

TEST_F(AreasRun, WireBetweenAreasNeedsALength) {
  config.loss.wire_penalty = 1e-3;
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("set wiring.between_length"));
  config.wiring.between_length = 5;
  EXPECT_NO_THROW(check_config(config));
  const Network network = make_network(config, Battery(config.battery, config.run_seed()));
  const Sheet sheet = config.wiring.sheet();
  const Mask& mask = network.architecture().recurrent;
  const float* w = network.parameters().data() + network.layout().recurrent;
  double wire = 0;
  for (std::size_t target = 0; target < 18; ++target)
    for (const std::uint32_t source : mask.sources_of(target)) {
      const bool within = (target < 12) == (source < 12);
      wire += std::abs(static_cast<double>(*w++)) * (within ? sheet.distance(target, source) : 5);
    }
  EXPECT_NEAR(wire_of(network, config, sheet), wire, 1e-9);
  EXPECT_TRUE(config.wiring.has_wire_lengths());
  config.wiring.between_length.reset();
  EXPECT_FALSE(config.wiring.has_wire_lengths());
  config.wiring.areas->resize(1);
  EXPECT_TRUE(config.wiring.has_wire_lengths());
  config.wiring.areas.reset();
  config.wiring.between_density.reset();
  config.wiring.between_length.reset();
  EXPECT_THAT(message_of<UsageError>([&] { check_config(config); }),
              HasSubstr("network.input.areas needs wiring.areas"));
}

}  // namespace
}  // namespace lmrnn
