// Network files: safetensors, so that torch, JAX and NumPy read them too.
//
//   recurrent.weight       (synapse)        float32, by target unit, then source
//   recurrent.row_offsets  (unit + 1)       uint32: synapses of unit i are [i], ... [i + 1]
//   recurrent.sources      (synapse)        uint32
//   input.weight           (unit, channel)  float32      input.mask    (unit, channel)  uint8
//   rule.weight            (rule, unit)     float32
//   bias                   (unit)           float32
//   readout.weight         (class, unit)    float32      readout.mask  (class, unit)    uint8
//   readout.bias           (class)          float32
//   excitatory             (unit)           uint8    only if units have a type; 0: inhibitory
//
// Metadata: format, format_version, alpha, activation; equation, only if it is not "rate".
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/shared/text.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"

namespace lmrnn {
namespace {

constexpr std::string_view format_version = "1";
/// Version of files with a state equation. Older versions of lmrnn read only format 1, take every
/// network for one of rates, and must not read these files.
constexpr std::string_view equation_version = "2";

std::vector<std::uint8_t> to_bytes(const Mask& mask) {
  std::vector<std::uint8_t> whole(mask.n_targets() * mask.n_sources(), 0);
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (const std::uint32_t j : mask.sources_of(i)) whole[i * mask.n_sources() + j] = 1;
  return whole;
}

Mask to_mask(std::span<const std::uint8_t> whole, std::size_t n_targets, std::size_t n_sources) {
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t i = 0; i < n_targets; ++i) {
    for (std::size_t j = 0; j < n_sources; ++j)
      if (whole[i * n_sources + j]) sources.push_back(static_cast<std::uint32_t>(j));
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  return Mask(n_targets, n_sources, std::move(offsets), std::move(sources));
}

/// Reads and checks the parts of a network file.
class Reader {
 public:
  Reader(const std::filesystem::path& path, const ArrayFile& file) : path_(path), file_(file) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(path_.string() + ": " + what);
  }
  const std::string& text(const std::string& key) const {
    const auto entry = file_.metadata.find(key);
    if (entry == file_.metadata.end())
      fail("has no metadata \"" + key + "\", so it is not a network written by lmrnn");
    return entry->second;
  }
  // Its name differs from `array`, because a call array(name, {n}) would mean a number and not a
  // shape.
  const ArrayData& of_rank(std::string_view name, std::size_t n_dimensions) const {
    const ArrayData& data = file_.at(name, path_);
    if (data.shape.size() != n_dimensions)
      fail(fmt::format("{} has {} dimensions; a network file has {}", name, data.shape.size(),
                       n_dimensions));
    return data;
  }
  const ArrayData& array(std::string_view name, std::vector<std::size_t> shape) const {
    const ArrayData& data = file_.at(name, path_);
    if (data.shape != shape)
      fail(fmt::format("{} has shape ({}); the other arrays need ({})", name,
                       fmt::join(data.shape, ", "), fmt::join(shape, ", ")));
    return data;
  }
  void copy(std::string_view name, std::vector<std::size_t> shape, std::span<float> out) const {
    const auto values = array(name, std::move(shape)).as<float>();
    for (const float x : values)
      if (!std::isfinite(x))
        fail(
            fmt::format("{} holds a value that is not finite ({}); the training that wrote it had "
                        "diverged, use an earlier checkpoint",
                        name, x));
    std::copy(values.begin(), values.end(), out.begin());
  }
  double number(const std::string& key) const {
    const std::string& value = text(key);
    if (const auto x = number_from<double>(value)) return *x;
    fail("metadata \"" + key + "\" is \"" + value + "\"; expected a number");
  }

 private:
  const std::filesystem::path& path_;
  const ArrayFile& file_;
};

template <NamedEnum E>
E value_named(const Reader& reader, std::string_view key, const std::string& name) {
  for (const auto& [known, value] : enum_names(E{}))
    if (known == name) return value;
  reader.fail(fmt::format("{} \"{}\" is not known to this version", key, name));
}

}  // namespace

