// lmrnn tasks sample: trials written to a file.
#pragma once

#include <CLI/CLI.hpp>

namespace lmrnn::cli {

void add_sample(CLI::App& tasks);

}  // namespace lmrnn::cli
