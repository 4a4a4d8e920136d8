#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"
#include "message_of.hpp"
#include "tasks/scored.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

// Newcombe, Stat. Med. 17:857 (1998), Table I: Wilson's interval without continuity correction.
TEST(Wilson, KnownIntervals) {
  EXPECT_NEAR(wilson_lower(81. / 263, 263), 0.2553, 5e-5);
  EXPECT_NEAR(wilson_lower(15. / 148, 148), 0.0624, 5e-5);
  EXPECT_NEAR(wilson_lower(1. / 29, 29), 0.0061, 5e-5);
  EXPECT_EQ(wilson_lower(0, 20), 0);
  EXPECT_EQ(wilson_lower(1, 0), 0);
}

TEST(Wilson, LiesBelowAndClosesInWithMoreTrials) {
  for (const double p : {0.01, 0.5, 0.95, 1.0}) {
    EXPECT_LT(wilson_lower(p, 100), p);
    EXPECT_LT(wilson_lower(p, 100), wilson_lower(p, 1000));
    EXPECT_NEAR(wilson_lower(p, 1e9), p, 1e-4);
  }
}

// Trials of six steps: fixation 0-1, stimulus 2, delay 3, decision 4-6 (step 6 only in long ones).
// Answers are given as classes and turned into logits.
class ScoreTrials : public ::testing::Test {
 protected:
  static constexpr std::size_t n_steps = 7, n_classes = 4;

  ScoreCounts score(const std::vector<std::vector<int>>& answers, std::vector<std::int32_t> lengths,
                    std::int32_t grace = 1) {
    const std::size_t n = answers.size();
    std::vector<float> logits(n_steps * n_classes * n, 0.0f);
    std::vector<std::int32_t> targets(n_steps * n, 0);
    std::vector<std::uint8_t> scored(n_steps * n, 0);
    TrialView rows;
    rows.targets = {targets.data(), n_steps, n};
    rows.scored = {scored.data(), n_steps, n};
    for (std::size_t k = 0; k < n; ++k) {
      for (const PeriodSpan& span : {PeriodSpan{Period::fixation, 0, 2},
                                     {Period::stimulus, 2, 3},
                                     {Period::delay, 3, 4},
                                     {Period::decision, 4, lengths[k]}})
        mark_scored(span, grace, {scored.data(), n_steps, n}, static_cast<std::size_t>(span.first),
                    k);
      for (std::size_t t = 0; t < n_steps; ++t) {
        if (t >= 4) targets[t * n + k] = 2;
        logits[(t * n_classes + static_cast<std::size_t>(answers[k][t])) * n + k] = 1.0f;
      }
    }
    ScoreCounts counts;
    add_scores({logits.data(), n_steps, n_classes, n}, rows, {&counts, 1});
    return counts;
  }

  const std::vector<int> perfect{0, 0, 0, 0, 2, 2, 2};
};

TEST_F(ScoreTrials, PerfectAnswers) {
  const ScoreCounts c = score({perfect, perfect}, {7, 7});
  EXPECT_EQ(c.trials, 2u);
  EXPECT_EQ(c.right_trials, 2u);
  EXPECT_EQ(c.decision_steps, 6u);
  EXPECT_EQ(c.right_decision_steps, 6u);
  EXPECT_EQ(c.decision_accuracy(), 1);
}

TEST_F(ScoreTrials, PaddingDoesNotCount) {
  const ScoreCounts c = score({{0, 0, 0, 0, 2, 2, 3}, perfect}, {6, 7});
  EXPECT_EQ(c.right_trials, 2u);
  EXPECT_EQ(c.decision_steps, 5u);
  EXPECT_EQ(c.right_decision_steps, 5u);
}

TEST_F(ScoreTrials, AMistakeWithinTheGraceCostsAStepNotTheTrial) {
  const ScoreCounts c = score({{0, 0, 0, 0, 0, 2, 2}}, {7});
  EXPECT_EQ(c.right_trials, 1u);
  EXPECT_EQ(c.right_decision_steps, 2u);
  EXPECT_EQ(score({{0, 0, 0, 0, 0, 2, 2}}, {7}, 0).right_trials, 0u);
  EXPECT_EQ(score({{0, 0, 0, 0, 0, 1, 2}}, {7}, 2).right_trials, 1u);
}

