// The initial network of a run.
#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "lmrnn/run.hpp"
#include "lmrnn/train.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {
namespace {

void require_equal(std::string_view what, std::size_t ours, std::size_t theirs,
                   const std::string& file) {
  if (ours != theirs)
    throw UsageError(fmt::format("init_from {}: it has {} {}, this run {}; they must agree", file,
                                 theirs, what, ours));
}

// Copies the weight of every synapse of ours. Theirs may have more synapses (a pruned network
// rewound to a dense one's early weights), but not fewer.
void copy_recurrent(const Network& from, const Network& to, float* w, const std::string& file) {
  const Mask& theirs = from.architecture().recurrent;
  const Mask& ours = to.architecture().recurrent;
  const float* v = from.parameters().data() + from.layout().recurrent;
  for (std::size_t target = 0; target < ours.n_targets(); ++target) {
    const auto sources = theirs.sources_of(target);
    for (const std::uint32_t source : ours.sources_of(target)) {
      const auto found = std::ranges::lower_bound(sources, source);
      if (found == sources.end() || *found != source)
        throw UsageError(
            fmt::format("init_from {}: it has no synapse {} -> {}, which this run's [wiring] has; "
                        "use its wiring "
                        "or a part of it",
                        file, source, target));
      *w++ = v[theirs.row_offsets()[target] + static_cast<std::size_t>(found - sources.begin())];
    }
  }
}

// Copies a part that is stored as a whole (row, column) array; entries outside our mask stay zero.
// Theirs may have more synapses, but not fewer. `key` names the part in messages.
void copy_masked(const float* from, const Mask& theirs, float* to, const Mask& ours,
                 std::string_view key, const std::string& file) {
  for (std::size_t row = 0; row < ours.n_targets(); ++row) {
    const auto sources = theirs.sources_of(row);
    for (const std::uint32_t column : ours.sources_of(row)) {
      if (!std::ranges::binary_search(sources, column))
        throw UsageError(
            fmt::format("init_from {}: it has no synapse {} -> {}, which this run's {} "
                        "has; use its synapses or a part of them",
                        file, column, row, key));
      to[row * ours.n_sources() + column] = from[row * ours.n_sources() + column];
    }
  }
}

// Rule inputs are matched by task name; tasks that the other network never saw keep fresh weights.
void copy_rules(const Network& from, const TrainedOn& trained, const Network& to, float* w,
                const Battery& battery) {
  const std::size_t n_units = to.architecture().n_units();
  const float* v = from.parameters().data() + from.layout().rule;
  if (battery.config().rule == RuleEncoding::composed) {
    std::copy_n(v, to.layout().n_rule, w);
    return;
  }
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const auto found = std::ranges::find(trained.tasks, battery.tasks()[task].name());
    if (found == trained.tasks.end()) continue;
    const auto row = static_cast<std::size_t>(found - trained.tasks.begin());
    std::copy_n(v + row * n_units, n_units, w + task * n_units);
  }
}

void copy_weights(const RunConfig& config, const Battery& battery, Network& network) {
  const std::filesystem::path file = find_network(config.init_from);
  const LoadedNetwork loaded = load_network(file);
  const TrainedOn trained = trained_on(loaded.metadata, file);
  const Architecture& theirs = loaded.network.architecture();
  const Architecture& ours = network.architecture();
  const std::string name = file.string();
  require_equal("units", ours.n_units(), theirs.n_units(), name);
  require_equal("input channels", ours.n_channels, theirs.n_channels, name);
  require_equal("classes", ours.n_classes, theirs.n_classes, name);
  if (trained.battery.rule != config.battery.rule)
    throw UsageError(fmt::format("init_from {}: its battery.rule is \"{}\", this run's \"{}\"",
                                 name, to_name(trained.battery.rule),
                                 to_name(config.battery.rule)));
  if (theirs.activation != ours.activation || theirs.alpha != ours.alpha)
    throw UsageError(fmt::format(
        "init_from {}: its units have activation {} and alpha {}, this run's {} and {}", name,
        to_name(theirs.activation), theirs.alpha, to_name(ours.activation), ours.alpha));
  if (theirs.equation != ours.equation)
    throw UsageError(
        fmt::format("init_from {}: its state equation is \"{}\"; set network.equation, which is "
                    "\"{}\", to it",
                    name, to_name(theirs.equation), to_name(ours.equation)));

  const ParameterLayout& to = network.layout();
  const ParameterLayout& from = loaded.network.layout();
  const float* v = loaded.network.parameters().data();
  const auto writer = network.write_weights();
  float* w = writer.data();
  copy_recurrent(loaded.network, network, w + to.recurrent, name);
  copy_rules(loaded.network, trained, network, w + to.rule, battery);
  copy_masked(v + from.input, theirs.input, w + to.input, ours.input, "[network.input]", name);
  copy_masked(v + from.readout, theirs.readout, w + to.readout, ours.readout, "[network.readout]",
              name);
  std::copy_n(v + from.bias, to.n_bias, w + to.bias);
  std::copy_n(v + from.readout_bias, to.n_readout_bias, w + to.readout_bias);
  require_signs(network, fmt::format("init_from {}", name));
}

