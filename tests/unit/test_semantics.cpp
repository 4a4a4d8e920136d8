// Each row of the table of semantics: a trial derived by hand, as published and as corrected, with
// all other switches as corrected.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <set>

#include "battery_cases.hpp"
#include "lmrnn/streams.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::SizeIs;

class Semantic : public testing::Test {
 protected:
  explicit Semantic(std::string key) : key_(std::move(key)) {}

  /// A battery with this one switch as published or as corrected.
  Battery battery(const std::string& tasks, SemanticsBase behaviour,
                  std::int64_t n_ring = 16) const {
    BatteryConfig config = config_of(tasks);
    config.n_ring = n_ring;
    config.semantics.switches[key_] = behaviour;
    return {config, test_seed};
  }
  Battery published(const std::string& tasks, std::int64_t n_ring = 16) const {
    return battery(tasks, SemanticsBase::published, n_ring);
  }
  Battery corrected(const std::string& tasks, std::int64_t n_ring = 16) const {
    return battery(tasks, SemanticsBase::corrected, n_ring);
  }

  static std::vector<Conditions> draws(const Battery& battery, std::uint32_t n) {
    std::vector<Conditions> result;
    for (std::uint32_t i = 0; i < n; ++i)
      result.push_back(battery.draw(0, {test_seed, RandomPurpose::conditions, Split::train, 0, i}));
    return result;
  }
  static std::set<double> durations(const Battery& battery, Period period) {
    std::set<double> result;
    for (const Conditions& c : draws(battery, 400)) result.insert(c.duration[at(period)]);
    return result;
  }

 private:
  std::string key_;
};

#define SEMANTIC(fixture, key)   \
  struct fixture : Semantic {    \
    fixture() : Semantic(key) {} \
  }

SEMANTIC(RingWrap, "ring_wrap");
TEST_F(RingWrap, TheLastDirectionIsClass16OrFixate) {
  const auto answer = [](const Battery& battery) {
    Conditions c = conditions_of(battery);
    c.direction = direction(15);
    return answers(battery.compose(0, c));
  };
  EXPECT_THAT(answer(corrected("go")), Each(16));
  EXPECT_THAT(answer(published("go")), Each(0));
}

SEMANTIC(GoStimulus, "go_stimulus");
TEST_F(GoStimulus, StaysInViewOrIsGoneAfterItsPeriod) {
  const auto trial = [](const Battery& battery) {
    Conditions c = conditions_of(battery);
    c.modality = 1;
    c.direction = direction(3);
    return battery.compose(0, c);
  };
  const std::int32_t channel = 1 + 16 + 3;
  for (const Period period : {Period::delay, Period::decision}) {
    EXPECT_FLOAT_EQ(input_in(trial(corrected("go")), period, channel), 0.8f);
    EXPECT_FLOAT_EQ(input_in(trial(corrected("anti")), period, channel), 0.8f);
    EXPECT_FLOAT_EQ(input_in(trial(corrected("dlygo")), period, channel), 0.0f);
    EXPECT_FLOAT_EQ(input_in(trial(published("go")), period, channel), 0.0f);
    EXPECT_FLOAT_EQ(input_in(trial(published("anti")), period, channel), 0.0f);
  }
}

SEMANTIC(CategoryBoundary, "category_boundary");
TEST_F(CategoryBoundary, Direction8AsASample) {
  const auto conditions = [](const Battery& battery, bool match) {
    Conditions c = conditions_of(battery);
    c.sample = direction(8);
    c.test = direction(12);  // category 1 either way
    c.match = match;
    return c;
  };
  const Battery mended = corrected("dmc"), old = published("dmc");
  EXPECT_THAT(answers(mended.compose(0, conditions(mended, true))), Each(13));
  EXPECT_THROW(mended.compose(0, conditions(mended, false)), UsageError);
  EXPECT_THAT(answers(old.compose(0, conditions(old, false))), Each(0));
  EXPECT_THROW(old.compose(0, conditions(old, true)), UsageError);
}

SEMANTIC(MatchDelay, "match_delay");
TEST_F(MatchDelay, IsDrawnPerTrialOrOncePerSeedAndTask) {
  EXPECT_THAT(durations(corrected("dms"), Period::delay), SizeIs(400));
  EXPECT_THAT(durations(corrected("dms"), Period::delay), Each(AllOf(Ge(200.0), Le(1200.0))));
  const Battery dms = published("dms,dnms");
  EXPECT_THAT(durations(dms, Period::delay), SizeIs(1));
  EXPECT_THAT(durations(dms, Period::delay), Each(AllOf(Ge(200.0), Le(1200.0))));
  EXPECT_NE(dms.durations(0)[at(Period::delay)], dms.durations(1)[at(Period::delay)]);
  BatteryConfig config = dms.config();
  EXPECT_NE(Battery(config, Seed{2}).durations(0)[at(Period::delay)],
            dms.durations(0)[at(Period::delay)]);
}

