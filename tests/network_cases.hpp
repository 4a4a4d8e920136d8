// One table of networks for every test of the kernels (design: one case table, several modes).
#pragma once

#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/noise.hpp"
#include "kernels/reference.hpp"
#include "lmrnn/network.hpp"

namespace lmrnn::testing {

struct NetworkCase {
  std::string name;
  WiringConfig wiring;
  Activation activation = Activation::relu;
  double alpha = 1;
  std::size_t n_trials = 5, n_steps = 11, n_channels = 7, n_rules = 4, n_classes = 5, n_slots = 1;
  bool resets = false;
  LossKind loss = LossKind::cross_entropy;
  double rate_penalty = 0;
  double sigma = 0;
  double projection_density = 1;
  bool silent_inputs = false;  ///< most inputs are 0, at different times in different trials
  bool held_inputs = false;    ///< inputs change with the rules, every four steps
  Representation representation = Representation::automatic;
  StateEquation equation = StateEquation::rate;

  friend std::ostream& operator<<(std::ostream& out, const NetworkCase& c) { return out << c.name; }
};

inline WiringConfig sheet_wiring(WiringKind kind, std::int64_t rows, std::int64_t cols,
                                 double radius = 1) {
  WiringConfig w;
  w.kind = kind;
  w.rows = rows;
  w.cols = cols;
  w.radius = radius;
  return w;
}

/// Every representation x activation x alpha, then each option once. Sizes are multiples of no
/// vector width.
inline std::vector<NetworkCase> network_cases() {
  const std::vector<std::pair<std::string, WiringConfig>> wirings = {
      {"local", sheet_wiring(WiringKind::local, 3, 5)},
      {"dense", sheet_wiring(WiringKind::dense, 3, 3)},
      {"autapse", sheet_wiring(WiringKind::autapse, 3, 3)},
      {"local_open", [] {
         auto w = sheet_wiring(WiringKind::local, 4, 4, 1.5);
         w.boundary = Boundary::open;
         w.autapses = false;
         w.metric = Metric::l2;
         return w;
       }()}};
  std::vector<NetworkCase> cases;
  for (const auto& [name, wiring] : wirings)
    for (const Activation activation : {Activation::relu, Activation::tanh, Activation::softplus})
      for (const double alpha : {1.0, 0.2}) {
        NetworkCase c;
        c.name = name + "_" + std::string(to_name(activation)) + (alpha < 1 ? "_leaky" : "");
        c.wiring = wiring;
        c.activation = activation;
        c.alpha = alpha;
        cases.push_back(c);
      }
  const auto variant = [&](std::string name, auto change) {
    NetworkCase c;
    c.name = std::move(name);
    c.wiring = wirings[0].second;
    c.activation = Activation::tanh;
    c.alpha = 0.5;
    change(c);
    cases.push_back(c);
  };
  variant("resets", [](NetworkCase& c) { c.resets = true; });
  variant("resets_relu_long", [](NetworkCase& c) {
    c.resets = true;
    c.activation = Activation::relu;
    c.n_steps = 21;
    c.n_trials = 19;
  });
  variant("composed_rules", [](NetworkCase& c) { c.n_slots = 3; });
  variant("no_rules", [](NetworkCase& c) { c.n_slots = c.n_rules = 0; });
  variant("least_squares", [](NetworkCase& c) { c.loss = LossKind::least_squares; });
  variant("rate_penalty", [](NetworkCase& c) { c.rate_penalty = 0.01; });
  variant("rate_penalty_softplus", [](NetworkCase& c) {
    c.rate_penalty = 0.01;
    c.activation = Activation::softplus;
  });
  variant("recurrent_noise", [](NetworkCase& c) { c.sigma = 0.3; });
  variant("masked_projections", [](NetworkCase& c) { c.projection_density = 0.5; });
  variant("one_trial", [](NetworkCase& c) { c.n_trials = 1; });
  variant("one_trial_resets", [](NetworkCase& c) {
    c.n_trials = 1;
    c.resets = true;
    c.sigma = 0.2;
  });
  variant("one_trial_wide", [](NetworkCase& c) {  // more than one slice of 16 units, with runs
    c.n_trials = 1;
    c.wiring = sheet_wiring(WiringKind::local, 5, 9, 2);
    c.projection_density = 0.6;
  });
  variant("one_trial_seam", [](NetworkCase& c) {  // runs with one member, at the seam
    c.n_trials = 1;
    c.wiring = sheet_wiring(WiringKind::local, 7, 16, 3);
  });
  variant("one_trial_random", [](NetworkCase& c) {  // gathers
    c.n_trials = 1;
    c.wiring = sheet_wiring(WiringKind::random, 6, 7, 1);
  });
  variant("wide_sheet", [](NetworkCase& c) {  // groups of rows with shared and single columns
    c.n_trials = 33;
    c.wiring = sheet_wiring(WiringKind::local, 5, 9, 2);
  });
  variant("dense_by_request", [](NetworkCase& c) { c.representation = Representation::dense; });
  variant("sparse_by_request", [](NetworkCase& c) {
    c.representation = Representation::sparse;
    c.wiring = sheet_wiring(WiringKind::dense, 3, 3);
  });
  variant("silent_inputs", [](NetworkCase& c) {  // several groups of units, the last one not full
    c.silent_inputs = true;
    c.n_channels = 9;
    c.wiring = sheet_wiring(WiringKind::local, 9, 9, 2);
  });
  variant("silent_inputs_one_trial", [](NetworkCase& c) {
    c.silent_inputs = true;
    c.n_trials = 1;
  });
  variant("many_channels_one_trial", [](NetworkCase& c) {  // half of them silent at every step
    c.silent_inputs = true;
    c.n_trials = 1;
    c.n_steps = 2;
    c.n_channels = 300;
  });
  variant("held_inputs", [](NetworkCase& c) {  // consecutive steps with the same drive
    c.held_inputs = true;
    c.n_trials = 19;
    c.n_steps = 13;
  });
  variant("many_autapses", [](NetworkCase& c) {  // two tiles of units, the last one not full
    c.wiring = sheet_wiring(WiringKind::autapse, 7, 10);
    c.activation = Activation::relu;
    c.alpha = 1;
    c.resets = true;
    c.n_trials = 9;
  });
  variant("many_autapses_leaky", [](NetworkCase& c) {
    c.wiring = sheet_wiring(WiringKind::autapse, 7, 10);
    c.resets = true;
    c.sigma = 0.3;
    c.rate_penalty = 0.01;
    c.n_classes = 6;  // the last two in chains of their own
    c.n_trials = 3;
    c.n_steps = 17;
  });
  for (const StateEquation equation : {StateEquation::voltage, StateEquation::leak_inside}) {
    const bool is_voltage = equation == StateEquation::voltage;
    const std::string prefix = is_voltage ? "voltage_" : "leak_inside_";
    const auto of_equation = [&](std::string name, auto change) {
      variant(prefix + name, [&](NetworkCase& c) {
        c.equation = equation;
        change(c);
      });
    };
    for (const Activation activation : {Activation::relu, Activation::tanh, Activation::softplus})
      for (const double alpha : {1.0, 0.2}) {
        const std::string name = std::string(to_name(activation)) + (alpha < 1 ? "_leaky" : "");
        of_equation(name, [&](NetworkCase& c) {
          c.activation = activation;
          c.alpha = alpha;
        });
        of_equation("one_trial_" + name, [&](NetworkCase& c) {
          c.activation = activation;
          c.alpha = alpha;
          c.n_trials = 1;
          c.resets = true;
          c.wiring = sheet_wiring(WiringKind::local, 5, 9, 2);
        });
      }
    of_equation("everything", [](NetworkCase& c) {
      c.activation = Activation::softplus;  // f(0) is not 0
      c.resets = true;
      c.sigma = 0.3;
      c.rate_penalty = 0.01;
      c.n_slots = 3;
      c.projection_density = 0.6;
      c.n_trials = 19;
      c.n_steps = 21;
      c.wiring = sheet_wiring(WiringKind::local, 5, 9, 2);
    });
    of_equation("penalty_relu", [](NetworkCase& c) {
      c.rate_penalty = 0.01;
      c.activation = Activation::relu;
      c.resets = true;
    });
    of_equation("many_autapses", [](NetworkCase& c) {  // two tiles of units
      c.wiring = sheet_wiring(WiringKind::autapse, 7, 10);
      c.activation = Activation::softplus;
      c.resets = true;
      c.sigma = 0.3;
      c.rate_penalty = 0.01;
      c.n_classes = 6;
      c.n_trials = 9;
      c.n_steps = 17;
    });
    of_equation("many_autapses_no_leak", [](NetworkCase& c) {
      c.wiring = sheet_wiring(WiringKind::autapse, 7, 10);
      c.alpha = 1;
      c.resets = true;
      c.n_trials = 9;
    });
    of_equation("dense", [](NetworkCase& c) {
      c.wiring = sheet_wiring(WiringKind::dense, 3, 3);
      c.loss = LossKind::least_squares;
    });
  }
  variant("four_trials", [](NetworkCase& c) { c.n_trials = 4; });
  variant("sixteen_trials", [](NetworkCase& c) { c.n_trials = 16; });
  variant("forty_trials", [](NetworkCase& c) { c.n_trials = 40; });
  variant("one_step", [](NetworkCase& c) { c.n_steps = 1; });
  variant("whole_chunks", [](NetworkCase& c) { c.n_steps = 16; });
  variant("one_unit", [](NetworkCase& c) { c.wiring = sheet_wiring(WiringKind::autapse, 1, 1); });
  variant("random", [](NetworkCase& c) { c.wiring = sheet_wiring(WiringKind::random, 5, 5, 1); });
  variant("blocks_on_a_rectangle", [](NetworkCase& c) {
    c.wiring = sheet_wiring(WiringKind::blocks, 3, 4);
    c.wiring.block_units = 6;
  });
  return cases;
}

/// A network with random weights, a block of random trials, and the reference model of it.
struct Laboratory {
  NetworkCase c;
  std::unique_ptr<Network> network;
  std::vector<float> inputs, loss_weights;
  std::vector<std::int32_t> rules, targets;
  std::vector<std::uint8_t> resets;
  std::vector<double> noise;
  TrialView block;
  RecurrentNoise recurrent_noise;
  double scale = 1;

