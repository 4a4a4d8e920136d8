// Training as a whole: gradients of the whole objective, and learning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "lmrnn/error.hpp"
#include "small_run.hpp"
#include "train/learner.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

// Plain gradient descent with rate 1 and no momentum moves the weights by exactly the gradient.
RunConfig descent(double rate) {
  RunConfig config = small_run_config();
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = rate, .momentum = 0, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.network.activation = Activation::tanh;  // smooth, for the differences
  return config;
}

std::vector<float> weights_after_one_step(const RunConfig& config, StepResult* result = nullptr) {
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  const StepResult r = learner.step();
  if (result != nullptr) *result = r;
  const auto w = learner.network().parameters();
  return {w.begin(), w.end()};
}

std::vector<float> initial_weights(const RunConfig& config) {
  const Battery battery(config.battery, config.run_seed());
  const Network network = make_network(config, battery);
  return {network.parameters().begin(), network.parameters().end()};
}

double loss_at(const RunConfig& config, const std::vector<float>& weights) {
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  Network network = make_network(config, battery);
  network.set_weights(weights);
  Learner learner(config, battery, std::move(network), 0, pool);
  return learner.step().loss;
}

// Adam's second moment would be infinite, and the weight would never move again.
TEST(Learner, AGradientWhoseSquaresOverflowIsNotUsed) {
  RunConfig config = small_run_config();
  config.loss.kind = LossKind::least_squares;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(1);
  for (const bool clips : {false, true}) {
    config.optimiser.clip = clips ? 1 : 0;
    Network network = make_network(config, battery);
    const ParameterLayout& layout = network.layout();
    {
      const auto writer = network.write_weights();
      for (float& w : writer.all().subspan(layout.readout, layout.n_readout)) w *= 1e12f;
    }
    const std::vector<float> before(network.parameters().begin(), network.parameters().end());
    Learner learner(config, battery, std::move(network), 0, pool);
    const StepResult result = learner.step();
    ASSERT_GT(result.gradient_norm, 1.8e19);
    ASSERT_TRUE(std::isfinite(result.gradient_norm));
    EXPECT_EQ(result.finite(), clips);
    for (const float v : learner.optimiser().second_moment()) ASSERT_TRUE(std::isfinite(v));
    const std::span<const float> after = learner.network().parameters();
    EXPECT_EQ(std::ranges::equal(before, after), !clips);
  }
}

// The directional derivative of the reported loss equals the applied gradient, including
// normalisation over blocks, period weights and penalties.
TEST(Learner, TheGradientIsThatOfTheReportedLoss) {
  RunConfig config = descent(1);
  config.loss.weights = {.fixation = 0.5, .stimulus = 1, .delay = 2, .decision = 3};
  config.loss.rate_penalty = 0.7;
  config.loss.weight_penalty = 0.05;
  config.loss.penalised = PenalisedWeights::all;
  for (const LossKind kind : {LossKind::cross_entropy, LossKind::least_squares}) {
    config.loss.kind = kind;
    const std::vector<float> before = initial_weights(config);
    const std::vector<float> after = weights_after_one_step(config);
    double square = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      square += std::pow(static_cast<double>(before[i]) - after[i], 2);
    const double h = 0.01 / std::sqrt(square);
    std::vector<float> plus = before, minus = before;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const double g = static_cast<double>(before[i]) - after[i];
      plus[i] = static_cast<float>(before[i] + h * g);
      minus[i] = static_cast<float>(before[i] - h * g);
    }
    const double slope = (loss_at(config, plus) - loss_at(config, minus)) / (2 * h);
    EXPECT_NEAR(slope / square, 1, 2e-3) << to_name(kind);
  }
}

TEST(Learner, BlocksChangeNothingButRounding) {
  RunConfig config = descent(0.1);
  config.loss.rate_penalty = 0.3;
  config.network.recurrent_noise = 0.2;
  config.train.block = 20;
  StepResult whole, cut;
  const std::vector<float> together = weights_after_one_step(config, &whole);
  config.train.block = 3;
  const std::vector<float> apart = weights_after_one_step(config, &cut);
  EXPECT_NEAR(whole.loss, cut.loss, 1e-6);
  EXPECT_EQ(whole.trials, cut.trials);
  for (std::size_t i = 0; i < together.size(); ++i) ASSERT_NEAR(together[i], apart[i], 1e-5) << i;
}

