#include "lmrnn/error.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace lmrnn {
namespace {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
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

}  // namespace

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