  explicit Laboratory(const NetworkCase& network_case) : c(network_case) {
    const Seed seed{20230707};
    const Sheet sheet = c.wiring.sheet();
    ProjectionConfig projection;
    projection.density = c.projection_density;
    Architecture a;
    a.n_channels = c.n_channels;
    a.n_rules = c.n_rules;
    a.n_classes = c.n_classes;
    a.alpha = c.alpha;
    a.activation = c.activation;
    a.representation = c.representation;
    a.equation = c.equation;
    a.recurrent = make_mask(c.wiring, seed);
    a.input = make_input_mask(projection, sheet, c.n_channels, seed);
    a.readout = make_readout_mask(projection, sheet, c.n_classes, seed);
    network = std::make_unique<Network>(std::move(a));
    network->initialise(Initialisation::fan_in, seed);
    const auto& l = network->layout();
    const auto w = network->write_weights();
    for (std::size_t i = 0; i < l.n_bias; ++i) w[l.bias + i] = static_cast<float>(0.2 * draw(0, i));
    for (std::size_t i = 0; i < l.n_readout_bias; ++i)
      w[l.readout_bias + i] = static_cast<float>(0.2 * draw(1, i));
    fill_block();
  }

  /// Standard normal number i of kind `what`.
  static double draw(std::uint32_t what, std::size_t i) {
    return normal({Seed{7}, RandomPurpose::statistics, Split::test, what},
                  static_cast<std::uint32_t>(i));
  }

