#include "network.hpp"

#include <fmt/format.h>
#include <nanobind/stl/map.h>

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run.hpp"
#include "mask_argument.hpp"
#include "network_run.hpp"
#include "pickling.hpp"
#include "refusal.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

/// A network and the metadata of its file.
struct BoundNetwork {
  Network network;
  NetworkMetadata metadata;
  std::unique_ptr<std::shared_mutex> turns = std::make_unique<std::shared_mutex>();

  SharedNetwork shared() const noexcept { return {network, *turns}; }

  /// Calls write() when no other thread computes with the network.
  template <class Write>
  void change(Write&& write) {
    std::unique_lock turn(*turns, std::defer_lock);
    {
      const nb::gil_scoped_release release;
      turn.lock();
    }
    write();
  }
};

nb::tuple forward(const BoundNetwork& self, ArrayArgument inputs,
                  std::optional<ArrayArgument> rules, std::optional<ArrayArgument> resets,
                  double sigma, const std::optional<SeedArgument>& seed, int threads) {
  return run_forward(self.shared(),
                     {std::move(inputs), std::move(rules), std::move(resets), {}, {}}, sigma, seed,
                     threads);
}

// Weights by name --------------------------------------------------------------------------------

struct Part {
  const char* name;
  std::size_t first, n_rows, n_cols;  // n_cols 0: one-dimensional
};

std::vector<Part> parts_of(const Network& network) {
  const Architecture& a = network.architecture();
  const ParameterLayout& l = network.layout();
  return {{"recurrent", l.recurrent, l.n_recurrent, 0},
          {"input", l.input, a.n_units(), a.n_channels},
          {"rule", l.rule, a.n_rules, a.n_units()},
          {"bias", l.bias, l.n_bias, 0},
          {"readout", l.readout, a.n_classes, a.n_units()},
          {"readout_bias", l.readout_bias, l.n_readout_bias, 0}};
}

nb::dict by_name(const Network& network, const float* parameters, nb::handle owner) {
  nb::dict dict;
  for (const Part& part : parts_of(network)) {
    const float* data = parameters + part.first;
    dict[part.name] = part.n_cols == 0 ? nb::cast(view_of(data, {part.n_rows}, owner))
                                       : nb::cast(view_of(data, {part.n_rows, part.n_cols}, owner));
  }
  return dict;
}

