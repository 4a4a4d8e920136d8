#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <regex>
#include <set>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/study.hpp"
#include "study/contrast.hpp"
#include "study/grid.hpp"
#include "study/keys.hpp"
#include "study/summary.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw UsageError(file + ": " + what);
}

bool has_twice(const auto& values) {
  return std::set(values.begin(), values.end()).size() != values.size();
}

void check_tuning(const std::string& file, const StudyConfig& config) {
  const TuningConfig& tuning = config.tuning;
  if (tuning.values.empty()) return;
  if (tuning.values.size() < 3)
    refuse(file, "tuning.values needs at least three values, or the best cannot lie inside");
  if (!std::ranges::is_sorted(tuning.values) ||
      std::ranges::adjacent_find(tuning.values) != tuning.values.end())
    refuse(file, "tuning.values must ascend, each value once");
  if (tuning.values.front() <= 0 || std::isinf(tuning.values.back()))
    refuse(file, "tuning.values must be finite and above 0: the grid grows by ratios");
  if (tuning.seeds.empty()) refuse(file, "tuning.seeds is empty; give at least one seed");
  if (has_twice(tuning.seeds)) refuse(file, "tuning.seeds holds a seed twice");
  if (has_twice(tuning.final_seeds)) refuse(file, "tuning.final_seeds holds a seed twice");
  if ((tuning.finalists > 0) != !tuning.final_seeds.empty())
    refuse(file, tuning.finalists > 0
                     ? "tuning.finalists needs tuning.final_seeds; give at least one seed"
                     : "tuning.final_seeds needs tuning.finalists; write tuning.finalists = 2");
  if (tuning.key == "seed" || find_key(tuning.set.table, "seed"))
    refuse(file, "[tuning] cannot set seed; write tuning.seeds = [...]");
  for (const auto& seeds : {tuning.seeds, tuning.final_seeds})
    for (const std::int64_t seed : seeds)
      if (std::ranges::find(config.seeds, seed) != config.seeds.end())
        refuse(file,
               fmt::format("seed {} is both a tuning seed and a reporting seed; what is tuned "
                           "on a seed must not be reported on it",
                           seed));
}

// Limits that contradict each other would let the order of the rules decide the verdict.
void check_criterion(const std::string& file, const ContrastConfig& c) {
  const std::string where = fmt::format("contrast {}, {}: ", c.a, c.b);
  const bool is_ratio = scale_of(c) == ContrastScale::ratio;
  const std::pair<const char*, std::optional<double>> limits[] = {
      {"supported_below", c.supported_below},
      {"supported_above", c.supported_above},
      {"refuted_below", c.refuted_below},
      {"refuted_above", c.refuted_above}};
  for (const auto& [name, limit] : limits)
    if (limit && (!std::isfinite(*limit) || (is_ratio && *limit <= 0)))
      refuse(file,
             fmt::format("{}{} = {} must be finite{}; give another limit", where, name, *limit,
                         is_ratio ? " and above 0, since the contrast is a ratio" : ""));
  if (!c.refuted_within.empty() &&
      (c.refuted_within.size() != 2 || !(c.refuted_within[0] < c.refuted_within[1])))
    refuse(file, where + "refuted_within needs two numbers that ascend, e.g. [0.8, 1.25]");
  const auto overlap = [&](std::optional<double> below, std::optional<double> above,
                           const char* names) {
    if (below && above && *below > *above)
      refuse(file, fmt::format("{}{} overlap ({} is above {}), so that one interval would be both; "
                               "move one of them",
                               where, names, *below, *above));
  };
  overlap(c.supported_below, c.refuted_above, "supported_below and refuted_above");
  overlap(c.refuted_below, c.supported_above, "refuted_below and supported_above");
  if (c.supported_below && c.refuted_below)
    refuse(file,
           where + "supported_below and refuted_below overlap; a low value is one or the other");
  if (c.supported_above && c.refuted_above)
    refuse(file,
           where + "supported_above and refuted_above overlap; a high value is one or the other");
  if (c.refuted_within.size() == 2) {
    overlap(c.supported_below, c.refuted_within[0], "supported_below and refuted_within");
    overlap(c.refuted_within[1], c.supported_above, "refuted_within and supported_above");
  }
}

