// Analyses: what a trained network does, and how.
//
// An analysis takes a network with the battery that it was trained on, and returns tables, arrays
// and headline numbers. It never trains. All analyses are rows of one catalogue; the command line,
// the documentation and the generic tests iterate over it. docs/concepts/analysis.md describes each
// analysis and cites its source.
//
// The same network, options and seed give the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/table.hpp"
#include "lmrnn/tasks.hpp"
#include "lmrnn/threads.hpp"

namespace lmrnn {

/// A network to be analysed, and what it was trained on.
struct Subject {
  Network network;
  TrainedOn trained;
  Battery battery;
  std::optional<std::int64_t> step{};  ///< of its training; nothing if its file does not say
};

/// Makes a subject from a network file that says what it was trained on. `path` stands for the file
/// in messages. Throws UsageError.
Subject make_subject(LoadedNetwork loaded, const std::filesystem::path& path);

/// Control subjects: an analysis should give another result for them than for a trained network.
enum class Control {
  none,
  shuffled_weights,  ///< recurrent weights permuted among the existing synapses; autapses only with
                     ///< autapses
};
constexpr std::array<std::pair<std::string_view, Control>, 2> enum_names(Control) {
  return {{{"none", Control::none}, {"shuffled-weights", Control::shuffled_weights}}};
}
/// `number` selects one of many permutations. Each is a function of (seed, number), and independent
/// of those of other seeds.
Subject make_control(const Subject& subject, Control control, Seed seed, std::uint32_t number = 0);

// What comes out ---------------------------------------------------------------------------------

/// An HDF5 file with named dimensions, e.g. {"states", {"time", "unit", "trial"}}.
struct Recording {
  std::string name{};  ///< of the file, without ending
  ArrayFile file{};
  std::map<std::string, std::vector<std::string>> dimensions{};

  /// Appends an array. Give one name per dimension.
  template <class T>
  void add(std::string array, std::span<const T> values, std::vector<std::size_t> shape,
           std::vector<std::string> dimension_names) {
    dimensions[array] = std::move(dimension_names);
    file.arrays.emplace_back(std::move(array), ArrayData::of<T>(values, std::move(shape)));
  }
};

struct AnalysisResult {
  std::vector<std::pair<std::string, TableCell>> summary{};  ///< headline numbers, in order
  std::vector<Table> tables{};
  std::vector<Recording> recordings{};

  void headline(std::string key, TableCell value) { summary.emplace_back(std::move(key), value); }
  /// Throws UsageError if no table has that name.
  const Table& table(std::string_view name) const;
};

/// The summary as JSON text: an object with the headlines; NaN becomes null.
std::string summary_json(const AnalysisResult& result);

// Running ----------------------------------------------------------------------------------------

/// What an analysis needs from its caller.
struct AnalysisContext {
  ThreadPool& pool;
  Seed seed;  ///< of trials and of random controls
  std::function<void(std::size_t done, std::size_t total, std::string_view what)> progress = {};
  std::function<bool()> stop_requested = {};
  /// Loads another network that an option names (a run directory or a file).
  std::function<Subject(const std::filesystem::path&)> load = {};
  /// The same network before training, if it is known.
  std::function<std::optional<Subject>()> untrained = {};
};

/// The analysis was stopped by `stop_requested`. Nothing has been written.
class Interrupted : public RunError {
 public:
  using RunError::RunError;
};

/// A row of the catalogue.
struct AnalysisEntry {
  std::string_view name;
  std::string_view meaning;
  std::vector<FieldDoc> (*document)();
  /// Throws UsageError for options that are unknown or impossible for this subject.
  AnalysisResult (*run)(const Subject& subject, const ConfigTable& options,
                        const AnalysisContext& context);
  /// The options with their defaults filled in, as they are written next to the results.
  ConfigTable (*resolve)(const ConfigTable& options);
};

std::span<const AnalysisEntry> analyses() noexcept;

/// Throws UsageError, with the nearest name, if there is none.
const AnalysisEntry& find_analysis(std::string_view name);

/// What an analysis was made from. Written with it, so that nobody takes the analysis of an
/// unfinished run for that of the finished one.
struct AnalysisOrigin {
  std::string_view analysis{};
  std::optional<std::int64_t> step{};  ///< of the subject
  Control control = Control::none;
  Seed seed{};
};

/// Throws UsageError unless an analysis of this name may be written to `directory`: it does not
/// exist, is empty, or holds an earlier analysis of the same name. Ask before the analysis is made.
void require_place_for_analysis(const std::filesystem::path& directory, std::string_view name);

/// Writes tables (CSV; also LaTeX if asked for), recordings (HDF5), summary.json, options.toml and
/// provenance.json (the origin, and the version of lmrnn) into a directory. The directory appears
/// under its name only when it is complete. It replaces an earlier analysis; other files that lie
/// beside that one, such as figures, stay. Throws RunError, and UsageError as
/// require_place_for_analysis.
void write_analysis(const std::filesystem::path& directory, const AnalysisResult& result,
                    const ConfigTable& options, const AnalysisOrigin& origin, bool latex);

}  // namespace lmrnn
