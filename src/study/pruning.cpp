#include "study/pruning.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/run.hpp"
#include "study/store.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// mask[target, source] of the parent's largest recurrent weights.
void write_pruned_mask(const fs::path& path, const Network& parent, std::size_t n_kept) {
  const Mask& mask = parent.architecture().recurrent;
  const ParameterLayout& layout = parent.layout();
  const auto kept =
      keep_largest(parent.parameters().subspan(layout.recurrent, layout.n_recurrent), n_kept);
  const std::size_t n = mask.n_targets();
  std::vector<std::uint8_t> full(n * n);
  std::size_t k = 0;
  for (std::size_t target = 0; target < n; ++target)
    for (const std::uint32_t source : mask.sources_of(target))
      full[target * n + source] = kept[k++];
  ArrayFile file;
  file.arrays.emplace_back(
      "mask", ArrayData::of<std::uint8_t>(std::span<const std::uint8_t>(full), {n, n}));
  write_npz(path, file);
}

// Writes initial weights that are independent of those the ticket was found with. Under every mask,
// a pair of units draws the same number, so this needs another seed. The masks of input and readout
// stay those of the run.
void write_fresh_weights(const fs::path& path, const RunConfig& config) {
  const Battery battery(config.battery, config.run_seed());
  Network network = make_network(config, battery);
  draw_initial_weights(network, config, seed_of_fresh_weights(config.run_seed()));
  save_network(
      path, network,
      describe_training(battery, config.wiring, config.run_seed(), make_sheet(config.wiring)));
}

}  // namespace

Seed seed_of_fresh_weights(Seed seed) {
  // Split `test` is unused: initial weights are drawn from split `train` only.
  const auto bits = random_bits({seed, RandomPurpose::initialisation, Split::test}, 0);
  return {std::uint64_t{bits[0]} << 32 | bits[1]};
}

std::vector<std::uint8_t> keep_largest(std::span<const float> weights, std::size_t n) {
  if (n > weights.size())
    throw UsageError(fmt::format("cannot keep {} of {} weights", n, weights.size()));
  std::vector<std::uint32_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [weights](std::uint32_t i) { return std::abs(weights[i]); });
  std::vector<std::uint8_t> kept(weights.size());
  for (std::size_t i = 0; i < n; ++i) kept[order[i]] = 1;
  return kept;
}

RunConfig prepare(const Study& study, const PlannedRun& run) {
  RunConfig config = run.config;
  if (run.parent.empty()) return config;
  const fs::path runs = fs::absolute(study.out / "runs");
  const fs::path early = runs / run.first / early_weights;
  const LoadedNetwork first = load_network(early);
  const LoadedNetwork parent = load_network(find_network(runs / run.parent));
  const auto n_first = static_cast<double>(first.network.architecture().recurrent.n_synapses());
  const fs::path made = fs::absolute(made_directory(study, run.hash));
  fs::create_directories(made);
  const auto n_kept = static_cast<std::size_t>(std::max(1.0, std::round(run.density * n_first)));
  write_pruned_mask(made / "mask.npz", parent.network, n_kept);
  WiringConfig& wiring = config.wiring;
  wiring.radius_ee = wiring.radius_ei = wiring.radius_ie = wiring.radius_ii = std::nullopt;
  wiring.projections.reset();  // now given by the mask
  wiring.between_density.reset();
  wiring.between_excitatory.reset();
  if (wiring.areas)
    for (AreaConfig& area : *wiring.areas) area.radius.reset();
  config.wiring.kind = WiringKind::file;
  config.wiring.path = (made / "mask.npz").string();
  config.wiring.dataset.clear();
  config.wiring.weights_path.reset();  // the weights come from init_from
  config.wiring.weights_scale.reset();
  config.init_from = early.string();
  if (run.reinitialised) {
    RunConfig fresh = config;
    fresh.init_from.clear();
    write_fresh_weights(made / "start.safetensors", fresh);
    config.init_from = (made / "start.safetensors").string();
  }
  return config;
}

}  // namespace lmrnn
