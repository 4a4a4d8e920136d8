#include "study/ceilings.hpp"

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/shared/csv.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "study/hash.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

struct CeilingRow {
  std::string task;
  Ceiling ceiling;

  template <class Self, class Visitor>
  static void columns(Self& self, Visitor&& column) {
    column("task", self.task, CsvFormat{});
    column("decision_accuracy", self.ceiling.decision_accuracy.value, CsvFormat{});
    column("decision_error", self.ceiling.decision_accuracy.standard_error, CsvFormat{});
    column("trial_accuracy", self.ceiling.trial_accuracy.value, CsvFormat{});
    column("trial_error", self.ceiling.trial_accuracy.standard_error, CsvFormat{});
  }
};

fs::path path_of(const Study& study, const Battery& battery, std::span<const std::size_t> tasks,
                 Seed seed, std::string_view code) {
  // The number of simulated trials is a default in a header, and so a part of `code`.
  std::string text = fmt::format("code {}\nseeds {} {}\n{}", code, battery.seed().value, seed.value,
                                 to_toml(write_config(battery.config())));
  for (const std::size_t task : tasks) text += battery.tasks()[task].name() + "\n";
  return study.out / "ceilings" / (hash_text(text) + ".csv");
}

std::string text_of(const Battery& battery, std::span<const std::size_t> tasks,
                    std::span<const Ceiling> ceilings) {
  std::string text = csv_header<CeilingRow>() + "\n";
  for (std::size_t i = 0; i < tasks.size(); ++i)
    text += csv_line(CeilingRow{battery.tasks()[tasks[i]].name(), ceilings[i]}) + "\n";
  return text;
}

// If the file does not have the layout of `text_of`, returns nothing and it is computed again.
std::optional<std::vector<Ceiling>> kept_in(const fs::path& path, std::size_t n_tasks) {
  const std::string text = read_file(path);
  if (!text.starts_with(csv_header<CeilingRow>() + "\n")) return std::nullopt;
  std::vector<Ceiling> ceilings;
  try {
    for (const CeilingRow& row : csv_rows<CeilingRow>(text, path, "remove it"))
      ceilings.push_back(row.ceiling);
  } catch (const UsageError&) {
    return std::nullopt;
  }
  if (ceilings.size() != n_tasks) return std::nullopt;
  return ceilings;
}

}  // namespace

CeilingFunction kept_ceilings(const Study& study, std::string code) {
  return
      [&study, code = std::move(code)](const Battery& battery, std::span<const std::size_t> tasks,
                                       Seed seed, ThreadPool& pool) {
        const fs::path path = path_of(study, battery, tasks, seed, code);
        if (fs::exists(path))
          if (auto kept = kept_in(path, tasks.size())) return *std::move(kept);
        auto computed = ceilings(battery, tasks, seed, pool);
        fs::create_directories(path.parent_path());
        write_file(path, text_of(battery, tasks, computed));
        return computed;
      };
}

}  // namespace lmrnn
