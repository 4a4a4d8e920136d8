// The wirings, one function each.
#pragma once

#include <string>
#include <string_view>

#include "lmrnn/files.hpp"
#include "lmrnn/random.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

// Declares make_local and so on, for every line of LMRNN_WIRINGS. The config must have passed
// make_mask's checks. Deterministic kinds ignore the seed.
#define LMRNN_MAKER(name, meaning, is_random) \
  Mask make_##name(const WiringConfig& config, Seed seed);
LMRNN_WIRINGS(LMRNN_MAKER)
#undef LMRNN_MAKER

/// Whether the seed decides which units are inhibitory.
bool is_placed_at_random(const WiringConfig& config) noexcept;

/// The array called `name`, or the only one of the file; `what` describes the expected content,
/// e.g. "a 1 or 0 for each unit". Throws UsageError.
const ArrayData& array_named(const ArrayFile& file, const std::string& path, std::string_view name,
                             std::string_view what);

/// The mask of a config with areas. `entry` makes the synapses within each area. `excitatory`: the
/// result of excitatory_units if only excitatory units project to other areas, otherwise empty.
Mask make_areas(const WiringConfig& config, const WiringEntry& entry, Seed seed,
                std::span<const std::uint8_t> excitatory);

/// Whether the seed decides which synapses exist between areas.
bool draws_between(const WiringConfig& config);

/// The synapses of `mask` within areas, or those between areas.
Mask within_or_between(const Mask& mask, const Sheet& sheet, bool within);

/// "a sheet of 8 x 8", for messages; with areas, "the list of wiring.areas".
std::string size_text(const WiringConfig& config);
/// The keys that set the number of units, for messages.
std::string_view size_keys(const WiringConfig& config);

/// `mask` without its diagonal.
Mask without_autapses(const Mask& mask);

/// The purpose of a random number of RandomPurpose::wiring, in Key::batch. Never renumber: masks
/// are reproduced from their seeds.
enum class WiringDraw : std::uint32_t {
  shuffle = 1,
  rewired_synapses = 2,
  rewired_sources = 3,
  exponential = 4,
  input = 5,
  readout = 6,
  inhibitory_units = 7,
  between = 8,
  area = 9,
};

inline Key wiring_key(Seed seed, WiringDraw draw, std::size_t row = 0) noexcept {
  return {seed, RandomPurpose::wiring, Split::train, static_cast<std::uint32_t>(draw),
          static_cast<std::uint32_t>(row)};
}

}  // namespace lmrnn