/// A shape as Python writes it: (16,), (16, 33).
std::string in_parentheses(const std::vector<std::size_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

/// The numbers of an argument of set_weights and where they go.
struct NewPart {
  std::size_t first;
  std::vector<float> values;
};

NewPart new_part(const Network& network, const std::string& name, nb::handle value) {
  const UserArray array(value, "set_weights: " + name);
  std::vector<std::string> names;
  for (const Part& part : parts_of(network)) {
    names.emplace_back(part.name);
    if (name != part.name) continue;
    std::vector<std::size_t> shape{part.n_rows};
    if (part.n_cols > 0) shape.push_back(part.n_cols);
    if (array.shape() != shape)
      throw UsageError(fmt::format("set_weights: {} has the shape {}; weights[{:?}] has {}", name,
                                   in_parentheses(array.shape()), name, in_parentheses(shape)));
    return {part.first, finite_numbers(array, [&](std::size_t i) { return array.place(i); })};
  }
  throw UsageError(fmt::format("set_weights: no weights are called {:?}{}; `weights` lists all",
                               name, did_you_mean(name, names)));
}

// Entries without a synapse.
void clear_absent(const Mask& mask, float* w) {
  if (mask.is_dense()) return;
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (std::size_t j = 0; j < mask.n_sources(); ++j)
      if (!mask.has(i, j)) w[i * mask.n_sources() + j] = 0;
}

// Checks all arrays before it copies the first: an error leaves the network unchanged.
void set_weights(BoundNetwork& self, const nb::kwargs& arrays) {
  Network& network = self.network;
  std::vector<NewPart> parts;
  for (const auto [key, value] : arrays)
    parts.push_back(new_part(network, nb::cast<std::string>(key), value));
  self.change([&] {
    const auto writer = network.write_weights();
    float* parameters = writer.data();
    for (const NewPart& part : parts) std::ranges::copy(part.values, parameters + part.first);
    clear_absent(network.architecture().input, parameters + network.layout().input);
    clear_absent(network.architecture().readout, parameters + network.layout().readout);
  });
}

nb::tuple loss_and_gradient(const BoundNetwork& self, ArrayArgument inputs, ArrayArgument targets,
                            std::optional<ArrayArgument> rules, std::optional<ArrayArgument> mask,
                            std::optional<ArrayArgument> resets, const std::string& loss) {
  auto [total, gradient] = run_loss(
      self.shared(),
      {std::move(inputs), std::move(rules), std::move(resets), std::move(targets), std::move(mask)},
      named<LossKind>(loss, "loss"));
  const float* data = gradient.data();
  const std::size_t n = gradient.size();
  const nb::object owner = nb::cast(adopt(std::move(gradient), {n}));
  return nb::make_tuple(total, by_name(self.network, data, owner));
}

BoundNetwork make_network(const Mask& recurrent, std::size_t n_channels, std::size_t n_classes,
                          std::size_t n_rules, double alpha, const std::string& activation,
                          const std::optional<Mask>& input, const std::optional<Mask>& readout,
                          const std::string& storage, std::vector<std::uint8_t> excitatory,
                          const std::string& equation) {
  Architecture a;
  a.n_channels = n_channels;
  a.n_rules = n_rules;
  a.n_classes = n_classes;
  a.alpha = alpha;
  a.activation = named<Activation>(activation, "activation");
  a.representation = named<Representation>(storage, "storage");
  a.recurrent = recurrent;
  a.input = input ? *input : Mask::dense(a.n_units(), n_channels);
  a.readout = readout ? *readout : Mask::dense(n_classes, a.n_units());
  a.excitatory = std::move(excitatory);
  a.equation = named<StateEquation>(equation, "equation");
  return {.network = Network(std::move(a)), .metadata = {}};
}

BoundNetwork load(const std::filesystem::path& path) {
  const std::filesystem::path file = find_network(path);
  const nb::gil_scoped_release release;
  LoadedNetwork loaded = load_network(file);
  return {.network = std::move(loaded.network), .metadata = std::move(loaded.metadata)};
}

/// (unit) 1: excitatory, 0: inhibitory; empty if absent.
std::vector<std::uint8_t> types_if_given(const std::optional<ArrayArgument>& given) {
  if (!given) return {};
  const UserArray array(given->object, "excitatory");
  if (array.n_dimensions() != 1)
    throw UsageError(fmt::format("excitatory: an array of {} dimensions; give one value per unit",
                                 array.n_dimensions()));
  const std::vector<std::int32_t> types =
      whole_numbers(array, 0, 2, [&](std::size_t i) { return array.place(i, {"unit"}); });
  return {types.begin(), types.end()};
}

std::optional<Mask> mask_if_given(const std::optional<ArrayArgument>& given, const char* name) {
  if (!given) return std::nullopt;
  return mask_from_object(*given, name);
}

nb::dict trained_on_dict(const BoundNetwork& self) {
  const TrainedOn trained = trained_on(self.metadata, "this network");
  nb::dict d;
  d["battery"] = Battery(trained.battery, trained.seed);
  d["sheet"] = trained.sheet;
  d["seed"] = trained.seed.value;
  d["tasks"] = trained.tasks;
  return d;
}

nb::tuple state_of(const BoundNetwork& n) {
  const Architecture& a = n.network.architecture();
  const auto parameters = n.network.parameters();
  return nb::make_tuple(state_of_mask(a.recurrent), a.n_channels, a.n_classes, a.n_rules, a.alpha,
                        std::string(to_name(a.activation)), state_of_mask(a.input),
                        state_of_mask(a.readout), std::string(to_name(a.representation)),
                        to_state(std::vector(parameters.begin(), parameters.end())), n.metadata,
                        to_state(a.excitatory), std::string(to_name(a.equation)));
}
BoundNetwork network_from(const nb::tuple& state) {
  const auto mask = [&](std::size_t i) { return mask_from_state(nb::cast<nb::tuple>(state[i])); };
  std::vector<std::uint8_t> excitatory;
  // Earlier versions have no types, and one equation.
  if (nb::len(state) > 11) from_state(state[11], excitatory);
  const auto equation =
      nb::len(state) > 12 ? nb::cast<std::string>(state[12]) : std::string("rate");
  BoundNetwork n = make_network(
      mask(0), nb::cast<std::size_t>(state[1]), nb::cast<std::size_t>(state[2]),
      nb::cast<std::size_t>(state[3]), nb::cast<double>(state[4]), nb::cast<std::string>(state[5]),
      mask(6), mask(7), nb::cast<std::string>(state[8]), std::move(excitatory), equation);
  std::vector<float> parameters;
  from_state(state[9], parameters);
  if (parameters.size() != n.network.parameters().size())
    throw UsageError("this pickle of a Network does not have the weights that its masks need");
  n.network.set_weights(parameters);
  n.metadata = nb::cast<NetworkMetadata>(state[10]);
  return n;
}

}  // namespace

SharedNetwork network_of(nb::handle object) {
  return nb::cast<const BoundNetwork&>(object).shared();
}
nb::object wrap_network(Network network, NetworkMetadata metadata) {
  return nb::cast(BoundNetwork{.network = std::move(network), .metadata = std::move(metadata)});
}

