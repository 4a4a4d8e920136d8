// Packed streams and trial batches: every row depends only on (seed, split, batch, row).
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "battery_cases.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/threads.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

/// Everything that a stream says about rows first ... of a batch, one row after the other.
struct Rows {
  Buffer<float> inputs;
  Buffer<std::int32_t> rules, targets, tasks;
  Buffer<std::uint8_t> periods, starts, scored;

  Rows(const PackedStream& stream, std::uint32_t batch, std::uint32_t first, std::size_t n) {
    const auto steps = static_cast<std::size_t>(stream.config().steps);
    const auto array = [&](auto& numbers, std::size_t n_items = 1) {
      numbers.resize(n * steps * n_items);
      using Array = TrialArray<std::remove_pointer_t<decltype(numbers.data())>>;
      return Array(numbers.data(), steps, n, n_items, n_items, steps * n_items);
    };
    stream.fill(batch, first,
                {.inputs = array(inputs, stream.battery().n_channels()),
                 .rules = array(rules, stream.battery().n_rule_slots()),
                 .targets = array(targets),
                 .trial_starts = array(starts),
                 .periods = array(periods),
                 .tasks = array(tasks),
                 .scored = array(scored)});
  }
  bool operator==(const Rows&) const = default;
};

struct Settings {
  std::string tasks = "modcog132";
  StreamMode mode = StreamMode::restart;
  std::int64_t steps = 150, trials_per_task = 0;
  RuleEncoding rule = RuleEncoding::task;
  SemanticsBase semantics = SemanticsBase::corrected;
  Split split = Split::train;
  Seed seed = test_seed;
  double input_noise = 1;
};

PackedStream stream_of(const Settings& s) {
  BatteryConfig battery = config_of(s.tasks);
  battery.rule = s.rule;
  battery.semantics.base = s.semantics;
  battery.input_noise = s.input_noise;
  StreamConfig config;
  config.mode = s.mode;
  config.steps = s.steps;
  config.batch = 8;
  config.trials_per_task = s.trials_per_task;
  return {Battery(battery, s.seed), config, s.seed, s.split};
}

TEST(Stream, AnyRowCanBeHadAlone) {
  const PackedStream stream = stream_of({});
  const Rows whole(stream, 3, 0, 8);
  for (std::uint32_t row = 0; row < 8; ++row) {
    const Rows alone(stream, 3, row, 1);
    EXPECT_TRUE(std::ranges::equal(
        alone.inputs,
        std::span(whole.inputs).subspan(row * alone.inputs.size(), alone.inputs.size())));
    EXPECT_TRUE(
        std::ranges::equal(alone.targets, std::span(whole.targets).subspan(row * 150, 150)));
  }
}

TEST(Stream, ThreadsDoNotMatter) {
  const PackedStream stream = stream_of({});
  const Rows expected(stream, 1, 0, 8);
  std::vector<Rows> rows(8, Rows(stream, 0, 0, 1));
  ThreadPool pool(4);
  pool.for_each(
      8, [&](std::size_t i) { rows[i] = Rows(stream, 1, static_cast<std::uint32_t>(i), 1); });
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_TRUE(std::ranges::equal(
        rows[i].inputs,
        std::span(expected.inputs).subspan(i * rows[i].inputs.size(), rows[i].inputs.size())));
}

TEST(Stream, SeedsSplitsBatchesAndRowsAreDifferentData) {
  const Rows here(stream_of({}), 0, 0, 1);
  Settings other;
  other.split = Split::validation;
  EXPECT_NE(here, Rows(stream_of(other), 0, 0, 1));
  other = {};
  other.seed = Seed{2};
  EXPECT_NE(here, Rows(stream_of(other), 0, 0, 1));
  EXPECT_NE(here, Rows(stream_of({}), 1, 0, 1));
  EXPECT_NE(here, Rows(stream_of({}), 0, 1, 1));
}