TEST_F(ScoreTrials, AMistakeAfterTheGraceCostsBoth) {
  const ScoreCounts c = score({{0, 0, 0, 0, 2, 2, 1}}, {7});
  EXPECT_EQ(c.right_trials, 0u);
  EXPECT_EQ(c.right_decision_steps, 2u);
}

TEST_F(ScoreTrials, BrokenFixationCostsTheTrialNotTheDecision) {
  for (const std::size_t t : {0, 1, 2, 3}) {
    std::vector<int> answers = perfect;
    answers[t] = 3;
    const ScoreCounts c = score({answers}, {7});
    EXPECT_EQ(c.right_trials, 0u) << t;
    EXPECT_EQ(c.right_decision_steps, 3u) << t;
  }
}

TEST_F(ScoreTrials, TiesGoToTheLowestClass) {
  const std::vector<float> logits(n_steps * n_classes, 0.5f);
  const std::vector<std::int32_t> targets(n_steps, 0);
  const std::vector<std::uint8_t> scored(n_steps, 1);
  TrialView rows;
  rows.targets = {targets.data(), n_steps, 1};
  rows.scored = {scored.data(), n_steps, 1};
  ScoreCounts c;
  add_scores({logits.data(), n_steps, n_classes, 1}, rows, {&c, 1});
  EXPECT_EQ(c.right_decision_steps, 7u);
}

TEST(Evaluation, ContinuousTargetsAreRightWithinTheTolerance) {
  // Two outputs, two trials of four steps in one row; step 3 of each does not count.
  constexpr std::size_t n_steps = 8;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> wanted{0, 1, 0, 1, 0, 1, 0, 1, 5, 5, 5, 5, 5, 5, 5, 5};
  std::vector<float> logits(n_steps * 2);
  for (std::size_t t = 0; t < n_steps; ++t)
    for (std::size_t c = 0; c < 2; ++c) logits[t * 2 + c] = wanted[t * 2 + c];
  logits[1] += 0.25f;  // step 0: just within
  logits[6] += 9;      // step 3: does not count
  logits[10] += 0.3f;  // step 5: one output of two is outside
  logits[12] = nan;    // step 6
  const std::vector<std::uint8_t> scored{1, 1, 1, 0, 1, 1, 1, 0}, starts{1, 0, 0, 0, 1, 0, 0, 0};
  TrialView rows;
  const TrialArray<const float> outputs(wanted.data(), n_steps, 1, 2);
  rows.scored = {scored.data(), n_steps, 1};
  rows.trial_starts = {starts.data(), n_steps, 1};
  const auto counts = [&](double tolerance) {
    ScoreCounts c;
    add_scores({logits.data(), n_steps, 2, 1}, rows, outputs, tolerance, {&c, 1});
    return c;
  };
  EXPECT_EQ(counts(0.25).decision_steps, 6u);
  EXPECT_EQ(counts(0.25).right_decision_steps, 4u);
  EXPECT_EQ(counts(0.25).trials, 2u);
  EXPECT_EQ(counts(0.25).right_trials, 1u);
  EXPECT_EQ(counts(0.31).right_decision_steps, 5u);
  EXPECT_EQ(counts(0.2).right_decision_steps, 3u);
  EXPECT_EQ(counts(0.2).right_trials, 0u);
  EXPECT_THAT(message_if_any<UsageError>([&] {
                ScoreCounts c;
                add_scores({logits.data(), n_steps, 1, 2}, rows, outputs, 1, {&c, 1});
              }),
              HasSubstr("the logits have 8 and 2"));
  EXPECT_THAT(message_if_any<UsageError>([&] {
                ScoreCounts c;
                add_scores({logits.data(), n_steps, 1, 1}, rows, outputs, 1, {&c, 1});
              }),
              HasSubstr("targets for 2 outputs, but logits of 1 classes"));
}

