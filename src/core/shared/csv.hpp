// Rows of CSV files. A row type lists its columns once,
//
//   template <class Self, class Visitor>
//   static void columns(Self& self, Visitor&& column) {
//     column("step", self.step, CsvFormat{});
//     column("loss", self.loss, CsvFormat{.digits = 9});
//   }
//
// and rows are written and read by that list. A renamed column can also be read by its former name,
// if the type has `static constexpr std::array<Renamed, n> renamed_columns`. The last columns may
// be missing from files of earlier versions if the type lists them, in their order, in
// `static constexpr std::array<std::string_view, n> added_columns`; they then keep their defaults.
// Cells are text, whole numbers, real numbers, bool (1 and 0), optional ones (empty), and lists
// ("1;2;3"). A cell of another type is converted by `to_cell` and `from_cell`, found by
// argument-dependent look-up.
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shared/text.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/table.hpp"

namespace lmrnn {

/// Text as a cell, in quotes where needed. A line break becomes a space, so that a row is one line.
std::string to_cell(std::string_view text, const CsvFormat& = {});
std::string to_cell(double number, const CsvFormat& format);
std::string to_cell(const std::vector<double>& numbers, const CsvFormat& format);
template <std::integral Integer>
std::string to_cell(Integer number, const CsvFormat&) {
  return std::to_string(number);
}
template <class T>
std::string to_cell(const std::optional<T>& value, const CsvFormat& format) {
  return value ? to_cell(*value, format) : std::string();
}

/// Reads a value from the text into `out`. Returns false if the text is no such value.
bool from_cell(std::string_view text, std::string& out);
bool from_cell(std::string_view text, bool& out);
bool from_cell(std::string_view text, std::vector<double>& out);
template <class Number>
requires(std::integral<Number> || std::floating_point<Number>) &&
    (!std::same_as<Number, bool>)bool from_cell(std::string_view text, Number& out) {
  const auto number = number_from<Number>(text);
  if (number) out = *number;
  return number.has_value();
}
template <class T>
bool from_cell(std::string_view text, std::optional<T>& out) {
  out.reset();
  return text.empty() || from_cell(text, out.emplace());
}

/// The cells of a line, without their quotes.
std::vector<std::string> csv_cells(std::string_view line);

/// The parts of a cell that holds a list; none if it is empty.
std::vector<std::string_view> list_items(std::string_view cell);

template <class Row>
constexpr std::span<const Renamed> renamed_columns_of() {
  if constexpr (requires { Row::renamed_columns; })
    return Row::renamed_columns;
  else
    return {};
}

template <class Row>
constexpr bool is_added_column(std::string_view name) {
  if constexpr (requires { Row::added_columns; })
    for (const std::string_view added : Row::added_columns)
      if (added == name) return true;
  return false;
}

/// The columns that a header lists: the present ones; those before columns were added; or the
/// latter by their former names.
enum class CsvColumns { present, before_additions, former };

/// The first line of a file of such rows.
template <class Row>
std::string csv_header(CsvColumns columns = CsvColumns::present) {
  std::string header;
  const Row row{};
  const bool former = columns == CsvColumns::former;
  Row::columns(row, [&](std::string_view name, const auto&, const CsvFormat&) {
    if (columns != CsvColumns::present && is_added_column<Row>(name)) return;
    for (const Renamed& r : renamed_columns_of<Row>())
      if (former && r.present == name) name = r.former;
    header.append(header.empty() ? "" : ",").append(name);
  });
  return header;
}

/// Number of columns of a file with this header: all of the present ones, or, from an earlier
/// version, without the last of the added ones. Nothing if it is not the header of such rows.
template <class Row>
std::optional<std::size_t> csv_columns_of(std::string_view header) {
  std::string read = csv_header<Row>(CsvColumns::before_additions);
  std::size_t n = static_cast<std::size_t>(std::ranges::count(read, ',')) + 1;
  if (read == header) return n;
  if constexpr (requires { Row::added_columns; })
    for (const std::string_view added : Row::added_columns) {
      read.append(",").append(added);
      ++n;
      if (read == header) return n;
    }
  return std::nullopt;
}

/// The first `n_columns` columns of a row as a line, without the newline.
template <class Row>
std::string csv_line(const Row& row,
                     std::size_t n_columns = std::numeric_limits<std::size_t>::max()) {
  std::string line;
  std::size_t n = 0;
  Row::columns(row, [&](std::string_view, const auto& value, const CsvFormat& format) {
    if (n < n_columns) line.append(n == 0 ? "" : ",").append(to_cell(value, format));
    ++n;
  });
  return line;
}

/// Throws UsageError: "WHERE: column NAME is missing or damaged; REMEDY".
[[noreturn]] void refuse_column(std::string_view where, std::string_view name,
                                std::string_view remedy);

/// Reads rows that may have further columns, in any order.
template <class Row>
class CsvReader {
 public:
  /// `remedy`: what messages tell the user to do about a damaged row.
  CsvReader(std::string_view header, std::string remedy)
      : names_(csv_cells(header)), remedy_(std::move(remedy)) {
    for (std::string& name : names_)
      for (const Renamed& r : renamed_columns_of<Row>())
        if (r.former == name) name = r.present;
  }

  /// Throws UsageError naming `where` and the column.
  Row read(std::string_view line, const std::string& where) const {
    const std::vector<std::string> cells = csv_cells(line);
    Row row{};
    Row::columns(row, [&](std::string_view name, auto& value, const CsvFormat&) {
      std::size_t i = 0;
      while (i < names_.size() && names_[i] != name) ++i;
      if (i == names_.size() && is_added_column<Row>(name)) return;
      if (i >= names_.size() || i >= cells.size() || !from_cell(cells[i], value))
        refuse_column(where, name, remedy_);
    });
    return row;
  }

 private:
  std::vector<std::string> names_;
  std::string remedy_;
};

/// All complete rows of a file's text; `path` stands for the file in messages.
template <class Row>
std::vector<Row> csv_rows(std::string_view text, const std::filesystem::path& path,
                          std::string_view remedy) {
  std::vector<Row> rows;
  const auto lines = complete_lines(text);
  if (lines.empty()) return rows;
  const CsvReader<Row> reader(lines[0], std::string(remedy));
  for (std::size_t i = 1; i < lines.size(); ++i)
    rows.push_back(reader.read(lines[i], path.string() + ":" + std::to_string(i + 1)));
  return rows;
}

}  // namespace lmrnn
