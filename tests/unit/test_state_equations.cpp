// State equations: rates, voltages, and the leak inside f. tests/network_cases.hpp has networks of
// each for the tests of kernels and gradients.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/files.hpp"
#include "lmrnn/operation.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "network_cases.hpp"
#include "small_run.hpp"
#include "with_equation.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

/// A ReLU unit with an autapse of 1/2, bias 1/4 and alpha 1/2, that sees its input as it is; its
/// output is 2 h + 1.
Network one_unit(StateEquation equation) {
  Architecture a;
  a.n_channels = a.n_classes = 1;
  a.alpha = 0.5;
  a.equation = equation;
  a.recurrent = Mask::diagonal(1);
  a.input = Mask::dense(1, 1);
  a.readout = Mask::dense(1, 1);
  Network network(std::move(a));
  network.set_weights(std::vector<float>{0.5f, 1.0f, 0.25f, 2.0f, 1.0f});
  return network;
}

/// Of `n_trials` trials with the inputs 1, -3, 2: states and logits, (time, trial).
std::pair<std::vector<float>, std::vector<float>> run_one_unit(const Network& network,
                                                               std::size_t n_trials) {
  std::vector<float> inputs, states(3 * n_trials), logits(3 * n_trials);
  for (const float x : {1.0f, -3.0f, 2.0f}) inputs.insert(inputs.end(), n_trials, x);
  TrialView block;
  block.inputs = {inputs.data(), 3, n_trials, 1};
  Workspace workspace;
  network.forward(block, {}, {states.data(), 3, 1, n_trials}, {logits.data(), 3, 1, n_trials},
                  workspace);
  return {states, logits};
}

// Every number is exact in single precision.
TEST(StateEquations, OfOneUnitByHand) {
  struct Known {
    StateEquation equation;
    std::array<float, 3> states, seen;
  };
  const std::array<Known, 3> all{{
      {StateEquation::rate, {0.625f, 0.3125f, 1.359375f}, {0.625f, 0.3125f, 1.359375f}},
      {StateEquation::voltage, {0.625f, -0.90625f, 0.671875f}, {0.625f, 0.0f, 0.671875f}},
      {StateEquation::leak_inside, {0.625f, 0.0f, 1.125f}, {0.625f, 0.0f, 1.125f}},
  }};
  for (const Known& known : all)
    for (const std::size_t n_trials : {1u, 3u}) {
      const auto [states, logits] = run_one_unit(one_unit(known.equation), n_trials);
      for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t k = 0; k < n_trials; ++k) {
          EXPECT_EQ(states[t * n_trials + k], known.states[t]) << to_name(known.equation) << t;
          EXPECT_EQ(logits[t * n_trials + k], 2 * known.seen[t] + 1) << to_name(known.equation);
        }
    }
}

TEST(StateEquations, WithoutALeakItsPlaceDoesNotMatter) {
  testing::NetworkCase c;
  c.wiring = testing::sheet_wiring(WiringKind::local, 5, 7, 2);
  c.activation = Activation::softplus;
  c.resets = true;
  c.rate_penalty = 0.01;
  const testing::Laboratory rate(c);
  c.equation = StateEquation::leak_inside;
  const testing::Laboratory inside(c);
  std::vector<float> of_rate(rate.network->layout().total), of_inside(of_rate.size());
  Workspace workspace;
  const LossResult a = rate.network->loss_and_gradient(rate.block, rate.recurrent_noise,
                                                       rate.loss_options(), of_rate, workspace);
  const LossResult b = inside.network->loss_and_gradient(
      inside.block, inside.recurrent_noise, inside.loss_options(), of_inside, workspace);
  EXPECT_EQ(a.weighted_loss, b.weighted_loss);
  EXPECT_EQ(a.rate_square, b.rate_square);
  EXPECT_EQ(of_rate, of_inside);
}