TEST(Stream, LayoutsHoldTheSameNumbers) {
  for (const RuleEncoding rule : {RuleEncoding::task, RuleEncoding::composed}) {
    Settings settings;
    settings.rule = rule;
    const PackedStream stream = stream_of(settings);
    const std::size_t n = 5, steps = 150, channels = 33;
    const std::size_t slots = stream.battery().n_rule_slots();
    const Rows a(stream, 0, 0, n);
    Trials b(steps, n, channels, slots, {});
    stream.fill(0, 0, b.rows());
    for (std::size_t r = 0; r < n; ++r)
      for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t k = 0; k < channels; ++k)
          ASSERT_EQ(a.inputs[(r * steps + t) * channels + k], b.inputs[(t * n + r) * channels + k]);
        for (std::size_t s = 0; s < slots; ++s)
          ASSERT_EQ(a.rules[(r * steps + t) * slots + s], b.rules[(t * n + r) * slots + s]);
        ASSERT_EQ(a.targets[r * steps + t], b.targets[t * n + r]);
      }
  }
}

TEST(Stream, FillsPartOfABatchInPlaceAndNothingElse) {
  const PackedStream stream = stream_of({});
  Trials whole(150, 8, 33, 1, {}), pieces(150, 8, 33, 1, {});
  stream.fill(2, 0, whole.rows());
  std::ranges::fill(pieces.inputs, -7.0f);
  stream.fill(2, 3, pieces.rows().trials(3, 4));
  for (std::size_t t = 0; t < 150; ++t)
    for (std::size_t r = 0; r < 8; ++r)
      for (std::size_t c = 0; c < 33; ++c)
        ASSERT_EQ(pieces.rows().inputs(t, r, c),
                  r >= 3 && r < 7 ? whole.rows().inputs(t, r, c) : -7.0f);
}

TEST(Stream, RefusesArraysOfAnotherShape) {
  const PackedStream stream = stream_of({});
  Trials good(150, 2, 33, 1, {.scored = true}), narrow(150, 2, 32, 1, {}), brief(149, 2, 33, 1, {});
  const auto refusal = [&](const TrialRows& rows) {
    return message_if_any<UsageError>([&] { stream.fill(0, 0, rows); });
  };
  EXPECT_EQ(refusal(good.rows()), "");
  EXPECT_THAT(refusal(narrow.rows()), ::testing::HasSubstr("inputs (time, row, item) have the"));
  EXPECT_THAT(refusal(brief.rows()), ::testing::HasSubstr("give (150, 2, 33)"));
  TrialRows mixed = good.rows();
  mixed.targets = mixed.targets.trials(0, 1);
  EXPECT_THAT(refusal(mixed), ::testing::HasSubstr("targets"));
}

// Every trial except the one that the row's end cuts; periods and grace decide what counts.
TEST(Stream, ScoresTheTrialsThatARowHoldsWhole) {
  for (const StreamMode mode : {StreamMode::restart, StreamMode::carry_on}) {
    Settings settings{.tasks = "dlygo,dm1", .mode = mode};
    const PackedStream stream = stream_of(settings);
    for (std::size_t batch = 0; batch < 3; ++batch) {
      const Rows row(stream, static_cast<std::uint32_t>(batch), 0, 1);
      std::size_t begin = 0;
      while (begin < 150 && row.starts[begin] == 0) EXPECT_EQ(row.scored[begin++], 0);
      for (std::size_t end = begin; begin < 150; begin = end) {
        for (end = begin + 1; end < 150 && row.starts[end] == 0;) ++end;
        if (end == 150) break;  // cut, unless it ends with the row
        std::size_t decision = 0;
        for (std::size_t t = begin; t < end; ++t) {
          const bool decides = row.periods[t] == static_cast<std::uint8_t>(Period::decision);
          // 100 ms steps: one step of grace.
          const Scored wanted = !decides          ? Scored::trial_only
                                : decision++ == 0 ? Scored::step_only
                                                  : Scored::yes;
          EXPECT_EQ(row.scored[t], static_cast<std::uint8_t>(wanted)) << t;
        }
      }
    }
  }
}

