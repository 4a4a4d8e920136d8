// The operation: the readable twin against central differences in double, for gradients from and to
// the outside; the operation, on every SIMD target of this machine, against the twin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "lmrnn/operation.hpp"
#include "lmrnn/simd.hpp"
#include "message_of.hpp"
#include "network_cases.hpp"

namespace lmrnn::testing {
namespace {

using kernels::reference::OutsideGradient;
using kernels::reference::Trajectory;

/// A network, rows, and the loss  sum a[t, k, c] logits[t, k, c] + sum b[t, k, i] state[t, k, i].
struct Bench {
  Laboratory lab;
  std::size_t T, B, N, C, K;
  std::vector<double> a, b, initial;  ///< (time, row, class), (time, row, unit), (row, unit)

  explicit Bench(const NetworkCase& c, bool with_logits = true, bool with_states = true,
                 bool with_initial = true)
      : lab(c),
        T(c.n_steps),
        B(c.n_trials),
        N(lab.network->architecture().n_units()),
        C(c.n_channels),
        K(c.n_classes),
        a(numbers(20, T * B * K, with_logits)),
        b(numbers(21, T * B * N, with_states)),
        initial(numbers(22, B * N, with_initial)) {}

  static std::vector<double> numbers(std::uint32_t what, std::size_t n, bool wanted) {
    std::vector<double> values(wanted ? n : 0);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(0.3 * Laboratory::draw(what, i));
    return values;
  }
  double a_at(std::size_t t, std::size_t k, std::size_t c) const {
    return a.empty() ? 0 : a[(t * B + k) * K + c];
  }
  double b_at(std::size_t t, std::size_t k, std::size_t i) const {
    return b.empty() ? 0 : b[(t * B + k) * N + i];
  }
  kernels::reference::Block<double> block(const std::vector<double>& from) const {
    auto all = lab.reference_block();
    if (!from.empty()) all.initial = {from.data(), B, N};
    return all;
  }