SEMANTIC(IntDelay, "int_delay");
TEST_F(IntDelay, OfDecisionTasksIsDrawnOrAlways500) {
  EXPECT_THAT(durations(corrected("dlydm1intr"), Period::delay),
              ElementsAre(0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100));
  EXPECT_THAT(durations(published("dlydm1intr"), Period::delay), ElementsAre(500));
  EXPECT_THAT(durations(published("dlygointr"), Period::delay), SizeIs(12));
}

SEMANTIC(IntShift, "int_shift");
TEST_F(IntShift, IsAnAngleOrAnIndexPerTime) {
  const auto answer = [](const Battery& battery) {
    Conditions c = conditions_of(battery);
    const std::int64_t n = battery.config().n_ring;
    c.direction = direction(0, n);
    c.directions = {direction(0, n), direction(5, n)};
    c.strength = {{{1.0, 0.3}, {0, 0}}};
    c.choice = 0;
    if (battery.tasks()[0].base_task().family == Family::reach) c.strength = {};
    c.duration[at(Period::delay)] = 300;
    return answers(battery.compose(0, c)).front();
  };
  // 300 ms: 3 x 22.5 degrees; published 3 rad = 7.64 directions of 16, or 3 directions of any ring.
  EXPECT_EQ(answer(corrected("dlygointr")), 1 + 3);
  EXPECT_EQ(answer(published("dlygointr")), 1 + 8);
  EXPECT_EQ(answer(corrected("dlydm1intr", 32)), 1 + 6);
  EXPECT_EQ(answer(published("dlydm1intr", 32)), 1 + 3);
}

SEMANTIC(IntDirection, "int_direction");
TEST_F(IntDirection, OfReachTasksMovesTheResponseOrTheStimulus) {
  const auto trial = [](const Battery& battery) {
    Conditions c = conditions_of(battery);
    c.modality = 0;
    c.direction = direction(4);
    c.duration[at(Period::delay)] = 300;
    return battery.compose(0, c);
  };
  const Trial mended = trial(corrected("dlygointr")), old = trial(published("dlygointr"));
  EXPECT_FLOAT_EQ(input_in(mended, Period::stimulus, 1 + 4), 0.8f);
  EXPECT_THAT(answers(mended), Each(1 + 7));
  EXPECT_FLOAT_EQ(input_in(old, Period::stimulus, 1 + 7), 0.8f);
  EXPECT_THAT(answers(old), Each(1 + 4));
  EXPECT_FLOAT_EQ(input_in(trial(published("dlyantiintl")), Period::stimulus, 1 + 9), 0.8f);
}

SEMANTIC(RtSeq, "rt_seq");
TEST_F(RtSeq, LastsTenOrFiveSteps) {
  EXPECT_THAT(durations(corrected("rtgoseqr"), Period::decision), ElementsAre(1000));
  EXPECT_THAT(durations(published("rtgoseqr"), Period::decision), ElementsAre(500));
  EXPECT_THAT(durations(published("goseqr"), Period::decision), ElementsAre(1000));
}

SEMANTIC(Rounding, "rounding");
TEST_F(Rounding, IsOnceToTheNearestOrTowardsZero) {
  // Half a direction per 100 ms.
  const auto answer = [](const Battery& full, double delay) {
    BatteryConfig config = full.config();
    config.omega /= 2;
    const Battery battery(config, test_seed);
    Conditions c = conditions_of(battery);
    c.direction = direction(8);
    c.duration[at(Period::delay)] = delay;
    std::vector<std::int32_t> result = answers(battery.compose(0, c));
    result.resize(5);
    return result;
  };
  EXPECT_THAT(answer(corrected("goseqr"), 500), ElementsAre(9, 10, 10, 11, 11));
  EXPECT_THAT(answer(corrected("goseql"), 500), ElementsAre(9, 8, 8, 7, 7));
  EXPECT_THAT(answer(published("goseqr"), 500), ElementsAre(9, 9, 10, 10, 11));
  EXPECT_THAT(answer(published("goseql"), 500), ElementsAre(9, 9, 8, 8, 7));
  // int and seq: 1.5 + 0, 1.5 + 0.5, ... rounded together, or floor(8 + 1.5) and then steps.
  EXPECT_THAT(answer(corrected("dlygointrseqr"), 300), ElementsAre(11, 11, 12, 12, 13));
  EXPECT_THAT(answer(published("dlygointrseqr"), 300), ElementsAre(10, 10, 11, 11, 12));
  // Only whole steps of a delay can be measured: 250 ms at 100 ms per step are 200.
  EXPECT_EQ(answer(corrected("dlygointr"), 250).front(), 10);
}

SEMANTIC(NoiseChannels, "noise_channels");
TEST_F(NoiseChannels, AreTheRingsShownOrAll) {
  const auto channels = [](const Battery& battery) {
    Conditions c = conditions_of(battery);
    c.noise = true;
    const Trial trial = battery.compose(0, c);
    EXPECT_EQ(trial.noise.size(), 1u);
    return std::pair(trial.noise[0].first_channel, trial.noise[0].last_channel);
  };
  EXPECT_EQ(channels(corrected("dm1")), std::pair(1, 17));
  EXPECT_EQ(channels(corrected("dm2")), std::pair(17, 33));
  EXPECT_EQ(channels(corrected("multidm")), std::pair(1, 33));
  EXPECT_EQ(channels(published("dm1")), std::pair(0, 33));
}

