#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;
using Word = std::uint64_t;

/// Whether every unit is connected with every other.
bool is_complete(const Mask& mask) {
  const std::size_t n = mask.n_targets();
  for (std::size_t unit = 0; unit < n; ++unit)
    if (mask.sources_of(unit).size() < n - !mask.has(unit, unit)) return false;
  return true;
}

struct Paths {
  std::uint64_t n_pairs = 0;  ///< ordered pairs of different units with a path
  std::uint64_t length = 0;   ///< sum of the shortest
};

/// Breadth-first from up to 64 units at once, one bit each (MS-BFS: Then et al., VLDB 2014): a
/// level costs one pass over the synapses, for any number of starts.
Paths paths_from(std::size_t first, std::size_t n_starts, const Mask& mask, const Mask& reverse) {
  const std::size_t n = mask.n_targets();
  const Word all = n_starts == 64 ? ~Word{0} : (Word{1} << n_starts) - 1;
  std::vector<Word> seen(n, 0), frontier(n, 0), next(n);
  for (std::size_t k = 0; k < n_starts; ++k) seen[first + k] = Word{1} << k;
  for (std::size_t k = 0; k < n_starts; ++k)
    for (const Index target : reverse.sources_of(first + k)) frontier[target] |= Word{1} << k;

  Paths paths;
  for (std::uint64_t level = 1;; ++level) {
    std::uint64_t n_reached = 0;
    for (std::size_t unit = 0; unit < n; ++unit) {
      frontier[unit] &= ~seen[unit];
      seen[unit] |= frontier[unit];
      n_reached += static_cast<std::uint64_t>(std::popcount(frontier[unit]));
    }
    if (n_reached == 0) return paths;
    paths.n_pairs += n_reached;
    paths.length += level * n_reached;
    for (std::size_t unit = 0; unit < n; ++unit) {
      const Word missing = all & ~seen[unit];
      Word reached = 0;
      if (missing)
        for (const Index source : mask.sources_of(unit)) {
          reached |= frontier[source];
          if ((reached & missing) == missing) break;
        }
      next[unit] = reached;
    }
    std::swap(frontier, next);
  }
}

Paths all_paths(const Mask& mask, const Mask& reverse) {
  const std::size_t n = mask.n_targets();
  if (is_complete(mask)) return {n * (n - 1), n * (n - 1)};
  Paths total;
  for (std::size_t first = 0; first < n; first += 64) {
    const Paths paths = paths_from(first, std::min<std::size_t>(64, n - first), mask, reverse);
    total.n_pairs += paths.n_pairs;
    total.length += paths.length;
  }
  return total;
}

/// Mean over units of the share of pairs of neighbours that are neighbours themselves (Watts &
/// Strogatz 1998), on the graph without directions.
double mean_clustering(const Mask& mask, const Mask& reverse) {
  const std::size_t n = mask.n_targets(), n_words = (n + 63) / 64;
  if (is_complete(mask)) return n > 2 ? 1 : 0;
  std::vector<Word> neighbours(n * n_words, 0);  // (unit, unit), one bit each
  for (std::size_t unit = 0; unit < n; ++unit)
    for (const Mask* direction : {&mask, &reverse})
      for (const Index other : direction->sources_of(unit))
        if (other != unit) neighbours[unit * n_words + other / 64] |= Word{1} << (other % 64);

  double sum = 0;
  std::vector<std::size_t> own;
  for (std::size_t unit = 0; unit < n; ++unit) {
    const Word* row = neighbours.data() + unit * n_words;
    own.clear();
    for (std::size_t w = 0; w < n_words; ++w)
      for (Word bits = row[w]; bits; bits &= bits - 1)
        own.push_back(64 * w + static_cast<std::size_t>(std::countr_zero(bits)));
    if (own.size() < 2) continue;
    std::uint64_t n_links = 0;  // each counted twice
    for (const std::size_t other : own)
      for (std::size_t w = 0; w < n_words; ++w)
        n_links +=
            static_cast<std::uint64_t>(std::popcount(row[w] & neighbours[other * n_words + w]));
    const auto degree = static_cast<double>(own.size());
    sum += static_cast<double>(n_links) / (degree * (degree - 1));
  }
  return n ? sum / static_cast<double>(n) : 0;
}

struct Degrees {
  std::size_t least = std::numeric_limits<std::size_t>::max(), most = 0;
};

Degrees degrees(const Mask& mask) {
  Degrees result;
  for (std::size_t unit = 0; unit < mask.n_targets(); ++unit) {
    result.least = std::min(result.least, mask.sources_of(unit).size());
    result.most = std::max(result.most, mask.sources_of(unit).size());
  }
  return result;
}

}  // namespace

MaskStatistics mask_statistics(const Mask& mask, const Sheet& sheet) {
  const std::size_t n = mask.n_targets();
  if (n != mask.n_sources() || n != sheet.n_units() || n == 0)
    throw UsageError(fmt::format(
        "a mask of {} x {} units does not fit a sheet of {} x {}{}; rows x "
        "cols must be the number of units",
        n, mask.n_sources(), sheet.rows, sheet.cols, sheet.areas ? " units in areas" : ""));
  const Mask reverse = mask.transposed();
  MaskStatistics result;
  result.n_units = n;
  result.n_synapses = mask.n_synapses();
  result.density = mask.density();
  result.in_degree_mean = static_cast<double>(mask.n_synapses()) / static_cast<double>(n);
  const Degrees in = degrees(mask), out = degrees(reverse);
  result.in_degree_min = in.least, result.in_degree_max = in.most;
  result.out_degree_min = out.least, result.out_degree_max = out.most;

  std::size_t n_reciprocal = 0;
  for (std::size_t target = 0; target < n; ++target) {
    const auto out_of = reverse.sources_of(target);  // units that `target` itself projects to
    auto reciprocal = out_of.begin();
    for (const Index source : mask.sources_of(target)) {
      result.wire_length += sheet.wire_length(target, source);
      while (reciprocal != out_of.end() && *reciprocal < source) ++reciprocal;
      if (source == target)
        ++result.n_autapses;
      else
        n_reciprocal += reciprocal != out_of.end() && *reciprocal == source;
    }
  }
  const std::size_t n_between = result.n_synapses - result.n_autapses;
  if (n_between > 0)
    result.reciprocity = static_cast<double>(n_reciprocal) / static_cast<double>(n_between);

  const Paths paths = all_paths(mask, reverse);
  result.mean_path_length =
      paths.n_pairs ? static_cast<double>(paths.length) / static_cast<double>(paths.n_pairs)
                    : std::numeric_limits<double>::quiet_NaN();
  if (n > 1)
    result.reachable =
        static_cast<double>(paths.n_pairs) / (static_cast<double>(n) * static_cast<double>(n - 1));
  result.clustering = mean_clustering(mask, reverse);
  return result;
}

}  // namespace lmrnn