void bind_network(nb::module_& m) {
  using Self = nb::handle_t<BoundNetwork>;
  const auto architecture = [](const BoundNetwork& n) -> const Architecture& {
    return n.network.architecture();
  };
  nb::class_<BoundNetwork> network(
      m, "Network",
      "The leaky recurrent network\n\n"
      "    u[t] = W h[t-1] + W_in x[t] + sum_s W_rule[rule[t,s], :] + b + sigma xi[t]\n"
      "    h[t] = (1 - alpha) h[t-1] + alpha f(u[t]),   h[-1] = 0\n"
      "    logits[t] = W_out h[t] + b_out\n\n"
      "with W confined to the synapses of `recurrent`. With equation=\"voltage\", units have a "
      "voltage,\n"
      "x[t] = (1 - alpha) x[t-1] + alpha u[t] and h[t] = f(x[t]); with \"leak-inside\",\n"
      "h[t] = f((1 - alpha) h[t-1] + alpha u[t]). Arrays are float32, (time, trial, item).");
  network
      .def(
          "__init__",
          [](BoundNetwork* self, const ArrayArgument& recurrent, std::size_t n_channels,
             std::size_t n_classes, std::size_t n_rules, double alpha,
             const std::string& activation, const std::optional<ArrayArgument>& input,
             const std::optional<ArrayArgument>& readout, const std::string& storage,
             const std::optional<std::string>& representation,
             const std::optional<ArrayArgument>& excitatory, const std::string& equation) {
            new (self) BoundNetwork(make_network(
                mask_from_object(recurrent, "recurrent"), n_channels, n_classes, n_rules, alpha,
                activation, mask_if_given(input, "input"), mask_if_given(readout, "readout"),
                representation.value_or(storage), types_if_given(excitatory), equation));
          },
          "recurrent"_a, nb::kw_only(), "n_channels"_a, "n_classes"_a, "n_rules"_a = 0,
          "alpha"_a = 1.0, "activation"_a = "relu", "input"_a = nb::none(),
          "readout"_a = nb::none(), "storage"_a = "auto", "representation"_a = nb::none(),
          "excitatory"_a = nb::none(), "equation"_a = "rate",
          "All weights zero; see `initialise` and `set_weights`. alpha = dt / tau. Masks are "
          "whatever Mask takes: arrays, lists, sparse matrices. `input` "
          "(unit, channel) and `readout` (class, unit): all synapses if absent. `representation` "
          "is "
          "the former name of `storage`. `excitatory` (unit): true for excitatory units, false for "
          "inhibitory ones, if units have a type; `initialise` gives weights their sign. "
          "`equation`: "
          "rate, voltage or leak-inside.")
      .def_static("load", &load, "path"_a,
                  "From a network file, a checkpoint or a run directory (its newest checkpoint).")
      .def(
          "save",
          [](const BoundNetwork& n, const std::filesystem::path& path,
             const std::optional<NetworkMetadata>& metadata) {
            // Readers choose the format by the ending, so no reader could open a file with a wrong
            // one.
            for (const char* other :
                 {".npz", ".npy", ".h5", ".hdf5", ".pt", ".pth", ".onnx", ".mat"})
              if (path.extension() == other)
                throw UsageError(
                    fmt::format("{}: a network is written in the format safetensors; "
                                "give a name that ends in .safetensors",
                                path.string()));
            const nb::gil_scoped_release release;
            const std::shared_lock turn(*n.turns);
            save_network(path, n.network, metadata ? *metadata : n.metadata);
          },
          "path"_a, "metadata"_a = nb::none(),
          "Writes a .safetensors file, with text metadata (its own, unless given).")
      .def(
          "initialise",
          [](BoundNetwork& n, const std::string& kind, const SeedArgument& seed) {
            const auto initialisation = named<Initialisation>(kind, "initialisation");
            n.change([&] { n.network.initialise(initialisation, Seed(seed)); });
          },
          "kind"_a = "fan-in", nb::kw_only(), "seed"_a,
          "Fresh weights: identity, fan-in or spectral-radius.")
      .def(
          "forward", &forward, "inputs"_a, "rules"_a = nb::none(), nb::kw_only(),
          "resets"_a = nb::none(), "recurrent_noise"_a = 0.0, "seed"_a = nb::none(),
          "threads"_a = 1,
          "States (time, trial, unit) and logits (time, trial, class) from state 0. States are "
          "h, or the\nvoltages x, of which other units see f(x).\n\n"
          "inputs : (time, trial, channel); rules : (time, trial, slot) int32, or (time, trial) if "
          "one rule is on\nat a time, -1 for none;\n"
          "resets : (time, trial) bool, where the state before is taken as 0.")
      .def("loss_and_gradient", &loss_and_gradient, "inputs"_a, "targets"_a, "rules"_a = nb::none(),
           nb::kw_only(), "mask"_a = nb::none(), "resets"_a = nb::none(),
           "loss"_a = "cross-entropy",
           "Mean loss, weighted by `mask` (time, trial), and its gradient by backpropagation "
           "through "
           "time: a dictionary like `weights`.")
      .def_prop_ro(
          "weights",
          [](Self self) {
            const Network& n = nb::cast<const BoundNetwork&>(self).network;
            return by_name(n, n.parameters().data(), self);
          },
          "Read-only views: recurrent (synapse, in the order of the mask), input (unit, channel), "
          "rule (rule, unit), bias (unit), readout (class, unit), readout_bias (class)")
      .def("set_weights", &set_weights, "arrays"_a,
           "Sets some of `weights`, by keyword. Entries without a synapse become 0.")
      .def_prop_ro(
          "recurrent_matrix",
          [](const BoundNetwork& n) {
            const Mask& mask = n.network.architecture().recurrent;
            Buffer<float> dense(mask.n_targets() * mask.n_sources());
            const float* w = n.network.parameters().data() + n.network.layout().recurrent;
            for (std::size_t i = 0; i < mask.n_targets(); ++i)
              for (const std::uint32_t j : mask.sources_of(i))
                dense[i * mask.n_sources() + j] = *w++;
            return adopt(std::move(dense), {mask.n_targets(), mask.n_sources()});
          },
          nb::rv_policy::automatic, "W as a dense (target, source) array; a copy.")
      .def_prop_ro(
          "recurrent", [=](const BoundNetwork& n) { return architecture(n).recurrent; },
          "Mask (unit, unit).")
      .def_prop_ro(
          "input", [=](const BoundNetwork& n) { return architecture(n).input; },
          "Mask (unit, channel).")
      .def_prop_ro(
          "readout", [=](const BoundNetwork& n) { return architecture(n).readout; },
          "Mask (class, unit).")
      .def_prop_ro(
          "excitatory",
          [=](const BoundNetwork& n) -> nb::object {
            std::vector<std::uint8_t> types = architecture(n).excitatory;
            if (types.empty()) return nb::none();
            const std::size_t n_units = types.size();
            return nb::cast(adopt_as<bool>(std::move(types), {n_units}));
          },
          nb::sig("def excitatory(self) -> NDArray[numpy.bool_] | None"),
          "(unit) True: excitatory, False: inhibitory; None if units have no type. A copy.")
      .def_prop_ro("n_units", [=](const BoundNetwork& n) { return architecture(n).n_units(); })
      .def_prop_ro("n_channels", [=](const BoundNetwork& n) { return architecture(n).n_channels; })
      .def_prop_ro("n_rules", [=](const BoundNetwork& n) { return architecture(n).n_rules; })
      .def_prop_ro("n_classes", [=](const BoundNetwork& n) { return architecture(n).n_classes; })
      .def_prop_ro(
          "n_parameters",
          [](const BoundNetwork& n) {
            std::size_t total = 0;
            for (const CostRow& row : cost_table(n.network.architecture()))
              total += row.n_parameters;
            return total;
          },
          "Weights that exist.")
      .def_prop_ro(
          "alpha", [=](const BoundNetwork& n) { return architecture(n).alpha; }, "dt / tau")
      .def_prop_ro(
          "activation",
          [=](const BoundNetwork& n) { return std::string(to_name(architecture(n).activation)); })
      .def_prop_ro(
          "equation",
          [=](const BoundNetwork& n) { return std::string(to_name(architecture(n).equation)); },
          "The state equation: rate, voltage or leak-inside.")
      .def_prop_ro(
          "storage",
          [](const BoundNetwork& n) { return std::string(to_name(n.network.representation())); },
          "How W is stored: sparse, dense or diagonal.")
      .def_prop_ro(
          "representation",
          [](const BoundNetwork& n) { return std::string(to_name(n.network.representation())); },
          "Former name of storage.")
      .def_ro("metadata", &BoundNetwork::metadata, "What its file said of it, as text.")
      .def(
          "trained_on", &trained_on_dict,
          "battery, sheet, seed and tasks of its training, from the metadata. Raises UsageError if "
          "they do not say.")
      .def("__repr__", [=](const BoundNetwork& n) {
        const Architecture& a = architecture(n);
        const bool is_rate = a.equation == StateEquation::rate;
        return fmt::format("Network({} units, {} synapses, {}, alpha={:g}{}{})", a.n_units(),
                           a.recurrent.n_synapses(), to_name(a.activation), a.alpha,
                           is_rate ? "" : ", ", is_rate ? "" : to_name(a.equation));
      });
  refuse_other_arguments(network, "Network");
  bind_pickling(network, &state_of, &network_from);
}

}  // namespace lmrnn::python
