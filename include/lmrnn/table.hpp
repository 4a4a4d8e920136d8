// Tables in memory, and as text.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lmrnn {

/// NaN stands for an empty cell.
using TableCell = std::variant<bool, std::int64_t, double, std::string>;

/// A table with named columns; every row has a cell for each.
struct Table {
  std::string name{};  ///< of the file, without ending
  std::vector<std::string> columns{};
  std::vector<std::vector<TableCell>> rows{};
  std::string caption{};

  void add(std::vector<TableCell> row) { rows.push_back(std::move(row)); }
};

/// How the numbers of a CSV column are written.
struct CsvFormat {
  int digits = 0;      ///< significant digits; 0: enough to read the same number back
  bool fixed = false;  ///< `digits` after the decimal point instead
};

/// Header and rows; numbers with nine digits, `true` and `false`, text in quotes where needed.
std::string to_csv(const Table& table);

/// A booktabs table with the caption, ready for \input.
std::string to_latex(const Table& table);

}  // namespace lmrnn
