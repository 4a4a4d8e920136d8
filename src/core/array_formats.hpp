// Formats that are reached only through read_arrays.
#pragma once

#include <filesystem>

#include "lmrnn/files.hpp"

namespace lmrnn {

/// The one array of an .npy file. Throws UsageError.
ArrayFile read_npy(const std::filesystem::path& path);

}  // namespace lmrnn
