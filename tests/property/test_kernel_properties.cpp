// Properties of the network that hold for every shape: the kernels of every SIMD target agree with
// the readable reference, gradients are adjoint to differences, a translated torus translates the
// states, permuted trials permute the outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "lmrnn/simd.hpp"
#include "network_cases.hpp"

namespace lmrnn::testing {
namespace {

/// Numbers of shape `i`: the same on every machine.
class Choice {
 public:
  explicit Choice(std::uint32_t i) : shape_(i) {}
  std::size_t between(std::size_t least, std::size_t most) {
    const Key key{Seed{1717}, RandomPurpose::statistics, Split::test, shape_};
    return least + integer(key, n_++, static_cast<std::uint32_t>(most - least + 1));
  }
  template <class T>
  T of(std::initializer_list<T> values) {
    return values.begin()[between(0, values.size() - 1)];
  }

 private:
  std::uint32_t shape_, n_ = 0;
};

NetworkCase random_case(std::uint32_t i) {
  Choice choose(i);
  NetworkCase c;
  c.name = "shape" + std::to_string(i);
  const auto kind = choose.of({WiringKind::local, WiringKind::dense, WiringKind::autapse,
                               WiringKind::random, WiringKind::rewired});
  c.wiring = sheet_wiring(kind, static_cast<std::int64_t>(choose.between(1, 6)),
                          static_cast<std::int64_t>(choose.between(1, 7)), 1);
  if (kind == WiringKind::rewired)  // sources must have somewhere to go
    c.wiring.rows += 3, c.wiring.cols += 3;
  c.wiring.boundary = choose.of({Boundary::torus, Boundary::open});
  c.activation = choose.of({Activation::relu, Activation::tanh, Activation::softplus});
  c.alpha = choose.of({1.0, 0.5, 0.2});
  c.n_trials = choose.between(1, 37);
  c.n_steps = choose.between(1, 9);
  c.n_channels = choose.between(1, 9);
  c.n_classes = choose.between(1, 9);
  c.n_slots = choose.of<std::size_t>({0, 1, 3});
  c.n_rules = c.n_slots ? choose.between(1, 6) : 0;
  c.resets = choose.between(0, 2) == 0;
  c.loss = choose.of({LossKind::cross_entropy, LossKind::least_squares});
  c.projection_density = choose.of({1.0, 0.6});
  if (kind != WiringKind::autapse)
    c.representation =
        choose.of({Representation::automatic, Representation::sparse, Representation::dense});
  // Added last, so that the other shapes are the same as in earlier versions.
  c.equation = choose.of({StateEquation::rate, StateEquation::rate, StateEquation::voltage,
                          StateEquation::leak_inside});
  return c;
}

struct Outputs {
  std::vector<float> states, logits, gradient;
};

Outputs compute(const Laboratory& lab, const TrialView& block) {
  const std::size_t T = block.n_steps(), B = block.n_trials(),
                    N = lab.network->architecture().n_units(), C = lab.c.n_classes;
  Outputs out{std::vector<float>(T * N * B), std::vector<float>(T * C * B),
              std::vector<float>(lab.network->layout().total)};
  Workspace workspace;
  lab.network->forward(block, {}, {out.states.data(), T, N, B}, {out.logits.data(), T, C, B},
                       workspace);
  lab.network->loss_and_gradient(block, {}, lab.loss_options(), out.gradient, workspace);
  return out;
}

/// Relative to the largest value; infinite if anything is not finite.
double distance(std::span<const float> a, auto&& b) {
  double largest = 1e-3, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return worst / largest;
}

/// Resets the choice to "auto" in any case.
struct AnyTarget {
  ~AnyTarget() { choose_simd("auto"); }
};

// Sanitizers make a shape twenty times slower, but check every tail that 300 shapes have. Under
// valgrind (tests/robustness/valgrind.sh) a shape takes seconds, and the environment sets their
// number.
std::uint32_t number_of_shapes() {
  if (const char* n = std::getenv("LMRNN_TEST_SHAPES"))
    return static_cast<std::uint32_t>(std::stoul(n));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 300;
#else
  return 2000;
#endif
}

TEST(RandomShapes, EveryTargetAgreesWithTheReference) {
  const AnyTarget restore;
  const auto targets = simd_targets();
  double worst = 0;
  std::size_t n = 0;
  for (std::uint32_t i = 0; i < number_of_shapes(); ++i) {
    const Laboratory lab(random_case(i));
    const NetworkCase& c = lab.c;
    const std::size_t N = lab.network->architecture().n_units();
    std::vector<double> values = lab.parameters();
    const std::vector<double> gradient = lab.reference_gradient();
    std::vector<double> states(c.n_steps * N * c.n_trials);
    for (std::size_t k = 0; k < c.n_trials; ++k) {
      const auto run = kernels::reference::forward(lab.model(values), lab.reference_block(), k);
      for (std::size_t j = 0; j < c.n_steps * N; ++j) states[j * c.n_trials + k] = run.states[j];
    }
    for (const std::string_view target : targets) {
      choose_simd(target);
      const Outputs out = compute(lab, lab.block);
      const double error = std::max(distance(out.states, states), distance(out.gradient, gradient));
      worst = std::max(worst, error);
      ++n;
      // Single precision over at most 9 steps and 49 sources; kinks of relu add a little.
      ASSERT_LE(error, 2e-4) << c.name << " on " << target;
    }
  }
  RecordProperty("worst_relative_error", std::to_string(worst));
  RecordProperty("comparisons", std::to_string(n));
}

/// <W x, y> = <x, W^T y>. Two steps of a positive network without leak and bias are linear: x is
/// h[0], W x is h[1], y the row of the readout, and W^T y what the gradient of the input weights
/// shows, as d <y, h[1]> / d W_in[j] = (W^T y)[j] for an input of 1 in the first step.
TEST(Adjointness, RecurrentWeightsForwardAndBackward) {
  const AnyTarget restore;
  for (const WiringKind kind : {WiringKind::local, WiringKind::dense, WiringKind::autapse})
    for (const std::string_view target : simd_targets()) {
      choose_simd(target);
      NetworkCase c;
      c.wiring = sheet_wiring(kind, 5, 7);
      c.n_trials = 3;
      c.n_steps = 2;
      c.n_channels = 1;
      c.n_classes = 1;
      c.n_rules = c.n_slots = 0;
      c.loss = LossKind::least_squares;
      Laboratory lab(c);
      const std::size_t N = 35, B = 3;
      const auto& l = lab.network->layout();
      // All positive: relu is linear here, and no sum cancels.
      std::vector<float> p(l.total);
      for (std::size_t i = 0; i < l.total; ++i)
        p[i] = std::abs(lab.network->parameters()[i]) + 0.01f;
      std::fill_n(p.data() + l.bias, N, 0.0f);
      p[l.readout_bias] = 0;
      lab.network->set_weights(p);
      std::fill_n(lab.inputs.begin(), B, 1.0f);      // x[0] = 1: h[0] = W_in
      std::fill_n(lab.inputs.begin() + B, B, 0.0f);  // x[1] = 0: h[1] = W h[0]
      std::fill(lab.loss_weights.begin(), lab.loss_weights.end(), 0.0f);
      std::fill_n(lab.loss_weights.begin() + B, B, 1.0f);
      const Outputs out = compute(lab, lab.block);
      double left = 0, right = 0;  // y is the row of the readout
      for (std::size_t i = 0; i < N; ++i)
        left +=
            static_cast<double>(p[l.readout + i]) * static_cast<double>(out.states[(N + i) * B]);
      // The gradient's factor in front of y is that of the readout's bias, the same for all units.
      const double factor = static_cast<double>(out.gradient[l.readout_bias]);
      ASSERT_NE(factor, 0);
      for (std::size_t i = 0; i < N; ++i)
        right += static_cast<double>(p[l.input + i]) *
                 static_cast<double>(out.gradient[l.input + i]) / factor;
      // Positive terms only: each side has a relative error of at most gamma(k) = k u / (1 - k u)
      // for the k roundings on the way to a term (Higham 2002, 3.1): N in W x, N in W^T y, and
      // 2 B + 4 in the factor and the sum over trials.
      const double u = 0x1p-24, k = 2 * N + 2 * B + 4;
      EXPECT_NEAR(left, right, k * u / (1 - k * u) * left) << target;
    }
}

TEST(Symmetry, ATranslatedTorusTranslatesTheStates) {
  const AnyTarget restore;
  for (const std::string_view target : simd_targets()) {
    choose_simd(target);
    NetworkCase c;
    c.wiring = sheet_wiring(WiringKind::local, 5, 6, 2);
    c.activation = Activation::tanh;
    c.n_rules = c.n_slots = 0;
    Laboratory lab(c), moved(c);
    const std::size_t N = 30, B = c.n_trials;
    const auto& l = lab.network->layout();
    const Mask& mask = lab.network->architecture().recurrent;
    const auto shift = [](std::size_t unit) { return (unit / 6 + 2) % 5 * 6 + (unit % 6 + 5) % 6; };
    const auto from = std::as_const(*lab.network).parameters();
    std::vector<float> to(moved.network->parameters().begin(), moved.network->parameters().end());
    for (std::size_t i = 0; i < N; ++i) {
      const auto sources = mask.sources_of(i), there = mask.sources_of(shift(i));
      ASSERT_EQ(sources.size(), there.size());
      for (std::size_t k = 0; k < sources.size(); ++k) {
        const auto found = std::ranges::find(there, shift(sources[k]));
        ASSERT_NE(found, there.end());  // the mask itself is symmetric
        to[l.recurrent + mask.row_offsets()[shift(i)] +
           static_cast<std::size_t>(found - there.begin())] =
            from[l.recurrent + mask.row_offsets()[i] + k];
      }
      for (std::size_t x = 0; x < c.n_channels; ++x)
        to[l.input + shift(i) * c.n_channels + x] = from[l.input + i * c.n_channels + x];
      to[l.bias + shift(i)] = from[l.bias + i];
      for (std::size_t y = 0; y < c.n_classes; ++y)
        to[l.readout + y * N + shift(i)] = from[l.readout + y * N + i];
    }
    moved.network->set_weights(to);
    const Outputs here = compute(lab, lab.block), there = compute(moved, moved.block);
    std::vector<float> expected(here.states.size());
    for (std::size_t t = 0; t < c.n_steps; ++t)
      for (std::size_t i = 0; i < N; ++i)
        for (std::size_t k = 0; k < B; ++k)
          expected[(t * N + shift(i)) * B + k] = here.states[(t * N + i) * B + k];
    // The same sums in another order: 13 sources and 7 channels, over 11 steps.
    EXPECT_LE(distance(there.states, expected), 1e-5) << target;
    EXPECT_LE(distance(there.logits, here.logits), 1e-5) << target;
  }
}

TEST(Symmetry, PermutedTrialsPermuteTheOutputs) {
  const AnyTarget restore;
  for (std::uint32_t i = 0; i < 200; ++i) {
    Laboratory lab(random_case(i));
    const auto targets = simd_targets();
    choose_simd(targets[i % targets.size()]);
    const std::size_t B = lab.c.n_trials;
    const Outputs before = compute(lab, lab.block);
    const auto source = [&](std::size_t k) { return (k * 5 + 3) % B; };
    if (B % 5 == 0) continue;  // no permutation
    const auto permute = [&](auto& values, std::size_t n_items = 1) {
      const auto old = values;
      for (std::size_t j = 0; j < values.size(); ++j)
        values[j] = old[(j / (n_items * B) * B + source(j / n_items % B)) * n_items + j % n_items];
    };
    permute(lab.inputs, lab.c.n_channels);
    permute(lab.rules, std::max<std::size_t>(lab.c.n_slots, 1));
    permute(lab.targets);
    permute(lab.loss_weights);
    permute(lab.resets);
    const Outputs after = compute(lab, lab.block);
    Outputs expected = before;
    permute(expected.states);
    permute(expected.logits);
    // Up to 32 trials, a trial's sums do not depend on its place. With more, up to four remaining
    // trials are computed in shorter registers and round differently.
    if (B <= 32) {
      EXPECT_TRUE(after.states == expected.states) << lab.c.name;
      EXPECT_TRUE(after.logits == expected.logits) << lab.c.name;
    }
    EXPECT_LE(distance(after.states, expected.states), 2e-6) << lab.c.name;
    EXPECT_LE(distance(after.logits, expected.logits), 2e-6) << lab.c.name;
    EXPECT_LE(distance(after.gradient, before.gradient), 1e-4) << lab.c.name;
  }
}

}  // namespace
}  // namespace lmrnn::testing
