// The committed results of a study: one row per finished run, by the hash of its configuration.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "study/summary.hpp"
#include "train/csv.hpp"

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

void parse(const std::string& text, std::string& out) {
  out = text;
}
template <class Number>
requires std::is_arithmetic_v<Number>
void parse(const std::string& text, Number& out) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || last != end) throw Bad{};
}
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    items.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}
void parse(const std::string& text, std::vector<double>& out) {
  for (const std::string& item : split_list(text)) parse(item, out.emplace_back());
}
void parse(const std::string& text, std::vector<TaskResult>& out) {
  for (std::string item : split_list(text)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) throw Bad{};
    TaskResult& t = out.emplace_back();
    t.name = item.substr(0, equals);
    t.trained = !item.ends_with('-');
    if (!t.trained) item.pop_back();
    t.solved = item.ends_with('*');
    if (t.solved) item.pop_back();
    parse(item.substr(equals + 1), t.share);
  }
}

class LockedFile {
 public:
  explicit LockedFile(const fs::path& path) : path_(path) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file_ < 0 || ::flock(file_, LOCK_EX) != 0) fail();
  }
  ~LockedFile() {
    if (file_ >= 0) ::close(file_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  void append(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = ::write(file_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail();
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file_) != 0) fail();
  }
  /// A row that a killed process did not finish is cut off.
  void drop_partial_row(const std::string& content) const {
    const std::size_t whole = content.rfind('\n') + 1;  // npos + 1 is 0
    if (whole != content.size() && ::ftruncate(file_, static_cast<off_t>(whole)) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw RunError(fmt::format("{}: cannot be written ({}); mend the path or the permissions",
                               path_.string(), std::strerror(errno)));
  }
  fs::path path_;
  int file_ = -1;
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

RunSummary from_row(const std::string& row, const std::string& where) {
  const std::vector<std::string> cells = split_row(row);
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
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string row = text.substr(begin, end - begin);
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
