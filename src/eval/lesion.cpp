#include "lmrnn/lesion.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "lmrnn/error.hpp"
#include "lmrnn/random.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

void check(std::span<const std::uint32_t> indices, std::size_t n, std::string_view what) {
  for (const std::uint32_t i : indices)
    if (i >= n)
      throw UsageError(
          fmt::format("lesion: there is no {} {}; the network has {} of them", what, i, n));
}

}  // namespace

Network copy_of(const Network& network) {
  Network copy(network.architecture());
  std::ranges::copy(network.parameters(), copy.parameters().begin());
  copy.weights_changed();
  return copy;
}

Network without_units(const Network& network, std::span<const std::uint32_t> units) {
  const std::size_t n = network.architecture().n_units();
  check(units, n, "unit");
  std::vector<std::uint8_t> silent(n, 0);
  for (const std::uint32_t unit : units) silent[unit] = 1;
  Network lesioned = copy_of(network);
  const ParameterLayout& l = lesioned.layout();
  const auto sources = lesioned.architecture().recurrent.sources();
  float* w = lesioned.parameters().data();
  for (std::size_t s = 0; s < sources.size(); ++s)
    if (silent[sources[s]]) w[l.recurrent + s] = 0;
  for (std::size_t c = 0; c < lesioned.architecture().n_classes; ++c)
    for (std::size_t i = 0; i < n; ++i)
      if (silent[i]) w[l.readout + c * n + i] = 0;
  lesioned.weights_changed();
  return lesioned;
}

Network without_synapses(const Network& network, std::span<const std::uint32_t> synapses) {
  check(synapses, network.layout().n_recurrent, "synapse");
  Network lesioned = copy_of(network);
  float* w = lesioned.parameters().data() + lesioned.layout().recurrent;
  for (const std::uint32_t s : synapses) w[s] = 0;
  lesioned.weights_changed();
  return lesioned;
}

std::vector<std::uint32_t> synapses_between_units(const Network& network) {
  const Mask& mask = network.architecture().recurrent;
  std::vector<std::uint32_t> between;
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (std::uint32_t s = mask.row_offsets()[target]; s < mask.row_offsets()[target + 1]; ++s)
      if (mask.sources()[s] != target) between.push_back(s);
  return between;
}

std::vector<std::uint32_t> random_units(std::size_t n_units, std::size_t n, Seed seed,
                                        std::uint32_t draw) {
  if (n > n_units)
    throw UsageError(fmt::format("lesion: {} units asked for; the network has {}", n, n_units));
  return choose({seed, Stream::lesion, Split::train, draw, 0}, n_units, n);
}

}  // namespace lmrnn
