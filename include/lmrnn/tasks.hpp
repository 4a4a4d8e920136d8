// The task battery: 20-Cog-tasks (Yang et al. 2019) and Mod-Cog (Khona et al. 2023).
//
// A trial is a sequence of observations and a target class per time step. `draw` chooses the
// conditions of a trial at random; `compose` turns conditions into the trial and is pure.
//
// Input channels: fixation cue, ring of modality 0 (n_ring), ring of modality 1 (n_ring).
// Classes: 0 = fixate, 1 + k = respond in direction k. Direction k is the angle 2 pi k / n_ring.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/config.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {

struct Milliseconds {
  double value;
  friend auto operator<=>(Milliseconds, Milliseconds) = default;
};

/// Index of a direction on the ring, 0 ... n_ring - 1.
struct RingIndex {
  std::int32_t value;
  friend bool operator==(RingIndex, RingIndex) = default;
};

enum class Family : std::uint8_t { reach, decision, delayed_decision, match };
std::string_view family_name(Family family);  ///< "reach", "decision", ...: keys of `durations`

/// Periods in the order in which a trial passes through them; no family has all of them.
enum class Period : std::uint8_t {
  fixation,
  stimulus,  ///< reach: the stimulus; decision: both; delayed: the first; match: the sample
  delay,
  second_stimulus,  ///< delayed decision: the second; match: the test
  decision
};
std::string_view period_name(Family family, Period period);
constexpr std::size_t n_periods = 5;
/// Index of a period in arrays by Period.
constexpr std::size_t period_index(Period period) {
  return static_cast<std::size_t>(period);
}

/// A row of the table of base tasks.
struct BaseTask {
  std::string_view name;
  Family family;
  bool anti = false;             ///< reach: respond opposite to the stimulus
  bool reaction_time = false;    ///< reach: stimulus and decision begin together
  bool memory_delay = false;     ///< reach: the stimulus is gone during the delay
  std::uint8_t shown = 0;        ///< decision families: modalities shown, bit m for modality m
  std::uint8_t counted = 0;      ///< decision families: modalities whose evidence counts
  bool category = false;         ///< match: by half of the ring instead of by direction
  bool respond_to_match = true;  ///< match: respond on match (else on non-match)
  std::string_view words = {};   ///< what the subject has to do, one sentence

  bool decides() const { return family == Family::decision || family == Family::delayed_decision; }
  bool shows(int modality) const { return (shown >> modality) & 1; }
  bool counts(int modality) const { return (counted >> modality) & 1; }
};

/// The 20 base tasks in collection order.
std::span<const BaseTask> base_tasks();

/// A base task with its modifiers. -1: l, 0: none, +1: r.
struct Task {
  std::uint8_t base = 0;  ///< index into base_tasks()
  std::int8_t interval = 0;
  std::int8_t sequence = 0;

  const BaseTask& base_task() const { return base_tasks()[base]; }
  std::string name() const;  ///< "dlygointrseql"
  /// Position in modcog132, 0 ... 131: a number that does not depend on what else is selected.
  std::uint32_t number() const;
  bool in_published_code() const;  ///< one of the 93 that the published code defines
  friend bool operator==(Task, Task) = default;
};

/// Throws UsageError for an unknown name, with the nearest one. `...intseq` reads as
/// `...intrseqr`, the published spelling.
Task parse_task(std::string_view name);

/// Tasks of an expression: names, collections (cog20, modcog82, modcog93, modcog126, modcog132),
/// globs and, with "!", exclusions, comma-separated, e.g. "modcog82", "dly*,!*seql". The result is
/// in collection order, without duplicates. Globs match among modcog132. Throws UsageError if a
/// part matches nothing or nothing is left.
std::vector<Task> select_tasks(std::string_view expression);

std::span<const std::string> collection_names();

std::vector<std::string> names_of(std::span<const Task> tasks);

/// How the battery behaves: one switch per difference between the published code and the corrected
/// one. true = corrected. docs/concepts/battery.md explains each.
struct Semantics {
  bool ring_wrap = true;
  bool go_stimulus = true;
  bool category_boundary = true;
  bool match_delay = true;
  bool int_delay = true;
  bool int_shift = true;
  bool int_direction = true;
  bool rt_seq = true;
  bool rounding = true;
  bool noise_channels = true;
  bool ties = true;
  bool modality = true;
  bool task_order = true;

  static Semantics corrected() { return {}; }
  static Semantics published();

