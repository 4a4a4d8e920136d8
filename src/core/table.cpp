#include "lmrnn/table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "core/shared/csv.hpp"

namespace lmrnn {
namespace {

std::string csv_text(const TableCell& cell) {
  if (const bool* b = std::get_if<bool>(&cell)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&cell)) return std::to_string(*i);
  if (const double* d = std::get_if<double>(&cell))
    return std::isnan(*d) ? "" : to_cell(*d, {.digits = 9});
  return to_cell(std::get<std::string>(cell));
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) result += '\\';
    if (c == '\\' || c == '~' || c == '^' || c == '<' || c == '>') {
      result += c == '<'   ? "$<$"
                : c == '>' ? "$>$"
                : c == '^' ? "\\^{}"
                : c == '~' ? "\\~{}"
                           : "\\textbackslash{}";
      continue;
    }
    result += c;
  }
  return result;
}

std::string latex_text(const TableCell& cell) {
  if (const bool* b = std::get_if<bool>(&cell)) return *b ? "yes" : "no";
  if (const double* d = std::get_if<double>(&cell))
    return std::isfinite(*d) ? fmt::format("{:.4g}", *d) : "--";
  if (const auto* s = std::get_if<std::string>(&cell)) return escaped(*s);
  return csv_text(cell);
}

}  // namespace

std::string to_csv(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    text += (c ? "," : "") + to_cell(table.columns[c]);
  text += '\n';
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) text += (c ? "," : "") + csv_text(row[c]);
    text += '\n';
  }
  return text;
}

std::string to_latex(const Table& table) {
  std::string format;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const bool is_text =
        !table.rows.empty() && std::holds_alternative<std::string>(table.rows.front()[c]);
    format += is_text ? 'l' : 'r';
  }
  std::string text = "\\begin{table}\n\\caption{" + escaped(table.caption) +
                     "}\n\\begin{tabular}{" + format + "}\n\\toprule\n";
  const auto line = [&](const auto& cells, auto convert) {
    std::string joined;
    for (std::size_t c = 0; c < cells.size(); ++c) joined += (c ? " & " : "") + convert(cells[c]);
    return joined + " \\\\\n";
  };
  text += line(table.columns, escaped) + "\\midrule\n";
  for (const auto& row : table.rows) text += line(row, latex_text);
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

}  // namespace lmrnn
