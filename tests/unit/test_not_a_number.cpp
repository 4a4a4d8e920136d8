// NaN must show: a network whose activity overflows has no state, no loss and no gradient. Vector
// instructions lose NaNs easily (a maximum returns its other argument, an exponential of NaN may be
// 0), and a network that silently restarts at 0 would look as if it had computed something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lmrnn/error.hpp"
#include "lmrnn/simd.hpp"
#include "message_of.hpp"
#include "network_cases.hpp"

namespace lmrnn::testing {
namespace {

using ::testing::HasSubstr;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

class NotANumber : public ::testing::TestWithParam<NetworkCase> {};

TEST_P(NotANumber, InAPreActivationShowsInTheState) {
  Laboratory lab(GetParam());
  const NetworkCase& c = lab.c;
  lab.network->write_weights()[lab.network->layout().bias] = nan;
  const std::size_t n = lab.network->architecture().n_units();
  std::vector<float> states(c.n_steps * n * c.n_trials),
      logits(c.n_steps * c.n_classes * c.n_trials);
  for (const auto target : simd_targets()) {
    SCOPED_TRACE(target);
    const SimdScope simd(target);
    Workspace workspace;
    lab.network->forward(lab.block, lab.recurrent_noise, {states.data(), c.n_steps, n, c.n_trials},
                         {logits.data(), c.n_steps, c.n_classes, c.n_trials}, workspace);
    for (std::size_t t = 0; t < c.n_steps; ++t)
      for (std::size_t b = 0; b < c.n_trials; ++b)
        ASSERT_TRUE(std::isnan(states[t * n * c.n_trials + b])) << "step " << t << ", trial " << b;
  }
}

TEST_P(NotANumber, InOneLogitShowsInLossAndGradient) {
  Laboratory lab(GetParam());
  const NetworkCase& c = lab.c;
  const std::size_t last_class = c.n_classes - 1;
  const std::size_t at = lab.network->layout().readout_bias + last_class;
  lab.network->write_weights()[at] = nan;
  // No step has that class as target, but its logit still counts.
  for (std::int32_t& target : lab.targets)
    target = std::min(target, static_cast<std::int32_t>(last_class) - 1);
  std::vector<float> gradient(lab.network->layout().total);
  for (const auto target : simd_targets()) {
    SCOPED_TRACE(target);
    const SimdScope simd(target);
    Workspace workspace;
    const LossResult result = lab.network->loss_and_gradient(
        lab.block, lab.recurrent_noise, lab.loss_options(), gradient, workspace);
    EXPECT_TRUE(std::isnan(result.weighted_loss));
    EXPECT_TRUE(std::isnan(gradient[at]));
  }
}

TEST_P(NotANumber, IsRefusedWhereItIsGiven) {
  Laboratory lab(GetParam());
  const NetworkCase& c = lab.c;
  Network& network = *lab.network;
  std::vector<float> weights(network.parameters().begin(), network.parameters().end());
  weights[1] = nan;
  EXPECT_THAT(message_of<UsageError>([&] { network.set_weights(weights); }),
              HasSubstr("weight 1 is nan"));
  std::vector<float> logits(c.n_steps * c.n_classes * c.n_trials);
  std::vector<float> gradient(network.layout().total);
  Workspace workspace;
  for (const double sigma :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    RecurrentNoise noise = lab.recurrent_noise;
    noise.sigma = sigma;
    EXPECT_THAT(message_of<UsageError>([&] {
                  network.forward(lab.block, noise, {},
                                  {logits.data(), c.n_steps, c.n_classes, c.n_trials}, workspace);
                }),
                HasSubstr("recurrent_noise ="));
    EXPECT_THAT(message_of<UsageError>([&] {
                  network.loss_and_gradient(lab.block, noise, lab.loss_options(), gradient,
                                            workspace);
                }),
                HasSubstr("recurrent_noise ="));
    EXPECT_THAT(
        message_of<UsageError>([&] { network.initialise(Initialisation::fan_in, Seed{1}, sigma); }),
        HasSubstr("initialise: gain ="));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, NotANumber, ::testing::ValuesIn(network_cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lmrnn::testing
