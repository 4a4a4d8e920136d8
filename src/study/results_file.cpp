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

#include "core/descriptor.hpp"
#include "core/text.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "study/summary.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// Columns in order: `field(name, member)` for each.
template <class Summary, class Visitor>
void columns(Summary& s, Visitor&& field) {
  field("hash", s.hash);
  field("study", s.study);
  field("run", s.run);
  field("stage", s.stage);
  field("outcome", s.outcome);
  field("seed", s.seed);
  field("steps", s.steps);
  field("horizon", s.horizon);
  field("trials", s.trials);
  field("units", s.n_units);
  field("synapses", s.n_synapses);
  field("parameters", s.n_parameters);
  field("learning_rate", s.learning_rate);
  field("clipped_share", s.clipped_share);
  field("final_accuracy", s.final_accuracy);
  field("final_trial_accuracy", s.final_trial_accuracy);
  field("curve_steps", s.curve_steps);
  field("curve_trials", s.curve_trials);
  field("curve_share", s.curve_share);
  field("tasks", s.tasks);
  field("seconds", s.seconds);
  field("threads", s.threads);
  field("version", s.version);
  field("commit", s.commit);
  field("simd", s.simd);
  field("processor", s.processor);
  field("host", s.host);
  field("started", s.started);
}

std::string cell(const std::string& x) {
  std::string out = x;
  for (char& c : out)
    if (c == ',' || c == '\n' || c == '"') c = ' ';  // a processor's name, at most
  return out;
}
std::string cell(std::int64_t x) {
  return std::to_string(x);
}
std::string cell(double x) {
  return fmt::format("{}", x);
}
std::string cell(const std::vector<double>& x) {
  return fmt::format("{}", fmt::join(x, ";"));
}
std::string cell(const std::vector<TaskResult>& x) {
  std::string out;
  for (const TaskResult& t : x)
    out += fmt::format("{}{}={}{}{}", out.empty() ? "" : ";", t.name, t.share, t.solved ? "*" : "",
                       t.trained ? "" : "-");
  return out;
}

struct Bad {};

void parse(std::string_view text, std::string& out) {
  out = text;
}
template <class Number>
requires std::is_arithmetic_v<Number>
void parse(std::string_view text, Number& out) {
  const auto number = number_from<Number>(text);
  if (!number) throw Bad{};
  out = *number;
}
std::vector<std::string_view> split_list(std::string_view text) {
  if (text.empty()) return {};
  return split(text, ';');
}
void parse(std::string_view text, std::vector<double>& out) {
  for (const std::string_view item : split_list(text)) parse(item, out.emplace_back());
}
void parse(std::string_view text, std::vector<TaskResult>& out) {
  for (std::string_view item : split_list(text)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) throw Bad{};
    TaskResult& t = out.emplace_back();
    t.name = item.substr(0, equals);
    t.trained = !item.ends_with('-');
    if (!t.trained) item.remove_suffix(1);
    t.solved = item.ends_with('*');
    if (t.solved) item.remove_suffix(1);
    parse(item.substr(equals + 1), t.share);
  }
}

/// A file that no other process appends to meanwhile.
class LockedFile {
 public:
  explicit LockedFile(const fs::path& path)
      : path_(path), file_(path, O_RDWR | O_CREAT | O_APPEND, 0644) {
    if (!file_.valid() || ::flock(file_.get(), LOCK_EX) != 0) fail();
  }

  void append(std::string_view text) const {
    if (!file_.write(text) || !file_.sync()) fail();
  }
  /// A row that a killed process did not finish is cut off.
  void drop_partial_row(const std::string& content) const {
    const std::size_t whole = content.rfind('\n') + 1;  // npos + 1 is 0
    if (whole != content.size() && ::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) fail();
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
  std::string header;
  const RunSummary summary;
  columns(summary, [&](const char* name, const auto&) {
    header += (header.empty() ? "" : ",") + std::string(name);
  });
  return header;
}

std::string to_row(const RunSummary& summary) {
  std::string row;
  bool first = true;
  columns(summary, [&](const char*, const auto& value) {
    row += (first ? "" : ",") + cell(value);
    first = false;
  });
  return row;
}

RunSummary from_row(std::string_view row, const std::string& where) {
  // No quoting: nothing that is written needs it.
  const std::vector<std::string_view> cells = split(row, ',');
  RunSummary summary;
  std::size_t i = 0;
  columns(summary, [&](const char* name, auto& value) {
    try {
      if (i >= cells.size()) throw Bad{};
      parse(cells[i], value);
    } catch (const Bad&) {
      throw UsageError(
          fmt::format("{}: column {} is missing or damaged; remove the row, and the "
                      "run will be done again",
                      where, name));
    }
    ++i;
  });
  const auto ascend = [&](const std::vector<double>& times) {
    return times.size() == summary.curve_share.size() && std::ranges::is_sorted(times) &&
           std::ranges::none_of(times, [](double t) { return !std::isfinite(t); });
  };
  if (!ascend(summary.curve_steps) || !ascend(summary.curve_trials))
    throw UsageError(fmt::format(
        "{}: the columns of the learning curve are damaged; remove the row, and the run "
        "will be done again",
        where));
  return summary;
}

std::vector<RunSummary> read_results(const fs::path& path) {
  std::vector<RunSummary> rows;
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) return rows;
  const std::string text = read_file(path);
  std::size_t line = 0;
  for (const std::string_view row : complete_lines(text)) {
    const std::string where = fmt::format("{}:{}", path.string(), ++line);
    if (line > 1) {
      rows.push_back(from_row(row, where));
    } else if (row != results_header()) {
      throw UsageError(
          fmt::format("{}: is not the header of a results file of this version; name "
                      "another file as results",
                      where));
    }
  }
  return rows;
}

void append_result(const fs::path& path, const RunSummary& summary) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  const LockedFile file(path);
  const std::string content = read_file(path);
  file.drop_partial_row(content);
  for (const RunSummary& there : read_results(path))
    if (there.hash == summary.hash) return;
  const std::string header = content.find('\n') == std::string::npos ? results_header() + "\n" : "";
  file.append(header + to_row(summary) + "\n");
}

}  // namespace lmrnn
