#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;

/// Offsets into rows are 32 bits wide.
void check_size(std::size_t n_targets, std::size_t n_sources, std::size_t n_synapses) {
  constexpr std::size_t most = std::numeric_limits<Index>::max();
  if (n_targets > most || n_sources > most || n_synapses > most)
    throw UsageError(
        fmt::format("a mask of {} x {} units with {} synapses is too large; at most {} "
                    "of each can be held, choose a smaller sheet or radius",
                    n_targets, n_sources, n_synapses, most));
}

[[noreturn]] void out_of_range(std::size_t target, std::size_t source, std::size_t n_targets,
                               std::size_t n_sources) {
  throw UsageError(
      fmt::format("synapse target {}, source {} lies outside a mask of {} x {} units; "
                  "units count from 0",
                  target, source, n_targets, n_sources));
}

[[noreturn]] void named_twice(std::size_t target, std::size_t source) {
  throw UsageError(fmt::format("synapse target {}, source {} is named twice; leave one of them out",
                               target, source));
}

}  // namespace

Mask::Mask(std::size_t n_targets, std::size_t n_sources,
           std::vector<std::pair<Index, Index>> target_source_pairs)
    : n_targets_(n_targets), n_sources_(n_sources) {
  check_size(n_targets, n_sources, target_source_pairs.size());
  std::ranges::sort(target_source_pairs);
  row_offsets_.assign(n_targets + 1, 0);
  sources_.reserve(target_source_pairs.size());
  const std::pair<Index, Index>* previous = nullptr;
  for (const auto& pair : target_source_pairs) {
    const auto& [target, source] = pair;
    if (target >= n_targets || source >= n_sources)
      out_of_range(target, source, n_targets, n_sources);
    if (previous && *previous == pair) named_twice(target, source);
    previous = &pair;
    ++row_offsets_[target + 1];
    sources_.push_back(source);
  }
  std::partial_sum(row_offsets_.begin(), row_offsets_.end(), row_offsets_.begin());
}

Mask::Mask(std::size_t n_targets, std::size_t n_sources, std::vector<Index> row_offsets,
           std::vector<Index> sources)
    : n_targets_(n_targets),
      n_sources_(n_sources),
      row_offsets_(std::move(row_offsets)),
      sources_(std::move(sources)) {
  check_size(n_targets, n_sources, sources_.size());
  if (row_offsets_.size() != n_targets + 1 || row_offsets_.front() != 0 ||
      row_offsets_.back() != sources_.size() || !std::ranges::is_sorted(row_offsets_))
    throw UsageError(
        fmt::format("row offsets of a mask of {} units and {} synapses must be {} "
                    "numbers that rise from 0 to {}",
                    n_targets, sources_.size(), n_targets + 1, sources_.size()));
  for (std::size_t target = 0; target < n_targets; ++target) {
    const auto row = sources_of(target);
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (row[k] >= n_sources) out_of_range(target, row[k], n_targets, n_sources);
      if (k > 0 && row[k] == row[k - 1]) named_twice(target, row[k]);
      if (k > 0 && row[k] < row[k - 1])
        throw UsageError(
            fmt::format("sources of unit {} are not in ascending order; sort them", target));
    }
  }
}

Mask Mask::dense(std::size_t n_targets, std::size_t n_sources) {
  check_size(n_targets, n_sources, n_targets * n_sources);
  Mask mask;
  mask.n_targets_ = n_targets;
  mask.n_sources_ = n_sources;
  mask.row_offsets_.resize(n_targets + 1);
  mask.sources_.resize(n_targets * n_sources);
  for (std::size_t target = 0; target < n_targets; ++target) {
    const auto first = mask.sources_.begin() + static_cast<std::ptrdiff_t>(target * n_sources);
    std::iota(first, first + static_cast<std::ptrdiff_t>(n_sources), Index{0});
    mask.row_offsets_[target + 1] = static_cast<Index>((target + 1) * n_sources);
  }
  return mask;
}

