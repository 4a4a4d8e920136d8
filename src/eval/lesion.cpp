#include "lmrnn/lesion.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {
namespace {

void check(std::span<const std::uint32_t> indices, std::size_t n, std::string_view what) {
  for (const std::uint32_t i : indices)
    if (i >= n)
      throw UsageError(
          fmt::format("lesion: there is no {} {}; the network has {} of them", what, i, n));
}

}  // namespace

Network without_units(const Network& network, std::span<const std::uint32_t> units) {
  const std::size_t n = network.architecture().n_units();
  check(units, n, "unit");
  std::vector<std::uint8_t> silent(n, 0);
  for (const std::uint32_t unit : units) silent[unit] = 1;
  Network lesioned = network.copy();
  const ParameterLayout& l = lesioned.layout();
  const auto sources = lesioned.architecture().recurrent.sources();
  const auto w = lesioned.write_weights();
  for (std::size_t s = 0; s < sources.size(); ++s)
    if (silent[sources[s]]) w[l.recurrent + s] = 0;
  for (std::size_t c = 0; c < lesioned.architecture().n_classes; ++c)
    for (std::size_t i = 0; i < n; ++i)
      if (silent[i]) w[l.readout + c * n + i] = 0;
  return lesioned;
}

Network without_synapses(const Network& network, std::span<const std::uint32_t> synapses) {
  check(synapses, network.layout().n_recurrent, "synapse");
  Network lesioned = network.copy();
  const auto w = lesioned.write_weights();
  for (const std::uint32_t s : synapses) w[lesioned.layout().recurrent + s] = 0;
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
  return choose({seed, RandomPurpose::lesion, Split::train, draw, 0}, n_units, n);
}

}  // namespace lmrnn
