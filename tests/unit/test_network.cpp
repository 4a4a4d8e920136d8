// Networks: initial weights, and inputs that are rejected before any computation.
#include <gmock/gmock.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>
#include <list>
#include <stdexcept>
#include <utility>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/tasks.hpp"
#include "message_of.hpp"
#include "network_cases.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;
using testing::sheet_wiring;

Architecture architecture_of(const WiringConfig& wiring) {
  Architecture a;
  a.recurrent = make_mask(wiring, Seed{1});
  const std::size_t n = a.n_units();
  a.n_channels = 3;
  a.n_rules = 2;
  a.n_classes = 4;
  a.input = Mask::dense(n, 3);
  a.readout = Mask::dense(4, n);
  return a;
}

Eigen::MatrixXd recurrent_weights(const Network& network) {
  const Mask& mask = network.architecture().recurrent;
  const auto n = static_cast<Eigen::Index>(mask.n_targets());
  Eigen::MatrixXd w = Eigen::MatrixXd::Zero(n, n);
  std::size_t k = network.layout().recurrent;
  for (Eigen::Index i = 0; i < n; ++i)
    for (const std::uint32_t j : mask.sources_of(static_cast<std::size_t>(i)))
      w(i, j) = network.parameters()[k++];
  return w;
}

// Initial weights ------------------------------------------------------------------------------

TEST(Initialise, RadiusScalesTheSpectralRadius) {
  // Up to 256 units by the whole spectrum, above by iteration; autapses by themselves.
  for (const WiringConfig& wiring :
       {sheet_wiring(WiringKind::local, 7, 9, 2), sheet_wiring(WiringKind::local, 17, 19, 2),
        sheet_wiring(WiringKind::autapse, 5, 5)}) {
    Network network(architecture_of(wiring));
    network.initialise(Initialisation::spectral_radius, Seed{3});
    const Eigen::VectorXcd spectrum =
        Eigen::EigenSolver<Eigen::MatrixXd>(recurrent_weights(network), false).eigenvalues();
    EXPECT_NEAR(spectrum.cwiseAbs().maxCoeff(), 0.9, 1e-5) << wiring.rows;
  }
}

// Every synapse leads from a unit to one that is later in some order: without cycles, all
// eigenvalues are 0. Solvers find others, because rounding errors grow to this size, or fail.
Mask mask_without_cycles(std::uint32_t n, std::uint32_t one_in) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  const auto unit = [n](std::uint32_t place) { return place * 7 % n; };
  for (std::uint32_t later = 1; later < n; ++later)
    for (std::uint32_t earlier = 0; earlier < later; ++earlier)
      if ((later * 31 + earlier * 17) % one_in == 0) pairs.emplace_back(unit(later), unit(earlier));
  return {n, n, std::move(pairs)};
}

TEST(Initialise, RadiusNeedsCycles) {
  const Mask silent(480, 480, std::vector<std::pair<std::uint32_t, std::uint32_t>>{});
  for (const Mask& mask : {mask_without_cycles(9, 1), mask_without_cycles(20, 2),
                           mask_without_cycles(100, 20), mask_without_cycles(300, 3), silent}) {
    const auto n = static_cast<std::int64_t>(mask.n_targets());
    Architecture a = architecture_of(sheet_wiring(WiringKind::local, 1, n));
    a.recurrent = mask;
    Network network(a);
    EXPECT_THAT(message_of<UsageError>(
                    [&] { network.initialise(Initialisation::spectral_radius, Seed{1}); }),
                HasSubstr("no cycles"))
        << n;
  }
}

TEST(Initialise, RadiusNeedsNoMoreThanOneCycle) {
  for (const std::uint32_t n : {9u, 400u}) {
    Architecture a = architecture_of(sheet_wiring(WiringKind::local, 1, n));
    a.recurrent = Mask(n, n, {{1u, 0u}, {2u, 1u}, {0u, 2u}});
    Network network(a);
    network.initialise(Initialisation::spectral_radius, Seed{1});
    const std::span<const float> w = std::as_const(network).parameters().first(3);
    EXPECT_NEAR(std::cbrt(std::abs(w[0] * w[1] * w[2])), 0.9, 1e-5);
  }
}

TEST(Initialise, FanInHasTheDeviationOfItsInDegree) {
  Network network(architecture_of(sheet_wiring(WiringKind::local, 20, 20, 3)));
  network.initialise(Initialisation::fan_in, Seed{1});
  const std::size_t n = network.layout().n_recurrent, degree = n / 400;
  double sum = 0, squares = 0;
  for (const float w : network.parameters().subspan(network.layout().recurrent, n)) {
    sum += w;
    squares += double{w} * w;
  }
  const auto count = static_cast<double>(n);
  const double deviation = 1 / std::sqrt(static_cast<double>(degree));
  EXPECT_NEAR(sum / count, 0, 4 * deviation / std::sqrt(count));
  EXPECT_NEAR(squares / count, deviation * deviation,
              4 * deviation * deviation * std::sqrt(2 / count));
}

