// Finds the mask files that a configuration names.
#pragma once

#include "lmrnn/config.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

/// Calls `find_file` for the paths of [wiring]: `path`, `plastic.path`, `initial.path`, and those
/// that end in `_path`. `table`: what [wiring] was read from.
void find_mask_files(WiringConfig& wiring, const ConfigTable& table);

}  // namespace lmrnn
