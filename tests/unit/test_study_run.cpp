#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/shared/text.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/study.hpp"
#include "lmrnn/train.hpp"
#include "message_of.hpp"
#include "study/ceilings.hpp"
#include "study/memory.hpp"
#include "study/pruning.hpp"
#include "study/store.hpp"
#include "study/summary.hpp"
#include "study_file.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* head = R"(
claim = "a claim"
support = "what supports it"
seeds = [1, 2]
[statistics]
seed = 3
marks = [0.05, 0.99]
[config]
battery.tasks = "go,dlygointr"
wiring.rows = 4
wiring.cols = 4
wiring.radius = 1
stream.batch = 8
stream.steps = 40
train.steps = 12
evaluation.every = 4
evaluation.trials = 20
checkpoint.every = 5
)";

class SmallStudy : public StudyFile {
 public:
  explicit SmallStudy(const std::string& more) : StudyFile(head + more) {}
  Study load(const std::vector<std::string>& assignments = {}) const {
    return StudyFile::load({.out = {}, .assignments = assignments});
  }
};

StudyOutcome run(const Study& study, StudyRunOptions options = {}) {
  options.n_threads = 1;
  return run_study(study, options, {});
}

std::map<RunState, int> states(const Study& study) {
  std::map<RunState, int> counts;
  for (const RunStatus& s : study_status(study, plan_study(study))) ++counts[s.state];
  return counts;
}

// All tables that do not depend on the clock, in one text.
std::string tables(const Study& study) {
  const Collected collected = collect_study(study);
  std::string all;
  for (const auto& [name, rows] : collected.tables)
    if (name != "times") all += name + "\n" + read_file(collected.directory / (name + ".csv"));
  return all;
}

std::vector<std::map<std::string, std::string>> rows_of(const fs::path& csv) {
  std::istringstream in(read_file(csv));
  std::string line;
  std::getline(in, line);
  const auto split = [](const std::string& text) {
    std::vector<std::string> cells{""};
    bool quoted = false;
    for (const char c : text) {
      if (c == '"')
        quoted = !quoted;
      else if (c == ',' && !quoted)
        cells.emplace_back();
      else
        cells.back() += c;
    }
    return cells;
  };
  const auto columns = split(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const auto cells = split(line);
    EXPECT_EQ(cells.size(), columns.size()) << csv;
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) row[columns[i]] = cells[i];
  }
  return rows;
}

// Running --------------------------------------------------------------------------------------

TEST(StudyRun, DoesEveryRunOnce) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load();
  EXPECT_EQ(states(study)[RunState::planned], 4);
  const StudyOutcome outcome = run(study, {.jobs = 3});
  EXPECT_EQ(outcome.n_finished, 4u);
  EXPECT_EQ(outcome.n_left, 0u);
  EXPECT_EQ(states(study)[RunState::done], 4);
  EXPECT_EQ(run(study).n_finished, 0u);
  // A run of a study has the same bits as the same run alone.
  const PlannedRun planned = plan_study(study).runs.at(3);
  Trainer::start(planned.config, dir / "alone", {.n_threads = 1}).run();
  EXPECT_EQ(checkpoint_bytes(dir / "alone", 12),
            checkpoint_bytes(run_directory(study, planned), 12));
}

TEST(StudyRun, LimitAndInterruptionLeaveTheRest) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load({"config.train.steps=20000", "config.evaluation.every=0"});
  StudyCallbacks callbacks;
  bool under_way = false;
  callbacks.progress = [&](const StudyProgress& p) {
    for (const auto& r : p.running) under_way = under_way || r.step > 0;
  };
  callbacks.stop_requested = [&] { return under_way ? StopRequest::save : StopRequest::none; };
  const StudyOutcome outcome = run_study(study, {.jobs = 2, .n_threads = 1}, callbacks);
  EXPECT_EQ(outcome.n_interrupted, 2u);
  EXPECT_EQ(outcome.n_left, 4u);
  EXPECT_EQ(states(study)[RunState::interrupted], 2);
  EXPECT_EQ(states(study)[RunState::planned], 2);

  const Study short_one = dir.load();
  EXPECT_EQ(run(short_one, {.limit = 1}).n_finished, 1u);
  EXPECT_EQ(states(short_one)[RunState::done], 1);
}

TEST(StudyRun, FailuresAreRecordedAndCanBeRetried) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load();
  const StudyPlan plan = plan_study(study);
  // A file is where the directory should be.
  const fs::path blocked = run_directory(study, plan.runs[1]);
  fs::create_directories(blocked);
  write_file(blocked / "provenance.json", "{}");
  write_file(blocked / "config.toml", "nonsense = 1\n");
  StudyOutcome outcome = run(study, {.jobs = 2});
  EXPECT_EQ(outcome.n_failed, 1u);
  EXPECT_EQ(outcome.n_finished, 3u);
  const auto status = study_status(study, plan);
  EXPECT_EQ(status[1].state, RunState::failed);
  EXPECT_THAT(status[1].error, HasSubstr("provenance"));
  EXPECT_EQ(outcome.n_failed_before, 0u);
  outcome = run(study);
  EXPECT_EQ(outcome.n_failed, 0u);  // not begun again by itself
  EXPECT_EQ(outcome.n_failed_before, 1u);
  const std::string other = plan.cells[plan.runs[3].cell].name;
  EXPECT_EQ(run(study, {.cells = other}).n_failed_before, 0u);
  fs::remove_all(blocked);
  outcome = run(study, {.retry = true});
  EXPECT_EQ(outcome.n_finished, 1u);
  EXPECT_EQ(states(study)[RunState::done], 4);
}

