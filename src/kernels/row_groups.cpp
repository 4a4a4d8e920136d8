#include "kernels/row_groups.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace lmrnn::kernels {
namespace {

/// A column is shared if this many rows of a group have it.
constexpr std::size_t shared_from = 3;
/// Number of a row's columns that are probed for overlapping rows; more would only take longer,
/// because such rows overlap with nearly all.
constexpr std::size_t most_probes = 64;

/// Concatenated lists: list i is items[offsets[i] ... offsets[i + 1]).
struct Lists {
  std::vector<std::uint32_t> offsets, items;

  std::span<const std::uint32_t> of(std::size_t i) const {
    return {items.data() + offsets[i], items.data() + offsets[i + 1]};
  }
};

template <class Key, class Value>
Lists make_lists(std::size_t n, std::span<const Entry> entries, Key key, Value value) {
  Lists lists;
  lists.offsets.assign(n + 1, 0);
  for (const Entry& e : entries) ++lists.offsets[e.*key + 1];
  std::partial_sum(lists.offsets.begin(), lists.offsets.end(), lists.offsets.begin());
  lists.items.resize(entries.size());
  std::vector<std::uint32_t> next(lists.offsets.begin(), lists.offsets.end() - 1);
  for (const Entry& e : entries) lists.items[next[e.*key]++] = e.*value;
  return lists;
}

class OverlapSearch {
 public:
  OverlapSearch(std::size_t n_rows, std::size_t n_columns, std::span<const Entry> entries)
      : columns_(make_lists(n_rows, entries, &Entry::row, &Entry::column)),
        rows_(make_lists(n_columns, entries, &Entry::column, &Entry::row)),
        taken_(n_rows, false),
        overlap_(n_rows, 0) {}

  std::vector<std::uint32_t> order() {
    std::vector<std::uint32_t> order;
    for (std::uint32_t first = 0; first < taken_.size(); ++first) {
      if (taken_[first]) continue;
      take(first, order);
      for (std::size_t k = 1; k < RowGroups::width; ++k)
        if (const auto next = best(first); next < taken_.size()) take(next, order);
      for (const std::uint32_t row : touched_) overlap_[row] = 0;
      touched_.clear();
    }
    return order;
  }

 private:
  void take(std::uint32_t row, std::vector<std::uint32_t>& order) {
    taken_[row] = true;
    order.push_back(row);
    const auto columns = columns_.of(row);
    const std::size_t stride = 1 + columns.size() / most_probes;
    for (std::size_t k = 0; k < columns.size(); k += stride)
      for (const std::uint32_t other : rows_.of(columns[k])) {
        if (overlap_[other]++ == 0) touched_.push_back(other);
      }
  }

  /// The free row with the greatest overlap; without any overlap, the next free row.
  std::uint32_t best(std::uint32_t first) const {
    const auto n_rows = static_cast<std::uint32_t>(taken_.size());
    std::uint32_t best = n_rows;
    for (const std::uint32_t row : touched_) {
      if (taken_[row]) continue;
      if (best == n_rows || overlap_[row] > overlap_[best] ||
          (overlap_[row] == overlap_[best] && row < best))
        best = row;
    }
    if (best < n_rows) return best;
    for (best = first + 1; best < n_rows && taken_[best]; ++best) {
    }
    return best;
  }

  Lists columns_, rows_;
  std::vector<bool> taken_;
  std::vector<std::uint32_t> overlap_, touched_;
};

}  // namespace

std::vector<std::uint32_t> order_by_overlap(std::size_t n_rows, std::size_t n_columns,
                                            std::span<const Entry> entries) {
  // Rows this full overlap in any order, and the search would take long.
  if (4 * entries.size() > n_rows * n_columns) {
    std::vector<std::uint32_t> order(n_rows);
    std::iota(order.begin(), order.end(), 0u);
    return order;
  }
  return OverlapSearch(n_rows, n_columns, entries).order();
}

