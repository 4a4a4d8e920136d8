// The table of base tasks, task names, collections and globs.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "core/shared/text.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn {
namespace {

constexpr BaseTask reach_task(std::string_view name, bool anti, bool reaction_time,
                              bool memory_delay, std::string_view words) {
  return {.name = name,
          .family = Family::reach,
          .anti = anti,
          .reaction_time = reaction_time,
          .memory_delay = memory_delay,
          .words = words};
}

constexpr BaseTask decision_task(std::string_view name, Family family, std::uint8_t shown,
                                 std::uint8_t counted, std::string_view words) {
  return {.name = name, .family = family, .shown = shown, .counted = counted, .words = words};
}

constexpr BaseTask match_task(std::string_view name, bool category, bool respond_to_match,
                              std::string_view words) {
  return {.name = name,
          .family = Family::match,
          .category = category,
          .respond_to_match = respond_to_match,
          .words = words};
}

constexpr std::uint8_t first = 1, second = 2, both = 3;

// Yang et al. 2019, Supplementary Table 1.
constexpr std::array<BaseTask, 20> table{{
    reach_task("go", false, false, false,
               "When the fixation cue goes off, respond in the direction of the stimulus."),
    reach_task("rtgo", false, true, false,
               "As soon as the stimulus comes on, respond in its direction."),
    reach_task("dlygo", false, false, true,
               "Remember the direction of the stimulus through a delay, then respond in it."),
    reach_task("anti", true, false, false,
               "When the fixation cue goes off, respond opposite to the stimulus."),
    reach_task("rtanti", true, true, false,
               "As soon as the stimulus comes on, respond opposite to it."),
    reach_task("dlyanti", true, false, true,
               "Remember the stimulus through a delay, then respond opposite to it."),
    decision_task("dm1", Family::decision, first, first,
                  "Two stimuli at once in modality 0: respond in the direction of the stronger."),
    decision_task("dm2", Family::decision, second, second,
                  "Two stimuli at once in modality 1: respond in the direction of the stronger."),
    decision_task("ctxdm1", Family::decision, both, first,
                  "Two stimuli at once in both modalities: respond in the direction of the one "
                  "that is stronger in modality 0; ignore modality 1."),
    decision_task("ctxdm2", Family::decision, both, second,
                  "Two stimuli at once in both modalities: respond in the direction of the one "
                  "that is stronger in modality 1; ignore modality 0."),
    decision_task("multidm", Family::decision, both, both,
                  "Two stimuli at once in both modalities: respond in the direction of the one "
                  "that is stronger over both modalities together."),
    decision_task("dlydm1", Family::delayed_decision, first, first,
                  "Two stimuli one after the other in modality 0: respond in the direction of "
                  "the stronger."),
    decision_task("dlydm2", Family::delayed_decision, second, second,
                  "Two stimuli one after the other in modality 1: respond in the direction of "
                  "the stronger."),
    decision_task("ctxdlydm1", Family::delayed_decision, both, first,
                  "Two stimuli one after the other in both modalities: respond in the direction "
                  "of the one that is stronger in modality 0; ignore modality 1."),
    decision_task("ctxdlydm2", Family::delayed_decision, both, second,
                  "Two stimuli one after the other in both modalities: respond in the direction "
                  "of the one that is stronger in modality 1; ignore modality 0."),
    decision_task("multidlydm", Family::delayed_decision, both, both,
                  "Two stimuli one after the other in both modalities: respond in the direction "
                  "of the one that is stronger over both modalities together."),
    match_task("dms", false, true,
               "A sample and, after a delay, a test: respond in the direction of the test if it "
               "equals the sample; keep fixating if it is opposite."),
    match_task("dnms", false, false,
               "A sample and, after a delay, a test: respond in the direction of the test if it "
               "is opposite to the sample; keep fixating if they are equal."),
    match_task("dmc", true, true,
               "A sample and, after a delay, a test: respond in the direction of the test if "
               "both lie in the same half of the ring; otherwise keep fixating."),
    match_task("dnmc", true, false,
               "A sample and, after a delay, a test: respond in the direction of the test if "
               "they lie in different halves of the ring; otherwise keep fixating."),
}};

constexpr std::uint8_t go = 0;

/// int needs a delay to measure. `go` takes it, too: it is this project's own twelfth base
/// (docs/concepts/battery.md).
bool takes_interval(std::uint8_t base) {
  const BaseTask& row = table[base];
  return base == go || row.memory_delay || row.family == Family::delayed_decision ||
         row.family == Family::match;
}

/// (interval, sequence) in collection order.
constexpr std::array<std::array<std::int8_t, 2>, 9> compositions{
    {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}}};

std::vector<Task> make_all_tasks() {
  std::vector<Task> tasks;
  for (std::uint8_t base = 0; base < table.size(); ++base)
    for (const auto [interval, sequence] : compositions)
      if (interval == 0 || takes_interval(base)) tasks.push_back({base, interval, sequence});
  return tasks;
}