SEMANTIC(Ties, "ties");
TEST_F(Ties, AreDrawnAgainOrDecidedByACoin) {
  const auto share = [](const Battery& battery) {
    double n_ties = 0, n_first = 0;
    const auto trials = draws(battery, 4000);
    for (const Conditions& c : trials) {
      const double difference =
          c.strength[0][0] + c.strength[1][0] - c.strength[0][1] - c.strength[1][1];
      if (std::abs(difference) > 1e-9) continue;
      ++n_ties;
      n_first += c.choice == 0;
    }
    if (n_ties > 0) {
      EXPECT_NEAR(n_first / n_ties, 0.5, 0.1);
    }
    return n_ties / 4000;
  };
  EXPECT_EQ(share(corrected("multidm")), 0);
  EXPECT_EQ(share(corrected("multidlydm")), 0);
  EXPECT_NEAR(share(published("multidm")), 1.0 / 8, 0.02);
  EXPECT_NEAR(share(published("multidlydm")), 1.0 / 6, 0.02);
  const Battery old = published("multidm");
  Conditions c = conditions_of(old);
  c.directions = {direction(2), direction(9)};
  c.strength = {{{0.54, 0.46}, {0.46, 0.54}}};
  for (const int choice : {0, 1}) {
    c.choice = choice;
    EXPECT_THAT(answers(old.compose(0, c)), Each(choice == 0 ? 3 : 10));
  }
}

SEMANTIC(Modality, "modality");
TEST_F(Modality, IsDrawnOrAlternates) {
  const auto modalities = [](const Battery& battery) {
    std::vector<int> result;
    for (std::uint32_t i = 0; i < 40; ++i)
      result.push_back(battery.draw(0, {test_seed, RandomPurpose::conditions}, i, i).modality);
    return result;
  };
  const std::vector<int> old = modalities(published("dlygo")),
                         mended = modalities(corrected("dlygo"));
  for (std::size_t i = 0; i < old.size(); ++i) EXPECT_EQ(old[i], static_cast<int>(i % 2));
  EXPECT_NE(mended, old);
  EXPECT_NEAR(std::count(mended.begin(), mended.end(), 1), 20, 10);
}

SEMANTIC(TaskOrder, "task_order");
TEST_F(TaskOrder, DrawsIndependentlyOrNeverRepeats) {
  const auto repeats = [](const Battery& battery) {
    StreamConfig config;
    config.steps = 2000;
    const PackedStream stream(battery, config, test_seed, Split::train);
    std::vector<std::int32_t> tasks(2000);
    std::vector<std::uint8_t> starts(2000);
    stream.fill(0, 0, {.trial_starts = {starts.data(), 2000, 1}, .tasks = {tasks.data(), 2000, 1}});
    int n_trials = 0, n_repeats = 0;
    std::int32_t last = -1;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      if (!starts[t]) continue;
      n_repeats += tasks[t] == last;
      last = tasks[t];
      ++n_trials;
    }
    return static_cast<double>(n_repeats) / n_trials;
  };
  EXPECT_EQ(repeats(published("go,dm1,dms")), 0);
  EXPECT_NEAR(repeats(corrected("go,dm1,dms")), 1.0 / 3, 0.13);
}

TEST(Semantics, EverySwitchHasATestHere) {
  std::set<std::string> tested{"ring_wrap",      "go_stimulus", "category_boundary",
                               "match_delay",    "int_delay",   "int_shift",
                               "int_direction",  "rt_seq",      "rounding",
                               "noise_channels", "ties",        "modality",
                               "task_order"};
  std::set<std::string> known;
  Semantics semantics;
  Semantics::fields(semantics, [&](std::string_view key, bool, std::string_view, std::string_view) {
    known.emplace(key);
  });
  EXPECT_EQ(known, tested);
}

TEST(Semantics, EverySwitchIsInTheDocumentation) {
  std::ifstream file(source_directory() / "docs/concepts/battery.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Semantics semantics;
  Semantics::fields(semantics, [&](std::string_view key, bool, std::string_view published,
                                   std::string_view corrected) {
    const std::string row = "| `" + std::string(key) + "` | " + std::string(published) + " | " +
                            std::string(corrected) + " |";
    EXPECT_NE(text.find(row), std::string::npos) << "docs/concepts/battery.md lacks: " << row;
  });
}

TEST(Semantics, BaseSetsAllSwitches) {
  SemanticsConfig config{SemanticsBase::published, {}};
  EXPECT_EQ(config.resolve(), Semantics::published());
  config.switches["ties"] = SemanticsBase::corrected;
  Semantics expected = Semantics::published();
  expected.ties = true;
  EXPECT_EQ(config.resolve(), expected);
  EXPECT_EQ(SemanticsConfig{}.resolve(), Semantics::corrected());
}

}  // namespace
}  // namespace lmrnn
