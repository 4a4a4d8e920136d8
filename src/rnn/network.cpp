#include "lmrnn/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/shared/subnormals.hpp"
#include "lmrnn/error.hpp"
#include "rnn/engine.hpp"

namespace lmrnn {
namespace {

void check(const Architecture& a) {
  const std::size_t n = a.recurrent.n_targets();
  if (n == 0 || a.recurrent.n_sources() != n)
    throw UsageError(
        fmt::format("the recurrent mask has shape ({}, {}); it must be square and not "
                    "empty",
                    a.recurrent.n_targets(), a.recurrent.n_sources()));
  if (a.input.n_targets() != n || a.input.n_sources() != a.n_channels)
    throw UsageError(
        fmt::format("the input mask has shape ({}, {}); {} units and {} channels need "
                    "({}, {})",
                    a.input.n_targets(), a.input.n_sources(), n, a.n_channels, n, a.n_channels));
  if (a.readout.n_targets() != a.n_classes || a.readout.n_sources() != n)
    throw UsageError(
        fmt::format("the readout mask has shape ({}, {}); {} classes and {} units need "
                    "({}, {})",
                    a.readout.n_targets(), a.readout.n_sources(), a.n_classes, n, a.n_classes, n));
  if (a.n_classes == 0) throw UsageError("a network needs at least one output class");
  if (!a.excitatory.empty() && a.excitatory.size() != n)
    throw UsageError(
        fmt::format("{} units have a type, excitatory or inhibitory, of {}; give all or none",
                    a.excitatory.size(), n));
  if (!(a.alpha > 0 && a.alpha <= 1))
    throw UsageError(
        fmt::format("alpha = dt / tau = {} is not in (0, 1]; tau must be at least dt", a.alpha));
  if (a.representation == Representation::diagonal && !a.recurrent.is_diagonal())
    throw UsageError("storage \"diagonal\" holds autapses only; use \"sparse\" or \"auto\"");
}

[[noreturn]] void refuse_block(std::string what) {
  throw UsageError("trial block: " + std::move(what));
}

/// Whether every number is at least `least` and below `end`. This runs over every block, so it does
/// not branch for each number and the compiler can vectorise it.
bool all_within(const TrialArray<const std::int32_t>& numbers, std::int32_t least,
                std::size_t end) {
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  const auto limit = static_cast<std::int32_t>(std::min(end, most));
  bool outside = false;
  numbers.for_each_stretch([&](std::span<const std::int32_t> stretch) {
    for (const std::int32_t x : stretch) outside |= (x < least) | (x >= limit);
  });
  return !outside;
}

/// Calls refuse(step, trial, item) for the first number outside the range.
template <class Refuse>
void refuse_first_outside(const TrialArray<const std::int32_t>& numbers, std::int32_t least,
                          std::size_t end, Refuse&& refuse) {
  for (std::size_t t = 0; t < numbers.n_steps; ++t)
    for (std::size_t k = 0; k < numbers.n_trials; ++k)
      for (std::size_t i = 0; i < numbers.n_items; ++i)
        if (const std::int64_t x = numbers(t, k, i);
            x < least || x >= static_cast<std::int64_t>(end))
          refuse(t, k, i);
}

/// An optional array with a number of items per step and trial.
template <class T>
void check_shape(const TrialView& b, const TrialArray<T>& array, const char* what) {
  if (!array.empty() && (array.n_steps != b.n_steps() || array.n_trials != b.n_trials()))
    refuse_block(fmt::format("{} and inputs differ in steps or trials: ({}, {}) and ({}, {})", what,
                             array.n_steps, array.n_trials, b.n_steps(), b.n_trials()));
}

/// The density from which multiplying all pairs of units is faster than only existing synapses;
/// measured by bench_network, see bench/NOTES.md.
constexpr double dense_from = 0.9;

}  // namespace

double apply_activation(Activation activation, double x) noexcept {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }
  return x;
}

double activation_slope(Activation activation, double x) noexcept {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? 1 : 0;
    case Activation::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::softplus:
      return 1 / (1 + std::exp(-x));
  }
  return 1;
}

RepresentationChoice choose_representation(const Architecture& a) {
  if (a.representation != Representation::automatic) return {a.representation, "as asked for"};
  if (a.recurrent.is_diagonal()) return {Representation::diagonal, "autapses only"};
  const double density = a.recurrent.density();
  const bool dense = density >= dense_from;
  return {dense ? Representation::dense : Representation::sparse,
          fmt::format("{:.1f}% of all pairs have a synapse; dense is faster from {:.0f}% on",
                      100 * density, 100 * dense_from)};
}

