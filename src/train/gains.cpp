#include "train/gains.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {
namespace {

/// (unit) the group labels: cell types, excitatory or inhibitory, the unit itself, or none (-1).
struct Labels {
  std::vector<std::int32_t> of_targets, of_sources;
};

Labels labels_of(const RunConfig& config, const Architecture& a) {
  const std::size_t n = a.n_units();
  const std::vector<std::int32_t> any(n, -1);
  std::vector<std::int32_t> units(n);
  for (std::size_t i = 0; i < n; ++i) units[i] = static_cast<std::int32_t>(i);
  switch (*config.wiring.gains) {
    case GainGroups::targets:
      return {units, any};
    case GainGroups::sources:
      return {any, units};
    case GainGroups::all:
      return {any, any};
    case GainGroups::types:
      break;
  }
  std::vector<std::int32_t> types;
  if (config.wiring.types_path) {
    for (const std::uint32_t type : cell_types(config.wiring))
      types.push_back(static_cast<std::int32_t>(type));
  } else {
    types.assign(a.excitatory.begin(), a.excitatory.end());
  }
  if (types.size() != n)
    throw UsageError(
        "wiring.gains = \"types\": the units have no types; set wiring.types_path or "
        "wiring.excitatory");
  return {types, types};
}

ParameterSlice slice_of_gains(const OptimiserConfig& optimiser, std::size_t n) {
  return {0, n, optimiser.recurrent_rate.value_or(optimiser.learning_rate), optimiser.weight_decay,
          0};
}

}  // namespace

GainState initial_gains(const RunConfig& config, const Network& network) {
  GainState state;
  if (!config.wiring.gains) {
    cell_types(config.wiring);  // reports errors in a file that no gain needs
    return state;
  }
  const Architecture& a = network.architecture();
  const ParameterLayout& l = network.layout();
  const auto weights = network.parameters().subspan(l.recurrent, l.n_recurrent);
  if (std::ranges::all_of(weights, [](float w) { return w == 0; }))
    throw UsageError(
        "wiring.gains multiply the initial recurrent weights, which are all 0; set a "
        "network.gain above 0 or another init_from or wiring.initial, or leave wiring.gains out");
  state.initial.assign(weights.begin(), weights.end());
  const Labels labels = labels_of(config, a);
  // Only groups with synapses, in the order (target, source).
  std::map<std::pair<std::int32_t, std::int32_t>, std::uint32_t> numbers;
  for (std::size_t i = 0; i < a.n_units(); ++i)
    for (const std::uint32_t j : a.recurrent.sources_of(i))
      numbers.try_emplace({labels.of_targets[i], labels.of_sources[j]}, 0u);
  for (auto& [pair, number] : numbers) {
    number = static_cast<std::uint32_t>(state.target.size());
    state.target.push_back(pair.first);
    state.source.push_back(pair.second);
  }
  state.groups.reserve(weights.size());
  for (std::size_t i = 0; i < a.n_units(); ++i)
    for (const std::uint32_t j : a.recurrent.sources_of(i))
      state.groups.push_back(numbers.at({labels.of_targets[i], labels.of_sources[j]}));
  state.values.assign(state.target.size(), 1.0f);
  state.first_moment.assign(state.target.size(), 0.0f);
  if (config.optimiser.kind == OptimiserKind::adam)
    state.second_moment.assign(state.target.size(), 0.0f);
  return state;
}

Gains::Gains(const RunConfig& config, const Network& network,
             std::span<const ParameterSlice> slices, GainState state)
    : first_(network.layout().recurrent),
      n_(network.layout().n_recurrent),
      signed_units_(!network.architecture().excitatory.empty()),
      state_(std::move(state)),
      slice_(slice_of_gains(config.optimiser, state_.values.size())),
      optimiser_(config.optimiser, state_.values.size()),
      trained_(state_.values.size()),
      sums_(state_.values.size()),
      gradient_(state_.values.size()) {
  optimiser_.first_moment() = state_.first_moment;
  optimiser_.second_moment() = state_.second_moment;
  for (const ParameterSlice& slice : slices)
    if (cover(slice))
      for (std::size_t p = slice.first; p < slice.last; ++p)
        trained_[state_.groups[p - first_]] = 1;
}

bool Gains::cover(const ParameterSlice& slice) const noexcept {
  return !empty() && slice.first >= first_ && slice.last <= first_ + n_;
}

double Gains::add_gradients(std::span<const ParameterSlice> slices,
                            std::span<const float> gradient) {
  std::ranges::fill(sums_, 0.0);
  for (const ParameterSlice& slice : slices) {
    if (!cover(slice)) continue;
    for (std::size_t p = slice.first; p < slice.last; ++p) {
      const std::size_t k = p - first_;
      sums_[state_.groups[k]] += double{state_.initial[k]} * double{gradient[p]};
    }
  }
  double squares = 0;
  for (std::size_t g = 0; g < sums_.size(); ++g) {
    gradient_[g] = static_cast<float>(sums_[g]);
    squares += double{gradient_[g]} * double{gradient_[g]};
  }
  return squares;
}

void Gains::update(std::int64_t step, double factor, double scale) noexcept {
  if (empty()) return;
  optimiser_.update(slice_, step, factor, scale, gradient_, state_.values);
  for (std::size_t g = 0; g < trained_.size(); ++g)
    if (trained_[g] == 0) state_.values[g] = 1;  // otherwise weight decay would shrink it
  if (!signed_units_) return;
  for (float& g : state_.values) g = g < 0 ? 0.0f : g;
}

void Gains::write(const ParameterSlice& slice, std::span<float> parameters) const noexcept {
  for (std::size_t p = slice.first; p < slice.last; ++p) {
    const std::size_t k = p - first_;
    parameters[p] = state_.values[state_.groups[k]] * state_.initial[k];
  }
}

GainState Gains::state() const {
  GainState state = state_;
  state.first_moment = optimiser_.first_moment();
  state.second_moment = optimiser_.second_moment();
  return state;
}

double bytes_of_gains(const RunConfig& config, std::size_t n_synapses) noexcept {
  if (!config.wiring.gains) return 0;
  constexpr double copies = 2;  // the learner's, and that of the last checkpoint's state
  return copies * static_cast<double>(sizeof(float) + sizeof(std::uint32_t)) *
         static_cast<double>(n_synapses);
}

}  // namespace lmrnn