TEST(StudyRun, ADivergedRunIsAResult) {
  const SmallStudy dir(
      "[axis.rate.good]\noptimiser.learning_rate = 0.001\n"
      "[axis.rate.bad]\noptimiser = { kind = \"sgd\", learning_rate = 1e30, "
      "clip = 0 }\nschedule = { kind = \"constant\", warmup = 0 }\n");
  const Study study = dir.load({"results=results.csv"});
  const StudyOutcome outcome = run(study, {.jobs = 2});
  EXPECT_EQ(outcome.n_diverged, 2u);
  EXPECT_EQ(outcome.n_failed, 0u);
  EXPECT_EQ(states(study)[RunState::diverged], 2);
  EXPECT_EQ(run(study, {.retry = true}).n_failed, 0u);  // it would diverge again
  collect_study(study);
  double trials_of_good = 0;
  std::string trials_of_bad;
  for (const auto& row : rows_of(study.out / "tables" / "runs.csv")) {
    const bool bad = row.at("rate") == "bad";
    EXPECT_EQ(row.at("outcome"), bad ? "diverged" : "finished");
    if (!bad) trials_of_good = std::stod(row.at("trials"));
    if (!bad) continue;
    EXPECT_EQ(row.at("reached_5"), "0");
    EXPECT_EQ(row.at("steps_to_5"), "12");  // censored at the horizon
    trials_of_bad = row.at("trials_to_5");
  }
  // The horizon in trials is that of the other run with the same batches, not 12.
  EXPECT_NEAR(std::stod(trials_of_bad), trials_of_good, 0.2 * trials_of_good);
}

TEST(StudyRun, TrialsThatNoRunTellsAreNotTheHorizonInSteps) {
  RunSummary s;
  s.outcome = "diverged";
  s.horizon = 40;
  EXPECT_EQ(measure(s, "steps_to_60"), 40);
  EXPECT_TRUE(std::isnan(measure(s, "trials_to_60")));
  EXPECT_FALSE(censored_measure(s, "trials_to_60")->reached);
  s.trials_per_step = 16;
  EXPECT_EQ(measure(s, "trials_to_60"), 640);
}

TEST(StudyRun, ARunThatDivergesReachedNoMark) {
  RunSummary s;
  s.outcome = "diverged";
  s.horizon = 40;
  s.curve_steps = {5, 10, 15, 20};
  s.curve_share = {0.4, 0.7, 0.8, 0.85};
  EXPECT_FALSE(censored_measure(s, "steps_to_60")->reached);
  EXPECT_EQ(censored_measure(s, "steps_to_60")->time, 40);
  // Its area counts the last evaluation up to the horizon.
  EXPECT_NEAR(measure(s, "area"), (5 * 0.55 + 5 * 0.75 + 5 * 0.825 + 20 * 0.85) / 35, 1e-12);
  EXPECT_TRUE(std::isnan(measure(s, "late_gain")));
  s.outcome = "finished";
  EXPECT_TRUE(censored_measure(s, "steps_to_60")->reached);
}

TEST(StudyRun, ARunThatACriterionEndedWasObservedOnlyUntilThen) {
  RunSummary s;
  s.outcome = "criterion";
  s.horizon = 400;
  s.curve_steps = {25, 50, 75};
  s.curve_trials = {100, 200, 300};
  s.curve_share = {0.1, 0.2, 0.7};
  EXPECT_FALSE(censored_measure(s, "steps_to_60")->reached);  // a mark needs two evaluations
  EXPECT_EQ(censored_measure(s, "steps_to_60")->time, 75);
  EXPECT_EQ(censored_measure(s, "trials_to_60")->time, 300);
}

TEST(StudyRun, ATicketOfARunThatDivergedCannotBegin) {
  const SmallStudy dir(R"(
[axis.network.ticket]
wiring.kind = "dense"
optimiser = { kind = "sgd", learning_rate = 1e30, clip = 0 }
schedule = { kind = "constant", warmup = 0 }
pruning = { density = 0.25, rounds = 2, rewind = 3 }
)");
  const Study study = dir.load({"seeds=[1]", "results=results.csv"});
  EXPECT_EQ(run(study).n_diverged, 1u);
  const auto status = study_status(study, plan_study(study));
  ASSERT_EQ(status.size(), 3u);
  EXPECT_EQ(status[0].state, RunState::diverged);
  for (const std::size_t later : {1u, 2u}) {
    EXPECT_EQ(status[later].state, RunState::waiting);
    EXPECT_THAT(status[later].error, HasSubstr("diverged"));
  }
  const StudyOutcome again = run(study, {.retry = true});
  EXPECT_EQ(again.n_finished + again.n_failed, 0u);
  EXPECT_THAT(collect_study(study).warnings, Contains(HasSubstr("ticket-seed1 cannot begin")));
}

TEST(StudyRun, ClaimedRunsAreLeftToTheirOwners) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load();
  const StudyPlan plan = plan_study(study);
  {
    const auto claim = Claim::take(study, plan.runs[0], "somebody");
    ASSERT_TRUE(claim);
    EXPECT_FALSE(Claim::take(study, plan.runs[0], "somebody else"));
    EXPECT_EQ(claim_owner(study, plan.runs[0]), "somebody");
    EXPECT_EQ(run(study).n_finished, 3u);
    EXPECT_EQ(states(study)[RunState::running], 1);
  }
  EXPECT_FALSE(claim_owner(study, plan.runs[0]));
  EXPECT_EQ(run(study).n_finished, 1u);
}

TEST(StudyRun, HalfMadeDirectoriesAreBegunAnew) {
  const SmallStudy dir("");
  const Study study = dir.load();
  const fs::path half = run_directory(study, plan_study(study).runs[0]);
  fs::create_directories(half / "checkpoints");
  write_file(half / "provenance.json", "{}");
  EXPECT_EQ(run(study).n_finished, 2u);
}