// Under constant input c, x = W h + c turns the equation of rates into that of voltages (Miller &
// Fumarola 2012).
TEST(StateEquations, VoltagesAreTheInputCurrentsOfRates) {
  testing::NetworkCase c;
  c.wiring = testing::sheet_wiring(WiringKind::local, 4, 5, 2);
  c.activation = Activation::tanh;
  c.alpha = 0.3;
  c.n_channels = 1;
  c.n_rules = c.n_slots = 0;
  c.n_trials = 2;
  c.n_steps = 25;
  const testing::Laboratory lab(c);
  const Network& of_rates = *lab.network;
  const Network of_voltages = with_equation(of_rates, StateEquation::voltage);
  const Architecture& a = of_rates.architecture();
  const ParameterLayout& l = of_rates.layout();
  const std::size_t n = a.n_units();
  const auto p = of_rates.parameters();
  const auto current = [&](const float* h) {  // W h + b
    std::vector<float> u(p.begin() + static_cast<std::ptrdiff_t>(l.bias),
                         p.begin() + static_cast<std::ptrdiff_t>(l.bias + n));
    const float* w = p.data() + l.recurrent;
    for (std::size_t i = 0; i < n; ++i)
      for (const std::uint32_t j : a.recurrent.sources_of(i)) u[i] += *w++ * h[j];
    return u;
  };
  std::vector<float> rates(c.n_trials * n), voltages;
  for (std::size_t i = 0; i < rates.size(); ++i)
    rates[i] = static_cast<float>(0.5 * testing::Laboratory::draw(3, i));
  for (std::size_t k = 0; k < c.n_trials; ++k)
    for (const float u : current(rates.data() + k * n)) voltages.push_back(u);

  const auto run = [&](const Network& network, const std::vector<float>& from) {
    const std::vector<float> silence(c.n_steps * c.n_trials, 0.0f);
    std::vector<float> states(c.n_steps * c.n_trials * n);
    const auto part = [&](std::size_t first, std::size_t count) {
      return network.parameters().subspan(first, count);
    };
    OperationInputs in;
    in.inputs = {silence.data(), c.n_steps, c.n_trials, 1};
    in.initial = {from.data(), c.n_trials, n};
    ThreadPool pool(1);
    Operation(network).forward(
        {part(l.recurrent, l.n_recurrent), part(l.input, l.n_input), part(l.rule, l.n_rule),
         part(l.bias, l.n_bias), part(l.readout, l.n_readout),
         part(l.readout_bias, l.n_readout_bias)},
        in, Keep::nothing, {}, {states.data(), c.n_steps, c.n_trials, n}, {}, pool);
    return states;
  };
  const std::vector<float> h = run(of_rates, rates), x = run(of_voltages, voltages);
  for (std::size_t row = 0; row < c.n_steps * c.n_trials; ++row) {
    const std::vector<float> expected = current(h.data() + row * n);
    for (std::size_t i = 0; i < n; ++i) ASSERT_NEAR(x[row * n + i], expected[i], 1e-5);
  }
}

TEST(StateEquations, ThePenaltyOfRatesIsOfWhatOthersSee) {
  for (const StateEquation equation : equations) {
    testing::NetworkCase c;
    c.wiring = testing::sheet_wiring(WiringKind::local, 3, 5);
    c.activation = Activation::softplus;
    c.alpha = 0.3;
    c.rate_penalty = 0.1;
    c.equation = equation;
    const testing::Laboratory lab(c);
    std::vector<double> values = lab.parameters();
    double expected = 0;
    for (std::size_t k = 0; k < c.n_trials; ++k)
      for (const double h :
           kernels::reference::forward(lab.model(values), lab.reference_block(), k).h)
        expected += h * h;
    std::vector<float> gradient(values.size());
    Workspace workspace;
    const LossResult result = lab.network->loss_and_gradient(
        lab.block, lab.recurrent_noise, lab.loss_options(), gradient, workspace);
    EXPECT_NEAR(result.rate_square, expected, 1e-4 * expected) << to_name(equation);
  }
}

TEST(StateEquations, AreInTheFileOfTheNetwork) {
  const TemporaryDirectory dir;
  const auto path = dir / "network.safetensors";
  for (const StateEquation equation : equations) {
    save_network(path, one_unit(equation), {{"equation", "of an earlier file"}});
    const bool is_rate = equation == StateEquation::rate;
    const auto metadata = read_safetensors(path).metadata;
    EXPECT_EQ(metadata.at("format_version"), is_rate ? "1" : "2");
    EXPECT_EQ(metadata.contains("equation"), !is_rate);
    const LoadedNetwork back = load_network(path);
    EXPECT_EQ(back.network.architecture().equation, equation);
    EXPECT_EQ(back.metadata, metadata);
  }
  const auto refused = [&](auto&& change) {
    save_network(path, one_unit(StateEquation::voltage), {});
    ArrayFile file = read_safetensors(path);
    change(file.metadata);
    write_safetensors(path, file);
    return message_of<UsageError>([&] { load_network(path); });
  };
  EXPECT_THAT(refused([](auto& m) { m["equation"] = "spiking"; }),
              HasSubstr("equation \"spiking\" is not known to this version"));
  EXPECT_THAT(refused([](auto& m) { m.erase("equation"); }), HasSubstr("no metadata \"equation\""));
  EXPECT_THAT(refused([](auto& m) { m["format_version"] = "3"; }),
              HasSubstr("is of network format 3; this version reads formats 1 and 2"));
}

