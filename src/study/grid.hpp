// The grid of a study: its axes, and the configuration of every cell.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lmrnn/study.hpp"

namespace lmrnn {

struct Level {
  std::string name;  ///< what tables and `when` call it
  std::string part;  ///< the part for names of cells
  ConfigTable keys;
};
struct Axis {
  std::string name;
  std::vector<Level> levels;
};

/// Largest number of cells, and of runs, of a study: ten times more than any study has needed, and
/// about what fits into the memory of a laptop.
inline constexpr std::size_t most_runs = 100'000;

/// The named axes and then the keys of [grid], each in the order of the file. Throws UsageError,
/// also if the grid has more than `most_runs` cells.
std::vector<Axis> study_axes(const StudyConfig& config);

/// A cell and the keys of its runs, including [pruning]. The last axis varies fastest; cells that
/// an override skips are left out.
std::vector<std::pair<Cell, ConfigTable>> study_cells(const StudyConfig& config,
                                                      const std::vector<Axis>& axes);

/// Throws UsageError for overrides, contrasts and [[best]] that name axes or levels that do not
/// exist.
void check_names(const StudyConfig& config, const std::vector<Axis>& axes);

}  // namespace lmrnn
