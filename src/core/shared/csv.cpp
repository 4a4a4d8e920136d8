#include "core/shared/csv.hpp"

#include <fmt/format.h>

#include "lmrnn/error.hpp"

namespace lmrnn {

std::string to_cell(std::string_view text, const CsvFormat&) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell + "\"";
}

std::string to_cell(double number, const CsvFormat& format) {
  if (format.fixed) return fmt::format("{:.{}f}", number, format.digits);
  return format.digits > 0 ? fmt::format("{:.{}g}", number, format.digits)
                           : fmt::format("{}", number);
}

std::string to_cell(const std::vector<double>& numbers, const CsvFormat& format) {
  std::string cell;
  for (const double number : numbers)
    cell.append(cell.empty() ? "" : ";").append(to_cell(number, format));
  return cell;
}

bool from_cell(std::string_view text, std::string& out) {
  out = text;
  return true;
}

bool from_cell(std::string_view text, bool& out) {
  out = text == "1";
  return text == "1" || text == "0";
}

bool from_cell(std::string_view text, std::vector<double>& out) {
  out.clear();
  for (const std::string_view item : list_items(text))
    if (!from_cell(item, out.emplace_back())) return false;
  return true;
}

std::vector<std::string> csv_cells(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        cells.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

std::vector<std::string_view> list_items(std::string_view cell) {
  if (cell.empty()) return {};
  return split(cell, ';');
}

void refuse_column(std::string_view where, std::string_view name, std::string_view remedy) {
  throw UsageError(where, fmt::format("column {} is missing or damaged", name), remedy);
}

}  // namespace lmrnn
