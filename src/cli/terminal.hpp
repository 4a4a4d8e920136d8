// What the terminal can show.
#pragma once

#include <cstddef>
#include <cstdio>

namespace lmrnn::cli {

bool is_terminal(std::FILE* file);

/// Columns of the terminal that `file` is, or `otherwise` if it is none.
std::size_t terminal_width(std::FILE* file, std::size_t otherwise = 80);

}  // namespace lmrnn::cli
