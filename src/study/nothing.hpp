// In a table of numbers: there is nothing to say.
#pragma once

#include <limits>

namespace lmrnn {

inline constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace lmrnn
