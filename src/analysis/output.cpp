// The output of an analysis: tables, recordings, headline numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

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

std::string provenance_json(const AnalysisOrigin& origin, const std::vector<std::string>& files) {
  const BuildInfo build = build_info();
  nlohmann::ordered_json json{{"analysis", std::string(origin.analysis)}};
  if (origin.step) json["step"] = *origin.step;
  json["control"] = std::string(to_name(origin.control));
  json["seed"] = origin.seed.value;
  json["version"] = build.version;
  json["commit"] = build.commit;
  json["files"] = files;
  return json.dump(2);
}

// Turns `fs` errors into RunError, like those of write_file.
void write_all(const fs::path& directory, const AnalysisResult& result, const ConfigTable& options,
               const AnalysisOrigin& origin, bool latex) {
  std::vector<std::string> files{"options.toml", "provenance.json", "summary.json"};
  const auto place_of = [&](const std::string& name) {
    return directory / files.emplace_back(name);
  };
  for (const Table& table : result.tables) {
    write_file(place_of(table.name + ".csv"), to_csv(table));
    if (latex) write_file(place_of(table.name + ".tex"), to_latex(table));
  }
  for (const Recording& recording : result.recordings)
    write_hdf5(place_of(recording.name + ".h5"), recording.file, recording.dimensions);
  write_file(directory / "options.toml", to_toml(options));
  write_file(directory / "provenance.json", provenance_json(origin, files) + "\n");
  write_file(directory / "summary.json", summary_json(result) + "\n");
}

nlohmann::json provenance_of(const fs::path& directory) {
  const fs::path file = directory / "provenance.json";
  if (!fs::exists(file)) return nlohmann::json::object();
  auto json = nlohmann::json::parse(read_file(file), nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

/// Moves what an analysis did not write, e.g. figures of it, from its old directory to the new one.
void keep_other_files(const fs::path& old, const fs::path& fresh) {
  const nlohmann::json provenance = provenance_of(old);
  const auto found = provenance.find("files");
  const auto is_ours = [&](const fs::path& file) {
    const std::string name = file.filename().string(), ending = file.extension().string();
    if (found != provenance.end())
      return std::ranges::find(*found, nlohmann::json(name)) != found->end();
    // Earlier versions did not list their files.
    return ending == ".csv" || ending == ".tex" || ending == ".h5" || name == "options.toml" ||
           name == "summary.json";
  };
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(old))
    if (!is_ours(entry.path()) && !fs::exists(fresh / entry.path().filename()))
      others.push_back(entry.path());
  for (const fs::path& file : others) fs::rename(file, fresh / file.filename());
}

/// Without a slash at the end, and where a symbolic link leads to, so that it can be replaced.
fs::path place_of_analysis(fs::path directory) {
  while (!directory.has_filename() && directory.has_relative_path())
    directory = directory.parent_path();
  std::error_code error;
  return fs::is_symlink(directory, error) ? fs::weakly_canonical(directory) : directory;
}

}  // namespace

void require_place_for_analysis(const fs::path& given, std::string_view name) {
  const fs::path directory = place_of_analysis(given);
  std::error_code error;
  if (directory.filename() == "analysis" && fs::exists(directory.parent_path() / "provenance.json"))
    throw UsageError(fmt::format("{}: is where the analyses of a run are; give a folder within it",
                                 directory.string()));
  const fs::file_status status = fs::status(directory, error);
  if (!fs::exists(status)) return;
  if (fs::equivalent(directory, fs::current_path(error), error))
    throw UsageError(
        fmt::format("{}: is the working directory; give a folder within it", given.string()));
  if (!fs::is_directory(status))
    throw UsageError(
        fmt::format("{}: is a file; an analysis is written to a folder: choose another "
                    "place for it",
                    directory.string()));
  if (fs::is_empty(directory, error)) return;
  if (!fs::exists(directory / "summary.json") || !fs::exists(directory / "options.toml"))
    throw UsageError(
        fmt::format("{}: holds other files; an analysis replaces only an earlier "
                    "analysis: choose another place for it",
                    directory.string()));
  const nlohmann::json provenance = provenance_of(directory);
  const auto found = provenance.find("analysis");
  const std::string before = found != provenance.end() && found->is_string()
                                 ? found->get<std::string>()
                                 : std::string(name);  // earlier versions did not record it
  if (before != name)
    throw UsageError(
        fmt::format("{}: holds the analysis \"{}\", which \"{}\" would replace; choose "
                    "another place for it",
                    directory.string(), before, name));
}

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

void write_analysis(const fs::path& given, const AnalysisResult& result, const ConfigTable& options,
                    const AnalysisOrigin& origin, bool latex) {
  require_place_for_analysis(given, origin.analysis);
  const fs::path directory = place_of_analysis(given);
  const std::string suffix = temporary_suffix();
  const fs::path fresh = directory.string() + suffix, old = directory.string() + ".old" + suffix;
  try {
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    write_all(fresh, result, options, origin, latex);
    if (fs::exists(directory)) fs::rename(directory, old);
    fs::rename(fresh, directory);
    // Last, so that what can still go wrong leaves the other files in one of the two places.
    if (fs::exists(old)) keep_other_files(old, directory);
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