void save_network(const std::filesystem::path& path, const Network& network,
                  const NetworkMetadata& metadata) {
  const Architecture& a = network.architecture();
  const ParameterLayout& l = network.layout();
  const auto all = network.parameters();
  const std::size_t n = a.n_units();
  const auto input_mask = to_bytes(a.input), readout_mask = to_bytes(a.readout);
  ArrayFile file;
  file.metadata = metadata;
  file.metadata["format"] = "lmrnn network";
  file.metadata["format_version"] = format_version;
  file.metadata["alpha"] = fmt::format("{}", a.alpha);
  file.metadata["activation"] = to_name(a.activation);
  file.metadata.erase("equation");  // it may be left from the file of this network
  if (a.equation != StateEquation::rate) {
    file.metadata["format_version"] = equation_version;
    file.metadata["equation"] = to_name(a.equation);
  }
  const auto add = [&](std::string name, auto values, std::vector<std::size_t> shape) {
    using T = typename decltype(values)::value_type;
    file.arrays.emplace_back(std::move(name),
                             ArrayData::of<T>(std::span<const T>(values), std::move(shape)));
  };
  add("recurrent.weight", all.subspan(l.recurrent, l.n_recurrent), {l.n_recurrent});
  add("recurrent.row_offsets", a.recurrent.row_offsets(), {n + 1});
  add("recurrent.sources", a.recurrent.sources(), {l.n_recurrent});
  add("input.weight", all.subspan(l.input, l.n_input), {n, a.n_channels});
  add("input.mask", std::span(input_mask), {n, a.n_channels});
  add("rule.weight", all.subspan(l.rule, l.n_rule), {a.n_rules, n});
  add("bias", all.subspan(l.bias, l.n_bias), {n});
  add("readout.weight", all.subspan(l.readout, l.n_readout), {a.n_classes, n});
  add("readout.mask", std::span(readout_mask), {a.n_classes, n});
  add("readout.bias", all.subspan(l.readout_bias, l.n_readout_bias), {a.n_classes});
  // Only if units have types, so that other networks' files stay the same, byte for byte.
  if (!a.excitatory.empty()) add("excitatory", std::span(a.excitatory), {n});
  write_safetensors(path, file);
}

LoadedNetwork load_network(const std::filesystem::path& path) {
  const ArrayFile file = read_safetensors(path);
  const Reader reader(path, file);
  if (reader.text("format") != "lmrnn network") reader.fail("is not a network written by lmrnn");
  const std::string& version = reader.text("format_version");
  if (version != format_version && version != equation_version)
    reader.fail(fmt::format(
        "is of network format {}; this version reads formats {} and {}, so use the lmrnn that "
        "wrote it",
        version, format_version, equation_version));

  Architecture a;
  a.alpha = reader.number("alpha");
  a.activation = value_named<Activation>(reader, "activation", reader.text("activation"));
  if (version == equation_version)
    a.equation = value_named<StateEquation>(reader, "equation", reader.text("equation"));
  const std::size_t n = reader.of_rank("bias", 1).shape[0];
  const std::size_t n_synapses = reader.of_rank("recurrent.weight", 1).shape[0];
  if (file.find("excitatory") != nullptr) {
    const auto types = reader.array("excitatory", {n}).as<std::uint8_t>();
    a.excitatory.assign(types.begin(), types.end());
  }
  a.n_channels = reader.of_rank("input.weight", 2).shape[1];
  a.n_rules = reader.of_rank("rule.weight", 2).shape[0];
  a.n_classes = reader.of_rank("readout.weight", 2).shape[0];
  const auto offsets = reader.array("recurrent.row_offsets", {n + 1}).as<std::uint32_t>();
  const auto sources = reader.array("recurrent.sources", {n_synapses}).as<std::uint32_t>();
  try {
    a.recurrent = Mask(n, n, {offsets.begin(), offsets.end()}, {sources.begin(), sources.end()});
  } catch (const UsageError& error) {
    reader.fail(std::string("recurrent mask: ") + error.what());
  }
  a.input =
      to_mask(reader.array("input.mask", {n, a.n_channels}).as<std::uint8_t>(), n, a.n_channels);
  a.readout =
      to_mask(reader.array("readout.mask", {a.n_classes, n}).as<std::uint8_t>(), a.n_classes, n);

  LoadedNetwork loaded{Network(std::move(a)), file.metadata};
  Network& network = loaded.network;
  const ParameterLayout& l = network.layout();
  const std::size_t n_channels = network.architecture().n_channels;
  const std::size_t n_rules = network.architecture().n_rules;
  const std::size_t n_classes = network.architecture().n_classes;
  const Network::WeightWriter writer = network.write_weights();
  const std::span<float> all = writer.all();
  reader.copy("recurrent.weight", {n_synapses}, all.subspan(l.recurrent, l.n_recurrent));
  reader.copy("input.weight", {n, n_channels}, all.subspan(l.input, l.n_input));
  reader.copy("rule.weight", {n_rules, n}, all.subspan(l.rule, l.n_rule));
  reader.copy("bias", {n}, all.subspan(l.bias, l.n_bias));
  reader.copy("readout.weight", {n_classes, n}, all.subspan(l.readout, l.n_readout));
  reader.copy("readout.bias", {n_classes}, all.subspan(l.readout_bias, l.n_readout_bias));
  return loaded;
}

}  // namespace lmrnn