TEST(Learner, ClippingScalesTheWholeGradient) {
  RunConfig config = descent(1);
  StepResult result;
  const std::vector<float> before = initial_weights(config);
  const std::vector<float> free = weights_after_one_step(config, &result);
  EXPECT_FALSE(result.clipped);
  config.optimiser.clip = result.gradient_norm / 4;
  const std::vector<float> clipped = weights_after_one_step(config, &result);
  EXPECT_TRUE(result.clipped);
  double norm = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_NEAR(4.0 * (clipped[i] - before[i]), free[i] - before[i], 1e-5);
    norm += std::pow(static_cast<double>(clipped[i]) - before[i], 2);
  }
  EXPECT_NEAR(std::sqrt(norm), config.optimiser.clip, 1e-4 * config.optimiser.clip);
  config.optimiser.clip = result.gradient_norm * 1.01;
  weights_after_one_step(config, &result);
  EXPECT_FALSE(result.clipped);
}

TEST(Learner, PeriodsOfWeightZeroDoNotTeach) {
  RunConfig config = descent(1);
  config.loss.weights = {
      .fixation = 0, .stimulus = 0, .delay = 0, .second_stimulus = 0, .decision = 2};
  StepResult twice, once;
  const std::vector<float> a = weights_after_one_step(config, &twice);
  config.loss.weights.decision = 1;  // the same relative weights
  const std::vector<float> b = weights_after_one_step(config, &once);
  EXPECT_NEAR(twice.loss, once.loss, 1e-6);
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6);
}

TEST(Learner, SynapsesOutsideTheMasksStayZero) {
  RunConfig config = small_run_config();
  config.network.input.density = 0.3;
  config.network.readout.patch = {0, 0, 2, 2};
  config.optimiser.weight_decay = 0.1;
  config.loss.weight_penalty = 0.1;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(2);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  for (int i = 0; i < 5; ++i) learner.step();
  const Architecture& a = learner.network().architecture();
  const ParameterLayout& layout = learner.network().layout();
  const auto w = learner.network().parameters();
  std::size_t n_moved = 0;
  for (std::size_t i = 0; i < a.n_units(); ++i)
    for (std::size_t c = 0; c < a.n_channels; ++c) {
      const float x = w[layout.input + i * a.n_channels + c];
      ASSERT_TRUE(a.input.has(i, c) || x == 0.0f) << i << " " << c;
      n_moved += x != 0;
    }
  EXPECT_GT(n_moved, 100u);
  for (std::size_t c = 0; c < a.n_classes; ++c)
    for (std::size_t i = 0; i < a.n_units(); ++i)
      ASSERT_TRUE(a.readout.has(c, i) || w[layout.readout + c * a.n_units() + i] == 0.0f);
}

TEST(Learner, AFiniteDataSetIsRevisited) {
  // One trial per task: a step's trials are always the same few, so the loss must fall fast.
  RunConfig config = small_run_config();
  config.stream.trials_per_task = 1;
  config.train.steps = 150;
  config.optimiser.learning_rate = 0.01;
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(2);
  Learner learner(config, battery, make_network(config, battery), 0, pool);
  const double first = learner.step().loss;
  double last = first;
  for (int i = 1; i < 150; ++i) last = learner.step().loss;
  EXPECT_LT(last, 0.2 * first);
}

TEST(Training, LearnsToReach) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.battery.tasks = "go,rtgo";
  config.wiring.rows = config.wiring.cols = 8;
  config.stream.steps = 60;
  config.stream.batch = 32;
  config.train.block = 0;
  config.train.steps = 300;
  config.optimiser.learning_rate = 0.01;
  config.evaluation = {.every = 100, .trials = 200};
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 2});
  trainer.run();
  EXPECT_GT(trainer.last_evaluation()->worst_share_of_ceiling(), 0.9);
}

// init_from ------------------------------------------------------------------------------------

