#include "study/ceilings.hpp"

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/files.hpp"
#include "study/hash.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view header =
    "task,decision_accuracy,decision_error,trial_accuracy,trial_error";

fs::path path_of(const Study& study, const Battery& battery, std::span<const std::size_t> tasks,
                 Seed seed, std::string_view code) {
  // The number of simulated trials is a default in a header, and so a part of `code`.
  std::string text = fmt::format("code {}\nseeds {} {}\n{}", code, battery.seed().value, seed.value,
                                 to_toml(write_config(battery.config())));
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

// Nothing if the file is not what `to_csv` writes: it is then made anew.
std::optional<std::vector<Ceiling>> from_csv(std::string_view text, std::size_t n) {
  const auto lines = complete_lines(text);
  if (lines.size() != n + 1 || lines[0] != header) return std::nullopt;
  std::vector<Ceiling> ceilings;
  for (const std::string_view line : std::span(lines).subspan(1)) {
    std::vector<double> numbers;
    const auto cells = split(line, ',');
    for (const std::string_view cell : std::span(cells).subspan(1))
      if (const auto number = number_from<double>(cell)) numbers.push_back(*number);
    if (cells.size() != 5 || numbers.size() != 4) return std::nullopt;
    ceilings.push_back({{numbers[0], numbers[1]}, {numbers[2], numbers[3]}});
  }
  return ceilings;
}

}  // namespace

CeilingsOf kept_ceilings(const Study& study, std::string code) {
  return
      [&study, code = std::move(code)](const Battery& battery, std::span<const std::size_t> tasks,
                                       Seed seed, ThreadPool& pool) {
        const fs::path path = path_of(study, battery, tasks, seed, code);
        if (fs::exists(path))
          if (auto kept = from_csv(read_file(path), tasks.size())) return *std::move(kept);
        auto computed = ceilings(battery, tasks, seed, pool);
        fs::create_directories(path.parent_path());
        write_file(path, to_csv(battery, tasks, computed));
        return computed;
      };
}

}  // namespace lmrnn