TEST(StudyRun, MemoryLimitsHowManyRunAtOnce) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load({"config.train.steps=300"});
  std::size_t most = 0;
  StudyCallbacks callbacks;
  callbacks.progress = [&](const StudyProgress& p) { most = std::max(most, p.running.size()); };
  run_study(study, {.jobs = 4, .n_threads = 1, .memory_bytes = 6e7}, callbacks);
  EXPECT_EQ(most, 1u);
  EXPECT_EQ(states(study)[RunState::done], 4);
  EXPECT_GT(available_memory(), 1e6);
}

// If the program that embeds the library ignores SIGCHLD, the exit status of a child is lost.
TEST(StudyRun, TheEndOfARunIsKnownWhereSigchldIsIgnored) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load();
  const fs::path blocked = run_directory(study, plan_study(study).runs[1]);
  fs::create_directories(blocked);
  write_file(blocked / "provenance.json", "{}");
  write_file(blocked / "config.toml", "nonsense = 1\n");
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const StudyOutcome outcome = run(study, {.jobs = 2});
  std::signal(SIGCHLD, before);
  EXPECT_EQ(outcome.n_failed, 1u);
  EXPECT_EQ(outcome.n_finished, 3u);
}

void kill_one_child() {
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  pid_t child = 0;
  ASSERT_TRUE(children >> child);
  ::kill(child, SIGKILL);
}

TEST(StudyRun, AKilledRunHasFailedWhereSigchldIsIgnored) {
  const SmallStudy dir("[grid]\nwiring.radius = [1, 2]\n");
  const Study study = dir.load({"seeds=[1]", "config.train.steps=3000", "config.checkpoint.every=0",
                                "config.evaluation.every=0"});
  StudyCallbacks callbacks;
  bool killed = false;
  std::string events;
  callbacks.progress = [&](const StudyProgress& p) {
    if (!p.event.empty()) events += p.event + "\n";
    if (killed || p.running.empty() || p.running.front().step == 0) return;
    killed = true;
    kill_one_child();
  };
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const StudyOutcome outcome = run_study(study, {.jobs = 1, .n_threads = 1}, callbacks);
  std::signal(SIGCHLD, before);
  ASSERT_TRUE(killed);
  EXPECT_EQ(outcome.n_failed, 1u);
  EXPECT_EQ(outcome.n_finished, 1u);
  EXPECT_THAT(events, HasSubstr("SIGCHLD is ignored"));
}

// Input files ----------------------------------------------------------------------------------

// source,target: every one of 16 units with the next `n` ones.
std::string chain_mask(int n) {
  std::string text = "source,target\n";
  for (int unit = 0; unit < 16; ++unit)
    for (int i = 1; i <= n; ++i)
      text += std::to_string(unit) + "," + std::to_string((unit + i) % 16) + "\n";
  return text;
}

class StudyOfAFile : public ::testing::Test {
 protected:
  StudyOfAFile() { use(2); }
  void use(int n) { write_file(study_ / "mask.csv", chain_mask(n)); }
  Study load() {
    return study_.load({"config.wiring.kind=file",
                        "config.wiring.path=" + (study_ / "mask.csv").string(),
                        "results=" + (study_ / "results.csv").string()});
  }
  std::vector<std::string> synapses(const Study& study) {
    collect_study(study);
    std::vector<std::string> counts;
    for (const auto& row : rows_of(study.out / "tables" / "runs.csv"))
      counts.push_back(row.at("synapses"));
    return counts;
  }

  const SmallStudy study_{""};
};

TEST_F(StudyOfAFile, IsRunAgainWhenTheFileIsReplaced) {
  const Study study = load();
  EXPECT_EQ(run(study).n_finished, 2u);
  EXPECT_EQ(synapses(study), (std::vector<std::string>{"32", "32"}));
  use(3);
  EXPECT_EQ(states(study)[RunState::planned], 2);
  EXPECT_EQ(run(study).n_finished, 2u);
  EXPECT_EQ(synapses(study), (std::vector<std::string>{"48", "48"}));
  use(2);  // and back: nothing is lost
  EXPECT_EQ(run(study).n_finished, 0u);
  EXPECT_EQ(synapses(study), (std::vector<std::string>{"32", "32"}));
}

TEST_F(StudyOfAFile, NeverMixesTwoFilesInOneCell) {
  const Study study = load();
  EXPECT_EQ(run(study, {.limit = 1}).n_finished, 1u);
  use(3);
  EXPECT_EQ(run(study).n_finished, 2u);
  EXPECT_EQ(synapses(study), (std::vector<std::string>{"48", "48"}));
}

TEST_F(StudyOfAFile, ARunBegunOnTheOldFileIsNotResumedWithTheNewOne) {
  const Study study = load();
  const PlannedRun planned = plan_study(study).runs[0];
  {
    Trainer trainer =
        Trainer::start(planned.config, run_directory(study, planned), {.n_threads = 1});
    TrainerCallbacks callbacks;
    callbacks.stop_requested = [] { return true; };
    EXPECT_EQ(trainer.run(callbacks), Outcome::interrupted);
  }
  EXPECT_EQ(states(study)[RunState::interrupted], 1);
  use(3);
  EXPECT_EQ(states(study)[RunState::planned], 2);
  EXPECT_EQ(run(study).n_finished, 2u);
  EXPECT_EQ(synapses(study), (std::vector<std::string>{"48", "48"}));
}

// Tuning ---------------------------------------------------------------------------------------