Mask Mask::diagonal(std::size_t n_units) {
  check_size(n_units, n_units, n_units);
  Mask mask;
  mask.n_targets_ = mask.n_sources_ = n_units;
  mask.row_offsets_.resize(n_units + 1);
  mask.sources_.resize(n_units);
  std::iota(mask.row_offsets_.begin(), mask.row_offsets_.end(), Index{0});
  std::iota(mask.sources_.begin(), mask.sources_.end(), Index{0});
  return mask;
}

double Mask::density() const noexcept {
  const double n_pairs = static_cast<double>(n_targets_) * static_cast<double>(n_sources_);
  return n_pairs == 0 ? 0 : static_cast<double>(n_synapses()) / n_pairs;
}

std::span<const Index> Mask::sources_of(std::size_t target) const noexcept {
  const std::size_t begin = row_offsets_[target];
  return std::span(sources_).subspan(begin, row_offsets_[target + 1] - begin);
}

bool Mask::has(std::size_t target, std::size_t source) const noexcept {
  return std::ranges::binary_search(sources_of(target), source);
}

bool Mask::is_diagonal() const noexcept {
  if (n_targets_ != n_sources_ || n_synapses() != n_targets_) return false;
  for (std::size_t i = 0; i < n_targets_; ++i)
    if (row_offsets_[i] != i || sources_[i] != i) return false;
  return true;
}

Mask Mask::transposed() const {
  Mask result;
  result.n_targets_ = n_sources_;
  result.n_sources_ = n_targets_;
  result.row_offsets_.assign(n_sources_ + 1, 0);
  result.sources_.resize(n_synapses());
  for (const Index source : sources_) ++result.row_offsets_[source + 1];
  std::partial_sum(result.row_offsets_.begin(), result.row_offsets_.end(),
                   result.row_offsets_.begin());
  std::vector<Index> next(result.row_offsets_.begin(), result.row_offsets_.end() - 1);
  for (std::size_t target = 0; target < n_targets_; ++target)  // ascending, so that rows are sorted
    for (const Index source : sources_of(target))
      result.sources_[next[source]++] = static_cast<Index>(target);
  return result;
}

Mask mask_from_array(
    std::size_t n_targets, std::size_t n_sources, std::string_view name,
    const std::function<void(std::size_t target, std::span<double> row)>& read_row) {
  check_size(n_targets, n_sources, 0);
  std::vector<Index> offsets{0}, sources;
  std::vector<double> row(n_sources);
  for (std::size_t target = 0; target < n_targets; ++target) {
    read_row(target, row);
    for (std::size_t source = 0; source < n_sources; ++source) {
      if (!std::isfinite(row[source]))
        throw UsageError(fmt::format("{} is {} at [{}, {}]; write 0 for no synapse", name,
                                     row[source], target, source));
      if (row[source] != 0) sources.push_back(static_cast<Index>(source));
    }
    check_size(n_targets, n_sources, sources.size());
    offsets.push_back(static_cast<Index>(sources.size()));
  }
  Mask mask(n_targets, n_sources, std::move(offsets), std::move(sources));
  require_synapses(mask, name);
  return mask;
}

void require_synapses(const Mask& mask, std::string_view name) {
  if (mask.n_synapses() == 0)
    throw UsageError(fmt::format(
        "{}: there is no synapse; a mask needs at least one value that is not 0, or one line "
        "source,target in a list of edges",
        name));
}

Mask without_autapses(const Mask& mask) {
  std::vector<Index> offsets{0}, sources;
  for (std::size_t target = 0; target < mask.n_targets(); ++target) {
    for (const Index source : mask.sources_of(target))
      if (source != target) sources.push_back(source);
    offsets.push_back(static_cast<Index>(sources.size()));
  }
  return {mask.n_targets(), mask.n_sources(), std::move(offsets), std::move(sources)};
}

}  // namespace lmrnn
