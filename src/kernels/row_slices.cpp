#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "kernels/one_trial.hpp"

namespace lmrnn::kernels {
namespace {

/// A gather costs about as much as so many runs (bench/NOTES.md).
constexpr std::size_t runs_per_gather = 6;
/// Sources are gathered if fewer than a limit form a run; runs with more members than this always
/// pay.
constexpr std::size_t most_gathered = 2;

using Lane = std::array<std::vector<Entry>, RowSlices::width>;
using Runs = std::map<std::uint32_t, std::vector<Entry>>;  // by the column of their first row

/// Least number of members that makes a run of this slice: the number with the least cost.
std::size_t cheapest_run(const Runs& runs, std::uint32_t first_row) {
  std::size_t best = most_gathered + 1, least = std::numeric_limits<std::size_t>::max();
  for (std::size_t from = most_gathered + 1; from >= 1; --from) {
    std::array<std::size_t, RowSlices::width> n_scattered{};
    std::size_t n_runs = 0;
    for (const auto& [start, members] : runs) {
      n_runs += members.size() >= from;
      if (members.size() < from)
        for (const Entry& e : members) ++n_scattered[e.row - first_row];
    }
    const std::size_t cost = n_runs + runs_per_gather * std::ranges::max(n_scattered);
    if (cost < least) {
      least = cost;
      best = from;
    }
  }
  return best;
}

void add_slice(RowSlices& pattern, std::span<const Entry> entries, std::uint32_t first_row) {
  constexpr std::size_t width = RowSlices::width;
  Runs runs;  // their columns plus `margin`
  for (const Entry& e : entries)
    runs[e.column + static_cast<std::uint32_t>(RowSlices::margin) - (e.row - first_row)].push_back(
        e);
  RowSlices::Slice slice{};
  slice.first_entry = static_cast<std::uint32_t>(pattern.source_index.size());
  slice.first_run = static_cast<std::uint32_t>(pattern.run_starts.size());
  slice.first_gather = static_cast<std::uint32_t>(pattern.gathered.size() / width);
  const std::size_t run_from = cheapest_run(runs, first_row);
  Lane scattered;
  for (const auto& [start, members] : runs) {
    if (members.size() < run_from) {
      for (const Entry& e : members) scattered[e.row - first_row].push_back(e);
      continue;
    }
    const std::size_t at = pattern.source_index.size();
    pattern.source_index.resize(at + width, RowGroups::filled);
    for (const Entry& e : members) pattern.source_index[at + e.row - first_row] = e.index;
    pattern.run_starts.push_back(start);
    ++slice.n_runs;
  }
  std::size_t most = 0;
  for (const auto& row : scattered) most = std::max(most, row.size());
  for (std::size_t k = 0; k < most; ++k)
    for (const auto& row : scattered) {
      const bool has = k < row.size();
      pattern.gathered.push_back(has ? row[k].column + RowSlices::margin : 0);
      pattern.source_index.push_back(has ? row[k].index : RowGroups::filled);
    }
  slice.n_gathers = static_cast<std::uint32_t>(most);
  pattern.slices.push_back(slice);
}

}  // namespace

RowSlices slice_rows(std::size_t n_rows, std::span<const Entry> entries) {
  std::vector<std::vector<Entry>> by_slice((n_rows + RowSlices::width - 1) / RowSlices::width);
  for (const Entry& e : entries) by_slice[e.row / RowSlices::width].push_back(e);
  RowSlices pattern;
  for (std::size_t s = 0; s < by_slice.size(); ++s)
    add_slice(pattern, by_slice[s], static_cast<std::uint32_t>(s * RowSlices::width));
  return pattern;
}

}  // namespace lmrnn::kernels
