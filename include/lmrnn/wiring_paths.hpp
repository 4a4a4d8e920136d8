// Where the mask files that a configuration names are.
#pragma once

#include "lmrnn/config.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

/// Relative paths of [wiring] (`path`, `plastic.path`, `initial.path`, and those that end in
/// `_path`) that stand in a TOML file count from the folder of that file. If there is no such file
/// there, they count from the working directory, as those given on the command line and in Python
/// do. `table`: what [wiring] was read from. Changes those paths of `wiring` that lie in the folder
/// of the TOML file and nowhere else.
void find_mask_files(WiringConfig& wiring, const ConfigTable& table);

}  // namespace lmrnn