  void fill_block() {
    const std::size_t T = c.n_steps, B = c.n_trials, N = network->architecture().n_units();
    inputs.resize(T * c.n_channels * B);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t t = i / (c.n_channels * B), trial = i / c.n_channels % B;
      const std::size_t channel = i % c.n_channels;
      if (c.held_inputs) {
        inputs[i] =
            static_cast<float>(draw(2, ((t + 2 * trial) / 4 * B + trial) * c.n_channels + channel));
        continue;
      }
      const bool silent = c.silent_inputs && (t + 3 * trial + (channel + 3) / 4) % 4 != 0;
      inputs[i] = silent ? 0.0f : static_cast<float>(draw(2, i));
    }
    rules.resize(T * c.n_slots * B);
    targets.resize(T * B);
    loss_weights.resize(T * B);
    resets.resize(c.resets ? T * B : 0);
    const auto whole = [](std::uint32_t what, std::size_t i, std::size_t n) {
      return static_cast<std::int32_t>(
          integer({Seed{7}, RandomPurpose::statistics, Split::test, what},
                  static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(n)));
    };
    for (std::size_t t = 0; t < T; ++t)
      for (std::size_t b = 0; b < B; ++b) {
        // Trials have different lengths, so that rules and resets change in the middle of rows.
        const std::size_t trial = (t + 2 * b) / 4;
        for (std::size_t s = 0; s < c.n_slots; ++s)
          rules[(t * B + b) * c.n_slots + s] =
              whole(3 + static_cast<std::uint32_t>(s), trial * 64 + b, c.n_rules + 1) - 1;
        targets[t * B + b] = whole(8, t * B + b, c.n_classes);
        loss_weights[t * B + b] = static_cast<float>(whole(9, t * B + b, 3));
        if (c.resets) resets[t * B + b] = (t + 2 * b) % 4 == 0;
      }
    double total = 0;
    for (const float w : loss_weights) total += w;
    scale = total > 0 ? 1 / total : 1;
    block.inputs = {inputs.data(), T, B, c.n_channels};
    if (c.n_slots) block.rules = {rules.data(), T, B, c.n_slots};
    if (c.resets) block.resets = {resets.data(), T, B};
    block.targets = {targets.data(), T, B};
    block.loss_weights = {loss_weights.data(), T, B};
    recurrent_noise = {c.sigma, {Seed{11}, RandomPurpose::recurrent_noise, Split::train, 3}, 5};
    if (c.sigma > 0) {
      noise.resize(T * N * B);
      std::vector<float> xi(T * N);
      for (std::size_t b = 0; b < B; ++b) {
        Key key = recurrent_noise.key;
        key.row = recurrent_noise.first_row + static_cast<std::uint32_t>(b);
        kernels::fill_normal(key, 0, xi);
        for (std::size_t i = 0; i < T * N; ++i) noise[i * B + b] = c.sigma * xi[i];
      }
    }
  }