TEST(Evaluation, RefusesArraysThatDoNotBelongTogether) {
  const std::vector<float> logits(5 * 2 * 3);
  const std::vector<std::int32_t> targets(5 * 3), tasks_of_steps(5 * 3, 1);
  const std::vector<std::uint8_t> bytes(5 * 3);
  const View3<const float> z{logits.data(), 5, 2, 3};
  TrialView rows;
  rows.targets = {targets.data(), 5, 3};
  rows.scored = rows.trial_starts = {bytes.data(), 5, 3};
  rows.tasks = {tasks_of_steps.data(), 5, 3};
  const auto refusal = [&](const View3<const float>& a, auto spoil, std::size_t n_tasks = 2) {
    TrialView b = rows;
    spoil(b);
    std::vector<ScoreCounts> by_task(n_tasks);
    return message_if_any<UsageError>([&] { add_scores(a, b, by_task); });
  };
  const auto nothing = [](TrialView&) {};
  EXPECT_EQ(refusal(z, nothing), "");
  EXPECT_THAT(refusal({logits.data(), 5, 2, 2}, nothing), HasSubstr("the logits have 5 and 2"));
  EXPECT_THAT(refusal(z, [](auto& b) { b.targets = b.targets.trials(0, 2); }),
              HasSubstr("targets of 5 steps and 2 trials"));
  EXPECT_THAT(refusal(z, [](auto& b) { b.scored = {}; }), HasSubstr("scored steps of 0 steps"));
  EXPECT_EQ(refusal(z, [](auto& b) { b.trial_starts = {}; }), "");
  EXPECT_THAT(refusal(z, [](auto& b) { b.tasks.n_steps = 4; }), HasSubstr("tasks of 4 steps"));
  EXPECT_THAT(refusal(z, nothing, 1), HasSubstr("task 1, but there are 1"));
  BatteryConfig config;
  config.tasks = "go,dm1";
  const Battery battery(config, Seed{1});
  const std::vector<std::size_t> tasks{0, 1};
  const std::vector<ScoreCounts> counts(2);
  EXPECT_THAT(message_of<UsageError>(
                  [&] { make_evaluation(battery, tasks, counts, std::vector<Ceiling>(1)); }),
              HasSubstr("2 tasks, 2 counts and 1 ceilings"));
}

TEST(Evaluation, MeansWeighTasksEqually) {
  Evaluation e;
  e.tasks.resize(2);
  e.tasks[0].decision_accuracy = 1.0;
  e.tasks[0].counts.trials = 10;
  e.tasks[1].decision_accuracy = 0.5;
  e.tasks[1].counts.trials = 10000;
  e.tasks[0].share_of_ceiling = 1.0;
  e.tasks[1].share_of_ceiling = 0.6;
  EXPECT_DOUBLE_EQ(e.mean_accuracy(), 0.75);
  EXPECT_DOUBLE_EQ(e.mean_share_of_ceiling(), 0.8);
  EXPECT_DOUBLE_EQ(e.worst_share_of_ceiling(), 0.6);
}

TEST(Evaluation, SolvedTakesTwoEvaluationsInARow) {
  Evaluation e;
  e.tasks.resize(3);
  e.tasks[0].passed = e.tasks[1].passed = true;
  mark_solved(e, {});
  EXPECT_EQ(e.n_solved(), 0u);
  mark_solved(e, std::vector<std::uint8_t>{0, 1, 1});
  EXPECT_FALSE(e.tasks[0].solved);  // not before
  EXPECT_TRUE(e.tasks[1].solved);
  EXPECT_FALSE(e.tasks[2].solved);  // not any more
}

BatteryConfig small_battery() {
  BatteryConfig config;
  config.tasks = "go,dlygointr,dm1,dms,antiseqr";
  return config;
}

TEST(Evaluation, ReachedNeedsAThousandTrialsAndTheLowerBound) {
  const Battery battery(small_battery(), Seed{1});
  const std::vector<std::size_t> tasks{0, 0, 0};
  const std::vector<Ceiling> best(3, Ceiling{{1, 0}, {1, 0}});
  // The lower bound of 0.96 over 1000 trials is 0.946: the accuracy is above 95%, but its bound is
  // not.
  const std::vector<ScoreCounts> counts{
      {999, 999, 999, 999}, {1000, 960, 1000, 960}, {1000, 970, 1000, 970}};
  const Evaluation e = make_evaluation(battery, tasks, counts, best);
  EXPECT_FALSE(e.tasks[0].passed);
  EXPECT_FALSE(e.tasks[1].passed);
  EXPECT_TRUE(e.tasks[2].passed);
  EXPECT_EQ(e.tasks[2].name, "go");
}

