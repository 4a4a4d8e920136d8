// The place of documentation, fixtures and golden files for tests.
#pragma once

#include <filesystem>

namespace lmrnn {

/// The root of the source tree that is being tested.
std::filesystem::path source_directory();

}  // namespace lmrnn
