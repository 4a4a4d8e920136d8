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

/// The named axes and then the keys of [grid], each in the order of the file. Throws UsageError.
std::vector<Axis> study_axes(const StudyConfig& config);

/// A cell and the keys that its runs have, [pruning] included. The last axis varies fastest; cells
/// that an override skips are left out.
std::vector<std::pair<Cell, ConfigTable>> study_cells(const StudyConfig& config,
                                                      const std::vector<Axis>& axes);

/// Throws UsageError for overrides, contrasts and [[best]] that name axes or levels that are not
/// there.
void check_names(const StudyConfig& config, const std::vector<Axis>& axes);

}  // namespace lmrnn
