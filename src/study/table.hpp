// Tables in memory, and where they are written to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace lmrnn {

/// NaN is an empty cell.
using TableCell = std::variant<std::string, std::int64_t, double>;

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<TableCell>> rows;
};

std::string to_csv(const Table& table);

/// Writes an SQLite file with these tables, as a whole or not at all. Throws RunError.
void write_sqlite(const std::filesystem::path& path, const std::vector<Table>& tables);

}  // namespace lmrnn