/// modcog132 in collection order.
const std::vector<Task>& all_tasks() {
  static const std::vector<Task> tasks = make_all_tasks();
  return tasks;
}

const std::vector<std::string>& all_names() {
  static const std::vector<std::string> names = names_of(all_tasks());
  return names;
}

bool in_collection(std::string_view collection, Task task) {
  const bool modified = task.interval != 0 || task.sequence != 0;
  const bool doubly = task.interval != 0 && task.sequence != 0;
  const bool own = task.base == go && task.interval != 0;
  if (collection == "cog20") return !modified;
  if (collection == "modcog82") return !doubly && !own;
  if (collection == "modcog93") return task.in_published_code();
  if (collection == "modcog126") return !own;
  return collection == "modcog132";
}

/// Numbers (positions in modcog132) of the tasks that one part of an expression selects.
std::set<std::uint32_t> numbers_of(std::string_view part) {
  std::set<std::uint32_t> numbers;
  const auto add_where = [&](auto&& wanted) {
    for (std::uint32_t i = 0; i < all_tasks().size(); ++i)
      if (wanted(i)) numbers.insert(i);
  };
  if (std::ranges::find(collection_names(), part) != collection_names().end())
    add_where([&](std::uint32_t i) { return in_collection(part, all_tasks()[i]); });
  else if (!is_glob(part))
    numbers.insert(parse_task(part).number());
  else
    add_where([&](std::uint32_t i) { return matches_glob(part, all_names()[i]); });
  if (numbers.empty())
    throw UsageError("tasks: \"" + std::string(part) +
                     "\" matches no task; `lmrnn tasks list` shows their names");
  return numbers;
}

}  // namespace

std::span<const BaseTask> base_tasks() {
  return table;
}

std::string_view family_name(Family family) {
  constexpr std::array<std::string_view, 4> names{"reach", "decision", "delayed_decision", "match"};
  return names[static_cast<std::size_t>(family)];
}

std::string_view period_name(Family family, Period period) {
  switch (period) {
    case Period::fixation:
      return "fixation";
    case Period::delay:
      return "delay";
    case Period::decision:
      return "decision";
    case Period::stimulus:
      return family == Family::delayed_decision ? "stim1"
             : family == Family::match          ? "sample"
                                                : "stimulus";
    case Period::second_stimulus:
      return family == Family::match ? "test" : "stim2";
  }
  return "?";
}

std::string Task::name() const {
  std::string result(base_task().name);
  if (interval != 0) result += interval > 0 ? "intr" : "intl";
  if (sequence != 0) result += sequence > 0 ? "seqr" : "seql";
  return result;
}

std::uint32_t Task::number() const {
  return static_cast<std::uint32_t>(std::ranges::find(all_tasks(), *this) - all_tasks().begin());
}

bool Task::in_published_code() const {
  if (base == go && interval != 0) return false;
  return interval == 0 || sequence == 0 || (interval > 0 && sequence > 0);
}

Task parse_task(std::string_view name) {
  std::string wanted(name);
  if (wanted.ends_with("intseq")) wanted.replace(wanted.size() - 6, 6, "intrseqr");
  const auto found = std::ranges::find(all_names(), wanted);
  if (found != all_names().end())
    return all_tasks()[static_cast<std::size_t>(found - all_names().begin())];
  throw UsageError("tasks: unknown task \"" + std::string(name) + "\"" +
                   did_you_mean(wanted, all_names(), "; `lmrnn tasks list` shows the names"));
}

std::span<const std::string> collection_names() {
  static const std::array<std::string, 5> names{"cog20", "modcog82", "modcog93", "modcog126",
                                                "modcog132"};
  return names;
}

std::vector<std::string> names_of(std::span<const Task> tasks) {
  std::vector<std::string> names;
  for (const Task& task : tasks) names.push_back(task.name());
  return names;
}

std::vector<Task> select_tasks(std::string_view expression) {
  if (trimmed(expression).empty())
    throw UsageError("tasks: none named; give names or a collection, e.g. \"modcog82\"");
  std::set<std::uint32_t> chosen, excluded;
  for (const std::string_view untrimmed : split(expression, ',')) {
    const std::string_view part = trimmed(untrimmed);
    if (part.empty())
      throw UsageError("tasks: empty part in \"" + std::string(expression) +
                       "\"; separate names by single commas");
    if (part[0] == '!')
      excluded.merge(numbers_of(trimmed(part.substr(1))));
    else
      chosen.merge(numbers_of(part));
  }
  std::vector<Task> result;
  for (const std::uint32_t number : chosen)
    if (!excluded.contains(number)) result.push_back(all_tasks()[number]);
  if (result.empty())
    throw UsageError("tasks: \"" + std::string(expression) +
                     "\" leaves no task; name some before excluding, as in \"modcog82,!*seql\"");
  return result;
}

}  // namespace lmrnn
