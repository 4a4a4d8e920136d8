// Masks between the sheet and what is not on it: input channels, output classes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// Units of the sheet that take part, ascending.
std::vector<std::uint32_t> patch_units(const ProjectionConfig& config, const Sheet& sheet) {
  const auto& patch = config.patch;
  if (!patch.empty() && patch.size() != 4)
    throw UsageError(fmt::format("patch = [{}] has {} numbers; write [row, col, rows, cols]",
                                 fmt::join(patch, ", "), patch.size()));
  std::int64_t row = 0, col = 0, rows = sheet.rows, cols = sheet.cols;
  if (!patch.empty()) row = patch[0], col = patch[1], rows = patch[2], cols = patch[3];
  // Compared without sums, which could overflow.
  if (row < 0 || col < 0 || rows < 1 || cols < 1 || rows > sheet.rows || cols > sheet.cols ||
      row > sheet.rows - rows || col > sheet.cols - cols)
    throw UsageError(fmt::format(
        "patch = [{}] leaves the sheet of {} x {} or is empty; write [row, col, rows, cols] within "
        "it",
        fmt::join(patch, ", "), sheet.rows, sheet.cols));
  std::vector<std::uint32_t> units;
  for (std::int64_t r = row; r < row + rows; ++r)
    for (std::int64_t c = col; c < col + cols; ++c)
      units.push_back(static_cast<std::uint32_t>(r * sheet.cols + c));
  return units;
}

/// (unit, other) pairs: all of the patch with all others, thinned to the density.
std::vector<std::pair<std::uint32_t, std::uint32_t>> draw_pairs(const ProjectionConfig& config,
                                                                const Sheet& sheet,
                                                                std::size_t n_others,
                                                                const Key& key) {
  if (!(config.density >= 0 && config.density <= 1))
    throw UsageError(fmt::format("density = {} is impossible; give 0 to 1", config.density));
  const auto units = patch_units(config, sheet);
  const std::size_t n_pairs = units.size() * n_others;
  const auto n_kept =
      static_cast<std::size_t>(std::llround(config.density * static_cast<double>(n_pairs)));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const std::uint32_t k : choose(key, n_pairs, n_kept))
    pairs.emplace_back(units[k / n_others], static_cast<std::uint32_t>(k % n_others));
  return pairs;
}

}  // namespace

Mask make_input_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_channels,
                     Seed seed) {
  return {sheet.n_units(), n_channels,
          draw_pairs(config, sheet, n_channels, wiring_key(seed, WiringDraw::input))};
}

Mask make_readout_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_classes,
                       Seed seed) {
  const Mask by_unit(sheet.n_units(), n_classes,
                     draw_pairs(config, sheet, n_classes, wiring_key(seed, WiringDraw::readout)));
  return by_unit.transposed();
}

}  // namespace lmrnn