class InitFrom : public ::testing::Test {
 protected:
  void SetUp() override { Trainer::start(config_, dir_ / "source", {.n_threads = 1}).run(); }

  Network network() const { return make_network(config_, Battery(config_.battery, Seed{99})); }
  Network source() const { return std::move(load_network(find_network(dir_ / "source")).network); }
  std::string complaint() const {
    try {
      network();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }
  void use_source() {
    config_.seed = 99;
    config_.init_from = dir_ / "source";
  }

  const TemporaryDirectory dir_;
  RunConfig config_ = small_run_config();
};

TEST_F(InitFrom, TakesAllWeights) {
  use_source();
  EXPECT_TRUE(std::ranges::equal(network().parameters(), source().parameters()));
  config_.init_from = find_network(dir_ / "source");
  EXPECT_TRUE(std::ranges::equal(network().parameters(), source().parameters()));
}

TEST_F(InitFrom, CountsFromTheFolderOfTheConfiguration) {
  const auto written = [&](const char* path) {
    write_file(dir_ / "mine.toml", std::string("seed = 1\ninit_from = \"") + path + "\"\n");
    return resolve_config(read_toml(dir_ / "mine.toml")).init_from;
  };
  EXPECT_EQ(written("source"), (dir_ / "source").string());
  EXPECT_EQ(written("nowhere"), "nowhere");  // from the working directory
  EXPECT_EQ(written("zoo:cog20-local-256"), "zoo:cog20-local-256");
  EXPECT_EQ(resolve_config(parse_toml("seed = 1\ninit_from = \"source\"", "--set")).init_from,
            "source");
}

TEST_F(InitFrom, MatchesRulesByTaskName) {
  use_source();
  config_.battery.tasks = "antiseqr,dm1,go";
  const Network n = network(), s = source();
  const auto rule = [](const Network& net, std::size_t task) {
    const std::size_t n_units = net.architecture().n_units();
    const auto all = net.parameters().subspan(net.layout().rule + task * n_units, n_units);
    return std::vector<float>(all.begin(), all.end());
  };
  // Collection order: go, antiseqr, dm1 here; go, antiseqr, dlygointr or the like there.
  const Battery theirs(small_run_config().battery, Seed{1}), ours(config_.battery, Seed{1});
  for (const char* task : {"go", "antiseqr"})
    EXPECT_EQ(rule(n, ours.index_of(task)), rule(s, theirs.index_of(task))) << task;
  const std::vector<float> fresh = rule(n, ours.index_of("dm1"));
  for (std::size_t task = 0; task < 3; ++task) EXPECT_NE(fresh, rule(s, task));
}

TEST_F(InitFrom, APartOfTheWiringKeepsItsWeights) {
  use_source();
  config_.wiring.kind = WiringKind::autapse;
  const Network n = network(), s = source();
  const Mask& mask = s.architecture().recurrent;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto sources = mask.sources_of(i);
    const auto at = std::ranges::find(sources, i) - sources.begin();
    EXPECT_EQ(n.parameters()[i],
              s.parameters()[mask.row_offsets()[i] + static_cast<std::size_t>(at)]);
  }
}

TEST_F(InitFrom, RefusesWhatDoesNotFit) {
  use_source();
  config_.wiring.radius = 2;
  EXPECT_THAT(complaint(), HasSubstr("no synapse"));
  config_.wiring.radius = 1;
  config_.wiring.rows = 5;
  EXPECT_THAT(complaint(), HasSubstr("units"));
  config_.wiring.rows = 4;
  config_.battery.n_ring = 8;
  EXPECT_THAT(complaint(), HasSubstr("channels"));
  config_.battery.n_ring = 16;
  config_.network.activation = Activation::tanh;
  EXPECT_THAT(complaint(), HasSubstr("activation"));
  config_.network.activation = Activation::relu;
  config_.battery.rule = RuleEncoding::composed;
  EXPECT_THAT(complaint(), HasSubstr("battery.rule"));
  config_.battery.rule = RuleEncoding::task;
  config_.init_from = dir_ / "nowhere";
  EXPECT_THAT(complaint(), HasSubstr("does not exist"));
}

}  // namespace
}  // namespace lmrnn