TEST(StudyRun, CeilingsAreComputedOnceAndKept) {
  const SmallStudy dir("[axis.network.local]\n[axis.network.dense]\nwiring.kind = \"dense\"\n");
  const Study study = dir.load({"seeds=[1]", "config.battery.tasks=\"dm1,go\""});
  const fs::path kept = study.out / "ceilings";
  const auto ceiling_of = [&](std::size_t run) {
    const auto rows = rows_of(run_directory(study, plan_study(study).runs.at(run)) / "tasks.csv");
    const auto go = std::ranges::find_if(rows, [](auto& row) { return row.at("task") == "go"; });
    return go->at("decision_ceiling");
  };
  const auto only_file = [&] { return fs::directory_iterator(kept)->path(); };
  run(study, {.limit = 1});
  ASSERT_EQ(std::distance(fs::directory_iterator(kept), {}), 1);
  const std::string text = read_file(only_file());
  // Another network on the same battery reads the saved file, whatever its content.
  const std::size_t go = text.find("go,1,");
  ASSERT_NE(go, std::string::npos);
  write_file(only_file(), std::string(text).replace(go, 5, "go,0.5,"));
  run(study);
  EXPECT_EQ(ceiling_of(0), "1.000000");
  EXPECT_EQ(ceiling_of(1), "0.500000");
  // A damaged file is made again, with the same content.
  fs::remove_all(study.out / "runs");
  write_file(only_file(), text.substr(0, text.size() - 3));
  run(study, {.limit = 1});
  EXPECT_EQ(read_file(only_file()), text);
}

// A saved file is read only for the same battery, tasks and seeds, and with the same code.
TEST(StudyRun, KeptCeilingsAreForgottenWhenAnythingThatTheyDependOnChanges) {
  const SmallStudy dir("");
  const Study study = dir.load();
  ThreadPool pool(2);
  const fs::path kept = study.out / "ceilings";
  const auto n_kept = [&] { return std::distance(fs::directory_iterator(kept), {}); };
  BatteryConfig config;
  config.tasks = "go,dlygo";
  std::ptrdiff_t n = 0;
  const auto ask = [&](const CeilingFunction& ceilings, Seed seed = Seed{5},
                       std::vector<std::size_t> tasks = {0, 1}) {
    return ceilings(Battery(config, Seed{1}), tasks, seed, pool);
  };
  const auto expect_new = [&](const char* what) {
    ask(kept_ceilings(study));
    EXPECT_EQ(n_kept(), ++n) << what;
    ask(kept_ceilings(study));
    EXPECT_EQ(n_kept(), n) << what;
  };
  expect_new("the first");
  config.tasks = "go,anti";
  expect_new("tasks");
  config.dt = 20;
  expect_new("dt");
  config.input_noise = 2;
  expect_new("noise");
  config.semantics.base = SemanticsBase::published;
  expect_new("semantics");
  config.n_ring = 8;
  expect_new("ring");
  config.durations["go"]["stimulus"] = {.values = {300}};
  expect_new("timing");
  ask(kept_ceilings(study), Seed{6});
  EXPECT_EQ(n_kept(), ++n) << "seed";
  ask(kept_ceilings(study), Seed{5}, {1});
  EXPECT_EQ(n_kept(), ++n) << "fewer tasks";

  // A file of this code with other numbers is trusted; one of other code is not read.
  fs::remove_all(kept);
  ask(kept_ceilings(study));
  const fs::path file = fs::directory_iterator(kept)->path();
  std::string text = read_file(file);
  text.replace(text.find("go,1,"), 5, "go,0.5,");
  write_file(file, text);
  EXPECT_EQ(ask(kept_ceilings(study))[0].decision_accuracy.value, 0.5);
  EXPECT_EQ(ask(kept_ceilings(study, "other code"))[0].decision_accuracy.value, 1);
  EXPECT_EQ(n_kept(), 2);
}

TEST(StudyRun, TunesAndThenReports) {
  const SmallStudy dir("[tuning]\nvalues = [0.0001, 0.001, 0.01]\nseeds = [11]\nextend = 1\n");
  const Study study = dir.load();
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  const StudyPlan plan = plan_study(study);
  ASSERT_TRUE(plan.tuning.at(0).best);
  collect_study(study);
  double best_score = -1, chosen = 0;
  for (const auto& row : rows_of(study.out / "tables" / "tuning.csv")) {
    if (row.at("best") == "1") chosen = std::stod(row.at("score"));
    best_score = std::max(best_score, std::stod(row.at("score")));
  }
  EXPECT_EQ(chosen, best_score);
  for (const PlannedRun& r : plan.runs) {
    if (r.stage != Stage::report) continue;
    EXPECT_EQ(open_run(run_directory(study, r)).config.optimiser.learning_rate,
              *plan.tuning[0].best);
  }
}

// Pruning --------------------------------------------------------------------------------------

Network final_network(const fs::path& run) {
  return load_network(find_network(run)).network;
}

TEST(StudyRun, TunedByATimeTheShorterIsTheBetter) {
  const SmallStudy dir(R"(
[tuning]
values = [1e-6, 1e-2, 3e-2]
seeds = [11]
measure = "steps_to_5"
extend = 0
)");
  const Study study = dir.load({"config.train.steps=40"});
  run(study, {.jobs = 2});
  collect_study(study);
  std::map<std::string, double> steps;
  for (const auto& row : rows_of(study.out / "tables" / "runs.csv"))
    if (row.at("stage") == "tuning")
      steps[row.at("learning_rate")] = std::stod(row.at("steps_to_5"));
  double least = 1e9;
  for (const auto& [rate, n] : steps) least = std::min(least, n);
  const auto rows = rows_of(study.out / "tables" / "tuning.csv");
  ASSERT_EQ(rows.size(), 3u);
  for (const auto& row : rows) {
    EXPECT_NEAR(std::stod(row.at("score")), -std::log(steps.at(row.at("value"))), 1e-6);
    EXPECT_EQ(row.at("best") == "1", steps.at(row.at("value")) == least);
  }
}

