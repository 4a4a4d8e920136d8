// What an analysis leaves behind: tables, recordings, headline numbers.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

std::string number_text(double x) {
  return std::isfinite(x) ? fmt::format("{:.9g}", x) : std::string();
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string csv_text(const Cell& cell) {
  if (const bool* b = std::get_if<bool>(&cell)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&cell)) return std::to_string(*i);
  if (const double* d = std::get_if<double>(&cell)) return number_text(*d);
  return quoted(std::get<std::string>(cell));
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

std::string latex_text(const Cell& cell) {
  if (const bool* b = std::get_if<bool>(&cell)) return *b ? "yes" : "no";
  if (const double* d = std::get_if<double>(&cell))
    return std::isfinite(*d) ? fmt::format("{:.4g}", *d) : "--";
  return escaped(csv_text(cell));
}

nlohmann::ordered_json to_json(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>)
          if (!std::isfinite(value)) return nullptr;
        return value;
      },
      cell);
}

// `fs` errors become RunError, like those of write_file.
void write_all(const fs::path& directory, const AnalysisResult& result, const ConfigTable& options,
               bool latex) {
  for (const Table& table : result.tables) {
    write_file(directory / (table.name + ".csv"), to_csv(table));
    if (latex) write_file(directory / (table.name + ".tex"), to_latex(table));
  }
  for (const Recording& recording : result.recordings)
    write_hdf5(directory / (recording.name + ".h5"), recording.file, recording.dimensions);
  write_file(directory / "options.toml", to_toml(options));
  write_file(directory / "summary.json", summary_json(result) + "\n");
}

}  // namespace

const Table& AnalysisResult::table(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &Table::name);
  if (found == tables.end())
    throw UsageError(fmt::format("the analysis has no table \"{}\"", name));
  return *found;
}

std::string to_csv(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    text += (c ? "," : "") + quoted(table.columns[c]);
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

std::string summary_json(const AnalysisResult& result) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, cell] : result.summary) json[key] = to_json(cell);
  return json.dump(2);
}

void write_analysis(const fs::path& directory, const AnalysisResult& result,
                    const ConfigTable& options, bool latex) {
  const std::string suffix = fmt::format(".tmp-{}", ::getpid());
  const fs::path fresh = directory.string() + suffix, old = directory.string() + ".old" + suffix;
  try {
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    write_all(fresh, result, options, latex);
    if (fs::exists(directory)) fs::rename(directory, old);
    fs::rename(fresh, directory);
    fs::remove_all(old);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    if (!fs::exists(directory) && fs::exists(old)) fs::rename(old, directory, ignored);
    try {
      throw;
    } catch (const fs::filesystem_error& error) {
      throw RunError(fmt::format("{}: cannot be written ({}); choose another place with --out",
                                 directory.string(), error.code().message()));
    }
  }
}

}  // namespace lmrnn