  /// Calls visit(name, switch, what the published code does, what the corrected one does) for
  /// every switch, in the order above.
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("ring_wrap", self.ring_wrap, "the last direction wraps to class 0, fixate",
          "every direction has its own class");
    visit("go_stimulus", self.go_stimulus, "go and anti are the same as dlygo and dlyanti",
          "go and anti keep the stimulus in view until the end of the trial");
    visit("category_boundary", self.category_boundary,
          "direction n_ring / 2 is category 0 as a sample, category 1 as a test",
          "direction n_ring / 2 is category 1 as a sample and as a test");
    visit("match_delay", self.match_delay,
          "the delay of match tasks is drawn once per seed and task",
          "the delay of match tasks is drawn per trial");
    visit("int_delay", self.int_delay, "delayed decision tasks with int have a delay of 500 ms",
          "delayed decision tasks with int draw their delay per trial");
    visit("int_shift", self.int_shift,
          "int moves 0.01 rad per ms in reach tasks; elsewhere int, and seq everywhere, 0.01 "
          "directions per ms",
          "int and seq move at one angular speed, omega");
    visit("int_direction", self.int_direction, "int shifts the stimulus of reach tasks",
          "int shifts the response of every task, r counted as +");
    visit("rt_seq", self.rt_seq, "the decision of rt tasks with seq lasts 500 ms",
          "the decision of rt tasks with seq lasts 1000 ms");
    visit("rounding", self.rounding,
          "shifts are truncated, int and seq one by one; int(duration / dt) steps",
          "the sum of the shifts is rounded once to the nearest direction; 500 ms are 15 steps of "
          "100/3 ms");
    visit("noise_channels", self.noise_channels,
          "decision tasks have noise on all channels, the cue included",
          "decision tasks have noise on the rings that they show");
    visit("ties", self.ties, "equal total evidence occurs, and a coin chooses the target",
          "equal total evidence is drawn again");
    visit("modality", self.modality, "the modality alternates 0, 1, 0, 1 within each task",
          "the modality is drawn per trial");
    visit("task_order", self.task_order, "the next task is never the same as the last",
          "tasks are drawn independently, by weight");
  }
  friend bool operator==(const Semantics&, const Semantics&) = default;
};

/// A duration: fixed, uniform on a range, or one of several, in ms. In TOML: 500,
/// {uniform = [200, 500]} or {choice = [0, 100, 200]}.
struct Duration {
  enum class Kind : std::uint8_t { fixed, uniform, choice } kind = Kind::fixed;
  std::vector<double> values{};  ///< fixed: {x}; uniform: {low, high}; choice: all of them
  static constexpr std::string_view config_type =
      "number | {uniform = [low, high]} | {choice = [...]}";
  friend bool operator==(const Duration&, const Duration&) = default;
};
void from_config(const ConfigValue& v, std::string_view key, Duration& out, const Range&);
ConfigValue to_config(const Duration& duration);

enum class TimingTable { modcog, neurogym };
constexpr std::array<std::pair<std::string_view, TimingTable>, 2> enum_names(TimingTable) {
  return {{{"modcog", TimingTable::modcog}, {"neurogym", TimingTable::neurogym}}};
}

enum class RuleEncoding { task, composed };
constexpr std::array<std::pair<std::string_view, RuleEncoding>, 2> enum_names(RuleEncoding) {
  return {{{"task", RuleEncoding::task}, {"composed", RuleEncoding::composed}}};
}

enum class SemanticsBase { corrected, published };
constexpr std::array<std::pair<std::string_view, SemanticsBase>, 2> enum_names(SemanticsBase) {
  return {{{"corrected", SemanticsBase::corrected}, {"published", SemanticsBase::published}}};
}

/// [semantics] of a configuration: a base, and switches that differ from it.
struct SemanticsConfig {
  SemanticsBase base = SemanticsBase::corrected;
  std::map<std::string, SemanticsBase> switches{};  ///< key of Semantics -> which behaviour
  static constexpr std::string_view config_type = "table";
  Semantics resolve() const;  ///< throws UsageError for an unknown switch
};
void from_config(const ConfigValue& v, std::string_view key, SemanticsConfig& out, const Range&);
ConfigValue to_config(const SemanticsConfig& semantics);

/// [battery] of a configuration.
struct BatteryConfig {
  std::string tasks = "modcog82";
  std::int64_t n_ring = 16;
  double dt = 100;  ///< ms
  SemanticsConfig semantics{};
  TimingTable timing = TimingTable::modcog;
  /// Overrides of durations: family or task name -> period name -> duration. An entry for a task
  /// overrides that of its family.
  std::map<std::string, std::map<std::string, Duration>> durations{};
  RuleEncoding rule = RuleEncoding::task;
  double input_noise = 1;               ///< times the standard deviation 1 / sqrt(dt / ms)
  double omega = 0.003926990816987241;  ///< rad / ms; 2 pi / 16 per 100 ms
  std::map<std::string, double>
      weights{};  ///< corrected task_order: relative frequency by task or glob

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "names, collections, globs and !exclusions, comma-separated");
    field("n_ring", self.n_ring, "directions on the ring; even", between(2, 1024));
    field("dt", self.dt, "time step, ms", more_than(0));
    field("semantics", self.semantics, "corrected or published behaviour, whole or by switch");
    field("timing", self.timing, "table of durations");
    field("durations", self.durations, "durations by family or task, then period, ms");
    field("rule", self.rule, "task: one-hot over tasks; composed: base + int + seq");
    field("input_noise", self.input_noise, "scale of the input noise", at_least(0));
    field("omega", self.omega, "angular speed of int and seq (corrected), rad per ms");
    field("weights", self.weights, "relative frequency of tasks, by name or glob; default 1",
          at_least(0));
  }
};

