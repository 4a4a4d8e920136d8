// The verbs of the command line. One verb = one file src/cli/NAME.cpp that defines add_NAME here,
// and one line in the catalogue of main.cpp.
#pragma once

#include <CLI/CLI.hpp>

namespace lmrnn::cli {

void add_tasks(CLI::App& program);
void add_wiring(CLI::App& program);
void add_train(CLI::App& program);
void add_eval(CLI::App& program);
void add_analyze(CLI::App& program);
void add_study(CLI::App& program);
void add_report(CLI::App& program);
void add_info(CLI::App& program);
void add_completion(CLI::App& program);

}  // namespace lmrnn::cli