void check_measures(const std::string& file, const StudyConfig& config) {
  const std::vector<std::string> known = measure_names(config.statistics.marks);
  const auto check = [&](const std::string& where, const std::string& name) {
    if (std::ranges::find(known, name) != known.end()) return;
    const std::string all = fmt::format("; there are: {}", fmt::join(known, ", "));
    refuse(file, fmt::format("{}.measure = \"{}\" is not a measure{}", where, name,
                             did_you_mean(name, known, all)));
  };
  if (!config.tuning.values.empty()) check("tuning", config.tuning.measure);
  for (const ContrastConfig& c : config.contrasts) {
    check("contrast", c.measure);
    check_criterion(file, c);
  }
  for (const BestConfig& b : config.best) {
    check("best", b.measure);
    check("best", b.position);
  }
}

/// Seconds of a time limit as sbatch takes it: minutes, minutes:seconds, hours:minutes:seconds, or
/// days before a "-" and then hours[:minutes[:seconds]]. Nothing if there is no limit.
std::optional<std::int64_t> seconds_of_limit(const std::string& file, const std::string& text) {
  if (text == "UNLIMITED" || text == "INFINITE") return std::nullopt;
  static const std::regex form(R"((?:(\d{1,6})-)?(\d{1,9})(?::(\d{1,6}))?(?::(\d{1,6}))?)");
  std::smatch part;
  if (!std::regex_match(text, part, form))
    refuse(file,
           fmt::format("slurm.time = \"{}\" is no time limit; write \"hours:minutes:seconds\" or "
                       "\"days-hours\", e.g. \"04:00:00\"",
                       text));
  const auto number = [&](std::size_t i) {
    return part[i].matched ? std::stoll(part[i].str()) : std::int64_t{0};
  };
  const bool from_hours = part[1].matched || part[4].matched;
  const std::int64_t seconds =
      from_hours ? 86400 * number(1) + 3600 * number(2) + 60 * number(3) + number(4)
                 : 60 * number(2) + number(3);
  if (seconds == 0) return std::nullopt;  // so says Slurm, too
  return seconds;
}

/// Refuses what sbatch would refuse, or read as something else, before any script is written.
void check_slurm_words(const std::string& file, const SlurmConfig& slurm) {
  static const std::regex memory(R"(\d{1,15}([KMGT]B?)?)", std::regex::icase);
  if (!std::regex_match(slurm.memory, memory))
    refuse(file,
           fmt::format("slurm.memory = \"{}\" is no size; write a whole number and K, M, G or "
                       "T, e.g. \"4G\", or \"0\" for all memory of a node",
                       slurm.memory));
  const auto has_one_of = [](const std::string& text, const char* characters) {
    return text.find_first_of(characters) != std::string::npos;
  };
  const std::pair<const char*, const std::string*> names[] = {
      {"partition", &slurm.partition}, {"account", &slurm.account}, {"qos", &slurm.qos}};
  for (const auto& [key, name] : names)
    if (has_one_of(*name, " \t\r\n\"'#"))
      refuse(file, fmt::format("slurm.{} = \"{}\" is not one word; write a name, or several with "
                               "commas and without spaces",
                               key, *name));
  for (const std::string& option : slurm.options)
    if (!option.starts_with('-') || has_one_of(option, "\r\n"))
      refuse(file, fmt::format("slurm.options holds \"{}\"; write one option in one line, as after "
                               "#SBATCH, e.g. \"--constraint=avx2\"",
                               option));
}

/// A warning that is longer than the limit comes when the job has hardly begun.
void check_slurm(const std::string& file, const SlurmConfig& slurm) {
  check_slurm_words(file, slurm);
  const auto limit = seconds_of_limit(file, slurm.time);
  if (limit && slurm.warning >= *limit)
    refuse(file, fmt::format(
                     "slurm.warning = {} s is no shorter than slurm.time = \"{}\" ({} s), so that "
                     "no job would get beyond its start; raise slurm.time, or set "
                     "slurm.warning = {} or less",
                     slurm.warning, slurm.time, *limit, std::max<std::int64_t>(1, *limit / 3)));
}

