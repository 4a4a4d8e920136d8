// Tables as an SQLite file.

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/shared/atomic_write.hpp"
#include "lmrnn/error.hpp"
#include "study/collect.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";  // column names are ours or those of axes; neither contains a quote
}

class Database {
 public:
  explicit Database(const fs::path& path) : path_(path) {
    check(::sqlite3_open(path.c_str(), &database_));
  }
  ~Database() { ::sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql) {
    check(::sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  void insert(const Table& table) {
    std::string places;
    for (std::size_t i = 0; i < table.columns.size(); ++i) places += i == 0 ? "?" : ", ?";
    const std::string sql = fmt::format("insert into {} values ({})", quoted(table.name), places);
    sqlite3_stmt* raw = nullptr;
    check(::sqlite3_prepare_v2(database_, sql.c_str(), -1, &raw, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, ::sqlite3_finalize);
    for (const auto& row : table.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) bind(raw, static_cast<int>(i) + 1, row[i]);
      check(::sqlite3_step(raw));
      check(::sqlite3_reset(raw));
    }
  }

 private:
  void bind(sqlite3_stmt* statement, int place, const TableCell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell))
      check(::sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()),
                                SQLITE_TRANSIENT));
    else if (const auto* number = std::get_if<std::int64_t>(&cell))
      check(::sqlite3_bind_int64(statement, place, *number));
    else if (const auto* yes = std::get_if<bool>(&cell))
      check(::sqlite3_bind_int(statement, place, *yes));
    else if (const double x = std::get<double>(cell); std::isnan(x))
      check(::sqlite3_bind_null(statement, place));
    else
      check(::sqlite3_bind_double(statement, place, x));
  }

  void check(int status) const {
    if (status == SQLITE_OK || status == SQLITE_DONE || status == SQLITE_ROW) return;
    throw RunError(
        fmt::format("{}: cannot be written ({}); free some space or fix the "
                    "permissions",
                    path_.string(), ::sqlite3_errmsg(database_)));
  }

  fs::path path_;
  sqlite3* database_ = nullptr;
};

std::string column_type(const Table& table, std::size_t column) {
  if (table.rows.empty()) return "";
  const bool text = std::ranges::any_of(table.rows, [column](const auto& row) {
    return std::holds_alternative<std::string>(row[column]);
  });
  return text ? " text" : " numeric";
}

}  // namespace

void write_sqlite(const fs::path& path, const std::vector<Table>& tables) {
  write_atomically(path, [&](const fs::path& temporary) {
    fs::remove(temporary);  // an empty file is not a database that can be opened again
    Database database(temporary);
    database.execute("pragma journal_mode = off; begin");
    for (const Table& table : tables) {
      std::string columns;
      for (std::size_t i = 0; i < table.columns.size(); ++i)
        columns += (i == 0 ? "" : ", ") + quoted(table.columns[i]) + column_type(table, i);
      database.execute(fmt::format("create table {} ({})", quoted(table.name), columns));
      database.insert(table);
    }
    database.execute("commit");
  });
}

}  // namespace lmrnn
