// Gradients: the reference against central differences in double; the kernels, on every SIMD target
// of this machine, against the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "lmrnn/simd.hpp"
#include "network_cases.hpp"

namespace lmrnn::testing {
namespace {

class Gradients : public ::testing::TestWithParam<NetworkCase> {};

/// |a - b| relative to the largest entry of the parameter group that it belongs to.
double worst_relative_error(const Laboratory& lab, std::span<const double> expected,
                            auto&& actual) {
  const ParameterLayout& l = lab.network->layout();
  double worst = 0;
  const auto group = [&](std::size_t first, std::size_t n) {
    double largest = 1e-6, error = 0;
    for (std::size_t i = first; i < first + n; ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      error = std::max(error, std::abs(expected[i] - static_cast<double>(actual[i])));
    }
    worst = std::max(worst, error / largest);
  };
  group(l.recurrent, l.n_recurrent);
  group(l.input, l.n_input);
  group(l.rule, l.n_rule);
  group(l.bias, l.n_bias);
  group(l.readout, l.n_readout);
  group(l.readout_bias, l.n_readout_bias);
  return worst;
}

/// Written to the report of --gtest_output=json:FILE.
void record(std::string_view what, double error) {
  std::ostringstream text;
  text << error;
  ::testing::Test::RecordProperty("worst_relative_error_" + std::string(what), text.str());
}

TEST_P(Gradients, ReferenceAgreesWithCentralDifferences) {
  const Laboratory lab(GetParam());
  const std::vector<double> expected = lab.reference_gradient();
  const std::vector<double> values = lab.parameters();
  std::vector<double> numerical(values.size());
  const double step = 1e-6;
  std::vector<double> moved = values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    moved[i] = values[i] + step;
    const double above = lab.loss(moved);
    moved[i] = values[i] - step;
    const double below = lab.loss(moved);
    moved[i] = values[i];
    numerical[i] = (above - below) / (2 * step);
  }
  lab.clear_outside_masks(numerical);
  const double error = worst_relative_error(lab, expected, numerical);
  record("reference", error);
  EXPECT_LE(error, 1e-6);
}

TEST_P(Gradients, KernelsAgreeWithReferenceOnEveryTarget) {
  Laboratory lab(GetParam());
  const std::vector<double> expected = lab.reference_gradient();
  std::vector<double> values = lab.parameters(), scratch(values.size());
  const double expected_loss = kernels::reference::add_gradient<double>(
      lab.model(values), lab.reference_block(), lab.wanted(), 1.0, 0.0, lab.model(scratch));
  for (const std::string_view target : simd_targets()) {
    SCOPED_TRACE(target);
    choose_simd(target);
    ASSERT_EQ(simd_target(), target);
    std::vector<float> gradient(values.size(), -7.0f);
    Workspace workspace;
    for (int repeat = 0; repeat < 2; ++repeat) {  // the second time with a used workspace
      const LossResult result = lab.network->loss_and_gradient(
          lab.block, lab.recurrent_noise, lab.loss_options(), gradient, workspace);
      EXPECT_NEAR(result.weighted_loss, expected_loss, 1e-4 * (1 + std::abs(expected_loss)));
      const double error = worst_relative_error(lab, expected, gradient);
      record(target, error);
      EXPECT_LE(error, 1e-4);
    }
  }
  choose_simd("auto");
}

TEST_P(Gradients, RecomputingStatesGivesTheSameBits) {
  NetworkCase long_case = GetParam();
  long_case.n_steps += 60;  // several segments
  Laboratory lab(long_case);
  std::vector<float> kept(lab.network->layout().total), recomputed(kept.size());
  LossOptions options = lab.loss_options();
  Workspace workspace;
  const LossResult a =
      lab.network->loss_and_gradient(lab.block, lab.recurrent_noise, options, kept, workspace);
  options.recompute = true;
  const LossResult b = lab.network->loss_and_gradient(lab.block, lab.recurrent_noise, options,
                                                      recomputed, workspace);
  EXPECT_EQ(kept, recomputed);
  EXPECT_EQ(a.weighted_loss, b.weighted_loss);
  EXPECT_EQ(a.rate_square, b.rate_square);
}

TEST_P(Gradients, ForwardAgreesWithReference) {
  Laboratory lab(GetParam());
  const std::size_t n = lab.network->architecture().n_units();
  const auto& c = lab.c;
  std::vector<float> states(c.n_steps * n * c.n_trials);
  std::vector<float> logits(c.n_steps * c.n_classes * c.n_trials);
  std::vector<double> values = lab.parameters();
  for (const std::string_view target : simd_targets()) {
    SCOPED_TRACE(target);
    choose_simd(target);
    Workspace workspace;
    lab.network->forward(lab.block, lab.recurrent_noise, {states.data(), c.n_steps, n, c.n_trials},
                         {logits.data(), c.n_steps, c.n_classes, c.n_trials}, workspace);
    for (std::size_t trial = 0; trial < c.n_trials; ++trial) {
      const auto run = kernels::reference::forward(lab.model(values), lab.reference_block(), trial);
      for (std::size_t t = 0; t < c.n_steps; ++t) {
        for (std::size_t i = 0; i < n; ++i)
          ASSERT_NEAR(states[(t * n + i) * c.n_trials + trial], run.states[t * n + i], 2e-5);
        for (std::size_t k = 0; k < c.n_classes; ++k)
          ASSERT_NEAR(logits[(t * c.n_classes + k) * c.n_trials + trial],
                      run.logits[t * c.n_classes + k], 5e-5);
      }
    }
  }
  choose_simd("auto");
}

INSTANTIATE_TEST_SUITE_P(Cases, Gradients, ::testing::ValuesIn(network_cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lmrnn::testing
