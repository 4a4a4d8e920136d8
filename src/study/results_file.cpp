// The committed results of a study: one row per finished run, by the hash of its configuration.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/shared/csv.hpp"
#include "core/shared/descriptor.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "study/summary.hpp"

namespace lmrnn {

std::string to_cell(const std::vector<TaskResult>& tasks, const CsvFormat& format) {
  std::string cell;
  for (const TaskResult& t : tasks)
    cell += fmt::format("{}{}={}{}{}", cell.empty() ? "" : ";", t.name, to_cell(t.share, format),
                        t.solved ? "*" : "", t.trained ? "" : "-");
  return cell;
}

bool from_cell(std::string_view text, std::vector<TaskResult>& out) {
  out.clear();
  for (std::string_view item : list_items(text)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) return false;
    TaskResult& t = out.emplace_back();
    t.name = item.substr(0, equals);
    t.trained = !item.ends_with('-');
    if (!t.trained) item.remove_suffix(1);
    t.solved = item.ends_with('*');
    if (t.solved) item.remove_suffix(1);
    if (!from_cell(item.substr(equals + 1), t.share)) return false;
  }
  return true;
}

namespace {

namespace fs = std::filesystem;

const std::string remedy = "remove the row, and the run will be done again";

/// A file with a lock, so that no other process appends to it at the same time.
class LockedFile {
 public:
  explicit LockedFile(const fs::path& path)
      : path_(path), file_(path, O_RDWR | O_CREAT | O_APPEND, 0644) {
    if (!file_.valid() || ::flock(file_.get(), LOCK_EX) != 0) fail();
  }

  void append(std::string_view text) const {
    if (!file_.write(text) || !file_.sync()) fail();
  }
  /// Cuts off what is behind the first `size` bytes.
  void cut(std::size_t size) const {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw RunError(fmt::format("{}: cannot be written ({}); fix the path or the permissions",
                               path_.string(), std::strerror(errno)));
  }
  fs::path path_;
  Descriptor file_;
};

}  // namespace

std::string results_header() {
  return csv_header<RunSummary>();
}

std::string to_row(const RunSummary& summary) {
  return csv_line(summary);
}

RunSummary from_row(std::string_view row, const std::string& where, std::string_view header) {
  RunSummary summary = CsvReader<RunSummary>(header, remedy).read(row, where);
  const auto ascend = [&](const std::vector<double>& times) {
    return times.size() == summary.curve_share.size() && std::ranges::is_sorted(times) &&
           std::ranges::none_of(times, [](double t) { return !std::isfinite(t); });
  };
  if (!ascend(summary.curve_steps) || !ascend(summary.curve_trials))
    throw UsageError(where, "the columns of the learning curve are damaged", remedy);
  return summary;
}

std::vector<RunSummary> read_results(const fs::path& path) {
  std::vector<RunSummary> rows;
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) return rows;
  const std::string text = read_file(path);
  std::size_t line = 0;
  std::string_view header;
  for (const std::string_view row : complete_lines(text)) {
    const std::string where = fmt::format("{}:{}", path.string(), ++line);
    if (line > 1) {
      rows.push_back(from_row(row, where, header));
    } else if (header = row; header.ends_with('\r')) {
      throw UsageError(fmt::format(
          "{}: has line ends of Windows (CR LF), from a spreadsheet or from git; save it "
          "with those of Unix (LF), e.g. with dos2unix",
          where));
    } else if (!csv_columns_of<RunSummary>(header)) {
      throw UsageError(
          fmt::format("{}: is not the header of a results file of this version; name "
                      "another file as results",
                      where));
    }
  }
  return rows;
}

namespace {

/// Cuts off a row that a killed process did not finish. Returns the content afterwards. Throws
/// UsageError, and changes nothing, for a file of another kind, and for a last row that has all
/// columns but no end: an editor may have left it out, or a process may have died within the last
/// number.
std::string without_partial_row(const LockedFile& file, std::string content, const fs::path& path) {
  const std::size_t whole = content.rfind('\n') + 1;  // npos + 1 is 0
  if (whole == content.size()) return content;
  const std::string_view last = std::string_view(content).substr(whole);
  const std::string where = path.string();
  if (whole == 0) {
    // A beginning of the header is what a killed process leaves of a new file.
    if (!results_header().starts_with(last) && !csv_columns_of<RunSummary>(last))
      throw UsageError(fmt::format(
          "{}: is not a results file of this version; name another file as results", where));
    file.cut(0);
    return {};
  }
  read_results(path);  // is it a results file?
  const std::string_view header = complete_lines(content).front();
  bool is_row = true;
  try {
    from_row(last, where, header);
  } catch (const UsageError&) {
    is_row = false;
  }
  if (is_row)
    throw UsageError(
        fmt::format("{}: the last row has no end of line, so its last number may be "
                    "incomplete; end the line if the row is whole, or {}",
                    where, remedy));
  file.cut(whole);
  content.resize(whole);
  return content;
}

}  // namespace

void require_results_file(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  const LockedFile file(path);
  without_partial_row(file, read_file(path), path);
  read_results(path);
}

void append_result(const fs::path& path, const RunSummary& summary) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  const LockedFile file(path);
  const std::string content = without_partial_row(file, read_file(path), path);
  for (const RunSummary& there : read_results(path))
    if (there.hash == summary.hash) return;
  const auto lines = complete_lines(content);
  const std::string header = lines.empty() ? results_header() : std::string(lines[0]);
  file.append((lines.empty() ? header + "\n" : "") +
              csv_line(summary, csv_columns_of<RunSummary>(header).value()) + "\n");
}

}  // namespace lmrnn