TEST(Stream, RestartBeginsEachRowWithATrialAndContinueDoesNot) {
  const Rows fresh(stream_of({}), 5, 0, 8);
  for (std::size_t r = 0; r < 8; ++r) EXPECT_EQ(fresh.starts[r * 150], 1);
  Settings settings;
  settings.mode = StreamMode::carry_on;
  const Rows going_on(stream_of(settings), 5, 0, 8);
  int n_starts = 0;
  for (std::size_t r = 0; r < 8; ++r) n_starts += going_on.starts[r * 150];
  EXPECT_LT(n_starts, 4);
}

TEST(Stream, ContinueIsOneLongRowCutIntoBatches) {
  for (const SemanticsBase semantics : {SemanticsBase::corrected, SemanticsBase::published}) {
    Settings settings;
    settings.tasks = "modcog126";
    settings.semantics = semantics;
    settings.mode = StreamMode::carry_on;
    settings.steps = 37;
    settings.input_noise = 0;  // which belongs to the batch, not to the trial
    const PackedStream pieces = stream_of(settings);
    settings.steps = 37 * 10;
    const Rows whole(stream_of(settings), 0, 3, 1);
    for (const std::uint32_t batch : {0u, 1u, 2u, 9u, 4u}) {  // also out of order
      const Rows piece(pieces, batch, 3, 1);
      EXPECT_TRUE(
          std::ranges::equal(piece.targets, std::span(whole.targets).subspan(batch * 37, 37)));
      EXPECT_TRUE(
          std::ranges::equal(piece.starts, std::span(whole.starts).subspan(batch * 37, 37)));
      EXPECT_TRUE(std::ranges::equal(piece.inputs,
                                     std::span(whole.inputs).subspan(batch * 37 * 33, 37 * 33)));
    }
  }
}

TEST(Stream, FollowsTheTrialsOfItsTasks) {
  const PackedStream stream = stream_of({.tasks = "dlygo,dm1", .steps = 400});
  const Rows rows(stream, 0, 0, 4);
  for (std::size_t i = 0; i < rows.targets.size(); ++i) {
    const bool decision = rows.periods[i] == static_cast<std::uint8_t>(Period::decision);
    EXPECT_EQ(rows.inputs[i * 33] > 0.5f, !decision);
    EXPECT_EQ(rows.targets[i] != 0, decision);
    EXPECT_EQ(rows.rules[i], rows.tasks[i]);
  }
}

TEST(Stream, WeightsSetTheFrequencyOfTasks) {
  BatteryConfig battery = config_of("go,dlygo");
  battery.weights["go"] = 3;
  StreamConfig config;
  config.steps = 20 * 400;
  const PackedStream stream(Battery(battery, test_seed), config, test_seed, Split::train);
  const Rows row(stream, 0, 0, 1);  // all trials last 20 steps
  EXPECT_NEAR(static_cast<double>(std::ranges::count(row.tasks, 0)) / (20.0 * 400), 0.75, 0.08);
}