RowGroups group_rows(std::size_t n_rows, std::size_t n_columns, std::vector<Entry> entries,
                     std::span<const std::uint32_t> order, Fill fill) {
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::tuple(e.row, e.column); });
  std::vector<std::size_t> offsets(n_rows + 1, 0);
  for (const Entry& e : entries) ++offsets[e.row + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());

  constexpr std::size_t width = RowGroups::width;
  RowGroups pattern;
  pattern.n_rows = n_rows;
  pattern.n_columns = n_columns;
  std::array<std::vector<Entry>, width> alone;
  for (std::size_t first = 0; first < n_rows; first += width) {
    RowGroups::Group group{};
    group.n_rows = static_cast<std::uint32_t>(std::min(width, n_rows - first));
    group.first_entry = static_cast<std::uint32_t>(pattern.source_index.size());
    group.first_column = static_cast<std::uint32_t>(pattern.columns.size());
    std::array<std::size_t, width> next{}, end{};
    for (std::size_t r = 0; r < width; ++r) {
      group.rows[r] = order[r < group.n_rows ? first + r : first];
      next[r] = offsets[group.rows[r]];
      end[r] = r < group.n_rows ? offsets[group.rows[r] + 1] : next[r];
      alone[r].clear();
    }
    for (std::uint32_t column = 0; column < n_columns; ++column) {
      std::array<std::uint32_t, width> index;
      std::size_t n_have = 0;
      if (fill == Fill::where_it_pays) {  // goes to the next column that has entries
        auto nearest = static_cast<std::uint32_t>(n_columns);
        for (std::size_t r = 0; r < width; ++r)
          if (next[r] < end[r]) nearest = std::min(nearest, entries[next[r]].column);
        if ((column = nearest) == n_columns) break;
      }
      for (std::size_t r = 0; r < width; ++r) {
        const bool has = next[r] < end[r] && entries[next[r]].column == column;
        index[r] = has ? entries[next[r]++].index : RowGroups::filled;
        n_have += has;
      }
      if (fill == Fill::everywhere || n_have >= shared_from) {
        pattern.columns.push_back(column);
        pattern.source_index.insert(pattern.source_index.end(), index.begin(), index.end());
        ++group.n_shared;
      } else {
        for (std::size_t r = 0; r < width; ++r)
          if (index[r] != RowGroups::filled) alone[r].push_back({group.rows[r], column, index[r]});
      }
    }
    for (std::size_t r = 0; r < width; ++r) {
      group.n_alone[r] = static_cast<std::uint32_t>(alone[r].size());
      for (const Entry& e : alone[r]) {
        pattern.columns.push_back(e.column);
        pattern.source_index.push_back(e.index);
      }
    }
    group.any_alone = std::ranges::any_of(group.n_alone, [](auto n) { return n > 0; });
    group.single_entries =
        group.n_shared == 0 && std::ranges::all_of(group.n_alone, [](auto n) { return n == 1; });
    pattern.groups.push_back(group);
  }
  return pattern;
}

bool RowGroups::is_diagonal() const noexcept {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    if (group.n_shared > 0) return false;
    std::size_t at = group.first_column;
    for (std::size_t r = 0; r < group.n_rows; ++r) {
      if (group.rows[r] != width * g + r || group.n_alone[r] > 1) return false;
      if (group.n_alone[r] == 1 && columns[at++] != group.rows[r]) return false;
    }
  }
  return true;
}

bool RowGroups::has_whole_rows() const noexcept {
  return std::ranges::all_of(groups, [&](const Group& group) {
    for (std::size_t r = 0; r < group.n_rows; ++r)
      if (group.n_shared != n_columns && group.n_alone[r] != n_columns) return false;
    return true;
  });
}

void gather(std::span<const std::uint32_t> source_index, std::span<const float> values,
            std::span<float> packed) {
  for (std::size_t k = 0; k < source_index.size(); ++k) {
    const std::uint32_t index = source_index[k];
    packed[k] = index == RowGroups::filled ? 0.0f : values[index];
  }
}

void scatter(std::span<const std::uint32_t> source_index, std::span<const float> packed,
             std::span<float> values) {
  for (std::size_t k = 0; k < source_index.size(); ++k)
    if (source_index[k] != RowGroups::filled) values[source_index[k]] = packed[k];
}

}  // namespace lmrnn::kernels