TEST(Evaluation, AccuracyIsMeasuredAgainstTheCeiling) {
  const Battery battery(small_battery(), Seed{1});
  const std::vector<ScoreCounts> counts{{1000, 500, 4000, 2000}};
  const Evaluation e = make_evaluation(battery, std::vector<std::size_t>{0}, counts,
                                       std::vector<Ceiling>{{{0.5, 0}, {0.5, 0}}});
  EXPECT_DOUBLE_EQ(e.tasks[0].share_of_ceiling, 1);
  EXPECT_DOUBLE_EQ(e.tasks[0].decision_lower, wilson_lower(0.5, 1000));  // trials, not steps
}

Network random_network(const Battery& battery, std::uint64_t seed) {
  Architecture a;
  a.n_channels = battery.n_channels();
  a.n_rules = battery.n_rules();
  a.n_classes = battery.n_classes();
  a.recurrent = Mask::dense(20, 20);
  a.input = Mask::dense(20, a.n_channels);
  a.readout = Mask::dense(a.n_classes, 20);
  Network network(std::move(a));
  network.initialise(Initialisation::fan_in, Seed{seed});
  return network;
}

TEST(Evaluator, SameCountsForAnyNumberOfThreads) {
  const Battery battery(small_battery(), Seed{1});
  const Network network = random_network(battery, 3);
  ThreadPool one(1), three(3);
  const Evaluator evaluator(battery, Seed{5}, Split::test, 300, one);
  for (const double noise : {0.0, 0.3}) {
    const Evaluation a = evaluator.evaluate(network, one, noise);
    const Evaluation b = evaluator.evaluate(network, three, noise);
    ASSERT_EQ(a.tasks.size(), 5u);
    for (std::size_t i = 0; i < a.tasks.size(); ++i) {
      EXPECT_EQ(a.tasks[i].counts.trials, 300u);
      EXPECT_EQ(a.tasks[i].counts.right_decision_steps, b.tasks[i].counts.right_decision_steps);
      EXPECT_EQ(a.tasks[i].counts.right_trials, b.tasks[i].counts.right_trials);
    }
  }
}

// Blocks, sorting by length and padding must not change the answer to a single trial.
TEST(Evaluator, AgreesWithOneTrialAtATime) {
  const Battery battery(small_battery(), Seed{1});
  const Network network = random_network(battery, 4);
  ThreadPool pool(1);
  const std::size_t n = 70;
  const Evaluation whole =
      Evaluator(battery, Seed{5}, Split::validation, n, pool).evaluate(network, pool);
  Workspace workspace;
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    ScoreCounts counts;
    for (std::size_t k = 0; k < n; ++k) {
      const TrialBatch b = draw_trials(battery, task, 1, Seed{5}, Split::validation, k);
      std::vector<float> logits(b.n_steps * battery.n_classes());
      network.forward(b.view(), {}, {}, {logits.data(), b.n_steps, battery.n_classes(), 1},
                      workspace);
      add_scores({logits.data(), b.n_steps, battery.n_classes(), 1}, b.view(), {&counts, 1});
    }
    const ScoreCounts& all = whole.tasks[task].counts;
    EXPECT_EQ(all.decision_steps, counts.decision_steps) << whole.tasks[task].name;
    EXPECT_EQ(all.right_decision_steps, counts.right_decision_steps) << whole.tasks[task].name;
    EXPECT_EQ(all.right_trials, counts.right_trials) << whole.tasks[task].name;
  }
}

TEST(Evaluator, ChosenTasksScoreAsInTheWholeBattery) {
  const Battery battery(small_battery(), Seed{1});
  const Network network = random_network(battery, 4);
  ThreadPool pool(2);
  const Evaluation whole =
      Evaluator(battery, Seed{5}, Split::test, 40, pool).evaluate(network, pool);
  const Evaluation part =
      Evaluator(battery, Seed{5}, Split::test, 40, pool, {3, 1}).evaluate(network, pool);
  ASSERT_EQ(part.tasks.size(), 2u);
  EXPECT_EQ(part.tasks[0].name, whole.tasks[3].name);
  EXPECT_EQ(part.tasks[0].decision_accuracy, whole.tasks[3].decision_accuracy);
  EXPECT_EQ(part.tasks[1].decision_accuracy, whole.tasks[1].decision_accuracy);
}