/// Everything that is random about a trial except its input noise. Which members matter depends
/// on the family; `draw` fills all that do. Any of them may be set by the caller.
struct Conditions {
  int modality = 0;  ///< reach, match: 0 or 1
  /// reach: angle of the stimulus, rad. Under published `int_direction`, where the stimulus is
  /// derived from the response, the angle of the response (at the start of the decision).
  double direction = 0;
  std::array<double, 2> directions{};  ///< decision families: angles of the two stimuli, rad
  /// decision families: strengths by modality, then stimulus; 0 where it is not shown
  std::array<std::array<double, 2>, 2> strength{};
  int choice = 0;               ///< decision families: 0 or 1, the stimulus to respond to
  bool match = false;           ///< match family
  double sample = 0, test = 0;  ///< match family: angles, rad
  /// Realised durations in ms by Period, before rounding down to steps; 0 if the family has none.
  std::array<double, n_periods> duration{};
  bool noise = true;  ///< false: the composed trial marks no noise
  friend bool operator==(const Conditions&, const Conditions&) = default;
};

/// A stretch of a trial.
struct PeriodSpan {
  Period period;
  std::int32_t first, last;  ///< steps [first, last)
  friend bool operator==(const PeriodSpan&, const PeriodSpan&) = default;
};

/// Independent Gaussian noise is added to channels [first_channel, last_channel) in steps
/// [first, last).
struct NoiseSpan {
  std::int32_t first, last;
  std::int32_t first_channel, last_channel;
};

/// A composed trial, without noise.
struct Trial {
  std::int32_t n_steps = 0, n_channels = 0;
  std::vector<PeriodSpan> periods;
  std::vector<NoiseSpan> noise;
  std::vector<float> inputs;          ///< (time, channel)
  std::vector<std::int32_t> targets;  ///< (time)
  std::int32_t response = -1;         ///< ring index of the response at the start of the decision
                                      ///< period; -1: keep fixating
};

struct BatteryData;  // private to the library

/// Tasks, semantics and timing together.
///
/// Threads: may be shared; it never changes. Copies share the data of the original.
class Battery {
 public:
  /// `seed` is used for what is drawn once per run (published match_delay). Throws UsageError for
  /// keys that contradict each other or select no task.
  Battery(const BatteryConfig& config, Seed seed);

  const BatteryConfig& config() const noexcept;
  Seed seed() const noexcept;
  const Semantics& semantics() const noexcept;
  std::span<const Task> tasks() const noexcept;
  std::size_t index_of(std::string_view task_name) const;  ///< throws UsageError

  std::size_t n_channels() const noexcept;    ///< 1 + 2 n_ring
  std::size_t n_classes() const noexcept;     ///< 1 + n_ring
  std::size_t n_rules() const noexcept;       ///< columns of a dense rule input
  std::size_t n_rule_slots() const noexcept;  ///< 1 (task) or 3 (composed)
  /// The rule inputs that are on for a task, n_rule_slots() of them. `task` is an index into
  /// tasks(), which must exist.
  std::array<std::int32_t, 3> rule(std::size_t task) const noexcept;
  float noise_deviation() const noexcept;  ///< input_noise / sqrt(dt in ms)
  /// Whole steps of a duration, as the battery's trials count them: floor(duration / dt). Corrected
  /// `rounding` counts 15 steps of 100/3 ms in 500 ms, published `rounding` 14.
  std::int32_t n_steps(Milliseconds duration) const noexcept;

  /// Conditions of trial `trial` of the row that `key` names; the key's purpose is set to
  /// `RandomPurpose::conditions`. `modality_turn`: under published `modality`, how many trials of
  /// this task came before it in the row. Here and below, `task` is an index into tasks(), and one
  /// out of range throws std::out_of_range.
  Conditions draw(std::size_t task, Key key, std::uint32_t trial = 0,
                  std::uint32_t modality_turn = 0) const;

  /// Pure. Throws UsageError for conditions that no trial of the task can have.
  Trial compose(std::size_t task, const Conditions& conditions) const;

  /// Durations from which the trials of a task draw, by Period; no values where it has no such
  /// period.
  std::array<Duration, n_periods> durations(std::size_t task) const;
  /// Mean number of steps of each Period in a trial of the task (for durations drawn from a range,
  /// to a thousandth of the range); 0 where it has no such period.
  std::array<double, n_periods> mean_steps(std::size_t task) const;
  /// Expected share of a task among the trials of a stream; they add to 1.
  double frequency(std::size_t task) const;

 private:
  friend const BatteryData& data_of(const Battery& battery) noexcept;
  std::shared_ptr<const BatteryData> data_;
};

/// The task in words: what to do, its periods with their durations, its modifiers, and where it
/// comes from. Several lines, each ended by a newline. Throws std::out_of_range for a task that the
/// battery does not have.
std::string describe_task(const Battery& battery, std::size_t task);

}  // namespace lmrnn
