// Trials from given conditions: known answers, periods, overrides, rules, and rejections.
#include <gmock/gmock.h>

#include <cmath>

#include "battery_cases.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// "fixation 5, stimulus 5, ...": the periods of the first drawn trial in steps.
std::string periods_of(const Battery& battery) {
  const Trial trial = battery.compose(0, conditions_of(battery));
  std::string text;
  for (const PeriodSpan& span : trial.periods)
    text += (text.empty() ? "" : ", ") +
            std::string(period_name(battery.tasks()[0].base_task().family, span.period)) + " " +
            std::to_string(span.last - span.first);
  return text;
}

TEST(Compose, KnownAnswerOfBothModifiers) {
  const Battery battery(config_of("dlygointrseql"), test_seed);
  Conditions c = conditions_of(battery);
  c.direction = direction(15);
  c.duration[at(Period::delay)] = 300;
  EXPECT_THAT(answers(battery.compose(0, c)), ElementsAre(3, 2, 1, 16, 15, 14, 13, 12, 11, 10));
}

// 500 / (100 / 3) is 14.999999999999998 in binary fractions.
TEST(Compose, ADurationOfWholeStepsHasAllOfThem) {
  BatteryConfig config = config_of("dlygo,dlydm1,dmsintr");  // the first one is composed
  config.dt = 100.0 / 3;
  const Battery battery(config, test_seed);
  EXPECT_EQ(periods_of(battery), "fixation 15, stimulus 15, delay 15, decision 15");
  for (std::size_t task = 0; task < battery.tasks().size(); ++task)
    for (const Duration& duration : battery.durations(task)) {
      if (duration.kind != Duration::Kind::fixed) continue;
      for (const double ms : duration.values)
        EXPECT_EQ(battery.n_steps({ms}), std::lround(ms * 3 / 100)) << ms;
    }
  config.semantics.base = SemanticsBase::published;  // int(500 / dt), as in the published code
  EXPECT_EQ(periods_of(Battery(config, test_seed)),
            "fixation 14, stimulus 14, delay 14, decision 14");
  for (const double dt : {0.1, 0.7, 10.0 / 3, 16.7, 20.0, 33.0, 1000.0 / 60, 100.0}) {
    config = config_of("dlygo");
    config.dt = dt;
    const Battery corrected(config, test_seed);
    for (int steps = 1; steps <= 200; ++steps) EXPECT_EQ(corrected.n_steps({steps * dt}), steps);
    EXPECT_EQ(corrected.n_steps({2.999 * dt}), 2);
  }
}

TEST(Compose, IsPure) {
  const Battery battery(config_of("modcog132"), test_seed);
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const Conditions c = conditions_of(battery, task);
    const Trial once = battery.compose(task, c), again = battery.compose(task, c);
    EXPECT_EQ(once.inputs, again.inputs);
    EXPECT_EQ(once.targets, again.targets);
  }
}

TEST(Compose, TheCueIsOnUntilTheDecisionAndTargetsFixateUntilThen) {
  const Battery battery(config_of("modcog132"), test_seed);
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const Trial trial = battery.compose(task, conditions_of(battery, task));
    for (const PeriodSpan& span : trial.periods)
      for (std::int32_t t = span.first; t < span.last; ++t) {
        const bool decision = span.period == Period::decision;
        EXPECT_EQ(trial.inputs[static_cast<std::size_t>(t * trial.n_channels)], decision ? 0 : 1);
        if (!decision) {
          EXPECT_EQ(trial.targets[static_cast<std::size_t>(t)], 0);
        }
      }
  }
}

TEST(Compose, BumpsAreGaussiansOnTheCircle) {
  const Battery battery(config_of("dlygo"), test_seed);
  Conditions c = conditions_of(battery);
  c.modality = 0;
  c.direction = direction(15.5);  // between the last direction and the first
  const Trial trial = battery.compose(0, c);
  for (std::int32_t k = 0; k < 16; ++k) {
    const double apart = std::min(std::abs(15.5 - k), 16 - std::abs(15.5 - k)) * 2;  // of pi / 16
    const double expected = 0.8 * std::exp(-0.5 * apart * apart / 4);
    EXPECT_NEAR(input_in(trial, Period::stimulus, 1 + k), expected, 1e-6);
    EXPECT_EQ(input_in(trial, Period::stimulus, 17 + k), 0);
  }
  EXPECT_THAT(answers(trial), Each(::testing::AnyOf(1, 16)));
}

