#include "lmrnn/error.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace lmrnn {
namespace {

// Number of insertions, deletions, substitutions and swaps of neighbours (optimal string
// alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(above, row);
  }
  return above.back();
}

struct Parts {
  std::size_t where_size, problem_at, problem_end;
};

// Splits "where: problem; remedy"; separators within quotes or parentheses do not count.
Parts parts_of(std::string_view message) {
  Parts parts{0, 0, message.size()};
  bool quoted = false, has_where = false;
  int depth = 0;
  for (std::size_t i = 0; i + 1 < message.size(); ++i) {
    const char c = message[i];
    if (c == '"') quoted = !quoted;
    if (c == '(' && !quoted) ++depth;
    if (c == ')' && !quoted) --depth;
    if (quoted || depth > 0 || message[i + 1] != ' ') continue;
    if (c == ':' && !has_where && parts.problem_end == message.size()) {
      has_where = true;
      parts.where_size = i;
      parts.problem_at = i + 2;
    }
    if (c == ';') parts.problem_end = i;
  }
  return parts;
}

std::string joined(std::string_view where, std::string_view problem, std::string_view remedy) {
  std::string text(where);
  if (!where.empty()) text += ": ";
  text += problem;
  if (!remedy.empty()) text.append("; ").append(remedy);
  return text;
}

std::string in_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(in_one_line(message)) {}

UsageError::UsageError(const std::string& message) : Error(message) {
  const Parts parts = parts_of(message);
  where_size_ = parts.where_size;
  problem_at_ = parts.problem_at;
  problem_size_ = parts.problem_end - parts.problem_at;
}

UsageError::UsageError(std::string_view where, std::string_view problem, std::string_view remedy)
    : Error(joined(where, problem, remedy)),
      where_size_(where.size()),
      problem_at_(where.empty() ? 0 : where.size() + 2),
      problem_size_(problem.size()) {}

std::string_view UsageError::where() const noexcept {
  return std::string_view(what()).substr(0, where_size_);
}
std::string_view UsageError::problem() const noexcept {
  return std::string_view(what()).substr(problem_at_, problem_size_);
}
std::string_view UsageError::remedy() const noexcept {
  const std::string_view text(what());
  const std::size_t end = problem_at_ + problem_size_;
  return end < text.size() ? text.substr(end + 2) : std::string_view();
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::string_view otherwise) {
  std::size_t best = std::string_view::npos;
  std::string_view nearest;
  for (const std::string& candidate : known) {
    const std::size_t limit = std::max<std::size_t>(3, std::max(word.size(), candidate.size())) / 3;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance <= limit && distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? std::string(otherwise)
                         : "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace lmrnn