ParameterLayout parameter_layout(const Architecture& a) {
  ParameterLayout l{};
  std::size_t next = 0;
  const auto place = [&next](std::size_t& first, std::size_t& count, std::size_t n) {
    first = next;
    count = n;
    next += n;
  };
  const std::size_t n = a.n_units();
  place(l.recurrent, l.n_recurrent, a.recurrent.n_synapses());
  place(l.input, l.n_input, n * a.n_channels);
  place(l.rule, l.n_rule, a.n_rules * n);
  place(l.bias, l.n_bias, n);
  place(l.readout, l.n_readout, a.n_classes * n);
  place(l.readout_bias, l.n_readout_bias, a.n_classes);
  l.total = next;
  return l;
}

struct Workspace::Storage {
  rnn::BlockRun run;
};

Workspace::Workspace() : storage_(std::make_unique<Storage>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

struct Network::Implementation {
  Architecture architecture;
  ParameterLayout layout;
  Representation representation;
  Buffer<float> parameters;
  rnn::PackedNetwork packed;
  Buffer<float> least_squares_targets;
  bool is_written = false;  ///< a WeightWriter lives

  explicit Implementation(Architecture a)
      : architecture(std::move(a)),
        layout(parameter_layout(architecture)),
        representation(choose_representation(architecture).representation),
        parameters(layout.total, 0.0f),
        packed(architecture, representation),
        least_squares_targets(rnn::least_squares_targets(architecture.n_classes)) {}

  void check_block(const TrialView& b) const {
    if (is_written)
      throw std::logic_error("Network: destroy its WeightWriter before you compute with it");
    if (b.n_trials() == 0 || b.n_steps() == 0) refuse_block("no trials or no time steps");
    if (b.inputs.n_items != architecture.n_channels)
      refuse_block(fmt::format("inputs have {} channels; the network has {}", b.inputs.n_items,
                               architecture.n_channels));
    if (b.inputs.empty() && b.inputs.size() > 0) refuse_block("inputs have a shape, but no data");
    check_shape(b, b.resets, "resets");
    check_shape(b, b.rules, "rules");
    if (all_within(b.rules, -1, architecture.n_rules)) return;
    refuse_first_outside(b.rules, -1, architecture.n_rules, [&](auto t, auto k, auto slot) {
      refuse_block(fmt::format(
          "rule {} at step {}, slot {}, trial {}; the network has {} rule inputs, counted "
          "from 0, and -1 is none",
          b.rules(t, k, slot), t, slot, k, architecture.n_rules));
    });
  }

  /// Checks what a loss needs in addition.
  void check_targets(const TrialView& b) const {
    if (b.targets.empty() || b.loss_weights.empty())
      refuse_block("a loss needs targets and loss weights");
    check_shape(b, b.targets, "targets");
    check_shape(b, b.loss_weights, "loss weights");
    if (all_within(b.targets, 0, architecture.n_classes)) return;
    refuse_first_outside(b.targets, 0, architecture.n_classes, [&](auto t, auto k, auto) {
      refuse_block(
          fmt::format("target {} at step {}, trial {}; the network has {} classes, counted from 0",
                      b.targets(t, k), t, k, architecture.n_classes));
    });
  }

  /// Checks an optional output, (time, n, trial).
  static void check_output(const TrialView& b, const View3<float>& array, std::size_t n,
                           const char* what) {
    if (!array.empty() && (array.n0 != b.n_steps() || array.n1 != n || array.n2 != b.n_trials()))
      refuse_block(fmt::format("{} have the shape ({}, {}, {}); this block needs ({}, {}, {})",
                               what, array.n0, array.n1, array.n2, b.n_steps(), n, b.n_trials()));
  }
};

Network::Network(Architecture architecture) {
  check(architecture);
  implementation_ = std::make_unique<Implementation>(std::move(architecture));
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const Architecture& Network::architecture() const noexcept {
  return implementation_->architecture;
}
const ParameterLayout& Network::layout() const noexcept {
  return implementation_->layout;
}
Representation Network::representation() const noexcept {
  return implementation_->representation;
}
std::span<const float> Network::parameters() const noexcept {
  return implementation_->parameters;
}

Network::WeightWriter::WeightWriter(Implementation& network)
    : network_(&network), all_(network.parameters) {
  if (std::exchange(network.is_written, true))
    throw std::logic_error("Network: its weights have a WeightWriter already; use that one");
}
Network::WeightWriter::WeightWriter(WeightWriter&& other) noexcept
    : network_(std::exchange(other.network_, nullptr)), all_(std::exchange(other.all_, {})) {}
Network::WeightWriter::~WeightWriter() {
  if (network_ == nullptr) return;
  network_->packed.pack(network_->parameters);
  network_->is_written = false;
}

Network::WeightWriter Network::write_weights() {
  return WeightWriter(*implementation_);
}
void require_recurrent_noise(double sigma) {
  if (!std::isfinite(sigma) || sigma < 0)
    throw UsageError(
        fmt::format("recurrent_noise = {}; give a finite number that is at least 0", sigma));
}

void Network::set_weights(std::span<const float> parameters) {
  if (parameters.size() != layout().total)
    throw UsageError(fmt::format("set_weights: {} weights for a network of {} parameters; give all",
                                 parameters.size(), layout().total));
  const auto bad = std::ranges::find_if_not(parameters, [](float w) { return std::isfinite(w); });
  if (bad != parameters.end())
    throw UsageError(fmt::format("set_weights: weight {} is {}; give finite weights",
                                 bad - parameters.begin(), *bad));
  std::ranges::copy(parameters, write_weights().data());
}
Network Network::copy() const {
  Network made(architecture());
  std::ranges::copy(parameters(), made.write_weights().data());
  return made;
}

void Network::forward(const TrialView& block, const RecurrentNoise& noise, View3<float> states,
                      View3<float> logits, Workspace& workspace) const {
  const Implementation& self = *implementation_;
  self.check_block(block);
  Implementation::check_output(block, states, self.architecture.n_units(), "states");
  Implementation::check_output(block, logits, self.architecture.n_classes, "logits");
  const FlushSubnormals guard;
  rnn::BlockRun& run = workspace.storage_->run;
  const auto begin = [&](std::size_t first, std::size_t n_lanes) {
    RecurrentNoise noise_from = noise;
    noise_from.first_row += static_cast<std::uint32_t>(first);
    const std::size_t n = std::min(n_lanes, block.n_trials() - first);
    run.begin(self.architecture, self.packed, self.parameters.data(), block.trials(first, n),
              noise_from, n_lanes);
  };
  if (block.n_trials() == 1) {
    begin(0, 1);
    return run.run_one_trial(states, logits);
  }
  const std::size_t n_lanes = kernels::padded_lanes(block.n_trials());
  const std::size_t at_once = kernels::lanes_at_once();
  for (std::size_t first = 0; first < block.n_trials(); first += at_once) {
    begin(first, std::min(at_once, n_lanes - first));
    run.run_forward(states, logits, first);
  }
}

LossResult Network::loss_and_gradient(const TrialView& block, const RecurrentNoise& noise,
                                      const LossOptions& loss, std::span<float> gradient,
                                      Workspace& workspace) const {
  const Implementation& self = *implementation_;
  self.check_block(block);
  self.check_targets(block);
  if (gradient.size() != self.layout.total)
    throw UsageError(fmt::format("gradient has {} entries; the network has {} parameters",
                                 gradient.size(), self.layout.total));
  const FlushSubnormals guard;
  rnn::BlockRun& run = workspace.storage_->run;
  run.begin(self.architecture, self.packed, self.parameters.data(), block, noise,
            kernels::padded_lanes(block.n_trials()));
  const bool squares = loss.kind == LossKind::least_squares;
  return run.run_loss(loss, squares ? self.least_squares_targets.data() : nullptr, gradient);
}

std::vector<CostRow> cost_table(const Architecture& a) {
  // Forward: one multiply-add per synapse. Backward: one for its gradient, and one to propagate the
  // error, which inputs and rules do not need. A rule is a table look-up.
  const auto row = [](std::string part, std::size_t n, double forward, double backward) {
    const auto synapses = static_cast<double>(n);
    return CostRow{std::move(part), n, forward * synapses, backward * synapses};
  };
  return {row("recurrent", a.recurrent.n_synapses(), 1, 2),
          row("input", a.input.n_synapses(), 1, 1), row("rule", a.n_rules * a.n_units(), 0, 0),
          row("readout", a.readout.n_synapses(), 1, 2),
          row("bias", a.n_units() + a.n_classes, 0, 0)};
}

}  // namespace lmrnn