TEST(Compose, AnglesBetweenDirectionsGiveTheNearestClass) {
  const Battery battery(config_of("anti"), test_seed);
  Conditions c = conditions_of(battery);
  c.direction = direction(3.4);
  EXPECT_THAT(answers(battery.compose(0, c)), Each(1 + 11));
  c.direction = direction(3.6 - 32);
  EXPECT_THAT(answers(battery.compose(0, c)), Each(1 + 12));
}

TEST(Compose, MatchTasksRespondInTheDirectionOfTheTest) {
  const auto answer = [](const char* task, bool match) {
    const Battery battery(config_of(task), test_seed);
    Conditions c = conditions_of(battery);
    c.match = match;
    c.sample = direction(2);
    c.test = direction(match ? 2 : 10);
    return answers(battery.compose(0, c));
  };
  EXPECT_THAT(answer("dms", true), AllOf(::testing::SizeIs(9), Each(3)));
  EXPECT_THAT(answer("dms", false), Each(0));
  EXPECT_THAT(answer("dnms", true), Each(0));
  EXPECT_THAT(answer("dnms", false), Each(11));
  EXPECT_THAT(answer("dmc", true), Each(3));
  EXPECT_THAT(answer("dnmc", false), Each(11));
  EXPECT_THAT(answer("dnmcseqr", false), AllOf(::testing::SizeIs(10), ::testing::Contains(11),
                                               ::testing::Contains(1 + (10 + 9) % 16)));
}

TEST(Compose, AFinerStepAndRing) {
  BatteryConfig config = config_of("dlygointrseqr");
  config.dt = 20;
  config.n_ring = 32;
  const Battery battery(config, test_seed);
  EXPECT_EQ(battery.n_channels(), 65u);
  EXPECT_EQ(battery.n_classes(), 33u);
  EXPECT_NEAR(battery.noise_deviation(), 1 / std::sqrt(20.0), 1e-7);
  Conditions c = conditions_of(battery);
  c.direction = direction(0, 32);
  c.duration[at(Period::delay)] = 300;
  const auto answer = answers(battery.compose(0, c));
  ASSERT_EQ(answer.size(), 50u);
  // 22.5 degrees per 100 ms are 2 directions of 32, or 0.4 per step.
  for (std::size_t t = 0; t < 50; ++t)
    EXPECT_EQ(answer[t], 1 + std::lround(6 + 0.4 * static_cast<double>(t)) % 32) << t;
}

TEST(Timing, OfBothTables) {
  const auto periods = [](const char* task, TimingTable timing) {
    BatteryConfig config = config_of(task);
    config.timing = timing;
    return periods_of(Battery(config, test_seed));
  };
  EXPECT_EQ(periods("go", TimingTable::modcog), "fixation 5, stimulus 5, delay 5, decision 5");
  EXPECT_EQ(periods("go", TimingTable::neurogym), "fixation 5, stimulus 5, delay 0, decision 5");
  EXPECT_EQ(periods("dlygo", TimingTable::neurogym), "fixation 5, stimulus 5, delay 5, decision 5");
  EXPECT_EQ(periods("rtgo", TimingTable::modcog), "fixation 5, decision 5");
  EXPECT_THAT(periods("dm1", TimingTable::modcog), HasSubstr("stimulus 5, decision 2"));
  EXPECT_THAT(periods("dlydm1", TimingTable::modcog),
              HasSubstr("stim1 5, delay 5, stim2 5, decision 2"));
  EXPECT_THAT(periods("dlydm1", TimingTable::neurogym), HasSubstr("delay 10"));
  EXPECT_EQ(periods("dms", TimingTable::neurogym),
            "fixation 3, sample 5, delay 10, test 5, decision 9");
  EXPECT_THAT(periods("dm1seqr", TimingTable::modcog), HasSubstr("decision 10"));
}