  double loss_of_row(std::vector<double>& weights, const kernels::reference::Block<double>& rows,
                     std::size_t k) const {
    const Trajectory<double> run = kernels::reference::forward(lab.model(weights), rows, k);
    double loss = 0;
    for (std::size_t t = 0; t < T; ++t) {
      for (std::size_t c = 0; c < K; ++c) loss += a_at(t, k, c) * run.logits[t * K + c];
      for (std::size_t i = 0; i < N; ++i) loss += b_at(t, k, i) * run.states[t * N + i];
    }
    return loss;
  }
};

/// All gradients, those of weights flat; (time, row, channel), (row, unit).
struct AllGradients {
  std::vector<double> weights, inputs, initial;
};

AllGradients reference_gradients(const Bench& x) {
  AllGradients all{std::vector<double>(x.lab.network->layout().total),
                   std::vector<double>(x.T * x.B * x.C), std::vector<double>(x.B * x.N)};
  std::vector<double> weights = x.lab.parameters();
  const auto model = x.lab.model(weights);
  const auto rows = x.block(x.initial);
  for (std::size_t k = 0; k < x.B; ++k) {
    const auto run = kernels::reference::forward(model, rows, k);
    const OutsideGradient<double> g = kernels::reference::add_trial_gradient(
        model, rows, run, k, [&](std::size_t t, std::size_t c) { return x.a_at(t, k, c); },
        [&](std::size_t t, std::size_t i) { return x.b_at(t, k, i); }, x.lab.model(all.weights));
    for (std::size_t t = 0; t < x.T; ++t)
      std::copy_n(g.inputs.data() + t * x.C, x.C, all.inputs.data() + (t * x.B + k) * x.C);
    std::ranges::copy(g.initial, all.initial.begin() + static_cast<std::ptrdiff_t>(k * x.N));
  }
  x.lab.clear_outside_masks(all.weights);
  return all;
}

/// Largest |a - b| relative to the largest |a|.
double relative_error(const std::vector<double>& expected, const auto& actual) {
  double largest = 1e-6, error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    error = std::max(error, std::abs(expected[i] - static_cast<double>(actual[i])));
  }
  return error / largest;
}

class OperationGradientCases : public ::testing::TestWithParam<NetworkCase> {};

TEST_P(OperationGradientCases, ReferenceAgreesWithCentralDifferences) {
  Bench x(GetParam());
  const AllGradients expected = reference_gradients(x);
  std::vector<double> weights = x.lab.parameters();
  const double step = 1e-6;
  const auto difference = [&](double& value, auto&& loss) {
    const double before = value;
    value = before + step;
    const double above = loss();
    value = before - step;
    const double below = loss();
    value = before;
    return (above - below) / (2 * step);
  };
  std::vector<double> initial = x.initial, of_initial(initial.size());
  for (std::size_t n = 0; n < initial.size(); ++n)
    of_initial[n] =
        difference(initial[n], [&] { return x.loss_of_row(weights, x.block(initial), n / x.N); });
  EXPECT_LE(relative_error(expected.initial, of_initial), 1e-6);

  // Inputs are single precision, so their steps are wide; where a kink of ReLU lies between the two
  // ends, the loss bends.
  std::vector<double> of_inputs = expected.inputs;
  std::size_t n_bent = 0;
  for (std::size_t n = 0; n < of_inputs.size(); ++n) {
    const std::size_t k = n / x.C % x.B;
    float& value = x.lab.inputs[n];
    const float before = value, above = before + 0x1p-12f, below = before - 0x1p-12f;
    const auto loss_at = [&](float moved) {
      value = moved;
      return x.loss_of_row(weights, x.block(x.initial), k);
    };
    const double high = loss_at(above), low = loss_at(below), middle = loss_at(before);
    const double slope = (high - low) / (static_cast<double>(above) - below);
    if (GetParam().activation == Activation::relu && std::abs(high + low - 2 * middle) > 1e-8) {
      ++n_bent;
    } else {
      of_inputs[n] = slope;
    }
  }
  EXPECT_LE(relative_error(expected.inputs, of_inputs), 1e-5);
  EXPECT_LE(n_bent, of_inputs.size() / 20);

  std::vector<double> of_weights(weights.size());
  const std::size_t stride = 1 + weights.size() / 60;  // test_gradients.cpp walks over all of them
  for (std::size_t n = 0; n < weights.size(); ++n) {
    of_weights[n] = expected.weights[n];
    if (n % stride == 0)
      of_weights[n] = difference(weights[n], [&] {
        double loss = 0;
        for (std::size_t k = 0; k < x.B; ++k) loss += x.loss_of_row(weights, x.block(x.initial), k);
        return loss;
      });
  }
  x.lab.clear_outside_masks(of_weights);
  EXPECT_LE(relative_error(expected.weights, of_weights), 1e-6);
}

/// The arrays as a framework has them, and the operation's results.
struct Arrays {
  std::vector<float> inputs, initial, weights, logits, states, kept, a, b;
  std::vector<float> of_weights, of_inputs, of_initial;
  std::vector<std::int32_t> rules;
  std::vector<std::uint8_t> resets;
  OperationInputs in;
  ParameterLayout layout;