/// The synapses of `mask` whose sources have a 1 in `kept`; `key` is the key to name in errors.
Mask with_sources(const Mask& mask, const std::vector<std::uint8_t>& kept, std::string_view key) {
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t target = 0; target < mask.n_targets(); ++target) {
    for (const std::uint32_t source : mask.sources_of(target))
      if (kept[source] != 0) sources.push_back(source);
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  if (sources.empty() && mask.n_synapses() > 0)
    throw UsageError(
        fmt::format("{} leaves no readout synapse: there is no excitatory unit where [network."
                    "readout] has synapses; make its patch larger or name other areas",
                    key));
  return {mask.n_targets(), mask.n_sources(), std::move(offsets), std::move(sources)};
}

Architecture architecture_for(const RunConfig& config, const BatchShape& shape) {
  const Seed seed = config.run_seed();
  const Sheet sheet = config.wiring.sheet();
  Architecture a;
  a.n_channels = shape.n_channels;
  a.n_rules = shape.n_rules;
  a.n_classes = shape.n_classes;
  a.alpha = config.network.tau > 0 ? config.battery.dt / config.network.tau : 1;
  a.activation = config.network.activation;
  a.equation = config.network.equation;
  a.representation = config.network.storage;
  a.recurrent = make_mask(config.wiring, seed);
  a.input = make_input_mask(config.network.input, sheet, a.n_channels, seed);
  a.readout = make_readout_mask(config.network.readout, sheet, a.n_classes, seed);
  a.excitatory = excitatory_units(config.wiring, seed);
  require_unit_types(config);
  if (config.network.readout_excitatory)
    a.readout = with_sources(a.readout, a.excitatory, "network.readout_excitatory = true");
  return a;
}

/// Sets the recurrent weights from wiring.weights_path.
void take_weights(const RunConfig& config, Network& network) {
  const Architecture& a = network.architecture();
  const std::vector<float> weights = weights_from_file(config.wiring, a.recurrent, a.excitatory);
  {
    const auto writer = network.write_weights();
    const auto gain = static_cast<float>(config.network.gain);
    float* w = writer.data() + network.layout().recurrent;
    for (std::size_t k = 0; k < weights.size(); ++k) w[k] = gain * weights[k];
  }
  require_signs(network, *config.wiring.weights_path);
}

Network with_initial_weights(const RunConfig& config, Architecture architecture) {
  Network network(std::move(architecture));
  if (!config.init_from.empty()) {  // its recurrent weights replace these, so any scheme will do
    network.initialise(Initialisation::fan_in, config.run_seed());
    return network;
  }
  draw_initial_weights(network, config, config.run_seed());
  if (config.wiring.weights_path) take_weights(config, network);
  return network;
}

}  // namespace

void draw_initial_weights(Network& network, const RunConfig& config, Seed seed) {
  const SubsetConfig& initial = config.wiring.initial;
  const Mask nonzero = make_subset(network.architecture().recurrent, config.wiring, initial,
                                   "wiring.initial", config.run_seed());
  network.initialise(config.network.initialisation, seed, config.network.gain,
                     initial.kind == SubsetKind::all ? nullptr : &nonzero);
}

Architecture make_architecture(const RunConfig& config, const Battery& battery) {
  return architecture_for(config, {battery.n_channels(), battery.n_rules(), battery.n_rule_slots(),
                                   battery.n_classes()});
}

Network make_network(const RunConfig& config, const Battery& battery) {
  Network network = with_initial_weights(config, make_architecture(config, battery));
  if (!config.init_from.empty()) copy_weights(config, battery, network);
  return network;
}

Network make_network(const RunConfig& config, const BatchShape& shape) {
  if (!config.init_from.empty())
    throw UsageError(
        "init_from: does not work with custom data, whose tasks have no common names; leave it "
        "out");
  return with_initial_weights(config, architecture_for(config, shape));
}

}  // namespace lmrnn