TEST(Timing, OverridesByFamilyAndByTask) {
  BatteryConfig config = config_of("dlygo,dlyanti");
  config.durations["reach"]["delay"] = {Duration::Kind::fixed, {1000}};
  config.durations["dlyanti"]["delay"] = {Duration::Kind::choice, {100, 200}};
  const Battery battery(config, test_seed);
  EXPECT_EQ(periods_of(battery), "fixation 5, stimulus 5, delay 10, decision 5");
  EXPECT_THAT(battery.durations(1)[at(Period::delay)].values, ElementsAre(100, 200));
}

TEST(Rules, OneHotByTaskOrASumOfThree) {
  BatteryConfig config = config_of("modcog132");
  const Battery by_task(config, test_seed);
  EXPECT_EQ(by_task.n_rules(), 132u);
  EXPECT_EQ(by_task.rule(7)[0], 7);
  config.rule = RuleEncoding::composed;
  const Battery composed(config, test_seed);
  EXPECT_EQ(composed.n_rules(), 26u);
  EXPECT_EQ(composed.n_rule_slots(), 3u);
  // base 2 of 20; then int none, r, l; then seq none, r, l.
  EXPECT_THAT(composed.rule(composed.index_of("dlygointrseql")), ElementsAre(2, 21, 25));
  EXPECT_THAT(composed.rule(composed.index_of("go")), ElementsAre(0, 20, 23));
}

TEST(Refused, WhatNoTrialCanHave) {
  const auto complaint = [](const char* task, auto&& change) {
    const Battery battery(config_of(task), test_seed);
    Conditions c = conditions_of(battery);
    change(c);
    return message_of<UsageError>([&] { battery.compose(0, c); });
  };
  EXPECT_THAT(complaint("go", [](Conditions& c) { c.modality = 2; }), HasSubstr("modality = 2"));
  EXPECT_THAT(complaint("go", [](Conditions& c) { c.direction = NAN; }), HasSubstr("direction"));
  EXPECT_THAT(complaint("go", [](Conditions& c) { c.duration[at(Period::stimulus)] = -1; }),
              HasSubstr("stimulus lasts -1 ms"));
  EXPECT_THAT(complaint("go", [](Conditions& c) { c.duration[at(Period::decision)] = 50; }),
              HasSubstr("less than one step"));
  EXPECT_THAT(complaint("dm1", [](Conditions& c) { c.duration[at(Period::delay)] = 100; }),
              HasSubstr("no such period"));
  EXPECT_THAT(complaint("dm1", [](Conditions& c) { c.choice = 1 - c.choice; }),
              HasSubstr("choice"));
  EXPECT_THAT(complaint("dm1", [](Conditions& c) { c.directions[1] = c.directions[0]; }),
              HasSubstr("the same"));
  EXPECT_THAT(complaint("dm1", [](Conditions& c) { c.strength[1][0] = 0.5; }),
              HasSubstr("modality 1 is not shown"));
  EXPECT_THAT(complaint("dms", [](Conditions& c) { c.match = !c.match; }), HasSubstr("match"));
}

TEST(Refused, ImpossibleBatteries) {
  const auto complaint = [](auto&& change) {
    BatteryConfig config = config_of("modcog132");
    change(config);
    return message_of<UsageError>([&] { Battery(config, test_seed); });
  };
  EXPECT_THAT(complaint([](BatteryConfig& c) { c.n_ring = 15; }), HasSubstr("n_ring"));
  EXPECT_THAT(complaint([](BatteryConfig& c) { c.dt = 300; }), HasSubstr("dt"));
  EXPECT_THAT(complaint([](BatteryConfig& c) {
                c.semantics.switches["rounidng"] = SemanticsBase::published;
              }),
              HasSubstr("did you mean \"rounding\"?"));
  EXPECT_THAT(complaint([](BatteryConfig& c) {
                c.durations["reach"]["dlay"] = {Duration::Kind::fixed, {1}};
              }),
              HasSubstr("dlay"));
  EXPECT_THAT(complaint([](BatteryConfig& c) {
                c.durations["go"]["delay"] = {Duration::Kind::uniform, {300, 100}};
              }),
              HasSubstr("low end above its high end"));
  EXPECT_THAT(complaint([](BatteryConfig& c) { c.weights["goo"] = 1; }), HasSubstr("goo"));
}

}  // namespace
}  // namespace lmrnn
