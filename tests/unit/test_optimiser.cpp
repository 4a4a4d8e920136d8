#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "train/optimiser.hpp"

namespace lmrnn {
namespace {

// Three recurrent weights, two of each other part.
ParameterLayout small_layout() {
  return {.recurrent = 0,
          .n_recurrent = 3,
          .input = 3,
          .n_input = 2,
          .rule = 5,
          .n_rule = 2,
          .bias = 7,
          .n_bias = 2,
          .readout = 9,
          .n_readout = 2,
          .readout_bias = 11,
          .n_readout_bias = 2,
          .total = 13};
}

void update_all(Optimiser& optimiser, const std::vector<ParameterSlice>& slices, std::int64_t step,
                double factor, double scale, const std::vector<float>& gradient,
                std::vector<float>& parameters) {
  for (const ParameterSlice& slice : slices)
    optimiser.update(slice, step, factor, scale, gradient, parameters);
}

TEST(Optimiser, FirstAdamStepIsTheLearningRateWhateverTheGradient) {
  // After one step m / (1 - b1) = g and v / (1 - b2) = g^2, so the update is rate * sign(g).
  const OptimiserConfig config{.learning_rate = 0.01};
  const auto slices = parameter_slices(small_layout(), config, {});
  Optimiser optimiser(config, 13);
  std::vector<float> gradient(13, 0.5f), w(13, 1.0f);
  gradient[1] = -300;
  gradient[2] = 0;
  update_all(optimiser, slices, 0, 1, 1, gradient, w);
  EXPECT_NEAR(w[0], 0.99, 1e-6);
  EXPECT_NEAR(w[1], 1.01, 1e-6);
  EXPECT_EQ(w[2], 1.0f);  // no gradient, no movement
}

TEST(Optimiser, AdamFollowsItsDefinition) {
  const OptimiserConfig config{
      .learning_rate = 0.03, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1};
  const auto slices = parameter_slices(small_layout(), config, {});
  Optimiser optimiser(config, 13);
  std::vector<float> w(13, 0.7f), gradient(13);
  double m = 0, v = 0, weight = 0.7, bias = 0.7;
  for (int t = 1; t <= 8; ++t) {
    const double g = std::sin(t), factor = 1.0 / t, scale = 0.5;
    std::fill(gradient.begin(), gradient.end(), static_cast<float>(g));
    update_all(optimiser, slices, t - 1, factor, scale, gradient, w);
    m = 0.8 * m + 0.2 * scale * g;
    v = 0.95 * v + 0.05 * scale * g * scale * g;
    const double update =
        (m / (1 - std::pow(0.8, t))) / (std::sqrt(v / (1 - std::pow(0.95, t))) + 1e-3);
    weight -= 0.03 * factor * (update + 0.1 * weight);
    bias -= 0.03 * factor * update;  // biases do not decay
    ASSERT_NEAR(w[0], weight, 2e-6) << t;
    ASSERT_NEAR(w[9], weight, 2e-6) << t;
    ASSERT_NEAR(w[7], bias, 2e-6) << t;
    ASSERT_NEAR(w[12], bias, 2e-6) << t;
  }
}

TEST(Optimiser, SgdWithMomentumByHand) {
  const OptimiserConfig config{.kind = OptimiserKind::sgd, .learning_rate = 0.1, .momentum = 0.5};
  const auto slices = parameter_slices(small_layout(), config, {});
  Optimiser optimiser(config, 13);
  EXPECT_TRUE(optimiser.second_moment().empty());
  std::vector<float> w(13, 0.0f);
  const std::vector<float> gradient(13, 1.0f);
  update_all(optimiser, slices, 0, 1, 1, gradient, w);  // m = 1
  EXPECT_FLOAT_EQ(w[0], -0.1f);
  update_all(optimiser, slices, 1, 1, 1, gradient, w);  // m = 1.5
  EXPECT_FLOAT_EQ(w[0], -0.25f);
  update_all(optimiser, slices, 2, 0.5, 2, gradient, w);  // m = 0.75 + 2
  EXPECT_FLOAT_EQ(w[0], -0.25f - 0.05f * 2.75f);
}

TEST(Optimiser, GroupsHaveTheirOwnRates) {
  OptimiserConfig config{.kind = OptimiserKind::sgd, .learning_rate = 1, .momentum = 0};
  config.recurrent_rate = 2;
  config.input_rate = 3;
  config.readout_rate = 0;
  Optimiser optimiser(config, 13);
  std::vector<float> w(13, 0.0f);
  update_all(optimiser, parameter_slices(small_layout(), config, {}), 0, 1, 1,
             std::vector<float>(13, 1.0f), w);
  const std::vector<float> expected{-2, -2, -2, -3, -3, -3, -3, -2, -2, 0, 0, 0, 0};
  EXPECT_EQ(w, expected);
}

TEST(Slices, CoverEveryParameterOnceWhateverTheirLength) {
  for (const std::size_t longest : {1, 2, 5, 100}) {
    std::vector<int> covered(13, 0);
    for (const ParameterSlice& s : parameter_slices(small_layout(), {}, {}, longest)) {
      ASSERT_LE(s.last - s.first, longest);
      for (std::size_t i = s.first; i < s.last; ++i) ++covered[i];
    }
    EXPECT_EQ(covered, std::vector<int>(13, 1)) << longest;
  }
}

TEST(Slices, ThePenaltyFallsOnTheChosenWeights) {
  const auto penalised = [](PenalisedWeights which) {
    std::vector<double> result(13);
    for (const ParameterSlice& s :
         parameter_slices(small_layout(), {}, {.weight_penalty = 0.25, .penalised = which}))
      for (std::size_t i = s.first; i < s.last; ++i) result[i] = s.weight_penalty;
    return result;
  };
  const double p = 0.25;
  EXPECT_EQ(penalised(PenalisedWeights::recurrent),
            (std::vector<double>{p, p, p, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(penalised(PenalisedWeights::all),
            (std::vector<double>{p, p, p, p, p, p, p, 0, 0, p, p, 0, 0}));
}

TEST(BlockGradients, AreAddedInTheOrderOfTheBlocks) {
  // In floats (1e8 + 1) - 1e8 is 0, but (1e8 - 1e8) + 1 is 1: the order shows.
  const ParameterSlice slice{0, 2, 1, 0, 0};
  const std::vector<float> blocks{1e8f, 1, 1, -2, -1e8f, 4};
  const std::vector<float> w(2, 0.0f);
  std::vector<float> gradient(2);
  const double squares = add_block_gradients(slice, blocks, w, gradient);
  EXPECT_EQ(gradient[0], 0.0f);
  EXPECT_EQ(gradient[1], 3.0f);
  EXPECT_DOUBLE_EQ(squares, 9);
}

TEST(BlockGradients, ThePenaltyIsThatOfHalfTheSquare) {
  const ParameterSlice slice{1, 3, 1, 0, 0.5};
  const std::vector<float> blocks{10, 20, 30, 40};
  const std::vector<float> w{1, 2, -4, 8};
  std::vector<float> gradient(4, -1.0f);
  const double squares = add_block_gradients(slice, blocks, w, gradient);
  EXPECT_EQ(gradient, (std::vector<float>{-1, 21, 28, -1}));  // outside the slice: untouched
  EXPECT_DOUBLE_EQ(squares, 21. * 21 + 28. * 28);
}

}  // namespace
}  // namespace lmrnn