TEST(Evaluator, RefusesWhatDoesNotFit) {
  const Battery battery(small_battery(), Seed{1});
  BatteryConfig other = small_battery();
  other.n_ring = 8;
  ThreadPool pool(1);
  const Evaluator evaluator(battery, Seed{5}, Split::test, 10, pool);
  EXPECT_THROW(evaluator.evaluate(random_network(Battery(other, Seed{1}), 3), pool), UsageError);
  EXPECT_THROW(Evaluator(battery, Seed{5}, Split::test, 0, pool), UsageError);
  EXPECT_THROW(Evaluator(battery, Seed{5}, Split::test, 1, pool, {5}), UsageError);
}

// With the state reset at each trial, a trial of a stream is a trial from state 0. A network with a
// fixed answer makes the counts known: class 0 is wrong in every decision step of Reach.
TEST(InStream, AFixatingNetworkKeepsFixationAndDecidesNothing) {
  BatteryConfig config;
  config.tasks = "go,dms";
  const Battery battery(config, Seed{1});
  Network network = random_network(battery, 3);
  std::vector<float> weights(network.layout().total, 0.0f);
  weights[network.layout().readout_bias] = 1.0f;
  network.set_weights(weights);
  ThreadPool pool(2);
  const std::vector<std::size_t> tasks{0, 1};
  const std::vector<Ceiling> best = ceilings(battery, tasks, Seed{1}, pool);
  for (const StreamMode mode : {StreamMode::restart, StreamMode::carry_on}) {
    StreamConfig rows;
    rows.mode = mode;
    rows.steps = 200;
    rows.batch = 40;
    const PackedStream stream(battery, rows, Seed{2}, Split::test);
    const Evaluation e = evaluate_stream(network, stream, 2, best, pool);
    EXPECT_GT(e.tasks[0].counts.trials, 100u);
    EXPECT_EQ(e.tasks[0].counts.decision_steps, 5 * e.tasks[0].counts.trials);
    EXPECT_EQ(e.tasks[0].counts.right_decision_steps, 0u);
    EXPECT_EQ(e.tasks[0].counts.right_trials, 0u);
    // dms: fixating is right in the trials without a match, which are about half of them.
    EXPECT_NEAR(e.tasks[1].trial_accuracy, 0.5, 0.15);
    EXPECT_EQ(e.tasks[1].trial_accuracy, e.tasks[1].decision_accuracy);
  }
}

TEST(TrainedOn, SurvivesTheNetworkFile) {
  BatteryConfig config = small_battery();
  config.dt = 20;
  config.n_ring = 32;
  const Battery battery(config, Seed{77});
  WiringConfig wiring;
  wiring.radius = 2.5;
  const NetworkMetadata metadata = describe_training(battery, wiring, Seed{77});
  const TrainedOn read = trained_on(metadata, "x.safetensors");
  EXPECT_EQ(read.seed, Seed{77});
  EXPECT_EQ(read.battery.dt, 20);
  EXPECT_EQ(read.battery.n_ring, 32);
  EXPECT_EQ(read.wiring.radius, 2.5);
  EXPECT_THAT(read.tasks, ::testing::ElementsAre("go", "dlygointr", "antiseqr", "dm1", "dms"));
}

TEST(TrainedOn, RefusesWhatItCannotTrust) {
  const Battery battery(small_battery(), Seed{1});
  const NetworkMetadata good = describe_training(battery, {}, Seed{1});
  for (const char* key : {"tasks", "battery", "wiring", "seed"}) {
    NetworkMetadata lacking = good;
    lacking.erase(key);
    EXPECT_THROW(trained_on(lacking, "x.safetensors"), UsageError) << key;
  }
  NetworkMetadata other = good;
  other["tasks"] = "dms,go";
  EXPECT_THROW(trained_on(other, "x.safetensors"), UsageError);
  other = good;
  other["seed"] = "7x";
  EXPECT_THROW(trained_on(other, "x.safetensors"), UsageError);
}

}  // namespace
}  // namespace lmrnn
