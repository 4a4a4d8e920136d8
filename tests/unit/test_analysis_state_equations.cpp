// Analyses of networks with another state equation: correct, or rejected with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "analysis/fixed_points/fixed_points.hpp"
#include "analysis/numerics/dynamics.hpp"
#include "analysis/simulate.hpp"
#include "analysis_networks.hpp"
#include "message_of.hpp"
#include "with_equation.hpp"

namespace lmrnn {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::HasSubstr;
using testing::Weights;

constexpr double alpha = 0.4;

Weights three_units() {
  Weights w(3, 1, 1, 2);
  w.recurrent << .3f, -.4f, .8f, .1f, .6f, -.5f, .7f, .2f, -.1f;
  w.readout << 1, 2, 3, -1, 0.5f, 0;
  return w;
}

TEST(DynamicsOfStateEquations, JacobianIsTheDerivative) {
  for (const StateEquation equation : equations)
    for (const Activation f : {Activation::relu, Activation::tanh, Activation::softplus}) {
      SCOPED_TRACE(std::string(to_name(equation)) + " " + std::string(to_name(f)));
      const Dynamics dynamics(
          with_equation(testing::make_network(three_units(), alpha, f), equation));
      const VectorXd h = Eigen::Vector3d(0.5, -0.8, 0.3), c = Eigen::Vector3d(0.2, 0.4, -0.9);
      const VectorXd slope = dynamics.slope(h, c);
      const MatrixXd j = dynamics.jacobian(slope);
      for (Eigen::Index i = 0; i < 3; ++i) {
        VectorXd e = VectorXd::Zero(3);
        e[i] = 1e-6;
        const VectorXd difference = (dynamics.step(h + e, c) - dynamics.step(h - e, c)) / 2e-6;
        EXPECT_LT((difference - j.col(i)).norm(), 1e-8);
      }
      EXPECT_LT((alpha * dynamics.velocity(h, c) + h - dynamics.step(h, c)).norm(), 1e-12);
      const MatrixXd per_tau = dynamics.velocity_jacobian(slope);
      EXPECT_LT((alpha * per_tau + MatrixXd::Identity(3, 3) - j).norm(), 1e-12);
    }
}

// One step of the analysis equals one step of the network.
TEST(DynamicsOfStateEquations, StepsAreThoseOfTheNetwork) {
  for (const StateEquation equation : equations) {
    Weights w = three_units();
    w.bias << 0.2f, 0.4f, -0.9f;
    const Network network =
        with_equation(testing::make_network(w, alpha, Activation::softplus), equation);
    const Dynamics dynamics(network);
    constexpr std::size_t n_steps = 6;
    const std::vector<float> inputs(n_steps, 0.0f);
    std::vector<float> states(n_steps * 3), logits(n_steps * 2);
    TrialView block;
    block.inputs = {inputs.data(), n_steps, 1, 1};
    Workspace workspace;
    network.forward(block, {}, {states.data(), n_steps, 3, 1}, {logits.data(), n_steps, 2, 1},
                    workspace);
    VectorXd h = VectorXd::Zero(3);
    for (std::size_t t = 0; t < n_steps; ++t) {
      h = dynamics.step(h, w.bias.cast<double>());
      const VectorXd z = dynamics.logits(h);
      for (Eigen::Index i = 0; i < 3; ++i)
        EXPECT_NEAR(states[t * 3 + static_cast<std::size_t>(i)], h[i], 1e-5) << to_name(equation);
      for (Eigen::Index i = 0; i < 2; ++i)
        EXPECT_NEAR(logits[t * 2 + static_cast<std::size_t>(i)], z[i], 1e-5) << to_name(equation);
    }
  }
}

// h* = f(W h* + c) of rates is x* = W h* + c of voltages, with the same eigenvalues: those of
// diag(s) W are those of W diag(s).
TEST(DynamicsOfStateEquations, RatesAndVoltagesRestTogether) {
  const Network network = testing::make_network(three_units(), alpha, Activation::tanh);
  const Dynamics of_rates(network);
  const Dynamics of_voltages(with_equation(network, StateEquation::voltage));
  const VectorXd c = Eigen::Vector3d(0.2, 0.4, -0.9), start = VectorXd::Constant(3, 0.1);
  const VectorXd h = minimise_speed(of_rates, start, c, {});
  const VectorXd x = minimise_speed(of_voltages, start, c, {});
  EXPECT_LT(speed(of_rates, h, c), 1e-9);
  EXPECT_LT(speed(of_voltages, x, c), 1e-9);
  EXPECT_LT((of_rates.recurrent() * h + c - x).norm(), 1e-8);
  EXPECT_LT((of_voltages.seen(x) - h).norm(), 1e-8);
  const auto a = all_eigenvalues(of_rates.jacobian(of_rates.slope(h, c)));
  const auto b = all_eigenvalues(of_voltages.jacobian(of_voltages.slope(x, c)));
  for (std::size_t k = 0; k < 3; ++k) EXPECT_LT(std::abs(a[k] - b[k]), 1e-7);
}

// An active ReLU unit has its fixed point at c / (1 - w), with any equation.
TEST(DynamicsOfStateEquations, FixedPointOfOneUnit) {
  Weights w(1, 1, 1, 2);
  w.recurrent(0, 0) = 0.5f;
  for (const StateEquation equation : equations) {
    const Dynamics dynamics(
        with_equation(testing::make_network(w, alpha, Activation::relu), equation));
    const VectorXd c = VectorXd::Constant(1, 0.75);
    const VectorXd h = minimise_speed(dynamics, VectorXd::Constant(1, 0.2), c, {});
    EXPECT_NEAR(h[0], 1.5, 1e-8) << to_name(equation);
    EXPECT_NEAR(dynamics.jacobian(dynamics.slope(h, c))(0, 0), 1 - alpha + alpha * 0.5, 1e-12);
  }
}

Subject subject_with(StateEquation equation, bool diagonal = false) {
  const BatteryConfig config = testing::battery_of("dlygo", alpha);
  const Battery battery(config, Seed{1});
  Weights w(16, static_cast<Eigen::Index>(battery.n_channels()), 1,
            static_cast<Eigen::Index>(battery.n_classes()));
  for (Eigen::Index i = 0; i < 16; ++i) w.input(i, 1 + i) = w.input(i, 17 + i) = 1;
  w.bias.setConstant(-0.5f);
  return testing::subject_of(
      with_equation(testing::make_network(w, alpha, Activation::relu, diagonal), equation), config);
}

TEST(AnalysesOfStateEquations, ActivityIsWhatOtherUnitsSee) {
  const Subject subject = subject_with(StateEquation::voltage);
  const TrialBatch trials = test_trials(subject.battery, 0, 5, Seed{3}, false);
  const Simulation run = simulate(subject.network, subject.battery, trials);
  bool any_below = false;
  for (std::size_t t = 0; t < run.n_steps; ++t) {
    const VectorXd x = run.state_at(t, 2), h = run.rates_at(t, 2);
    any_below = any_below || (x.array() < 0).any();
    EXPECT_EQ(h, VectorXd(x.cwiseMax(0.0)));
  }
  EXPECT_TRUE(any_below);
  const Simulation of_rates =
      simulate(subject_with(StateEquation::rate).network, subject.battery, trials);
  EXPECT_EQ(of_rates.rates_at(4, 1), of_rates.state_at(4, 1));
}

TEST(AnalysesOfStateEquations, RecordingsHaveRatesOfVoltages) {
  ThreadPool threads(1);
  for (const StateEquation equation : equations) {
    const AnalysisResult result =
        find_analysis("record").run(subject_with(equation), {}, {.pool = threads, .seed = Seed{3}});
    const bool is_voltage = equation == StateEquation::voltage;
    EXPECT_EQ(result.recordings.front().dimensions.contains("dlygo/rates"), is_voltage);
  }
}

TEST(AnalysesOfStateEquations, AutapsePoolsAreOfRates) {
  ThreadPool threads(1);
  const Subject subject = subject_with(StateEquation::leak_inside, true);
  const auto run = [&] {
    find_analysis("autapse").run(subject, {}, {.pool = threads, .seed = Seed{3}});
  };
  EXPECT_THAT(message_of<UsageError>(run), HasSubstr("network.equation = \"leak-inside\""));
}

}  // namespace
}  // namespace lmrnn