TEST(StudyRun, PrunesWithRewinding) {
  const SmallStudy dir(R"(
[axis.network.ticket]
wiring.kind = "dense"
pruning = { density = 0.25, rounds = 2, rewind = 3 }
[axis.network.fresh]
wiring.kind = "dense"
pruning = { density = 0.25, rounds = 2, rewind = 3, start = "reinitialise" }
)");
  const Study study = dir.load({"seeds=[1]"});
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  const StudyPlan plan = plan_study(study);
  std::map<std::string, fs::path> where;
  for (const PlannedRun& r : plan.runs) where[r.name] = run_directory(study, r);
  ASSERT_EQ(where.size(), 4u);

  // First half of the synapses, then a quarter; each mask keeps the largest of the previous
  // weights.
  const Network first = final_network(where["ticket-round0-seed1"]);
  const Network second = final_network(where["ticket-round1-seed1"]);
  const Network ticket = final_network(where["ticket-seed1"]);
  EXPECT_EQ(first.architecture().recurrent.n_synapses(), 256u);
  EXPECT_EQ(second.architecture().recurrent.n_synapses(), 128u);
  EXPECT_EQ(ticket.architecture().recurrent.n_synapses(), 64u);
  std::vector<float> magnitudes;
  for (const float w : first.parameters().subspan(first.layout().recurrent, 256))
    magnitudes.push_back(std::abs(w));
  std::ranges::sort(magnitudes, std::ranges::greater{});
  std::size_t k = 0;
  for (std::size_t i = 0; i < 16; ++i)
    for (const std::uint32_t j : second.architecture().recurrent.sources_of(i)) {
      EXPECT_GE(std::abs(first.parameters()[first.layout().recurrent + i * 16 + j]),
                magnitudes[127]);
      ++k;
    }
  EXPECT_EQ(k, 128u);

  // A ticket starts from the weights of step 3 of the first training.
  const Network early = load_network(where["ticket-round0-seed1"] / "early.safetensors").network;
  const RunConfig config = open_run(where["ticket-seed1"]).config;
  const Network start = make_network(config, Battery(config.battery, config.run_seed()));
  k = 0;
  for (std::size_t i = 0; i < 16; ++i)
    for (const std::uint32_t j : start.architecture().recurrent.sources_of(i))
      EXPECT_EQ(start.parameters()[start.layout().recurrent + k++],
                early.parameters()[early.layout().recurrent + i * 16 + j]);
  // The same mask with fresh weights is another network; its data and mask are unchanged.
  const Network fresh = final_network(where["fresh-seed1"]);
  const auto sources = [](const Network& n) {
    std::vector<std::uint32_t> all;
    for (std::size_t i = 0; i < 16; ++i)
      for (const std::uint32_t j : n.architecture().recurrent.sources_of(i)) all.push_back(j);
    return all;
  };
  EXPECT_EQ(sources(fresh), sources(ticket));
  EXPECT_FALSE(std::ranges::equal(fresh.parameters(), ticket.parameters()));
}

