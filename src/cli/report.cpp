// lmrnn report and lmrnn plot: start the programs of the Python package.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "common.hpp"
#include "lmrnn/error.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> search_path() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  // Looks next to this program first: a wheel installs both into the same folder.
  if (const fs::path self = fs::read_symlink("/proc/self/exe", ignored); !self.empty())
    folders.push_back(self.parent_path());
  const char* path = std::getenv("PATH");
  const std::string text = path == nullptr ? "" : path;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) folders.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

std::optional<fs::path> find_command(const std::string& name) {
  for (const fs::path& folder : search_path())
    if (const fs::path candidate = folder / name; ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  return std::nullopt;
}

// Replaces this process by the program `command` (lmrnn-report, ...), which is next to this one or
// on PATH, as git runs git-NAME. If there is none, throws RunError and names the `extra` of the
// Python package to install.
[[noreturn]] void hand_over(const std::string& verb, const std::string& command,
                            const std::string& extra, std::vector<std::string> words) {
  const std::optional<fs::path> found = find_command(command);
  if (!found)
    throw RunError(
        fmt::format("lmrnn {}: found no {} next to this program or on PATH; install the Python "
                    "package: pip install "
                    "'lmrnn[{}]'",
                    verb, command, extra));
  words.insert(words.begin(), found->string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(arguments[0], arguments.data());
  throw RunError(fmt::format("lmrnn {}: {} cannot be run: {}", verb, found->string(),
                             std::generic_category().message(errno)));
}

struct ReportOptions {
  std::string subject, out, against;
};

struct PlotOptions {
  std::string subject, figure, out, task;
  std::vector<std::string> with;
  bool list = false;
};

void run_report(const ReportOptions& options) {
  std::vector<std::string> words = {options.subject};
  if (!options.out.empty()) words.insert(words.end(), {"--out", options.out});
  if (!options.against.empty()) words.insert(words.end(), {"--against", options.against});
  hand_over("report", "lmrnn-report", "report", words);
}

void run_plot(const PlotOptions& options) {
  std::vector<std::string> words;
  for (const std::string& word : {options.subject, options.figure})
    if (!word.empty()) words.push_back(word);
  if (options.list) words.emplace_back("--list");
  if (!options.out.empty()) words.insert(words.end(), {"--out", options.out});
  if (!options.task.empty()) words.insert(words.end(), {"--task", options.task});
  for (const std::string& run : options.with) words.insert(words.end(), {"--with", run});
  hand_over("plot", "lmrnn-plot", "report", words);
}

}  // namespace

void add_report(CLI::App& program) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* verb = add_verb(program, "report",
                            "write one HTML file about a run or a study (needs the Python package)",
                            "lmrnn report runs/quickstart\n"
                            "lmrnn report runs/quickstart --out quickstart.html\n"
                            "lmrnn report runs/local --against runs/dense",
                            [options] { run_report(*options); });
  verb->add_option("subject", options->subject, "run directory, study directory or zoo:NAME")
      ->required()
      ->type_name("RUN|STUDY|zoo:NAME");
  verb->add_option("--out", options->out,
                   "where to write; default: report.html in that directory, runs/NAME/report.html "
                   "for zoo:NAME")
      ->type_name("FILE");
  verb->add_option("--against", options->against, "a second run to compare the first one with")
      ->type_name("RUN");
}

void add_plot(CLI::App& program) {
  const auto options = std::make_shared<PlotOptions>();
  CLI::App* verb =
      add_verb(program, "plot", "draw one figure of a run or a study (needs the Python package)",
               "lmrnn plot --list\n"
               "lmrnn plot runs/quickstart learning_curves --out curves.pdf\n"
               "lmrnn plot runs/quickstart trial --task dlygointr --out trial.svg\n"
               "lmrnn plot runs/local learning_curves --with runs/dense --out compared.png",
               [options] { run_plot(*options); });
  verb->add_option("subject", options->subject, "run directory or study directory")
      ->type_name("RUN|STUDY");
  verb->add_option("figure", options->figure, "name of the figure; see --list")
      ->type_name("FIGURE");
  verb->add_flag("--list", options->list, "list the figures");
  verb->add_option("--out", options->out,
                   "a .pdf, .svg or .png file; default: FIGURE.pdf in the current directory")
      ->type_name("FILE");
  verb->add_option("--task", options->task, "the task, for figures of one task")->type_name("TASK");
  verb->add_option("--with", options->with, "another run in the same figure; may be repeated")
      ->type_name("RUN")
      ->type_size(1)
      ->allow_extra_args(false);
}

}  // namespace lmrnn::cli