  LossOptions loss_options() const { return {c.loss, scale, c.rate_penalty}; }

  /// The reference model on `values`, in the layout of the network's parameters.
  template <class T>
  kernels::reference::Model<T> model(std::vector<T>& values) const {
    const Architecture& a = network->architecture();
    const ParameterLayout& l = network->layout();
    return {a.n_units(),
            a.n_channels,
            a.n_rules,
            a.n_classes,
            static_cast<T>(a.alpha),
            static_cast<kernels::Nonlinearity>(a.activation),
            a.recurrent.row_offsets(),
            a.recurrent.sources(),
            values.data() + l.recurrent,
            values.data() + l.input,
            values.data() + l.rule,
            values.data() + l.bias,
            values.data() + l.readout,
            values.data() + l.readout_bias,
            static_cast<kernels::StateEquation>(a.equation)};
  }

  kernels::reference::Block<double> reference_block() const {
    const std::size_t N = network->architecture().n_units();
    kernels::reference::Block<double> all{block};
    if (!noise.empty()) all.noise = {noise.data(), c.n_steps, N, c.n_trials};
    return all;
  }

  std::vector<double> parameters() const {
    const auto p = std::as_const(*network).parameters();
    return {p.begin(), p.end()};
  }

  /// Scaled loss with penalty, in double, by the reference.
  double loss(std::vector<double> values) const {
    const auto m = model(values);
    const auto b = reference_block();
    std::vector<double> scratch(values.size());
    double total = scale * kernels::reference::add_gradient<double>(m, b, wanted(), scale, 0.0,
                                                                    model(scratch));
    for (std::size_t trial = 0; trial < c.n_trials; ++trial)
      for (const double h : kernels::reference::forward(m, b, trial).h)
        total += c.rate_penalty * h * h;
    return total;
  }

  std::vector<double> reference_gradient() const {
    std::vector<double> values = parameters(), gradient(values.size(), 0.0);
    kernels::reference::add_gradient<double>(model(values), reference_block(), wanted(), scale,
                                             2 * c.rate_penalty, model(gradient));
    clear_outside_masks(gradient);
    return gradient;
  }

  /// Sets the gradient of absent synapses to 0.
  void clear_outside_masks(std::vector<double>& gradient) const {
    const Architecture& a = network->architecture();
    const ParameterLayout& l = network->layout();
    for (std::size_t i = 0; i < a.n_units(); ++i)
      for (std::size_t j = 0; j < a.n_channels; ++j)
        if (!a.input.has(i, j)) gradient[l.input + i * a.n_channels + j] = 0;
    for (std::size_t i = 0; i < a.n_classes; ++i)
      for (std::size_t j = 0; j < a.n_units(); ++j)
        if (!a.readout.has(i, j)) gradient[l.readout + i * a.n_units() + j] = 0;
  }

  const float* wanted() const {
    if (c.loss == LossKind::cross_entropy) return nullptr;
    if (wanted_.empty()) wanted_ = make_wanted(c.n_classes);
    return wanted_.data();
  }

  /// The targets of Yang et al. 2019, implemented independently of the library.
  static std::vector<float> make_wanted(std::size_t n_classes) {
    std::vector<float> wanted;
    const int n_ring = static_cast<int>(n_classes) - 1;
    for (int y = 0; y <= n_ring; ++y) {
      wanted.push_back(y == 0 ? 0.85f : 0.05f);
      for (int j = 0; j < n_ring; ++j) {
        double value = 0.05;
        if (y > 0) {
          const double turn = 2 * M_PI * (y - 1 - j) / n_ring;
          const double distance = std::abs(std::atan2(std::sin(turn), std::cos(turn)));
          value += 0.8 * std::exp(-0.5 * std::pow(distance / (M_PI / 8), 2));
        }
        wanted.push_back(static_cast<float>(value));
      }
    }
    return wanted;
  }

 private:
  mutable std::vector<float> wanted_;
};

}  // namespace lmrnn::testing