// Fresh weights are not the initial weights of any run, with any seed.
TEST(StudyRun, FreshWeightsAreThoseOfNoOtherSeed) {
  std::set<std::uint64_t> fresh;
  for (std::uint64_t seed : {0ull, 1ull, 2ull, 1'000'000'007ull, (1ull << 63) - 1}) {
    const std::uint64_t other = seed_of_fresh_weights(Seed{seed}).value;
    EXPECT_TRUE(fresh.insert(other).second);
    EXPECT_NE(other, seed);
    EXPECT_NE(other, seed + 1'000'000'007);
    EXPECT_EQ(other, seed_of_fresh_weights(Seed{seed}).value);
  }
}

// With sparse input the masks of input and readout are drawn from the seed of the run, too.
TEST(StudyRun, FreshWeightsKeepTheMasksOfTheRun) {
  const SmallStudy dir(R"(
[axis.network.fresh]
wiring.kind = "dense"
network.input.density = 0.5
pruning = { density = 0.5, rounds = 1, rewind = 3, start = "reinitialise" }
)");
  const Study study = dir.load({"seeds=[1]"});
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  for (const PlannedRun& r : plan_study(study).runs) {
    if (!r.reinitialised) continue;
    const RunConfig config = open_run(run_directory(study, r)).config;
    const Network made = load_network(config.init_from).network;
    const Network start = make_network(config, Battery(config.battery, config.run_seed()));
    const auto in = [](const Network& n) {
      const auto p = n.parameters().subspan(n.layout().input, n.layout().n_input);
      return std::vector<float>(p.begin(), p.end());
    };
    EXPECT_EQ(in(made), in(start));
    return;
  }
  FAIL() << "no run was reinitialised";
}

TEST(StudyRun, FreshWeightsHaveTheGainAndTheZerosOfTheRun) {
  const SmallStudy dir(R"(
[axis.network.plain]
wiring.kind = "dense"
pruning = { density = 0.5, rounds = 1, rewind = 3, start = "reinitialise" }
[axis.network.other]
wiring.kind = "dense"
wiring.initial.kind = "autapse"
network.gain = 2.0
pruning = { density = 0.5, rounds = 1, rewind = 3, start = "reinitialise" }
)");
  const Study study = dir.load({"seeds=[1]"});
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  std::size_t n_looked_at = 0;
  for (const PlannedRun& r : plan_study(study).runs) {
    if (!r.reinitialised || r.name.find("other") == std::string::npos) continue;
    const RunConfig config = open_run(run_directory(study, r)).config;
    const Network made = load_network(config.init_from).network;
    Network expected = load_network(config.init_from).network;
    const Mask& mask = made.architecture().recurrent;
    const Mask autapses =
        make_subset(mask, config.wiring, config.wiring.initial, "wiring.initial", Seed{1});
    EXPECT_LT(autapses.n_synapses(), mask.n_synapses());
    expected.initialise(config.network.initialisation, seed_of_fresh_weights(Seed{1}), 2,
                        &autapses);
    EXPECT_TRUE(std::ranges::equal(made.parameters(), expected.parameters()));
    const float* w = made.parameters().data() + made.layout().recurrent;
    for (std::size_t target = 0; target < mask.n_targets(); ++target)
      for (const std::uint32_t source : mask.sources_of(target))
        EXPECT_EQ(*w++ != 0, source == target);
    ++n_looked_at;
  }
  EXPECT_EQ(n_looked_at, 1u);
}

TEST(StudyRun, PruningKeepsTypesOfUnitsAndTheirSigns) {
  const SmallStudy dir(R"(
[axis.network.typed]
wiring.excitatory = 0.75
wiring.radius_ie = 2
loss.wire_penalty = 1e-3
pruning = { density = 0.5, rounds = 1, rewind = 3 }
[axis.network.fresh]
wiring.excitatory = 0.75
wiring.radius_ie = 2
pruning = { density = 0.5, rounds = 1, rewind = 3, start = "reinitialise" }
)");
  const Study study = dir.load({"seeds=[1]"});
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  for (const PlannedRun& r : plan_study(study).runs) {
    const Network network = final_network(run_directory(study, r));
    const Architecture& a = network.architecture();
    EXPECT_EQ(a.excitatory, excitatory_units(r.config.wiring, r.config.run_seed())) << r.name;
    const float* w = network.parameters().data() + network.layout().recurrent;
    for (std::size_t i = 0; i < a.n_units(); ++i)
      for (const std::uint32_t j : a.recurrent.sources_of(i)) {
        EXPECT_TRUE(a.excitatory[j] != 0 ? *w >= 0 : *w <= 0) << r.name;
        ++w;
      }
  }
}

TEST(StudyRun, PruningKeepsAreas) {
  const SmallStudy dir(R"(
[axis.network.areas]
wiring.areas = [{ name = "a", rows = 3, cols = 3, radius = 2 }, { name = "b", rows = 2, cols = 3 }]
wiring.projections = [{ from = "a", to = "b", density = 0.5 }]
wiring.between_density = 0.25
network.input.areas = ["a"]
pruning = { density = 0.5, rounds = 1, rewind = 3 }
[axis.network.fresh]
wiring.areas = [{ name = "a", rows = 3, cols = 3, radius = 2 }, { name = "b", rows = 2, cols = 3 }]
wiring.between_density = 0.25
pruning = { density = 0.5, rounds = 1, rewind = 3, start = "reinitialise" }
)");
  const Study study = dir.load({"seeds=[1]"});
  EXPECT_EQ(run(study, {.jobs = 2}).n_left, 0u);
  for (const PlannedRun& r : plan_study(study).runs) {
    const fs::path file = find_network(run_directory(study, r));
    const LoadedNetwork loaded = load_network(file);
    EXPECT_EQ(loaded.network.architecture().n_units(), 15u) << r.name;
    EXPECT_EQ(trained_on(loaded.metadata, file).sheet.all_areas().size(), 2u) << r.name;
  }
}

// Collecting -----------------------------------------------------------------------------------

TEST(Collect, TablesCanBeDeletedAndMadeAgain) {
  const SmallStudy dir(R"(
[axis.network.local]
wiring.radius = 1
[axis.network.dense]
wiring.kind = "dense"
[[contrast]]
axis = "network"
a = "local"
b = "dense"
measure = "area"
[[contrast]]
axis = "network"
a = "local"
b = "dense"
measure = "steps_to_99"
[[best]]
axis = "network"
measure = "area"
[[best]]
axis = "network"
measure = "steps_to_99"
smaller = true
)");
  const Study study = dir.load();
  run(study, {.jobs = 2});
  const std::string before = tables(study);
  fs::remove_all(study.out / "tables");
  fs::remove(study.out / "index.sqlite");
  EXPECT_EQ(tables(study), before);

  const auto runs = rows_of(study.out / "tables" / "runs.csv");
  ASSERT_EQ(runs.size(), 4u);
  std::map<std::string, double> area;
  for (const auto& row : runs) area[row.at("run")] = std::stod(row.at("area"));
  const auto contrast = rows_of(study.out / "tables" / "contrasts.csv").at(0);
  EXPECT_EQ(contrast.at("pairs"), "2");
  EXPECT_NEAR(
      std::stod(contrast.at("difference")),
      (area["local-seed1"] - area["dense-seed1"] + area["local-seed2"] - area["dense-seed2"]) / 2,
      1e-8);
  EXPECT_GE(std::stod(contrast.at("p")), 0.5);  // two pairs cannot say more
  // Holm's correction counts the other contrast, too, although no run reaches its mark.
  EXPECT_EQ(std::stod(contrast.at("p_holm")), std::min(1.0, 2 * std::stod(contrast.at("p"))));
  EXPECT_EQ(rows_of(study.out / "tables" / "contrasts.csv").at(1).at("p_holm"), "");
  // One network is the best by area; none by a mark that no run reached.
  std::map<std::string, int> n_best;
  for (const auto& row : rows_of(study.out / "tables" / "best.csv"))
    n_best[row.at("measure")] += row.at("best") == "1";
  EXPECT_EQ(n_best, (std::map<std::string, int>{{"area", 1}, {"steps_to_99", 0}}));
  // The area is that of metrics.csv.
  const PlannedRun first = plan_study(study).runs[0];
  std::vector<double> steps, shares;
  for (const auto& row : rows_of(run_directory(study, first) / "metrics.csv"))
    if (!row.at("mean_share_of_ceiling").empty()) {
      steps.push_back(std::stod(row.at("step")));
      shares.push_back(std::stod(row.at("mean_share_of_ceiling")));
    }
  EXPECT_EQ(steps, (std::vector<double>{4, 8, 12}));
  EXPECT_NEAR(area[first.name], (shares[0] / 2 + shares[1] + shares[2] / 2) / 2, 1e-8);
}

TEST(Collect, TheIndexHoldsTheTables) {
  const SmallStudy dir("");
  const Study study = dir.load();
  run(study);
  const Collected collected = collect_study(study);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open_v2(collected.index.c_str(), &db, SQLITE_OPEN_READONLY, nullptr),
            SQLITE_OK);
  for (const auto& [name, rows] : collected.tables) {
    sqlite3_stmt* statement = nullptr;
    const std::string sql = "select count(*) from \"" + name + "\"";
    ASSERT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << name;
    ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
    EXPECT_EQ(static_cast<std::size_t>(sqlite3_column_int(statement, 0)), rows) << name;
    sqlite3_finalize(statement);
  }
  sqlite3_close(db);
}

TEST(Collect, SaysWhenTheCriterionWasChangedAfterwards) {
  const SmallStudy dir("");
  run(dir.load());
  EXPECT_TRUE(collect_study(dir.load()).warnings.empty());
  const auto warnings = collect_study(dir.load({"support=\"something easier\""})).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("support"), HasSubstr("registered.toml")));
}

