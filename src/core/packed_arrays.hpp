// Arrays as bytes, for another process of this very program: no format, no versions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lmrnn/files.hpp"

namespace lmrnn {

std::vector<std::byte> pack(const ArrayFile& file);

/// What `pack` was given. Throws ContainedDeath for anything else.
ArrayFile unpack(std::span<const std::byte> bytes);

}  // namespace lmrnn
