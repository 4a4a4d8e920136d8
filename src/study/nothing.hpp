// The entry of a table of numbers that means "no value".
#pragma once

#include <limits>

namespace lmrnn {

inline constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace lmrnn