RunConfig config_of(StateEquation equation) {
  RunConfig config = small_run_config();
  config.network.tau = 3 * config.battery.dt;
  config.network.activation = Activation::softplus;
  config.network.recurrent_noise = 0.1;
  config.network.equation = equation;
  config.loss.rate_penalty = 0.01;
  return config;
}

TEST(StateEquations, AreAKeyOfTheConfiguration) {
  ConfigTable table;
  assign_key(table, "seed=1");
  for (const StateEquation equation : equations) {
    assign_key(table, "network.equation=" + std::string(to_name(equation)));
    EXPECT_EQ(resolve_config(table).network.equation, equation);
  }
  assign_key(table, "network.equation=leaky");
  EXPECT_THAT(message_of<UsageError>([&] { resolve_config(table); }),
              HasSubstr("network.equation"));
}

TEST(StateEquations, WithoutALeakTheOwnerIsTold) {
  const TemporaryDirectory dir;
  const auto notices = [&](StateEquation equation, Activation activation, double tau) {
    RunConfig config = small_run_config();
    config.network.equation = equation;
    config.network.activation = activation;
    config.network.tau = tau;
    const auto place = dir / fmt::format("{}-{}-{}", to_name(equation), to_name(activation), tau);
    return Trainer::start(config, place, {.n_threads = 1}).notices();
  };
  const double dt = small_run_config().battery.dt;
  for (const double tau : {0.0, dt}) {
    for (const StateEquation equation : {StateEquation::voltage, StateEquation::leak_inside}) {
      const auto told = notices(equation, Activation::relu, tau);
      ASSERT_EQ(told.size(), 1u) << to_name(equation) << tau;
      EXPECT_THAT(told[0], HasSubstr(fmt::format("\"{}\" computes the same as \"rate\"",
                                                 to_name(equation))));
      EXPECT_THAT(told[0], HasSubstr(fmt::format("e.g. to {:g}", 5 * dt)));
    }
    EXPECT_TRUE(notices(StateEquation::rate, Activation::relu, tau).empty());
    EXPECT_TRUE(notices(StateEquation::voltage, Activation::softplus, tau).empty());
  }
  EXPECT_TRUE(notices(StateEquation::voltage, Activation::relu, 3 * dt).empty());
}

TEST(StateEquations, KeepTheBitsForAnyThreadsAndInterruption) {
  for (const StateEquation equation : {StateEquation::voltage, StateEquation::leak_inside}) {
    const TemporaryDirectory dir;
    const RunConfig config = config_of(equation);
    Trainer::start(config, dir / "one", {.n_threads = 1}).run();
    {
      Trainer trainer = Trainer::start(config, dir / "resumed", {.n_threads = 3});
      TrainerCallbacks callbacks;
      callbacks.stop_requested = [&] { return trainer.step() >= 7; };
      EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
    }
    Trainer::resume(dir / "resumed", {.n_threads = 2}).run();
    EXPECT_EQ(checkpoint_bytes(dir / "one", 20), checkpoint_bytes(dir / "resumed", 20));
    RunConfig recomputing = config;
    recomputing.train.recompute = true;
    Trainer::start(recomputing, dir / "recomputing", {.n_threads = 1}).run();
    EXPECT_EQ(read_file(checkpoint_path(dir / "one", 20) / "network.safetensors"),
              read_file(checkpoint_path(dir / "recomputing", 20) / "network.safetensors"));
    EXPECT_EQ(load_network(find_network(dir / "one")).network.architecture().equation, equation);
  }
}

TEST(StateEquations, OfInitFromMustBeTheRuns) {
  const TemporaryDirectory dir;
  Trainer::start(config_of(StateEquation::voltage), dir / "voltage", {.n_threads = 1}).run();
  RunConfig config = config_of(StateEquation::rate);
  config.init_from = dir / "voltage";
  const Battery battery(config.battery, config.run_seed());
  EXPECT_THAT(message_of<UsageError>([&] { make_network(config, battery); }),
              HasSubstr("its state equation is \"voltage\"; set network.equation"));
  config.network.equation = StateEquation::voltage;
  EXPECT_EQ(make_network(config, battery).architecture().equation, StateEquation::voltage);
}

}  // namespace
}  // namespace lmrnn