void check_study(const std::string& file, const StudyConfig& config) {
  if (config.claim.empty()) refuse(file, "claim is missing; say what the study is about");
  if (config.support.empty())
    refuse(file, "support is missing; write down what will be called support before it runs");
  if (config.seeds.empty()) refuse(file, "seeds is missing; write seeds = [1, 2, 3]");
  if (has_twice(config.seeds)) refuse(file, "seeds holds a seed twice");
  if (!config.statistics.seed)
    refuse(file, "statistics.seed is missing; bootstrap and permutations need one");
  if (find_key(config.config.table, "seed"))
    refuse(file, "config.seed means nothing here; write seeds = [...] at the top");
  std::vector<std::string> marks;
  for (const double mark : config.statistics.marks) marks.push_back(mark_text(mark));
  if (has_twice(marks)) refuse(file, "statistics.marks holds a mark twice");
  check_tuning(file, config);
  check_measures(file, config);
  check_slurm(file, config.slurm);
  check_names(config, study_axes(config));
}

bool is_section_of_run(const std::string& key) {
  const auto is_in_it = [&](const FieldDoc& row) { return row.key.starts_with(key + "."); };
  return key == "pruning" || std::ranges::any_of(document_fields<RunConfig>(), is_in_it);
}

/// What read_config, which knows the keys of a study only, cannot know: that this is a file of
/// another kind.
void check_kind(const std::string& file, const ConfigTable& table) {
  if (find_key(table, "claim") || find_key(table, "config")) return;
  for (const auto& [key, value] : table)
    if (is_section_of_run(key))
      throw UsageError(fmt::format(
          "{}: [{}] makes this the configuration of one run, which lmrnn train {} carries out; in "
          "a study, such keys stand under [config], below claim, support and seeds",
          value.where, key, file));
}

/// Nor that what a run should do, which [axis.NAME.LEVEL] says at once, stands one table deeper in
/// [[override]] and [tuning].
void check_set(const ConfigValue& table, std::string_view name) {
  const auto* keys = std::get_if<ConfigTable>(&table.value);
  if (!keys) return;
  for (const auto& [key, value] : *keys) {
    if (!std::holds_alternative<ConfigTable>(value.value) || !is_section_of_run(key)) continue;
    std::string leaves;
    for (const auto& [leaf, leaf_value] : flatten({{key, value}}))
      leaves += fmt::format("{}{} = {}", leaves.empty() ? "" : ", ", leaf,
                            detail::toml_value(leaf_value));
    throw UsageError(fmt::format(
        "{}: unknown key \"{}\" in [{}]; keys of a run stand under set there: write set = {{ {} }}",
        value.where, key, name, leaves));
  }
}

void check_sets(const ConfigTable& table) {
  if (const ConfigValue* tuning = find_key(table, "tuning")) check_set(*tuning, "tuning");
  const ConfigValue* overrides = find_key(table, "override");
  const auto* list = overrides ? std::get_if<ConfigList>(&overrides->value) : nullptr;
  if (!list) return;
  for (const ConfigValue& change : *list) check_set(change, "override");
}

void keep_first(std::vector<std::int64_t>& seeds) {
  if (seeds.size() > 1) seeds.erase(seeds.begin() + 1, seeds.end());
}

}  // namespace

void from_config(const ConfigValue& v, std::string_view key, FreeTable& out, const Range&) {
  const auto* table = std::get_if<ConfigTable>(&v.value);
  if (!table) detail::wrong_type(v, key, "a table");
  out.table = *table;
}

ConfigValue to_config(const FreeTable& x) {
  return {x.table, {}};
}

Study load_study(const fs::path& file, const StudyOptions& options) {
  Study study;
  study.file = file;
  study.text = read_file(file);
  ConfigTable table = parse_toml(study.text, file.string());
  for (const std::string& assignment : options.assignments) assign_key(table, assignment);
  check_kind(file.string(), table);
  check_sets(table);
  read_config(study.config, table);
  check_study(file.string(), study.config);
  study.name = file.stem().string();
  if (options.smoke) {
    study.smoke = true;
    study.name += "-smoke";
    keep_first(study.config.seeds);
    keep_first(study.config.tuning.seeds);
  } else if (!study.config.results.empty()) {
    study.results = file.parent_path() / study.config.results;
  }
  study.out = options.out.empty() ? fs::path("runs") / study.name : options.out;
  return study;
}

std::string study_reference() {
  std::vector<FieldDoc> rows = document_fields<StudyConfig>();
  for (auto&& more :
       {document_fields<StudyOverride>("override"), document_fields<ContrastConfig>("contrast"),
        document_fields<BestConfig>("best"), document_fields<PruningConfig>("config.pruning"),
        document_fields<CellTuningConfig>("config.tuning")})
    rows.insert(rows.end(), more.begin(), more.end());
  return markdown_table(rows);
}

}  // namespace lmrnn
