// Ten steps of gradient descent give the same losses and gradients as in PyTorch.
// tests/fixtures/make_torch_trajectory.py is the other side and describes the computation.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t n_units = 12, n_channels = 5, n_rules = 3, n_classes = 4, n_trials = 6,
                      n_steps = 7;

float value(std::uint64_t kind, std::uint64_t i) {
  std::uint64_t x = (i * 40503 + kind * 10007 + 12345) % 65536;
  x = (x * x / 64 + 27183 * x + 7 * kind) % 65536;
  return (static_cast<float>(x) - 32768) / 32768;
}

class TorchTrajectory : public ::testing::TestWithParam<std::tuple<WiringKind, Activation>> {};

TEST_P(TorchTrajectory, IsFollowed) {
  const auto [kind, activation] = GetParam();
  WiringConfig wiring;
  wiring.kind = kind;
  wiring.rows = 3;
  wiring.cols = 4;
  wiring.radius = 1;
  Architecture a;
  a.n_channels = n_channels;
  a.n_rules = n_rules;
  a.n_classes = n_classes;
  a.alpha = 0.5;
  a.activation = activation;
  a.recurrent = make_mask(wiring, Seed{1});
  a.input = Mask::dense(n_units, n_channels);
  a.readout = Mask::dense(n_classes, n_units);
  Network network(std::move(a));
  const Mask& mask = network.architecture().recurrent;
  const ParameterLayout& l = network.layout();
  std::vector<float> p(l.total);
  for (std::size_t i = 0, at = l.recurrent; i < n_units; ++i)
    for (const std::uint32_t j : mask.sources_of(i)) p[at++] = 0.5f * value(1, i * n_units + j);
  const auto fill = [&](std::size_t first, std::size_t n, std::uint64_t what, float scale) {
    for (std::size_t i = 0; i < n; ++i) p[first + i] = scale * value(what, i);
  };
  fill(l.input, l.n_input, 2, 0.5f);
  fill(l.rule, l.n_rule, 3, 0.5f);
  fill(l.bias, l.n_bias, 4, 0.25f);
  fill(l.readout, l.n_readout, 5, 0.5f);
  fill(l.readout_bias, l.n_readout_bias, 6, 0.25f);

  std::vector<float> inputs(n_steps * n_channels * n_trials), weights(n_steps * n_trials);
  std::vector<std::int32_t> rules(n_steps * n_trials), targets(n_steps * n_trials);
  // The fixture counts (time, channel, trial).
  for (std::size_t t = 0; t < n_steps; ++t)
    for (std::size_t c = 0; c < n_channels; ++c)
      for (std::size_t k = 0; k < n_trials; ++k)
        inputs[(t * n_trials + k) * n_channels + c] = value(7, (t * n_channels + c) * n_trials + k);
  double total = 0;
  for (std::size_t t = 0; t < n_steps; ++t)
    for (std::size_t k = 0; k < n_trials; ++k) {
      rules[t * n_trials + k] = static_cast<std::int32_t>((t + k) % n_rules);
      targets[t * n_trials + k] = static_cast<std::int32_t>((2 * t + 3 * k) % n_classes);
      total += weights[t * n_trials + k] = static_cast<float>((t + k) % 3);
    }
  const TrialView block{{inputs.data(), n_steps, n_trials, n_channels},
                        {rules.data(), n_steps, n_trials},
                        {},
                        {targets.data(), n_steps, n_trials},
                        {weights.data(), n_steps, n_trials}};
  LossOptions loss;
  loss.scale = 1 / total;

  const std::string name = std::string(to_name(kind)) + "_" + std::string(to_name(activation));
  const auto expected = nlohmann::json::parse(
      read_file(source_directory() / "tests/fixtures/torch_trajectory.json"))[name];
  const std::size_t groups[][2] = {
      {l.recurrent, l.n_recurrent}, {l.input, l.n_input},     {l.rule, l.n_rule},
      {l.bias, l.n_bias},           {l.readout, l.n_readout}, {l.readout_bias, l.n_readout_bias}};
  std::vector<float> gradient(l.total);
  Workspace workspace;
  ASSERT_EQ(expected["losses"].size(), 10u);
  for (std::size_t step = 0; step < 10; ++step) {
    network.set_weights(p);
    const LossResult result = network.loss_and_gradient(block, {}, loss, gradient, workspace);
    const double torch_loss = expected["losses"][step];
    EXPECT_NEAR(result.weighted_loss / total, torch_loss, 2e-5 * torch_loss) << step;
    for (std::size_t g = 0; g < 6; ++g) {
      double square = 0;
      for (std::size_t i = 0; i < groups[g][1]; ++i)
        square += std::pow(static_cast<double>(gradient[groups[g][0] + i]), 2);
      const double torch_norm = expected["gradient_norms"][step][g];
      EXPECT_NEAR(std::sqrt(square), torch_norm, 1e-4 * torch_norm) << step << " group " << g;
    }
    for (std::size_t i = 0; i < l.total; ++i) p[i] -= 0.5f * gradient[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, TorchTrajectory,
                         ::testing::Combine(::testing::Values(WiringKind::dense, WiringKind::local,
                                                              WiringKind::autapse),
                                            ::testing::Values(Activation::tanh, Activation::relu,
                                                              Activation::softplus)));

}  // namespace
}  // namespace lmrnn
