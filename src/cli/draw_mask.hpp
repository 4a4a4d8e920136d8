// A mask as text: the neighbourhood of one unit, and how in-degrees are distributed.
#pragma once

#include <cstddef>
#include <string>

#include "lmrnn/wiring.hpp"

namespace lmrnn::cli {

/// The sheet around `unit`, with the unit's sources and targets. At most `width` columns of text
/// and `height` lines; a larger sheet is cut to a window around the unit. With areas, each has its
/// name above it.
std::string draw_neighbourhood(const Mask& mask, const Sheet& sheet, std::size_t unit,
                               std::size_t width, std::size_t height);

/// Bars, one line per in-degree or group of in-degrees.
std::string draw_in_degrees(const Mask& mask, std::size_t width);

}  // namespace lmrnn::cli