TEST(Initialise, IdentityIsHalfOnTheDiagonal) {
  Network network(architecture_of(sheet_wiring(WiringKind::local, 4, 4)));
  network.initialise(Initialisation::identity, Seed{1});
  EXPECT_EQ(recurrent_weights(network), 0.5 * Eigen::MatrixXd::Identity(16, 16));
}

// Refusals -------------------------------------------------------------------------------------

TEST(Refusal, OfAnArchitectureWhosePartsDoNotFit) {
  const Architecture good = architecture_of(sheet_wiring(WiringKind::local, 3, 3));
  const auto refusal = [&](auto spoil) {
    Architecture a = good;
    spoil(a);
    return message_of<UsageError>([&] { Network network(a); });
  };
  EXPECT_THAT(refusal([](auto& a) { a.recurrent = Mask::dense(9, 8); }),
              HasSubstr("(9, 8); it must be square"));
  EXPECT_THAT(refusal([](auto& a) { a.input = Mask::dense(9, 4); }),
              HasSubstr("input mask has shape (9, 4)"));
  EXPECT_THAT(refusal([](auto& a) { a.readout = Mask::dense(4, 8); }),
              HasSubstr("readout mask has shape (4, 8)"));
  EXPECT_THAT(refusal([](auto& a) {
                a.n_classes = 0;
                a.readout = Mask::dense(0, 9);
              }),
              HasSubstr("at least one output class"));
  EXPECT_THAT(refusal([](auto& a) { a.alpha = 1.5; }), HasSubstr("tau must be at least dt"));
  EXPECT_THAT(refusal([](auto& a) { a.representation = Representation::diagonal; }),
              HasSubstr("autapses only"));
}

TEST(Refusal, OfABlockThatDoesNotFitTheNetwork) {
  Network network(architecture_of(sheet_wiring(WiringKind::local, 3, 3)));
  const std::vector<float> inputs(5 * 3 * 2);
  const std::vector<std::int32_t> rules(5 * 2), targets(5 * 2);
  const std::vector<std::uint8_t> resets(5 * 2);
  const std::vector<float> weights(5 * 2, 1.0f);
  std::vector<float> gradient(network.layout().total);
  const TrialView good{{inputs.data(), 5, 2, 3},
                       {rules.data(), 5, 2, 1},
                       {resets.data(), 5, 2},
                       {targets.data(), 5, 2},
                       {weights.data(), 5, 2}};
  Workspace workspace;
  const auto learn = [&](const TrialView& block, std::span<float> into) {
    network.loss_and_gradient(block, {}, {}, into, workspace);
  };
  learn(good, gradient);
  const auto refusal = [&](auto spoil) {
    TrialView block = good;
    spoil(block);
    return message_of<UsageError>([&] { learn(block, gradient); });
  };
  EXPECT_THAT(refusal([](auto& b) { b.inputs = {}; }), HasSubstr("no trials"));
  EXPECT_THAT(refusal([&](auto& b) {
                b.inputs = {inputs.data(), 5, 2, 2};
              }),
              HasSubstr("2 channels; the network has 3"));
  EXPECT_THAT(refusal([&](auto& b) {
                b.rules = {rules.data(), 4, 2, 1};
              }),
              HasSubstr("rules and inputs differ"));
  EXPECT_THAT(refusal([&](auto& b) {
                b.resets = {resets.data(), 5, 1};
              }),
              HasSubstr("resets and inputs differ"));
  EXPECT_THAT(refusal([](auto& b) { b.targets = {}; }), HasSubstr("needs targets"));
  EXPECT_THAT(message_of<UsageError>([&] { learn(good, std::span(gradient).first(7)); }),
              HasSubstr("gradient has 7 entries"));
  EXPECT_THAT(refusal([&](auto& b) {
                b.targets = {targets.data(), 4, 2};
              }),
              HasSubstr("targets and inputs differ in steps or trials: (4, 2) and (5, 2)"));
  EXPECT_THAT(refusal([&](auto& b) {
                b.loss_weights = {weights.data(), 5, 1};
              }),
              HasSubstr("loss weights and inputs differ"));
}

