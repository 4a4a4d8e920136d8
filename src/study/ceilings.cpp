#include "study/ceilings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "lmrnn/config.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/version.hpp"
#include "study/hash.hpp"
#include "train/csv.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view header =
    "task,decision_accuracy,decision_error,trial_accuracy,trial_error";
constexpr std::size_t n_columns = 5;

fs::path path_of(const Study& study, const Battery& battery, std::span<const std::size_t> tasks,
                 Seed seed) {
  std::string text =
      fmt::format("lmrnn {}\nseeds {} {}\n{}", build_info().version, battery.seed().value,
                  seed.value, to_toml(write_config(battery.config())));
  for (const std::size_t task : tasks) text += battery.tasks()[task].name() + "\n";
  return study.out / "ceilings" / (hash_text(text) + ".csv");
}

// fmt's "{}" and from_chars give every double back as it was.
std::string to_csv(const Battery& battery, std::span<const std::size_t> tasks,
                   std::span<const Ceiling> ceilings) {
  std::string out = fmt::format("{}\n", header);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& [decision, trial] = ceilings[i];
    out += fmt::format("{},{},{},{},{}\n", battery.tasks()[tasks[i]].name(), decision.value,
                       decision.standard_error, trial.value, trial.standard_error);
  }
  return out;
}

bool parse(const std::string& text, double& out) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && last == end;
}

// Nothing if the file is not what `to_csv` writes: it is then made anew.
std::optional<std::vector<Ceiling>> from_csv(std::string_view text, std::size_t n) {
  std::vector<Ceiling> ceilings;
  bool first = true;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string_view::npos;
       begin = end + 1) {
    const std::string_view line = text.substr(begin, end - begin);
    if (first && line != header) return std::nullopt;
    if (!first) {
      const auto cells = split_row(line);
      auto& [decision, trial] = ceilings.emplace_back();
      if (cells.size() != n_columns || !parse(cells[1], decision.value) ||
          !parse(cells[2], decision.standard_error) || !parse(cells[3], trial.value) ||
          !parse(cells[4], trial.standard_error))
        return std::nullopt;
    }
    first = false;
  }
  if (ceilings.size() != n) return std::nullopt;
  return ceilings;
}

}  // namespace

CeilingsOf kept_ceilings(const Study& study) {
  return [&study](const Battery& battery, std::span<const std::size_t> tasks, Seed seed,
                  ThreadPool& pool) {
    const fs::path path = path_of(study, battery, tasks, seed);
    if (fs::exists(path))
      if (auto kept = from_csv(read_file(path), tasks.size())) return *std::move(kept);
    auto computed = ceilings(battery, tasks, seed, pool);
    fs::create_directories(path.parent_path());
    write_file(path, to_csv(battery, tasks, computed));
    return computed;
  };
}

}  // namespace lmrnn
