#include "train/csv.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw RunError(
      fmt::format("{}: cannot be written ({}); free some space or mend the permissions, "
                  "then resume",
                  path.string(), std::strerror(error)));
}

// The step in the first column; -1 if there is none.
std::int64_t step_of(std::string_view row) {
  std::int64_t step = -1;
  const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), step);
  return error == std::errc() ? step : -1;
}

// The lines of `text` that end in a newline.
std::vector<std::string_view> complete_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

StepTable::StepTable(const std::filesystem::path& path, std::string_view header,
                     std::int64_t last_step)
    : path_(path) {
  const std::string before = std::filesystem::exists(path) ? read_file(path) : std::string();
  std::string kept = std::string(header) + "\n";
  const auto lines = complete_lines(before);
  if (!lines.empty() && lines[0] != header)
    throw UsageError(
        fmt::format("{}: its first line is not \"{}\"; it is not from this version of "
                    "lmrnn, move it away",
                    path.string(), header));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (step_of(lines[i]) < 0 || step_of(lines[i]) > last_step) continue;
    kept += std::string(lines[i]) + "\n";
    last_row_ = lines[i];
  }
  if (kept != before) write_file(path, kept);
  file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) fail(path_, errno);
}

StepTable::~StepTable() {
  if (file_ >= 0) ::close(file_);
}

void StepTable::append(std::string_view row) {
  const std::string line = std::string(row) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(file_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, errno);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

void StepTable::sync() {
  if (::fsync(file_) != 0) fail(path_, errno);
}

std::vector<std::string> split_row(std::string_view row) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t comma = row.find(',');
    cells.emplace_back(row.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    row.remove_prefix(comma + 1);
  }
}

}  // namespace lmrnn