TEST(Collect, KeysThatWereSetAreRegisteredToo) {
  const SmallStudy dir("");
  run(dir.load({"seeds=[3]"}));
  EXPECT_TRUE(collect_study(dir.load({"seeds=[3]"})).warnings.empty());
  EXPECT_THAT(collect_study(dir.load()).warnings,
              Contains(HasSubstr("seeds are not what they were")));
}

// The results file -----------------------------------------------------------------------------

TEST(Results, ASecondMachineNeedsNothingElse) {
  const SmallStudy dir("[tuning]\nvalues = [0.0001, 0.001, 0.01]\nseeds = [11]\nextend = 1\n");
  const Study study = dir.load({"results=results.csv"});
  run(study, {.jobs = 2});
  const std::string before = tables(study);
  const std::string results = read_file(dir / "results.csv");
  fs::remove_all(study.out);
  EXPECT_EQ(run(study).n_finished, 0u);
  std::string after = tables(study);
  for (std::size_t at; (at = after.find(",recorded,")) != std::string::npos;)
    after.replace(at, 10, ",done,");
  EXPECT_EQ(after, before);
  EXPECT_EQ(read_file(dir / "results.csv"), results);
}

// The file could not be written when the runs ended, was deleted, or was named later.
TEST(Results, RowsThatAreMissingAreAddedByTheNextRun) {
  const SmallStudy dir("");
  const Study study = dir.load({"results=results.csv"});
  write_file(dir / "results.csv", "my notes\n");
  EXPECT_THAT(message_of<UsageError>([&] { run(study); }), HasSubstr("results.csv"));
  EXPECT_TRUE(!fs::exists(study.out / "runs") || fs::is_empty(study.out / "runs"));
  fs::remove(dir / "results.csv");
  run(study);
  const std::string whole = read_file(dir / "results.csv");
  fs::remove(dir / "results.csv");
  const StudyPlan plan = plan_study(study);
  write_failure(study, plan.runs[0], {false, "results.csv: cannot be written"});
  EXPECT_EQ(run(study).n_finished, 0u);
  const auto sorted_lines = [](const std::string& text) {
    const auto lines = complete_lines(text);
    return std::set<std::string>(lines.begin(), lines.end());
  };
  EXPECT_EQ(sorted_lines(read_file(dir / "results.csv")), sorted_lines(whole));
  EXPECT_FALSE(read_failure(study, plan.runs[0]));
}

TEST(Results, LineEndsOfWindowsAreNamed) {
  const TemporaryDirectory dir;
  RunSummary s;
  s.hash = "a";
  append_result(dir / "r.csv", s);
  std::string text = read_file(dir / "r.csv");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\r\n");
  write_file(dir / "r.csv", text);
  EXPECT_THAT(message_of<UsageError>([&] { read_results(dir / "r.csv"); }), HasSubstr("CR LF"));
}

TEST(Results, RowsSurviveTheRoundTrip) {
  RunSummary s;
  s.hash = "0123456789abcdef";
  s.outcome = "finished";
  s.learning_rate = 0.1 + 0.2;
  s.curve_steps = {10, 20};
  s.curve_share = {1.0 / 3, 0.5};
  s.curve_trials = {5, 9};
  s.tasks = {{"go", 0.25, true}, {"dlygo", 0.75, false, false}};
  s.processor = "a, b";
  const RunSummary back = from_row(to_row(s), "here");
  EXPECT_EQ(back.learning_rate, s.learning_rate);
  EXPECT_EQ(back.curve_share, s.curve_share);
  ASSERT_EQ(back.tasks.size(), 2u);
  EXPECT_EQ(back.tasks[0].name, "go");
  EXPECT_TRUE(back.tasks[0].solved);
  EXPECT_EQ(back.tasks[1].share, 0.75);
  EXPECT_FALSE(back.tasks[1].trained);
  EXPECT_EQ(back.held_out_share(), 0.75);
  EXPECT_THROW(from_row("0123,x", "results.csv:3"), UsageError);
}

