// A sparse matrix prepared for multiplying blocks of trials.
//
// Rows are processed four at a time. Units that are neighbours on a sheet share most of their
// sources, so a source that they share is loaded once and used four times. The pattern decides
// which rows go together: on a sheet, squares of 2 x 2 units. A source that three of the four rows
// need is multiplied for all four, by a zero in the one that lacks it; that is faster than loading
// it three times (bench/NOTES.md). Sources of one or two rows are listed row by row, without zeros.
// The pattern is fixed when the network is built, so all index arithmetic is done here, once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lmrnn::kernels {

/// One stored entry of a matrix.
struct Entry {
  std::uint32_t row, column;
  std::uint32_t index;  ///< index of its weight, in the caller's numbering
};

/// Which columns of a group are multiplied for all of its rows.
enum class Fill : std::uint8_t {
  where_it_pays,  ///< those of at least three rows
  everywhere      ///< all columns, as in a dense matrix
};

/// Pattern of a (row, column) matrix. Entries are packed group by group, and within a group:
///   shared entries (column, row), then the entries that stand alone, row by row.
struct RowGroups {
  static constexpr std::size_t width = 4;  ///< rows of a group
  /// In `source_index`: a zero that fills a gap in a shared column.
  static constexpr std::uint32_t filled = 0xFFFFFFFFu;

  struct Group {
    std::array<std::uint32_t, width> rows;     ///< the last group may repeat its first row
    std::uint32_t n_rows;                      ///< number of real rows
    std::uint32_t n_shared;                    ///< columns
    std::array<std::uint32_t, width> n_alone;  ///< columns, per row
    std::uint32_t first_entry;                 ///< into packed entries
    std::uint32_t first_column;                ///< into `columns`: shared, alone by row
    bool any_alone;                            ///< whether any column is alone
    bool single_entries;                       ///< four rows with one column each, all alone
  };
  std::size_t n_rows = 0, n_columns = 0;
  std::vector<Group> groups;
  std::vector<std::uint32_t> columns;
  std::vector<std::uint32_t> source_index;  ///< packed entry -> where its weight is kept

  std::size_t n_entries() const noexcept { return source_index.size(); }
  /// Whether each row has one entry, in its own column, or none, and rows are in order.
  bool is_diagonal() const noexcept;
  /// Whether each row has all columns.
  bool has_whole_rows() const noexcept;
};

/// An order of the rows in which every four consecutive rows share as many columns as a greedy
/// search finds. Ties go to the lower row, so the order depends only on the pattern.
std::vector<std::uint32_t> order_by_overlap(std::size_t n_rows, std::size_t n_columns,
                                            std::span<const Entry> entries);

/// `entries` in any order, without repetition; `order` is a permutation of the rows. Matrices that
/// one step adds up (forward_step, backward_step) must have the same order.
RowGroups group_rows(std::size_t n_rows, std::size_t n_columns, std::vector<Entry> entries,
                     std::span<const std::uint32_t> order, Fill fill = Fill::where_it_pays);

/// packed[k] = values[source_index[k]], 0 where filled.
void gather(std::span<const std::uint32_t> source_index, std::span<const float> values,
            std::span<float> packed);
/// values[source_index[k]] = packed[k], except for the filled.
void scatter(std::span<const std::uint32_t> source_index, std::span<const float> packed,
             std::span<float> values);

}  // namespace lmrnn::kernels