TEST(Stream, NoiseHasItsStandardDeviationAndItsPlace) {
  const PackedStream stream = stream_of({.tasks = "dm1", .steps = 4000});
  const Rows row(stream, 0, 0, 1);
  double sum = 0, squares = 0, n = 0;
  for (std::size_t t = 0; t < 4000; ++t) {
    const bool noisy = row.periods[t] == static_cast<std::uint8_t>(Period::stimulus);
    for (std::size_t k = 17; k < 33; ++k) EXPECT_EQ(row.inputs[t * 33 + k], 0);
    EXPECT_TRUE(row.inputs[t * 33] == 0 || row.inputs[t * 33] == 1);
    for (std::size_t k = 1; k < 17; ++k) {
      if (!noisy) {
        EXPECT_EQ(row.inputs[t * 33 + k], 0);
      }
      // Twice in the stimulus period the bump is the same, so the difference is noise alone.
      if (noisy && t > 0 && row.periods[t - 1] == row.periods[t]) {
        const double d = row.inputs[t * 33 + k] - row.inputs[(t - 1) * 33 + k];
        sum += d;
        squares += d * d;
        ++n;
      }
    }
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(std::sqrt(squares / n / 2), 0.1, 0.003);
}

TEST(FiniteData, IsMadeOfTheFirstTrialsOfEachTask) {
  Settings settings{.tasks = "dlygointr,dm1,dms", .steps = 600, .trials_per_task = 3};
  const PackedStream stream = stream_of(settings);
  const Battery& battery = stream.battery();
  std::set<std::vector<float>> known;
  for (std::size_t task = 0; task < 3; ++task) {
    const TrialBatch trials = draw_trials(battery, task, 3, test_seed, Split::train);
    for (std::size_t k = 0; k < 3; ++k) {
      std::vector<float> trial;
      for (std::size_t t = 0; t < static_cast<std::size_t>(trials.lengths[k]); ++t)
        for (std::size_t c = 0; c < 33; ++c) trial.push_back(trials.inputs[(t * 3 + k) * 33 + c]);
      known.insert(trial);
    }
  }
  ASSERT_EQ(known.size(), 9u);
  std::set<std::vector<float>> seen;
  for (const std::uint32_t batch : {0u, 1u}) {
    const Rows row(stream, batch, 0, 1);
    std::vector<std::size_t> begins;
    for (std::size_t t = 0; t < 600; ++t)
      if (row.starts[t]) begins.push_back(t);
    for (std::size_t i = 0; i + 1 < begins.size(); ++i)
      seen.insert({row.inputs.begin() + static_cast<std::ptrdiff_t>(begins[i] * 33),
                   row.inputs.begin() + static_cast<std::ptrdiff_t>(begins[i + 1] * 33)});
  }
  EXPECT_EQ(seen, known);  // noise included, and nothing else
}

TEST(Trials, DoNotDependOnWhatElseIsAskedFor) {
  const Battery few(config_of("dms,dm1seqr"), test_seed), many(config_of("modcog132"), test_seed);
  const TrialBatch all = draw_trials(many, many.index_of("dms"), 10, test_seed, Split::test);
  const TrialBatch one = draw_trials(few, few.index_of("dms"), 1, test_seed, Split::test, 7);
  ASSERT_EQ(one.lengths[0], all.lengths[7]);
  for (std::size_t t = 0; t < static_cast<std::size_t>(one.lengths[0]); ++t)
    for (std::size_t c = 0; c < 33; ++c)
      ASSERT_EQ(one.inputs[t * 33 + c], all.inputs[(t * 10 + 7) * 33 + c]);
}

TEST(Trials, ArePaddedAndMasked) {
  const Battery battery(config_of("dlygointr"), test_seed);
  const TrialBatch trials = draw_trials(battery, 0, 50, test_seed, Split::validation);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::max(trials.lengths)), trials.n_steps);
  EXPECT_LT(std::ranges::min(trials.lengths), std::ranges::max(trials.lengths));
  for (std::size_t k = 0; k < 50; ++k)
    for (std::size_t t = 0; t < trials.n_steps; ++t) {
      const bool within = t < static_cast<std::size_t>(trials.lengths[k]);
      ASSERT_EQ(trials.loss_weights[t * 50 + k], within ? 1 : 0);
      if (!within) {
        for (std::size_t c = 0; c < 33; ++c) ASSERT_EQ(trials.inputs[(t * 50 + k) * 33 + c], 0);
      }
    }
}

TEST(Trials, SplitsNeverShareATrial) {
  const Battery battery(config_of("dm1"), test_seed);
  std::set<std::vector<float>> seen;
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const TrialBatch trials = draw_trials(battery, 0, 100, test_seed, split);
    for (std::size_t k = 0; k < 100; ++k) {
      std::vector<float> one;
      for (std::size_t t = 0; t < trials.n_steps; ++t)
        for (std::size_t c = 0; c < 33; ++c) one.push_back(trials.inputs[(t * 100 + k) * 33 + c]);
      EXPECT_TRUE(seen.insert(one).second);
    }
  }
}

}  // namespace
}  // namespace lmrnn
