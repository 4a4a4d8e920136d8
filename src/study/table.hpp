// Where tables are written to besides CSV.
#pragma once

#include <filesystem>
#include <vector>

#include "lmrnn/table.hpp"

namespace lmrnn {

/// Writes an SQLite file with these tables, as a whole or not at all. Throws RunError.
void write_sqlite(const std::filesystem::path& path, const std::vector<Table>& tables);

}  // namespace lmrnn