  explicit Arrays(const Bench& x) : layout(x.lab.network->layout()) {
    inputs = x.lab.inputs;
    rules = x.lab.rules;
    resets = x.lab.resets;
    const auto p = std::as_const(*x.lab.network).parameters();
    weights.assign(p.begin(), p.end());
    initial.assign(x.initial.begin(), x.initial.end());
    a.assign(x.a.begin(), x.a.end());
    b.assign(x.b.begin(), x.b.end());
    in.inputs = {inputs.data(), x.T, x.B, x.C};
    if (!rules.empty()) in.rules = {rules.data(), x.T, x.B, x.lab.c.n_slots};
    if (!resets.empty()) in.resets = {resets.data(), x.T, x.B};
    if (!initial.empty()) in.initial = {initial.data(), x.B, x.N};
    in.noise = x.lab.recurrent_noise;
    logits.assign(x.T * x.B * x.K, -7.0f);
    states.assign(x.T * x.B * x.N, -7.0f);
    of_weights.assign(weights.size(), -7.0f);
    of_inputs.assign(inputs.size(), -7.0f);
    of_initial.assign(x.B * x.N, -7.0f);
  }
  template <class T>
  ParameterGroups<T> groups(std::span<T> flat) const {
    const auto& l = layout;
    return {
        flat.subspan(l.recurrent, l.n_recurrent), flat.subspan(l.input, l.n_input),
        flat.subspan(l.rule, l.n_rule),           flat.subspan(l.bias, l.n_bias),
        flat.subspan(l.readout, l.n_readout),     flat.subspan(l.readout_bias, l.n_readout_bias)};
  }
  void run(const Bench& x, const Operation& operation, Keep keep, int threads) {
    ThreadPool pool(threads);
    kept.assign(operation.kept_size(x.T, x.B, keep), -7.0f);
    const auto given = groups(std::span<const float>(weights));
    operation.forward(given, in, keep, kept, {states.data(), x.T, x.B, x.N},
                      {logits.data(), x.T, x.B, x.K}, pool);
    if (keep == Keep::nothing) return;
    OperationGradients gradients;
    if (!a.empty()) gradients.logits = {a.data(), x.T, x.B, x.K};
    if (!b.empty()) gradients.states = {b.data(), x.T, x.B, x.N};
    gradients.parameters = groups(std::span<float>(of_weights));
    gradients.inputs = {of_inputs.data(), x.T, x.B, x.C};
    gradients.initial = {of_initial.data(), x.B, x.N};
    operation.backward(given, in, keep, kept, gradients, pool);
  }
};

void expect_forward(const Bench& x, const Arrays& arrays) {
  std::vector<double> weights = x.lab.parameters();
  for (std::size_t k = 0; k < x.B; ++k) {
    const auto run = kernels::reference::forward(x.lab.model(weights), x.block(x.initial), k);
    for (std::size_t t = 0; t < x.T; ++t) {
      for (std::size_t i = 0; i < x.N; ++i)
        ASSERT_NEAR(arrays.states[(t * x.B + k) * x.N + i], run.states[t * x.N + i], 2e-5);
      for (std::size_t c = 0; c < x.K; ++c)
        ASSERT_NEAR(arrays.logits[(t * x.B + k) * x.K + c], run.logits[t * x.K + c], 5e-5);
    }
  }
}

TEST_P(OperationGradientCases, KernelsAgreeWithReferenceOnEveryTarget) {
  const Bench x(GetParam());
  const AllGradients expected = reference_gradients(x);
  const Operation operation(*x.lab.network);
  for (const std::string_view target : simd_targets()) {
    SCOPED_TRACE(target);
    choose_simd(target);
    for (const Keep keep : {Keep::states, Keep::segments, Keep::nothing}) {
      Arrays arrays(x);
      arrays.run(x, operation, keep, 1);
      expect_forward(x, arrays);
      if (keep == Keep::nothing) continue;
      EXPECT_LE(relative_error(expected.weights, arrays.of_weights), 1e-4);
      EXPECT_LE(relative_error(expected.inputs, arrays.of_inputs), 1e-4);
      EXPECT_LE(relative_error(expected.initial, arrays.of_initial), 1e-4);
    }
  }
  choose_simd("auto");
}

INSTANTIATE_TEST_SUITE_P(Cases, OperationGradientCases, ::testing::ValuesIn(network_cases()),
                         [](const auto& info) { return info.param.name; });

NetworkCase many_rows() {
  NetworkCase c;
  c.name = "many_rows";
  c.wiring = sheet_wiring(WiringKind::local, 5, 9, 2);
  c.activation = Activation::tanh;
  c.alpha = 0.4;
  c.n_trials = 70;  // blocks of 32, 32 and 6 rows
  c.n_steps = 90;   // several segments
  c.resets = true;
  c.sigma = 0.2;
  return c;
}

class OperationOfEquation : public ::testing::TestWithParam<StateEquation> {};

TEST_P(OperationOfEquation, GivesTheSameBitsForAnyNumberOfThreadsAndForKeptOrRecomputedStates) {
  NetworkCase c = many_rows();
  c.equation = GetParam();
  const Bench x(c);
  const Operation operation(*x.lab.network);
  Arrays expected(x);
  expected.run(x, operation, Keep::states, 1);
  for (const Keep keep : {Keep::states, Keep::segments})
    for (const int threads : {1, 2, 3}) {
      Arrays arrays(x);
      arrays.run(x, operation, keep, threads);
      EXPECT_EQ(arrays.logits, expected.logits);
      EXPECT_EQ(arrays.states, expected.states);
      EXPECT_EQ(arrays.of_weights, expected.of_weights);
      EXPECT_EQ(arrays.of_inputs, expected.of_inputs);
      EXPECT_EQ(arrays.of_initial, expected.of_initial);
    }
  EXPECT_LT(operation.kept_size(x.T, x.B, Keep::segments),
            operation.kept_size(x.T, x.B, Keep::states) / 10);
}

TEST_P(OperationOfEquation, TakesGradientsOfLogitsAloneOrOfStatesAlone) {
  for (const double alpha : {1.0, 0.4})
    for (const bool of_logits : {true, false}) {
      NetworkCase c = many_rows();
      c.equation = GetParam();
      c.alpha = alpha;
      const Bench x(c, of_logits, !of_logits, false);
      const AllGradients expected = reference_gradients(x);
      Arrays arrays(x);
      arrays.run(x, Operation(*x.lab.network), Keep::states, 2);
      EXPECT_LE(relative_error(expected.weights, arrays.of_weights), 1e-4);
      EXPECT_LE(relative_error(expected.inputs, arrays.of_inputs), 1e-4);
      EXPECT_LE(relative_error(expected.initial, arrays.of_initial), 1e-4);
    }
}

INSTANTIATE_TEST_SUITE_P(Equations, OperationOfEquation,
                         ::testing::Values(StateEquation::rate, StateEquation::voltage,
                                           StateEquation::leak_inside));

TEST(TheOperation, TakesOtherWeightsAtEveryCall) {
  Bench x(many_rows());
  const Operation operation(*x.lab.network);
  for (int k = 0; k < 2; ++k) {
    Arrays arrays(x);
    arrays.run(x, operation, Keep::states, 1);
    EXPECT_LE(relative_error(reference_gradients(x).inputs, arrays.of_inputs), 1e-4);
    const auto writer = x.lab.network->write_weights();
    for (float& w : writer.all()) w *= 0.5f;
  }
}

// Weights outside the masks may have any value; they have no effect.
TEST(TheOperation, IgnoresEntriesOutsideTheMasks) {
  NetworkCase c = many_rows();
  c.projection_density = 0.5;
  c.n_trials = 1;
  const Bench x(c);
  const Architecture& a = x.lab.network->architecture();
  const Operation operation(*x.lab.network);
  Arrays expected(x), arrays(x);
  for (std::size_t i = 0; i < x.N; ++i)
    for (std::size_t j = 0; j < x.C; ++j)
      if (!a.input.has(i, j)) arrays.weights[arrays.layout.input + i * x.C + j] = 3;
  for (std::size_t i = 0; i < x.K; ++i)
    for (std::size_t j = 0; j < x.N; ++j)
      if (!a.readout.has(i, j)) arrays.weights[arrays.layout.readout + i * x.N + j] = 3;
  for (const Keep keep : {Keep::states, Keep::nothing}) {
    expected.run(x, operation, keep, 1);
    arrays.run(x, operation, keep, 1);
    EXPECT_EQ(arrays.logits, expected.logits);
    EXPECT_EQ(arrays.of_weights, expected.of_weights);
  }
}

TEST(TheOperation, RefusesWhatDoesNotFit) {
  const Bench x(many_rows());
  const Operation operation(*x.lab.network);
  const auto message = [&](auto&& change) {
    Arrays arrays(x);
    change(arrays);
    return message_of<UsageError>([&] { arrays.run(x, operation, Keep::states, 1); });
  };
  EXPECT_EQ(
      message([](Arrays& m) { m.rules[(3 * 70 + 2) * 1] = 9; }),
      "operation: rules: 9 at step 3, row 2, slot 0; the network has 4 rules, counted from 0, "
      "and -1 is none");
  EXPECT_EQ(message([](Arrays& m) { m.in.inputs.n2 = 6; }),
            "operation: inputs have 6 channels; the network has 7");
  EXPECT_EQ(message([](Arrays& m) { m.in.initial.n0 = 3; }),
            "operation: initial states have the shape (3, 45); these inputs need (70, 45)");
  EXPECT_EQ(message([](Arrays& m) { m.in.resets.n0 = 4; }),
            "operation: resets have the shape (4, 70); these inputs need (90, 70)");
  EXPECT_EQ(message([](Arrays& m) {
              m.weights[m.layout.bias + 2] = std::numeric_limits<float>::quiet_NaN();
            }),
            "operation: bias: entry 2 of the weights is nan; lower the learning rate, clip the "
            "gradients, or start from finite weights");
  EXPECT_EQ(message([](Arrays& m) { m.in.inputs.n0 = 0; }),
            "operation: inputs have no time steps or no rows");
}

}  // namespace
}  // namespace lmrnn::testing
