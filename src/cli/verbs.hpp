// The verbs of the command line. One verb = one function add_NAME here, in a file of src/cli named
// after it or a related verb, and one line in the catalogue of main.cpp.
#pragma once

#include <CLI/CLI.hpp>

namespace lmrnn::cli {

void add_tasks(CLI::App& program);
void add_sample(CLI::App& tasks);  // a verb of tasks
void add_wiring(CLI::App& program);
void add_train(CLI::App& program);
void add_eval(CLI::App& program);
void add_analyze(CLI::App& program);
void add_study(CLI::App& program);
void add_study_init(CLI::App& study);  // a verb of study
void add_runs(CLI::App& program);
void add_compare(CLI::App& program);
void add_report(CLI::App& program);
void add_plot(CLI::App& program);
void add_info(CLI::App& program);
void add_completion(CLI::App& program);

}  // namespace lmrnn::cli
