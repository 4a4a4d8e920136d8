// Masks without a sheet: autapses, all pairs, disconnected groups.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lmrnn/error.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// The divisor of n nearest to `wish`.
std::size_t nearest_divisor(std::size_t n, std::size_t wish) {
  for (std::size_t step = 0; step < wish; ++step) {
    if (n % (wish - step) == 0) return wish - step;
    if (wish + step <= n && n % (wish + step) == 0) return wish + step;
  }
  return n;
}

}  // namespace

Mask make_autapse(const WiringConfig& config, Seed) {
  if (!config.autapses)
    throw UsageError(
        "wiring.autapses = false leaves nothing of wiring.kind = \"autapse\"; change either");
  return Mask::diagonal(config.sheet().n_units());
}

Mask make_dense(const WiringConfig& config, Seed) {
  const std::size_t n = config.sheet().n_units();
  return config.autapses ? Mask::dense(n, n) : without_autapses(Mask::dense(n, n));
}

Mask make_blocks(const WiringConfig& config, Seed) {
  const std::size_t n = config.sheet().n_units();
  const auto size = static_cast<std::size_t>(config.block_units);
  if (size > n || n % size != 0)
    throw UsageError(
        fmt::format("wiring.block_units = {} does not divide {} units ({} x {}); {} does, for one",
                    size, n, config.rows, config.cols, nearest_divisor(n, std::min(size, n))));
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t target = 0; target < n; ++target) {
    const std::size_t first = target / size * size;
    for (std::size_t source = first; source < first + size; ++source)
      if (config.autapses || source != target)
        sources.push_back(static_cast<std::uint32_t>(source));
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  return {n, n, std::move(offsets), std::move(sources)};
}

}  // namespace lmrnn
