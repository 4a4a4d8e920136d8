// lmrnn report: hands over to lmrnn-report, which the Python package brings, the way git hands over
// to git-NAME. This program itself stays free of Python.
#include <fmt/core.h>
#include <unistd.h>

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

struct ReportOptions {
  std::string subject, out;
};

std::vector<fs::path> search_path() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  // First beside this program: a wheel installs both into the same folder.
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

void run_report(const ReportOptions& options) {
  const std::optional<fs::path> command = find_command("lmrnn-report");
  if (!command)
    throw RunError(
        "lmrnn report: no lmrnn-report beside this program or on PATH; the Python package brings "
        "it: pip install 'lmrnn[report]'");
  std::vector<std::string> words = {command->string(), options.subject};
  if (!options.out.empty()) words.insert(words.end(), {"--out", options.out});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(arguments[0], arguments.data());
  throw RunError(fmt::format("lmrnn report: {} cannot be run: {}", command->string(),
                             std::generic_category().message(errno)));
}

}  // namespace

void add_report(CLI::App& program) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* verb = add_verb(program, "report",
                            "write one HTML file about a run or a study (needs the Python package)",
                            "lmrnn report runs/quickstart\n"
                            "lmrnn report runs/quickstart --out quickstart.html",
                            [options] { run_report(*options); });
  verb->add_option("subject", options->subject, "run directory or study directory")
      ->required()
      ->type_name("RUN|STUDY");
  verb->add_option("--out", options->out, "where to write; default: report.html in that directory")
      ->type_name("FILE");
}

}  // namespace lmrnn::cli