TEST(Refusal, OfRulesAndClassesThatTheNetworkDoesNotHave) {
  Network network(architecture_of(sheet_wiring(WiringKind::local, 3, 3)));  // 2 rules, 4 classes
  const std::vector<float> inputs(5 * 3 * 2), weights(5 * 2, 1.0f);
  std::vector<float> gradient(network.layout().total);
  std::vector<std::int32_t> rules(5 * 2 * 2, -1), targets(5 * 2);
  Workspace workspace;
  const auto refusal = [&](std::vector<std::int32_t>& in, std::size_t at, std::int32_t value) {
    const std::int32_t before = std::exchange(in[at], value);
    const TrialView block{{inputs.data(), 5, 2, 3},
                          {rules.data(), 5, 2, 2},
                          {},
                          {targets.data(), 5, 2},
                          {weights.data(), 5, 2}};
    const std::string message = message_if_any<UsageError>(
        [&] { network.loss_and_gradient(block, {}, {}, gradient, workspace); });
    in[at] = before;
    return message;
  };
  EXPECT_EQ(refusal(rules, 0, 1), "");
  EXPECT_THAT(refusal(rules, 4 * 3 + 2 + 1, 2), HasSubstr("rule 2 at step 3, slot 1, trial 1"));
  EXPECT_THAT(refusal(rules, 4 * 3 + 1, 2), HasSubstr("rule 2 at step 3, slot 1, trial 0"));
  EXPECT_THAT(refusal(rules, 0, -2), HasSubstr("rule -2 at step 0, slot 0, trial 0"));
  EXPECT_EQ(refusal(targets, 0, 3), "");
  EXPECT_THAT(refusal(targets, 9, 4), HasSubstr("target 4 at step 4, trial 1; the network has 4"));
  EXPECT_THAT(refusal(targets, 2, -1), HasSubstr("target -1 at step 1, trial 0"));
  EXPECT_THAT(refusal(targets, 2, std::numeric_limits<std::int32_t>::max()),
              HasSubstr("target 2147483647"));
}

TEST(Refusal, OfOutputsOfAnotherShape) {
  Network network(architecture_of(sheet_wiring(WiringKind::local, 3, 3)));
  for (const std::size_t n_trials : {std::size_t{1}, std::size_t{2}}) {
    const std::vector<float> inputs(5 * 3 * n_trials);
    TrialView block;
    block.inputs = {inputs.data(), 5, n_trials, 3};
    std::vector<float> states(5 * 9 * n_trials), logits(5 * 4 * n_trials);
    Workspace workspace;
    const auto refusal = [&](View3<float> h, View3<float> z) {
      return message_if_any<UsageError>([&] { network.forward(block, {}, h, z, workspace); });
    };
    const View3<float> good_h{states.data(), 5, 9, n_trials};
    const View3<float> good_z{logits.data(), 5, 4, n_trials};
    EXPECT_EQ(refusal(good_h, good_z), "");
    EXPECT_EQ(refusal({}, {}), "");
    EXPECT_THAT(refusal({states.data(), 5, 8, n_trials}, good_z), HasSubstr("states have the"));
    EXPECT_THAT(refusal(good_h, {logits.data(), 4, 4, n_trials}), HasSubstr("logits have the"));
    EXPECT_THAT(refusal(good_h, {logits.data(), 5, 4, n_trials + 1}),
                HasSubstr("this block needs"));
  }
}

// Workspaces -----------------------------------------------------------------------------------

std::vector<float> gradient_of(const testing::Laboratory& lab, bool recompute, Workspace& work) {
  std::vector<float> gradient(lab.network->layout().total);
  LossOptions options = lab.loss_options();
  options.recompute = recompute;
  lab.network->loss_and_gradient(lab.block, lab.recurrent_noise, options, gradient, work);
  return gradient;
}

std::vector<float> states_of(const testing::Laboratory& lab, Workspace& work) {
  const std::size_t n_units = lab.network->architecture().n_units();
  std::vector<float> states(lab.c.n_steps * n_units * lab.c.n_trials);
  lab.network->forward(lab.block, lab.recurrent_noise,
                       {states.data(), lab.c.n_steps, n_units, lab.c.n_trials}, {}, work);
  return states;
}

// A small block and network, and others that are larger in one respect.
std::vector<testing::NetworkCase> sizes() {
  testing::NetworkCase small;
  small.name = "small";
  small.wiring = sheet_wiring(WiringKind::local, 3, 5);
  small.n_trials = 3;
  small.n_channels = 3;
  small.resets = true;
  std::vector<testing::NetworkCase> cases{small};
  const auto larger = [&](std::string name, auto change) {
    cases.push_back(small);
    cases.back().name = std::move(name);
    change(cases.back());
  };
  larger("trials", [](auto& c) { c.n_trials = 40; });
  larger("channels", [](auto& c) { c.n_channels = 150; });
  larger("units", [](auto& c) { c.wiring = sheet_wiring(WiringKind::local, 20, 31, 2); });
  larger("steps", [](auto& c) { c.n_steps = 90; });
  larger("classes", [](auto& c) { c.n_classes = 70; });
  larger("rules", [](auto& c) { c.n_rules = 90, c.n_slots = 3; });
  larger("noise", [](auto& c) { c.sigma = 0.1; });
  larger("penalty", [](auto& c) { c.rate_penalty = 0.1, c.loss = LossKind::least_squares; });
  larger("one_trial", [](auto& c) { c.n_trials = 1; });
  larger("no_resets", [](auto& c) { c.resets = false; });
  larger("no_rules", [](auto& c) { c.n_rules = 0, c.n_slots = 0; });
  return cases;
}

