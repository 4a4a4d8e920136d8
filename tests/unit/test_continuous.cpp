// Continuous targets: their gradient compared with the readable twin, training, and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "network_cases.hpp"
#include "small_run.hpp"
#include "train/continuous_loss.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

// Numbers per class, as targets of the trials that have the classes.
std::vector<float> outputs_of(const testing::Laboratory& lab) {
  std::vector<float> outputs;
  for (const std::int32_t y : lab.targets) {
    const float* wanted = lab.wanted() + static_cast<std::size_t>(y) * lab.c.n_classes;
    outputs.insert(outputs.end(), wanted, wanted + lab.c.n_classes);
  }
  return outputs;
}

TEST(ContinuousTargets, HaveTheLossAndGradientOfTheReadableTwin) {
  for (testing::NetworkCase c : testing::network_cases()) {
    SCOPED_TRACE(c.name);
    c.loss = LossKind::least_squares;
    const testing::Laboratory lab(c);
    const std::vector<float> outputs = outputs_of(lab);
    const std::vector<double> expected = lab.reference_gradient();
    double largest = 0;
    for (const double g : expected) largest = std::max(largest, std::abs(g));
    ContinuousLoss loss(*lab.network);
    for (const bool recompute : {false, true}) {
      LossOptions options = lab.loss_options();
      options.recompute = recompute;
      std::vector<float> gradient(expected.size());
      const LossResult result = loss.loss_and_gradient(
          *lab.network, lab.block, {outputs.data(), c.n_steps, c.n_trials, c.n_classes},
          lab.recurrent_noise, options, gradient);
      const double total = lab.scale * result.weighted_loss + c.rate_penalty * result.rate_square;
      const double twin = lab.loss(lab.parameters());
      EXPECT_NEAR(total, twin, 1e-5 * twin);
      for (std::size_t i = 0; i < gradient.size(); ++i)
        ASSERT_NEAR(gradient[i], expected[i], 2e-5 * largest) << i;
    }
  }
}

TEST(ContinuousTargets, OfWeightsThatAreNotFiniteHaveNoLoss) {
  testing::NetworkCase c;
  c.loss = LossKind::least_squares;
  c.wiring = testing::sheet_wiring(WiringKind::local, 3, 3);
  const testing::Laboratory lab(c);
  const std::vector<float> outputs = outputs_of(lab);
  lab.network->write_weights()[3] = std::numeric_limits<float>::infinity();
  std::vector<float> gradient(lab.network->layout().total);
  EXPECT_TRUE(
      std::isnan(ContinuousLoss(*lab.network)
                     .loss_and_gradient(*lab.network, lab.block,
                                        {outputs.data(), c.n_steps, c.n_trials, c.n_classes}, {},
                                        lab.loss_options(), gradient)
                     .weighted_loss));
}

// One output that should follow a wave; continuous.
class Wave : public ContinuousSource {
 public:
  double within = 0.1;
  float spoilt = 0;  ///< added to one target of training
  std::string name() const override { return "wave"; }
  BatchShape shape() const override { return {1, 0, 0, 1}; }
  double tolerance() const override { return within; }
  std::vector<std::string> tasks() const override { return {"follow"}; }
  static float input(std::uint32_t batch, std::size_t t, std::size_t row) {
    return static_cast<float>(
        std::sin(0.7 * static_cast<double>(t) + static_cast<double>(row) + batch));
  }
  void fill_outputs(Split split, std::uint32_t batch, std::uint32_t first_row,
                    const TrialArray<float>& outputs) const override {
    for (std::size_t t = 0; t < outputs.n_steps; ++t)
      for (std::size_t k = 0; k < outputs.n_trials; ++k) {
        outputs(t, k) = 0.5f * input(batch, t, first_row + k);
        if (split == Split::train && t == 3) outputs(t, k) += spoilt;
      }
  }
  void fill(Split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override {
    EXPECT_TRUE(rows.targets.empty());
    for (std::size_t t = 0; t < rows.n_steps(); ++t)
      for (std::size_t k = 0; k < rows.n_trials(); ++k) {
        rows.inputs(t, k) = input(batch, t, first_row + k);
        rows.loss_weights(t, k) = 1;
        rows.trial_starts(t, k) = t == 0;
        if (!rows.tasks.empty()) rows.tasks(t, k) = 0;
        if (!rows.scored.empty()) rows.scored(t, k) = 1;
      }
  }
};

RunConfig wave_config() {
  RunConfig config;
  config.seed = 1;
  config.wiring.rows = config.wiring.cols = 3;
  config.wiring.radius = 1;
  config.stream.batch = 20;
  config.stream.steps = 10;
  config.loss.kind = LossKind::least_squares;
  config.optimiser.learning_rate = 0.01;
  config.train.steps = 300;
  config.evaluation.every = 100;
  config.evaluation.trials = 1000;
  return config;
}

TEST(ContinuousTargets, AreLearnedWithTheSameBitsForAnyNumberOfThreads) {
  const TemporaryDirectory place;
  std::vector<std::vector<float>> weights;
  for (const int threads : {1, 2}) {
    Trainer trainer = Trainer::start(wave_config(), place / std::to_string(threads),
                                     {.n_threads = threads, .source = std::make_shared<Wave>()});
    trainer.run({});
    const TaskScore& score = trainer.last_evaluation()->tasks.at(0);
    EXPECT_GT(score.decision_accuracy, 0.95);
    EXPECT_TRUE(score.solved);
    const auto p = trainer.network().parameters();
    weights.emplace_back(p.begin(), p.end());
  }
  EXPECT_EQ(weights[0], weights[1]);
  const LoadedNetwork saved = load_network(find_network(place / "1"));
  EXPECT_EQ(saved.metadata.at("targets"), "continuous, scored with a tolerance of 0.1");
}

TEST(ContinuousTargets, AreRefusedInWords) {
  const TemporaryDirectory place;
  const auto refusal = [&](RunConfig config, const Wave& wave) {
    return message_if_any<UsageError>([&] {
      Trainer::start(config, place / "run",
                     {.n_threads = 1, .source = std::make_shared<Wave>(wave)})
          .run({});
    });
  };
  RunConfig classes = wave_config();
  classes.loss.kind = LossKind::cross_entropy;
  EXPECT_THAT(refusal(classes, {}), HasSubstr("set loss.kind = \"least-squares\""));
  Wave wave;
  wave.within = -1;
  EXPECT_THAT(refusal(wave_config(), wave), HasSubstr("its tolerance is -1; give"));
  EXPECT_FALSE(std::filesystem::exists(place / "run"));
  Wave broken;
  broken.spoilt = std::numeric_limits<float>::infinity();
  EXPECT_THAT(
      refusal(wave_config(), broken),
      HasSubstr("a target is inf at step 3, row 0 of batch 0 (train); it must be a finite"));
}

}  // namespace
}  // namespace lmrnn
