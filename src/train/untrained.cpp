#include "train/untrained.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace lmrnn {
namespace {

// A network that guesses has a loss of the logarithm of the number of classes, about 3. A loss this
// large means that states grew by a factor at every step of a row of hundreds of steps.
constexpr double suspicious_loss = 1000;

// The least growth that counts, so that the rise of the first steps does not.
constexpr double least_growth = 1.01;

std::string remedy(const RunConfig& config) {
  if (!config.init_from.empty())
    return fmt::format("start from other weights than init_from = \"{}\"", config.init_from);
  if (config.wiring.weights_path)
    return config.wiring.weights_scale == WeightsScale::fan_in
               ? fmt::format("set a smaller network.gain (now {})", config.network.gain)
               : fmt::format(
                     "set wiring.weights_scale = \"fan-in\", which scales the weights in {}, or a "
                     "smaller network.gain (now {})",
                     *config.wiring.weights_path, config.network.gain);
  if (config.network.initialisation != Initialisation::spectral_radius)
    return fmt::format(
        "set network.initialisation = \"spectral-radius\" (now \"{}\"), which scales the spectral "
        "radius of "
        "the recurrent weights to 0.9",
        to_name(config.network.initialisation));
  return fmt::format(
      "set network.activation = \"tanh\", whose states are bounded, or make stream.row_steps "
      "smaller "
      "(now {})",
      config.stream.steps);
}

std::string value_text(double value) {
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return "infinite";
  return fmt::format("{:.2g}", value);
}

}  // namespace

std::optional<double> growth_per_step(const Network& network, const TrialView& block) {
  const std::size_t n_cells = network.architecture().n_units() * block.n_trials();
  Buffer<float> states(block.n_steps() * n_cells);
  Workspace workspace;
  network.forward(
      block, {},
      {states.data(), block.n_steps(), network.architecture().n_units(), block.n_trials()}, {},
      workspace);
  std::vector<double> activity;
  for (std::size_t t = 0; t < block.n_steps(); ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < n_cells; ++i) sum += std::abs(double{states[t * n_cells + i]});
    if (!std::isfinite(sum)) break;
    activity.push_back(sum);
  }
  if (activity.size() < 4) return std::nullopt;
  const std::size_t last = activity.size() - 1, middle = last / 2;
  if (!(activity[middle] > 0)) return std::nullopt;
  return std::pow(activity[last] / activity[middle], 1 / static_cast<double>(last - middle));
}

std::optional<std::string> warning_of_missing_leak(const RunConfig& config) {
  const NetworkConfig& network = config.network;
  const bool leaks = network.tau > 0 && network.tau != config.battery.dt;
  if (network.equation == StateEquation::rate || leaks) return {};
  // Here the equations differ at rest: a voltage of 0 has the rate log 2, while in `rate` the state
  // 0 is seen as 0.
  if (network.equation == StateEquation::voltage && network.activation == Activation::softplus)
    return {};
  return fmt::format(
      "network.equation = \"{}\" computes the same as \"rate\" here, because units have no leak: "
      "network.tau = {:g} means alpha = 1; set network.tau, e.g. to {:g}",
      to_name(network.equation), network.tau, 5 * config.battery.dt);
}

std::optional<std::string> warning_of_first_batch(const RunConfig& config) {
  const std::int64_t wanted = config.stream.grow_from;
  const std::size_t first = batch_rows(config, 0);
  if (wanted == 0 || static_cast<std::size_t>(wanted) == first) return {};
  const std::size_t block = block_rows(config.train, config.stream);
  return fmt::format(
      "stream.grow_from = {}, but the first batch has {} rows, because batches grow by whole "
      "blocks of {} rows; set train.block = {}, or stream.grow_from = {}",
      wanted, first, block, wanted, first);
}

std::optional<std::string> complaint_about_untrained(const RunConfig& config,
                                                     const Learner& learner,
                                                     const StepResult& first) {
  if (first.finite() && first.data_loss <= suspicious_loss) return std::nullopt;
  const std::optional<double> growth = growth_per_step(learner.network(), learner.first_block());
  std::string text = first.finite() ? "the untrained network may diverge: its loss is "
                                    : "the untrained network diverges: ";
  if (first.finite())
    text += value_text(first.data_loss);
  else if (!std::isfinite(first.loss))
    text += fmt::format("its loss is {}", value_text(first.loss));
  else
    text += fmt::format("the norm of its gradient is {}", value_text(first.gradient_norm));
  text += " before the first update";
  if (growth && *growth > least_growth)
    text += fmt::format(", since its activity grows {:.3g}-fold at every time step", *growth);
  return text + "; a smaller learning rate does not help; " + remedy(config);
}

}  // namespace lmrnn