// The results of a block must not depend on the earlier use of its workspace: a buffer sized by an
// earlier block or network overflows, or makes the arrays of several steps overlap.
TEST(WorkspaceOf, AnyNetworkAndBlockServesAnyOther) {
  std::list<testing::Laboratory> labs;
  for (const testing::NetworkCase& c : sizes()) labs.emplace_back(c);
  for (const testing::Laboratory& first : labs)
    for (const testing::Laboratory& second : labs)
      for (const bool recompute : {false, true}) {
        Workspace used, fresh, fresh_too;
        gradient_of(first, false, used);
        states_of(first, used);
        EXPECT_EQ(gradient_of(second, recompute, used), gradient_of(second, recompute, fresh))
            << second.c << " after " << first.c;
        EXPECT_EQ(states_of(second, used), states_of(second, fresh_too))
            << second.c << " after " << first.c;
      }
}

TEST(Refusal, OfABatteryThatCannotBe) {
  const auto refusal = [](auto spoil) {
    BatteryConfig config;
    config.tasks = "cog20";
    spoil(config);
    return message_of<UsageError>([&] { Battery battery(config, Seed{1}); });
  };
  EXPECT_THAT(refusal([](auto& c) { c.dt = 0; }), HasSubstr("battery.dt = 0"));
  EXPECT_THAT(refusal([](auto& c) { c.dt = 1e-6; }), HasSubstr("more than a million steps"));
  EXPECT_THAT(refusal([](auto& c) { c.dt = 1000; }), HasSubstr("less than one step"));
  EXPECT_THAT(refusal([](auto& c) { c.input_noise = -1; }), HasSubstr("battery.input_noise = -1"));
  EXPECT_THAT(refusal([](auto& c) { c.omega = INFINITY; }), HasSubstr("battery.omega"));
  EXPECT_THAT(refusal([](auto& c) { c.n_ring = 7; }), HasSubstr("battery.n_ring = 7"));
  using Weights = decltype(BatteryConfig::weights);
  EXPECT_THAT(refusal([](auto& c) {
                c.weights = Weights{{"go", -1.0}};
              }),
              HasSubstr("battery.weights.go = -1"));
  EXPECT_THAT(refusal([](auto& c) {
                c.weights = Weights{{"dlygointr", 1.0}};
              }),
              HasSubstr("matches no task of this battery"));
  EXPECT_THAT(refusal([](auto& c) { c.weights = Weights{{"*", 0.0}}; }), HasSubstr("weight 0"));
  EXPECT_THAT(refusal([](auto& c) {
                c.weights = Weights{{"dly*", 1.0}, {"*go", 2.0}};
              }),
              HasSubstr("name the task itself to decide"));
}

// A network that computes with outdated weights silently gives wrong numbers.
TEST(WeightWriter, WhatItWroteIsUsedWhenItIsGone) {
  testing::Laboratory lab(testing::network_cases().front());
  Network& network = *lab.network;
  const testing::NetworkCase& c = lab.c;
  std::vector<float> logits(c.n_steps * c.n_classes * c.n_trials);
  const auto run = [&](const Network& n) {
    Workspace workspace;
    n.forward(lab.block, {}, {}, {logits.data(), c.n_steps, c.n_classes, c.n_trials}, workspace);
    return logits;
  };
  const std::size_t bias = network.layout().readout_bias;
  const std::vector<float> before = run(network);
  network.write_weights()[bias] += 1;
  EXPECT_FLOAT_EQ(run(network)[0], before[0] + 1);
  {
    const auto writer = network.write_weights();
    Network moved = std::move(network);  // a writer follows its network
    writer[bias] += 1;
    network = std::move(moved);
    EXPECT_THROW(run(network), std::logic_error);
    EXPECT_THROW(network.write_weights(), std::logic_error);
  }
  EXPECT_FLOAT_EQ(run(network)[0], before[0] + 2);
  std::vector<float> weights(network.parameters().begin(), network.parameters().end());
  const Network copy = network.copy();
  weights[bias] -= 2;
  network.set_weights(weights);
  EXPECT_FLOAT_EQ(run(network)[0], before[0]);
  EXPECT_FLOAT_EQ(run(copy)[0], before[0] + 2);
  weights.pop_back();
  EXPECT_THROW(network.set_weights(weights), UsageError);
}

}  // namespace
}  // namespace lmrnn
