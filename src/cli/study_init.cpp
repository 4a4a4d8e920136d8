// lmrnn study init: a study file to start from.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/run.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;

struct InitOptions {
  std::string file = "study.toml", config;
};

// Two wirings with the same degrees and six seeds: with fewer, a paired test cannot reach 0.05.
constexpr const char* text = R"(# A study: many runs that answer one question.
#
#   lmrnn study plan {0}      lists the runs
#   lmrnn study run {0}       carries them out; again after an interruption
#   lmrnn study collect {0}   writes the tables
#   lmrnn report {1}

# Write both down before the first run; they are kept with the results.
claim = "networks with local wiring learn faster than random ones of the same degrees"
support = "the interval of local - random in area lies above 0; refuted if it lies below 0"
seeds = [1, 2, 3, 4, 5, 6]

# What all runs have in common: any keys of a configuration (lmrnn train --list-keys).
[config]
{2}
# An axis is a question; every combination of levels is trained once per seed.
[axis.network.local]
wiring.kind = "local"
[axis.network.random]
wiring.kind = "random"

# Every network gets the learning rate that suits it, found on seeds of its own.
[tuning]
values = [1e-3, 3e-3, 1e-2]
seeds = [101]

[[contrast]]
axis = "network"
a = "local"
b = "random"
measure = "area"
supported_above = 0
refuted_below = 0

[statistics]
seed = 1
)";

constexpr const char* own_config = R"(battery.tasks = "go,dlygo,dm1,dms"
wiring = { rows = 8, cols = 8, radius = 2 }
stream = { steps = 100, batch = 32 }
train.steps = 500
evaluation = { every = 50, trials = 200 }
)";

// Makes a relative path of `table` relative to `folder`, where a study looks for its files. `path`:
// the same file, seen from here.
void set_path(ConfigTable& table, std::string_view key, const fs::path& path,
              const fs::path& folder) {
  std::error_code error;
  const ConfigValue* value = find_key(table, key);
  const auto* text = value ? std::get_if<std::string>(&value->value) : nullptr;
  // "zoo:NAME" is no file.
  if (!text || fs::path(*text).is_absolute() || !fs::exists(path, error)) return;
  assign_key(table, key, {fs::proximate(fs::absolute(path), folder).string(), {}});
}

ConfigTable read_config_for(const InitOptions& options) {
  ConfigTable table = read_toml(options.config), of_a_run = table;
  assign_key(of_a_run, "seed", {std::int64_t{0}, {}});
  const RunConfig config = resolve_config(of_a_run);
  const fs::path folder = fs::absolute(options.file).parent_path();
  for (const InputPath& input : input_paths(config))
    set_path(table, input.key, input.key == "init_from" ? fs::path(config.init_from) : input.path,
             folder);
  return table;
}

std::string config_of(const InitOptions& options) {
  if (options.config.empty()) return own_config;
  std::string lines;
  const ConfigTable table = read_config_for(options);
  for (const auto& [key, value] : table) {
    if (key == "seed") continue;  // the study sets the seeds
    const auto* section = std::get_if<ConfigTable>(&value.value);
    if (section == nullptr) lines += to_toml({{key, value}});
  }
  for (const auto& [key, value] : table)
    if (const auto* section = std::get_if<ConfigTable>(&value.value))
      for (const auto& [name, item] : *section) {
        if (key == "wiring" && name == "kind") {  // the axis sets it
          if (const auto* kind = std::get_if<std::string>(&item.value);
              kind && *kind != "local" && *kind != "random")
            warn(
                fmt::format("{}: wiring.kind = \"{}\" is not copied, since the study compares "
                            "local and random wirings; add it as a level of the axis",
                            options.config, *kind));
          continue;
        }
        std::string line = to_toml({{"x", item}});
        // An inner table would be written on several lines, which cannot follow a dotted key.
        if (!line.starts_with("x = "))
          throw UsageError(
              fmt::format("{}: [{}.{}] is a table within a table, which --config cannot copy; "
                          "leave --config out and copy the keys by hand",
                          options.config, key, name));
        lines += fmt::format("{}.{} = {}", key, name, line.substr(4));
      }
  return lines;
}

void run_init(const InitOptions& options) {
  const fs::path path = options.file;
  if (path.extension() != ".toml")
    throw UsageError(fmt::format("lmrnn study init: {} does not end in .toml", options.file));
  if (fs::exists(path))
    throw UsageError(
        fmt::format("{}: exists already; give another name, or delete it first", options.file));
  const std::string config = config_of(options), name = shell_word(options.file);
  write_file(path, fmt::format(fmt::runtime(text), name, shell_word("runs/" + path.stem().string()),
                               config));
  fmt::print("{}\n", options.file);
  fmt::print(stderr, "next: edit it, then lmrnn study plan {}\n", name);
}

}  // namespace

void add_study_init(CLI::App& study) {
  const auto options = std::make_shared<InitOptions>();
  CLI::App* verb = add_verb(study, "init", "write a study file to start from",
                            "lmrnn study init studies/mine.toml\n"
                            "lmrnn study init mine.toml --config studies/quickstart.toml",
                            [options] { run_init(*options); });
  verb->add_option("study", options->file, "the file to write")
      ->type_name("STUDY.toml")
      ->capture_default_str();
  verb->add_option("--config", options->config, "configuration that all runs share")
      ->type_name("CONFIG.toml");
}

}  // namespace lmrnn::cli