// Columns were added to results files; files of earlier versions keep their columns.
TEST(Results, FilesOfEarlierVersionsAreReadAndContinued) {
  const TemporaryDirectory dir;
  const fs::path file = dir / "results.csv";
  const std::string present = results_header();
  const std::string former = present.substr(0, present.find(",multiply_adds"));
  const std::string second = former + ",multiply_adds,processor_seconds";
  EXPECT_EQ(second + ",wire", present);
  RunSummary s;
  s.hash = "0123456789abcdef";
  s.outcome = "finished";
  const std::string row = to_row(s).substr(0, to_row(s).size() - 3);  // without three empty cells
  write_file(file, former + "\n" + row + "\n");
  ASSERT_EQ(read_results(file).size(), 1u);
  EXPECT_FALSE(read_results(file)[0].multiply_adds.has_value());
  EXPECT_TRUE(std::isnan(measure(read_results(file)[0], "multiply_adds")));

  s.hash = "fedcba9876543210";
  s.multiply_adds = 1000;
  s.processor_seconds = 2.5;
  s.wire = 34.5;
  append_result(file, s);
  ASSERT_EQ(read_results(file).size(), 2u);
  EXPECT_FALSE(read_results(file)[1].multiply_adds.has_value());
  EXPECT_TRUE(read_file(file).starts_with(former + "\n"));

  write_file(dir / "second.csv", second + "\n" + row + ",1000,2.5\n");
  append_result(dir / "second.csv", s);
  ASSERT_EQ(read_results(dir / "second.csv").size(), 2u);
  for (const RunSummary& read : read_results(dir / "second.csv")) {
    EXPECT_EQ(read.multiply_adds, 1000);
    EXPECT_EQ(read.processor_seconds, 2.5);
    EXPECT_TRUE(std::isnan(measure(read, "wire")));
  }

  append_result(dir / "new.csv", s);
  ASSERT_EQ(read_results(dir / "new.csv").size(), 1u);
  EXPECT_EQ(read_results(dir / "new.csv")[0].multiply_adds, 1000);
  EXPECT_EQ(read_results(dir / "new.csv")[0].processor_seconds, 2.5);
  EXPECT_EQ(measure(read_results(dir / "new.csv")[0], "wire"), 34.5);

  write_file(dir / "other.csv", present + ",more\n");
  EXPECT_THROW(append_result(dir / "other.csv", s), UsageError);
}

// A merge of two people's results, or a spreadsheet, may leave curves with columns that do not
// match.
TEST(Results, DamagedLearningCurvesAreRefused) {
  RunSummary s;
  const auto is_refused = [&] {
    const std::string message =
        message_of<UsageError>([&] { from_row(to_row(s), "results.csv:3"); });
    EXPECT_THAT(message, AllOf(HasSubstr("results.csv:3"), HasSubstr("learning curve")));
  };
  s.curve_share = s.curve_trials = {0.5, 0.6};
  is_refused();  // no steps
  s.curve_steps = {20, 10};
  is_refused();
  s.curve_steps = {10, std::numeric_limits<double>::quiet_NaN()};
  is_refused();
  s.curve_steps = {10, 20};
  EXPECT_EQ(from_row(to_row(s), "here").curve_steps, s.curve_steps);
}

TEST(StudyRun, ProcessorTimeIsThatOfTheWholeRunOrNone) {
  const SmallStudy dir("");
  const Study study = dir.load({"seeds=[1]"});
  run(study);
  const PlannedRun planned = plan_study(study).runs.at(0);
  const fs::path directory = run_directory(study, planned);
  const auto with_sessions = [&](const char* sessions) {
    auto provenance = nlohmann::json::parse(read_file(directory / "provenance.json"));
    provenance["sessions"] = nlohmann::json::parse(sessions);
    write_file(directory / "provenance.json", provenance.dump());
    return summarise(study, planned, directory, false).processor_seconds;
  };
  EXPECT_GT(summarise(study, planned, directory, false).processor_seconds.value_or(0), 0);
  EXPECT_EQ(with_sessions(R"([{"first_step": 0, "processor_seconds": 2},
                              {"first_step": 10, "processor_seconds": 3}])"),
            5);
  // Killed before its first checkpoint.
  EXPECT_EQ(with_sessions(R"([{"first_step": 0}, {"first_step": 0, "processor_seconds": 3}])"), 3);
  // Begun by an earlier version.
  EXPECT_EQ(with_sessions(R"([{"first_step": 0}, {"first_step": 10, "processor_seconds": 3}])"),
            std::nullopt);
}

TEST(StudyRun, DamagedFilesOfARunAreRefusedOrDoneWithout) {
  const SmallStudy dir("");
  const Study study = dir.load({"seeds=[1]"});
  run(study);
  const StudyPlan plan = plan_study(study);
  const fs::path directory = run_directory(study, plan.runs.at(0));
  write_file(directory / "DONE", R"({"outcome": 3, "steps": "many", "trials": null})");
  EXPECT_THAT(message_of<UsageError>([&] { collect_study(study); }),
              AllOf(HasSubstr("DONE"), HasSubstr("run it again")));
  fs::remove_all(directory);
  fs::create_directories(study.out / "failures");
  for (const char* text : {"", "[]", R"({"diverged": "yes", "error": 3})"}) {
    write_file(study.out / "failures" / (plan.runs[0].directory_name() + ".json"), text);
    EXPECT_EQ(states(study)[RunState::failed], 1) << text;
  }
}

TEST(Results, TasksHeldOutOfTrainingAreKnown) {
  const SmallStudy dir("battery.weights = { \"dly*\" = 0 }\n");
  const Study study = dir.load();
  run(study);
  collect_study(study);
  for (const auto& row : rows_of(study.out / "tables" / "tasks.csv"))
    EXPECT_EQ(row.at("trained"), row.at("task") == "go" ? "1" : "0");
}

TEST(Results, APartialLastRowIsCutOffAndDoneAgain) {
  const TemporaryDirectory dir;
  RunSummary s;
  s.hash = "a";
  append_result(dir / "r.csv", s);
  std::ofstream(dir / "r.csv", std::ios::app) << "b,half a ro";
  s.hash = "c";
  append_result(dir / "r.csv", s);
  append_result(dir / "r.csv", s);
  const auto rows = read_results(dir / "r.csv");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].hash, "c");
}

}  // namespace
}  // namespace lmrnn
