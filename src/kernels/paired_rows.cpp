#include "kernels/paired_rows.hpp"

#include <algorithm>
#include <tuple>

namespace lmrnn::kernels {

PairedRows pair_rows(std::size_t n_rows, std::size_t n_columns, std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::tuple(e.row, e.column); });
  PairedRows pattern;
  pattern.n_rows = n_rows;
  pattern.n_columns = n_columns;
  pattern.columns.reserve(entries.size());
  pattern.source_index.reserve(entries.size());

  std::vector<Entry> shared_first, shared_second, only_first, only_second;
  auto next = entries.begin();
  for (std::uint32_t row = 0; row < n_rows; row += 2) {
    const auto second =
        std::find_if(next, entries.end(), [&](const Entry& e) { return e.row > row; });
    const auto end =
        std::find_if(second, entries.end(), [&](const Entry& e) { return e.row > row + 1; });
    for (auto* list : {&shared_first, &shared_second, &only_first, &only_second}) list->clear();
    auto a = next, b = second;
    while (a != second || b != end) {
      if (b == end || (a != second && a->column < b->column)) {
        only_first.push_back(*a++);
      } else if (a == second || b->column < a->column) {
        only_second.push_back(*b++);
      } else {
        shared_first.push_back(*a++);
        shared_second.push_back(*b++);
      }
    }
    pattern.pairs.push_back({static_cast<std::uint32_t>(shared_first.size()),
                             static_cast<std::uint32_t>(only_first.size()),
                             static_cast<std::uint32_t>(only_second.size()),
                             static_cast<std::uint32_t>(pattern.source_index.size()),
                             static_cast<std::uint32_t>(pattern.columns.size())});
    for (const auto* list : {&shared_first, &shared_second, &only_first, &only_second})
      for (const Entry& e : *list) pattern.source_index.push_back(e.index);
    for (const auto* list : {&shared_first, &only_first, &only_second})
      for (const Entry& e : *list) pattern.columns.push_back(e.column);
    next = end;
  }
  return pattern;
}

void gather(const PairedRows& pattern, std::span<const float> values, std::span<float> packed) {
  for (std::size_t k = 0; k < pattern.n_entries(); ++k) packed[k] = values[pattern.source_index[k]];
}

void scatter(const PairedRows& pattern, std::span<const float> packed, std::span<float> values) {
  for (std::size_t k = 0; k < pattern.n_entries(); ++k) values[pattern.source_index[k]] = packed[k];
}

}  // namespace lmrnn::kernels
