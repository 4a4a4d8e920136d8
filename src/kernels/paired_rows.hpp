// A sparse matrix prepared for multiplying blocks of trials.
//
// Rows are taken two at a time. On a sheet two neighbouring units share most of their sources, so
// a source that both need is loaded once and used twice; sources that only one of them has are
// listed apart, so no multiplication by zero is ever made. The pattern is fixed when the network
// is built, hence all index arithmetic is done here, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lmrnn::kernels {

/// Pattern of a (row, column) matrix. Entries are packed pair by pair, and within a pair:
///   shared entries of the first row, shared entries of the second row (same columns),
///   entries of the first row alone, entries of the second row alone.
struct PairedRows {
  struct Pair {
    std::uint32_t n_shared, n_only_first, n_only_second;
    std::uint32_t first_entry;   ///< into packed entries
    std::uint32_t first_column;  ///< into `columns`: shared, first alone, second alone
  };
  std::size_t n_rows = 0, n_columns = 0;
  std::vector<Pair> pairs;  ///< rows 2p and 2p + 1; the last one may lack its second row
  std::vector<std::uint32_t> columns;
  std::vector<std::uint32_t> source_index;  ///< packed entry -> where its weight is kept

  std::size_t n_entries() const noexcept { return source_index.size(); }
};

/// One stored entry of a matrix.
struct Entry {
  std::uint32_t row, column;
  std::uint32_t index;  ///< where its weight is kept, in the caller's numbering
};

/// `entries` in any order, without repetition.
PairedRows pair_rows(std::size_t n_rows, std::size_t n_columns, std::vector<Entry> entries);

/// packed[k] = values[pattern.source_index[k]].
void gather(const PairedRows& pattern, std::span<const float> values, std::span<float> packed);
/// values[pattern.source_index[k]] = packed[k].
void scatter(const PairedRows& pattern, std::span<const float> packed, std::span<float> values);

}  // namespace lmrnn::kernels
