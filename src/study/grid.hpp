// The grid of a study: its axes, and the configuration of every cell.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lmrnn/study.hpp"

namespace lmrnn {

struct Level {
  std::string name;  ///< what tables and `when` call it
  std::string part;  ///< of the names of cells
  ConfigTable keys;
};
struct Axis {
  std::string name;
  std::vector<Level> levels;
};

/// What a study may have of cells and of runs. Ten times what anybody has asked for, and as much as
/// fits into the memory of a laptop.
inline constexpr std::size_t most_runs = 100'000;

/// The named axes and then the keys of [grid], each in the order of the file. Throws UsageError,
/// also if their product is more than `most_runs`.
std::vector<Axis> study_axes(const StudyConfig& config);

/// A cell and the keys that its runs have, [pruning] included. The last axis varies fastest; cells
/// that an override skips are left out.
std::vector<std::pair<Cell, ConfigTable>> study_cells(const StudyConfig& config,
                                                      const std::vector<Axis>& axes);

/// Throws UsageError for overrides, contrasts and [[best]] that name axes or levels that are not
/// there.
void check_names(const StudyConfig& config, const std::vector<Axis>& axes);

}  // namespace lmrnn
