// The output of an analysis: tables, recordings, headline numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/shared/atomic_write.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/version.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

nlohmann::ordered_json to_json(const TableCell& cell) {
  return std::visit(
      [](const auto& value) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>)
          if (!std::isfinite(value)) return nullptr;
        return value;
      },
      cell);
}

std::string provenance_json(const AnalysisOrigin& origin) {
  const BuildInfo build = build_info();
  nlohmann::ordered_json json{{"analysis", std::string(origin.analysis)}};
  if (origin.step) json["step"] = *origin.step;
  json["control"] = std::string(to_name(origin.control));
  json["seed"] = origin.seed.value;
  json["version"] = build.version;
  json["commit"] = build.commit;
  return json.dump(2);
}

// Turns `fs` errors into RunError, like those of write_file.
void write_all(const fs::path& directory, const AnalysisResult& result, const ConfigTable& options,
               const AnalysisOrigin& origin, bool latex) {
  for (const Table& table : result.tables) {
    write_file(directory / (table.name + ".csv"), to_csv(table));
    if (latex) write_file(directory / (table.name + ".tex"), to_latex(table));
  }
  for (const Recording& recording : result.recordings)
    write_hdf5(directory / (recording.name + ".h5"), recording.file, recording.dimensions);
  write_file(directory / "options.toml", to_toml(options));
  write_file(directory / "provenance.json", provenance_json(origin) + "\n");
  write_file(directory / "summary.json", summary_json(result) + "\n");
}

}  // namespace

const Table& AnalysisResult::table(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &Table::name);
  if (found == tables.end())
    throw UsageError(fmt::format("the analysis has no table \"{}\"", name));
  return *found;
}

std::string summary_json(const AnalysisResult& result) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, cell] : result.summary) json[key] = to_json(cell);
  return json.dump(2);
}

void write_analysis(const fs::path& directory, const AnalysisResult& result,
                    const ConfigTable& options, const AnalysisOrigin& origin, bool latex) {
  const std::string suffix = temporary_suffix();
  const fs::path fresh = directory.string() + suffix, old = directory.string() + ".old" + suffix;
  try {
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    write_all(fresh, result, options, origin, latex);
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
