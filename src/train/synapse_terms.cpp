#include "train/synapse_terms.hpp"

#include <fmt/core.h>

#include <cmath>
#include <string>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

double wire_length(const Sheet& sheet, std::size_t target, std::size_t source, double power) {
  return std::pow(sheet.wire_length(target, source), power);
}

}  // namespace

SynapseTerms::SynapseTerms(const RunConfig& config, const Sheet& sheet,
                           const Architecture& architecture, const ParameterLayout& layout)
    : first_(layout.recurrent), n_(layout.n_recurrent) {
  const Mask& mask = architecture.recurrent;
  const double penalty = config.loss.wire_penalty;
  if (penalty > 0) wire_costs_.reserve(n_);
  if (!architecture.excitatory.empty()) signs_.reserve(n_);
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target)) {
      if (penalty > 0)
        wire_costs_.push_back(static_cast<float>(
            penalty * wire_length(sheet, target, source, config.loss.wire_power)));
      if (!architecture.excitatory.empty())
        signs_.push_back(architecture.excitatory[source] != 0 ? 1 : -1);
    }
}

bool SynapseTerms::is_recurrent(const ParameterSlice& slice) const noexcept {
  return slice.first >= first_ && slice.last <= first_ + n_;
}

std::span<const float> SynapseTerms::wire_costs(const ParameterSlice& slice) const noexcept {
  if (wire_costs_.empty() || !is_recurrent(slice)) return {};
  return std::span(wire_costs_).subspan(slice.first - first_, slice.last - slice.first);
}

void SynapseTerms::keep_signs(const ParameterSlice& slice,
                              std::span<float> parameters) const noexcept {
  if (signs_.empty() || !is_recurrent(slice)) return;
  float* w = parameters.data() + slice.first;
  const std::int8_t* signs = signs_.data() + (slice.first - first_);
  const std::size_t n = slice.last - slice.first;
  for (std::size_t k = 0; k < n; ++k) w[k] = w[k] * static_cast<float>(signs[k]) < 0 ? 0.0f : w[k];
}

double wire_of(const Network& network, const RunConfig& config, const Sheet& sheet) {
  const Mask& mask = network.architecture().recurrent;
  const float* w = network.parameters().data() + network.layout().recurrent;
  double total = 0;
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target))
      total += wire_length(sheet, target, source, config.loss.wire_power) *
               std::abs(static_cast<double>(*w++));
  return total;
}

void require_signs(const Network& network, const std::string& name) {
  const Architecture& a = network.architecture();
  if (a.excitatory.empty()) return;
  const float* w = network.parameters().data() + network.layout().recurrent;
  for (std::size_t target = 0; target < a.n_units(); ++target)
    for (const std::uint32_t source : a.recurrent.sources_of(target)) {
      const float weight = *w++;
      const bool excitatory = a.excitatory[source] != 0;
      if (excitatory ? weight >= 0 : weight <= 0) continue;
      throw UsageError(fmt::format(
          "{}: its weight from unit {} onto unit {} is {}, but with wiring.excitatory unit {} is "
          "{} "
          "in this run; start from a network of the same types of units, or leave "
          "wiring.excitatory "
          "out",
          name, source, target, weight, source, excitatory ? "excitatory" : "inhibitory"));
    }
}

double bytes_of_synapse_terms(const RunConfig& config, std::size_t n_synapses) noexcept {
  const double wire = config.loss.wire_penalty > 0 ? sizeof(float) : 0;
  const double signs = config.wiring.has_unit_types() ? sizeof(std::int8_t) : 0;
  return (wire + signs) * static_cast<double>(n_synapses);
}

void require_unit_types(const RunConfig& config) {
  if (config.network.readout_excitatory && !config.wiring.has_unit_types())
    throw UsageError(
        "network.readout_excitatory = true needs excitatory units; set wiring.excitatory, e.g. to "
        "0.8");
}

}  // namespace lmrnn
