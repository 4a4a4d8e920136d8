#include "train/step_table.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw RunError(
      fmt::format("{}: cannot be written ({}); free some space or fix the permissions, "
                  "then resume",
                  path.string(), std::strerror(error)));
}

// The step in the first column; -1 if there is none.
std::int64_t step_of(std::string_view row) {
  return number_from<std::int64_t>(row.substr(0, row.find(','))).value_or(-1);
}

std::size_t n_commas(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count(line, ','));
}

}  // namespace

StepTable::StepTable(const std::filesystem::path& path, std::string_view header,
                     const std::vector<std::string>& former_headers, std::int64_t last_step)
    : path_(path) {
  const std::string before = std::filesystem::exists(path) ? read_file(path) : std::string();
  std::string kept = std::string(header) + "\n";
  const auto lines = complete_lines(before);
  if (!lines.empty() && lines[0] != header &&
      std::ranges::find(former_headers, lines[0]) == former_headers.end())
    throw UsageError(
        fmt::format("{}: its first line is not \"{}\"; it is not from this version of "
                    "lmrnn, move it away",
                    path.string(), header));
  const std::string missing(lines.empty() ? 0 : n_commas(header) - n_commas(lines[0]), ',');
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (step_of(lines[i]) < 0 || step_of(lines[i]) > last_step) continue;
    last_row_ = std::string(lines[i]) + missing;
    kept += last_row_ + "\n";
  }
  if (kept != before) write_file(path, kept);
  file_ = Descriptor(path, O_WRONLY | O_APPEND);
  if (!file_.valid()) fail(path_, errno);
}

void StepTable::append(std::string_view row) {
  if (!file_.write(std::string(row) + "\n")) fail(path_, errno);
}

void StepTable::sync() {
  if (!file_.sync()) fail(path_, errno);
}

}  // namespace lmrnn
