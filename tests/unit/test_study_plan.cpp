#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "lmrnn/error.hpp"
#include "lmrnn/study.hpp"
#include "message_of.hpp"
#include "study/pruning.hpp"
#include "study_file.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

constexpr const char* head = R"(
claim = "a claim"
support = "what supports it"
seeds = [1, 2]
statistics.seed = 3
[config]
battery.tasks = "go"
wiring.rows = 4
wiring.cols = 4
)";

std::optional<RunResult> nothing_known(const PlannedRun&) {
  return std::nullopt;
}

std::vector<std::string> names(const StudyPlan& plan) {
  std::vector<std::string> out;
  for (const PlannedRun& run : plan.runs) out.push_back(run.name);
  return out;
}

std::string refusal(const std::string& text) {
  const StudyFile file(text);
  return message_of<UsageError>([&] { plan_study(file.load(), nothing_known); });
}

// The same, "" if there is none.
std::string refusal_if_any(const std::string& text) {
  const StudyFile file(text);
  return message_if_any<UsageError>([&] { plan_study(file.load(), nothing_known); });
}

// The grid -------------------------------------------------------------------------------------

TEST(Plan, CrossesAxesAndSeeds) {
  const StudyFile file(std::string(head) + R"(
[axis.network.local]
wiring.radius = 1
[axis.network.dense]
wiring.kind = "dense"
[grid]
stream.batch = [8, 16]
network.initialisation = ["identity"]
)");
  const StudyPlan plan = plan_study(file.load(), nothing_known);
  EXPECT_THAT(plan.axes, ElementsAre("network", "stream.batch", "network.initialisation"));
  EXPECT_THAT(names(plan),
              ElementsAre("local-batch8-identity-seed1", "local-batch8-identity-seed2",
                          "local-batch16-identity-seed1", "local-batch16-identity-seed2",
                          "dense-batch8-identity-seed1", "dense-batch8-identity-seed2",
                          "dense-batch16-identity-seed1", "dense-batch16-identity-seed2"));
  const RunConfig& c = plan.runs.back().config;
  EXPECT_EQ(c.wiring.kind, WiringKind::dense);
  EXPECT_EQ(c.stream.batch, 16);
  EXPECT_EQ(c.network.initialisation, Initialisation::identity);
  EXPECT_EQ(c.seed, 2);
  std::set<std::string> hashes;
  for (const PlannedRun& run : plan.runs) hashes.insert(run.hash);
  EXPECT_EQ(hashes.size(), plan.runs.size());
}

TEST(Plan, IsTheSameEveryTime) {
  const StudyFile file(std::string(head) + "[grid]\nwiring.radius = [1, 2]\n");
  const StudyPlan a = plan_study(file.load(), nothing_known);
  const StudyPlan b = plan_study(file.load(), nothing_known);
  EXPECT_EQ(names(a), names(b));
  for (std::size_t i = 0; i < a.runs.size(); ++i) EXPECT_EQ(a.runs[i].hash, b.runs[i].hash);
}

TEST(Plan, OverridesChangeOrSkipCells) {
  const StudyFile file(std::string(head) + R"(
[axis.network.local]
wiring.radius = 1
[axis.network.dense]
wiring.kind = "dense"
[grid]
stream.batch = [8, 16]
[[override]]
when = { network = "dense", stream.batch = 16 }
skip = true
[[override]]
when = { network = ["local", "dense"], stream.batch = 8 }
set = { train.steps = 7 }
)");
  const StudyPlan plan = plan_study(file.load(), nothing_known);
  ASSERT_EQ(plan.cells.size(), 3u);
  for (const PlannedRun& run : plan.runs)
    EXPECT_EQ(run.config.train.steps, run.config.stream.batch == 8 ? 7 : 5000) << run.name;
}

TEST(Plan, CellsWithTheSameConfigurationShareTheirRuns) {
  const StudyFile file(std::string(head) + R"(
[axis.matched.units]
wiring.kind = "dense"
[axis.matched.synapses]
wiring.kind = "dense"
)");
  const StudyPlan plan = plan_study(file.load(), nothing_known);
  ASSERT_EQ(plan.runs.size(), 4u);
  EXPECT_EQ(plan.runs[0].directory_name(), plan.runs[2].directory_name());
}

TEST(Plan, RefusesWhatMakesNoSense) {
  EXPECT_THAT(refusal("seeds = [1]\nclaim = \"x\"\nstatistics.seed = 1\n"), HasSubstr("support"));
  EXPECT_THAT(refusal(std::string(head) + "[grid]\nwiring.radus = [1]\n"),
              AllOf(HasSubstr("cell radus1"), HasSubstr("radius")));
  EXPECT_THAT(refusal(std::string(head) + "[grid]\nwiring.radius = 1\n"), HasSubstr("as a list"));
  EXPECT_THAT(refusal(std::string(head) + "[[override]]\nskip = true\n[[override]]\n"
                                          "wiring = { radius = 2, kind = \"dense\" }\n"),
              AllOf(HasSubstr(".toml:13: unknown key \"wiring\" in [override]"),
                    HasSubstr("set = { wiring.radius = 2, wiring.kind = \"dense\" }")));
  EXPECT_THAT(refusal(std::string(head) + "[tuning]\ntrain.steps = 5\n"),
              HasSubstr("in [tuning]; keys of a run stand under set there"));
  EXPECT_THAT(refusal(std::string(head) + "[[override]]\nwhn = { network = \"x\" }\n"),
              HasSubstr("did you mean \"when\"?"));
  EXPECT_THAT(refusal(std::string(head) + "[[override]]\nwhen = { netwrk = \"x\" }\n"),
              HasSubstr("no axis \"netwrk\""));
  EXPECT_THAT(refusal(std::string(head) +
                      "[grid]\nwiring.radius = [1, 2]\n[[contrast]]\naxis = \"wiring.radius\"\n"
                      "a = \"1\"\nb = \"3\"\n"),
              HasSubstr("no level \"3\""));
  EXPECT_THAT(refusal(std::string(head) +
                      "[grid]\nwiring.radius = [1, 2]\n[[contrast]]\naxis = \"wiring.radius\"\n"
                      "a = \"1\"\nb = \"2\"\nmeasure = \"steps_to_8\"\n"),
              HasSubstr("is not a measure; did you mean \"steps_to_80\"?"));
  EXPECT_THAT(refusal(std::string(head) + "[tuning]\nvalues = [0.1, 0.2, 0.3]\nseeds = [2]\n"),
              HasSubstr("both a tuning seed and a reporting seed"));
  EXPECT_THAT(refusal(std::string(head) + "[grid]\nwiring.radius = [1, 1]\n"), HasSubstr("twice"));
}

TEST(Plan, RefusesGridsThatNobodyCanFinish) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += (i == 0 ? "" : ", ") + std::to_string(i);
  std::string grid = "[grid]\n";
  // A million million, and 10^30: more than a count of cells can hold.
  for (const int n_axes : {4, 6}) {
    while (std::ranges::count(grid, '\n') <= n_axes)
      grid += "a" + std::to_string(std::ranges::count(grid, '\n')) + " = [" + many + "]\n";
    EXPECT_EQ(refusal(head + grid),
              "axes of 1000 x 1000 x ... levels make more than 100000 cells; leave out levels, or "
              "make several studies of it");
  }
  const StudyFile file(head + ("[grid]\nwiring.radius = [" + many + "]\n"));
  EXPECT_THAT(message_of<UsageError>([&] {
                plan_study(file.load({.out = {}, .assignments = {"seeds=[" + many + "]"}}),
                           nothing_known);
              }),
              HasSubstr("1000000 runs are more than the 100000 that a study may have"));
}

TEST(Plan, RefusesNamesThatDirectoriesAndTablesCannotHave) {
  const auto axis = [](const std::string& name) {
    return refusal(head + ("[axis." + name + ".level]\nwiring.radius = 1\n"));
  };
  for (const std::string name : {"density", "time", "Seed", "steps_to_80", "key"})
    EXPECT_THAT(axis(name), HasSubstr("the tables have a column called " + name)) << name;
  for (const std::string name : {R"("")", R"("a\u0000b")", R"('a"b')", R"("a\nb")"})
    EXPECT_THAT(axis(name), HasSubstr("use letters, digits, dots and dashes")) << name;
  EXPECT_THAT(axis("a." + std::string(300, 'x') + "]\n[axis.a"),
              AllOf(HasSubstr("a run of it would have a name of"), HasSubstr("short names")));
}

TEST(Plan, NamesWithSlashesAreNoPaths) {
  const StudyFile file(head + std::string("[axis.\"../network\".\"../../up\"]\n"));
  EXPECT_EQ(plan_study(file.load(), nothing_known).runs.at(0).name, ".._.._up-seed1");
}

TEST(Plan, RefusesWhatWouldSilentlyMeanNothing) {
  const std::string axis = "[axis.network.local]\n[axis.network.dense]\nwiring.kind = \"dense\"\n";
  for (const std::string& text :
       {"[axis.x.y]\nseed = 5\n"s, "[grid]\nseed = [5, 6]\n"s,
        "[[override]]\nset = { seed = 5 }\n"s,
        "[tuning]\nvalues = [1, 2, 3]\nseeds = [9]\nset = { seed = 5 }\n"s,
        "[tuning]\nvalues = [1, 2, 3]\nseeds = [9]\nkey = \"seed\"\n"s})
    EXPECT_THAT(refusal(head + text), HasSubstr("seed")) << text;
  for (const std::string& other :
       {"[[override]]\nset = { stream.batch = 32 }\n"s, "[axis.x.y]\nstream.batch = 32\n"s})
    EXPECT_THAT(refusal(head + "[grid]\nstream.batch = [8, 16]\n"s + other),
                HasSubstr("stream.batch sets a key of [grid], whose values the tables give"))
        << other;
  for (const std::string& nothing : {"skip = false"s, "set = {}"s, ""s})
    EXPECT_THAT(refusal(head + axis + "[[override]]\nwhen = { network = \"dense\" }\n" + nothing),
                HasSubstr("[[override]]: changes nothing; write set"))
        << nothing;
  for (const std::string& when : {"network = []"s, "network = {}"s})
    EXPECT_THAT(refusal(head + axis + "[[override]]\nskip = true\nwhen = { " + when + " }\n"),
                HasSubstr("override.when"))
        << when;
  EXPECT_THAT(refusal(std::string(head) + "[grid]\nwiring = {}\n"),
              HasSubstr("write key = [values]"));
  EXPECT_THAT(
      refusal(head + axis + "[[contrast]]\naxis = \"network\"\na = \"dense\"\nb = \"dense\"\n"),
      HasSubstr("name two levels"));
  EXPECT_THAT(refusal(std::string(head) + "[tuning]\nvalues = [1, 2, 3]\nseeds = [9, 9]\n"),
              HasSubstr("holds a seed twice"));
  EXPECT_THAT(refusal(std::string(head) + "[tuning]\nvalues = [1, 2, inf]\nseeds = [9]\n"),
              HasSubstr("finite"));
  EXPECT_THAT(refusal(std::string(head) + "[tuning]\nvalues = [1, nan, 3]\nseeds = [9]\n"),
              HasSubstr("nan"));
  const StudyFile file(head);
  EXPECT_THAT(message_of<UsageError>([&] {
                file.load({.out = {}, .assignments = {"statistics.marks=[0.8, 0.80000001]"}});
              }),
              HasSubstr("statistics.marks holds a mark twice"));
}

TEST(Plan, RefusesMeasuresThatNoRunCanHave) {
  const std::string network = "[axis.network.a]\n[axis.network.b]\nnetwork.tau = 200\n";
  const std::string contrast = "[[contrast]]\naxis = \"network\"\na = \"a\"\nb = \"b\"\nmeasure = ";
  const std::string tuning = "[tuning]\nvalues = [1e-3, 2e-3, 4e-3]\nseeds = [9]\nmeasure = ";
  const std::string no_wire =
      "wiring.areas = [{ name = \"a\", rows = 2, cols = 2 }, { name = \"b\", rows = 2, cols = 2 "
      "}]\nwiring.between_density = 0.5\n";
  const std::string areas = "\n[axis.size.one]\n[axis.size.two]\n" + no_wire;

  EXPECT_EQ(refusal_if_any(head + network + contrast + "\"wire\""), "");
  EXPECT_THAT(refusal(head + no_wire + network + contrast + "\"wire\""),
              AllOf(HasSubstr("contrast.measure = \"wire\", but in all cells with several areas"),
                    HasSubstr("wiring.between_length")));
  EXPECT_EQ(refusal_if_any(head + network + contrast + "\"wire\"" + areas), "")
      << "one cell has the measure";
  EXPECT_THAT(refusal(head + network + tuning + "\"wire\"" + areas),
              HasSubstr("cell a-two: tuning.measure = \"wire\", but"));
  EXPECT_THAT(refusal(head + network + tuning + "\"held_out_share\""),
              HasSubstr("give some the weight 0 in battery.weights"));
  std::string held_out = head;
  held_out.replace(held_out.find("\"go\""), 4, "\"go,dlygo\"\nbattery.weights = { dlygo = 0 }");
  EXPECT_EQ(refusal_if_any(held_out + network + tuning + "\"held_out_share\""), "");
  EXPECT_THAT(refusal(head + "evaluation.every = 0\n"s + network + contrast + "\"late_gain\""),
              HasSubstr("set a smaller evaluation.every"));
}

TEST(Plan, SmokeIsEveryCellOnceAndShort) {
  const StudyFile file(std::string(head) + "[grid]\nwiring.radius = [1, 2]\n");
  const Study study = file.load({.out = {}, .assignments = {}, .smoke = true});
  EXPECT_EQ(study.name, "example-smoke");
  const StudyPlan plan = plan_study(study, nothing_known);
  EXPECT_EQ(plan.runs.size(), 2u);
  for (const PlannedRun& run : plan.runs) EXPECT_LE(run.config.train.steps, 3);
}

// The hash -------------------------------------------------------------------------------------

TEST(ConfigHash, ChangesWithEveryKeyThatIsNoDefault) {
  RunConfig config = small_run_config();
  const std::string before = config_hash(config);
  EXPECT_EQ(before.size(), 16u);
  EXPECT_EQ(before, config_hash(small_run_config()));
  config.optimiser.learning_rate = 0.0011;
  EXPECT_NE(before, config_hash(config));
  config.optimiser.learning_rate = RunConfig{}.optimiser.learning_rate;
  EXPECT_EQ(before, config_hash(config));
}

// Committed results are lost when their hash changes. If this test fails, a default or the hashed
// text has changed: see canonical_text.
TEST(ConfigHash, StaysWhatItWas) {
  RunConfig config;
  config.seed = 1;
  EXPECT_EQ(config_hash(config), "ec380dd967e0d6e5");
  config.network.equation = StateEquation::rate;  // said or not
  EXPECT_EQ(config_hash(config), "ec380dd967e0d6e5");
  config.network.equation = StateEquation::voltage;
  EXPECT_NE(config_hash(config), "ec380dd967e0d6e5");
}

TEST(ConfigHash, OfAFileIsWhatItHoldsAndNotWhereItIs) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  const std::string without = config_hash(config);
  config.wiring.path = (dir / "nowhere.csv").string();
  config_hash(config);  // not read by another wiring.kind
  config.wiring.kind = WiringKind::file;
  EXPECT_THAT(message_of<UsageError>([&] { config_hash(config); }), HasSubstr("nowhere.csv"));

  const auto hash_of_mask = [&](const std::string& name, const std::string& content) {
    write_file(dir / name, content);
    config.wiring.path = (dir / name).string();
    return config_hash(config);
  };
  const std::string first = hash_of_mask("a.csv", "0,1\n");
  EXPECT_NE(first, without);
  EXPECT_EQ(first, config_hash(config));
  EXPECT_EQ(first, hash_of_mask("b.csv", "0,1\n"));
  const std::string second = hash_of_mask("a.csv", "1,0\n");  // of the same size
  EXPECT_NE(first, second);
  EXPECT_EQ(second, hash_of_mask("b.csv", "1,0\n"));
  EXPECT_EQ(first, hash_of_mask("a.csv", "0,1\n"));
}

// The file is not read again while the file system reports it as unchanged.
TEST(ConfigHash, OfAFileThatIsReplacedLaterChangesToo) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.wiring.kind = WiringKind::file;
  config.wiring.path = (dir / "a.csv").string();
  write_file(dir / "a.csv", "0,1\n");
  const auto written = fs::last_write_time(dir / "a.csv");
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  const std::string first = config_hash(config);
  EXPECT_EQ(first, config_hash(config));
  std::ofstream(dir / "a.csv") << "1,0\n";  // in place: the same inode and size
  fs::last_write_time(dir / "a.csv", written);
  EXPECT_NE(first, config_hash(config));
}

TEST(ConfigHash, ChangesWithTheNetworkThatARunStartsFrom) {
  const TemporaryDirectory dir;
  RunConfig source = small_run_config();
  Trainer::start(source, dir / "a", {.n_threads = 1}).run();
  source.seed = 12;
  Trainer::start(source, dir / "b", {.n_threads = 1}).run();
  RunConfig config = small_run_config();
  config.init_from = (dir / "a").string();
  const std::string first = config_hash(config);
  config.init_from = find_network(dir / "a").string();
  EXPECT_EQ(first, config_hash(config));
  config.init_from = (dir / "b").string();
  EXPECT_NE(first, config_hash(config));
}

// Tuning ---------------------------------------------------------------------------------------

constexpr const char* tuned = R"(
[tuning]
values = [0.001, 0.002, 0.004]
seeds = [11, 12]
extend = 1
set = { train.steps = 5 }
)";

TEST(Tuning, ReportingRunsWaitForIt) {
  const StudyFile file(std::string(head) + tuned);
  const StudyPlan plan = plan_study(file.load(), nothing_known);
  ASSERT_EQ(plan.runs.size(), 6u + 2);
  EXPECT_EQ(plan.runs[0].name, "run-tuning-learning_rate0.001-seed11");
  EXPECT_EQ(plan.runs[0].config.train.steps, 5);
  EXPECT_EQ(plan.runs[0].config.optimiser.learning_rate, 0.001);
  EXPECT_FALSE(plan.runs.back().settled);
  EXPECT_EQ(plan.runs.back().name, "run-seed2");
}

TEST(Tuning, TakesTheBestMeanOverSeeds) {
  const StudyFile file(std::string(head) + tuned);
  const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
    const double rate = *run.tuned;
    // 0.001 is best on one seed and bad on the other; 0.002 is good on both.
    if (rate == 0.001) return std::optional(RunResult{false, run.seed == 11 ? 0.9 : 0.1});
    return std::optional(RunResult{false, rate == 0.002 ? 0.6 : 0.3});
  });
  EXPECT_EQ(plan.tuning.at(0).best, 0.002);
  EXPECT_TRUE(plan.tuning[0].inside);
  const PlannedRun& run = plan.runs.back();
  EXPECT_TRUE(run.settled);
  EXPECT_EQ(run.config.optimiser.learning_rate, 0.002);
  EXPECT_EQ(run.config.train.steps, 5000);  // tuning.set is for tuning runs
}

// Times of runs that miss the mark are all equal.
TEST(Tuning, EqualScoresAreDecidedByTheArea) {
  const StudyFile file(std::string(head) + tuned);
  const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
    return std::optional(RunResult{.score = -9, .area = *run.tuned == 0.002 ? 0.6 : 0.3});
  });
  EXPECT_EQ(plan.tuning.at(0).best, 0.002);
  EXPECT_TRUE(plan.tuning[0].inside);  // so the grid does not grow
}

constexpr const char* with_finals = R"(
[tuning]
values = [0.001, 0.002, 0.004, 0.008]
seeds = [11]
set = { train.steps = 5 }
finalists = 2
final_seeds = [12, 13]
[axis.rate.best]
[axis.rate.runner-up]
tuning.rank = 2
)";

// In short runs 0.004 is better than 0.002, in long ones worse.
std::optional<RunResult> short_runs_mislead(const PlannedRun& run) {
  const bool is_short = run.config.train.steps == 5;
  const double rate = *run.tuned;
  if (rate == 0.002) return RunResult{false, is_short ? 0.5 : 0.9};
  if (rate == 0.004) return RunResult{false, is_short ? 0.6 : 0.8};
  return RunResult{false, 0.1};
}

TEST(Tuning, FinalistsAreTriedAgainAsTheyWillBeReported) {
  const StudyFile file(std::string(head) + with_finals);
  const StudyPlan plan = plan_study(file.load(), short_runs_mislead);
  std::vector<std::string> finals;
  for (const PlannedRun& run : plan.runs)
    if (run.stage == Stage::tuning && run.config.train.steps == 5000 && run.cell == 0)
      finals.push_back(run.name);
  EXPECT_THAT(
      finals,
      ElementsAre("best-final-learning_rate0.002-seed12", "best-final-learning_rate0.002-seed13",
                  "best-final-learning_rate0.004-seed12", "best-final-learning_rate0.004-seed13"));
  ASSERT_EQ(plan.tuning.size(), 2u);
  EXPECT_EQ(plan.tuning[0].best, 0.002);
  EXPECT_EQ(plan.tuning[1].best, 0.004);  // the runner-up
  EXPECT_TRUE(plan.tuning[0].inside && plan.tuning[1].inside);
  EXPECT_DOUBLE_EQ(plan.tuning[0].finals.at(1).score, 0.8);
  EXPECT_EQ(plan.runs.back().name, "runner-up-seed2");
  EXPECT_EQ(plan.runs.back().config.optimiser.learning_rate, 0.004);
  // Both cells take their rate from the same tuning runs.
  std::set<std::string> hashes;
  for (const PlannedRun& run : plan.runs)
    if (run.stage == Stage::tuning) hashes.insert(run.hash);
  EXPECT_EQ(hashes.size(), 4u + 4);
}

TEST(Tuning, ReportingRunsWaitForTheFinals) {
  const StudyFile file(std::string(head) + with_finals);
  const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
    return run.seed == 13 ? std::nullopt : short_runs_mislead(run);
  });
  EXPECT_FALSE(plan.tuning[0].best);
  EXPECT_FALSE(plan.runs.back().settled);
}

TEST(Tuning, AFinalistThatDivergesIsNotTaken) {
  const StudyFile file(std::string(head) + with_finals);
  const Study study = file.load();
  const auto diverges = [](const PlannedRun& run) {
    auto result = short_runs_mislead(run);
    result->diverged = *run.tuned == 0.002 && run.seed == 13;
    return result;
  };
  const StudyPlan plan = plan_study(study, diverges);
  EXPECT_EQ(plan.tuning[0].best, 0.004);  // the other cell goes on
  EXPECT_TRUE(plan.runs[plan.runs.size() - 3].settled);
  EXPECT_FALSE(plan.tuning[1].best);
  EXPECT_FALSE(plan.runs.back().settled);
  EXPECT_THAT(tuning_problems(plan),
              ElementsAre(AllOf(HasSubstr("cell runner-up"), HasSubstr("there is no runner-up"))));
}

TEST(Tuning, TheEdgeIsThatOfTheValueThatIsTaken) {
  const StudyFile file(std::string(head) + with_finals);
  const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
    const double rate = *run.tuned;
    return std::optional(RunResult{false, rate == 0.004 ? 0.9 : rate == 0.008 ? 0.8 : 0.1});
  });
  EXPECT_EQ(plan.tuning[0].best, 0.004);
  EXPECT_TRUE(plan.tuning[0].inside);
  EXPECT_EQ(plan.tuning[1].best, 0.008);  // the runner-up
  EXPECT_FALSE(plan.tuning[1].inside);
}

TEST(Tuning, RanksAndFinalsThatDoNotFitAreRefused) {
  const std::string values = "[tuning]\nvalues = [1, 2, 3]\nseeds = [9]\n";
  EXPECT_THAT(refusal(head + values + "finalists = 2\n"), HasSubstr("needs tuning.final_seeds"));
  EXPECT_THAT(refusal(head + values + "final_seeds = [8]\n"), HasSubstr("needs tuning.finalists"));
  EXPECT_THAT(refusal(head + values + "finalists = 2\nfinal_seeds = [1]\n"),
              HasSubstr("both a tuning seed and a reporting seed"));
  EXPECT_THAT(refusal(head + values + "finalists = 2\nfinal_seeds = [8, 8]\n"),
              HasSubstr("holds a seed twice"));
  const std::string third = "[axis.rate.third]\ntuning.rank = 3\n";
  EXPECT_THAT(refusal(head + values + "finalists = 2\nfinal_seeds = [8]\n" + third),
              HasSubstr("cell third: tuning.rank = 3, but 2 values are ranked"));
  EXPECT_THAT(refusal(head + third), HasSubstr("the study tunes nothing"));
}

// Slurm ------------------------------------------------------------------------------------------

std::string study_with_slurm(const std::string& keys) {
  return head + "[slurm]\n"s + keys + "\n";
}

std::string refusal_of_slurm(const std::string& keys) {
  return refusal(study_with_slurm(keys));
}

TEST(Slurm, AWarningMustLeaveTimeToTrain) {
  // The time, and the longest warning before it.
  const std::vector<std::pair<std::string, int>> limits{
      {"00:01:00", 59}, {"2", 119},         {"2:30", 149},        {"1:00:00", 3599},
      {"1-2", 93599},   {"1-02:03", 93779}, {"1-02:03:04", 93783}};
  for (const auto& [time, longest] : limits) {
    const std::string keys = "time = \"" + time + "\"\nwarning = ";
    EXPECT_NO_THROW(StudyFile(study_with_slurm(keys + std::to_string(longest))).load()) << time;
    EXPECT_THAT(refusal_of_slurm(keys + std::to_string(longest + 1)),
                AllOf(HasSubstr("slurm.warning = " + std::to_string(longest + 1) + " s"),
                      HasSubstr("slurm.time = \"" + time + "\""), HasSubstr("or less")));
  }
  EXPECT_THAT(refusal_of_slurm("time = \"00:02:00\""), HasSubstr("slurm.warning = 120 s"));
  for (const std::string none : {"UNLIMITED", "INFINITE", "0"})
    EXPECT_NO_THROW(
        StudyFile(study_with_slurm("time = \"" + none + "\"\nwarning = 100000")).load());
}

TEST(Slurm, ATimeThatIsNoTimeIsRefused) {
  for (const std::string time : {"", "soon", "1:2:3:4", "-3", "4h", "1-", "1.5"})
    EXPECT_THAT(refusal_of_slurm("time = \"" + time + "\""),
                AllOf(HasSubstr("slurm.time = \"" + time + "\""), HasSubstr("04:00:00")));
}

TEST(Slurm, WhatSbatchWouldRefuseIsRefusedBeforeAnythingIsWritten) {
  for (const std::string size : {"4G", "8gb", "8000", "0", "2T", "500M", "1024K"})
    EXPECT_NO_THROW(StudyFile(study_with_slurm("memory = \"" + size + "\"")).load()) << size;
  for (const std::string size : {"", "8 G", "1.5G", "1e3", "-1", "8GiB", "all"})
    EXPECT_THAT(refusal_of_slurm("memory = \"" + size + "\""),
                AllOf(HasSubstr("slurm.memory = \"" + size + "\""), HasSubstr("e.g. \"4G\"")));
  for (const std::string key : {"partition", "account", "qos"}) {
    EXPECT_NO_THROW(StudyFile(study_with_slurm(key + " = \"fast,slow_2\"")).load()) << key;
    EXPECT_THAT(refusal_of_slurm(key + " = \"fast, slow\""),
                AllOf(HasSubstr("slurm." + key + " = \"fast, slow\""), HasSubstr("commas")));
  }
  for (const std::string option : {"--constraint=avx2", "-C avx2", "--comment='two words'"})
    EXPECT_NO_THROW(StudyFile(study_with_slurm("options = [\"" + option + "\"]")).load()) << option;
  for (const std::string option : {"constraint=avx2", "", "--exclusive\\n--wait"})
    EXPECT_THAT(refusal_of_slurm("options = [\"" + option + "\"]"),
                AllOf(HasSubstr("slurm.options"), HasSubstr("#SBATCH")));
}

TEST(Tuning, TheGridGrowsWhileTheBestIsAtItsEdge) {
  const StudyFile file(std::string(head) + tuned);
  const auto larger_is_better = [](const PlannedRun& run) -> std::optional<RunResult> {
    if (*run.tuned > 0.004) return std::nullopt;  // not done yet
    return RunResult{false, *run.tuned};
  };
  const StudyPlan growing = plan_study(file.load(), larger_is_better);
  ASSERT_EQ(growing.tuning[0].values.size(), 4u);
  EXPECT_EQ(growing.tuning[0].values.back().value, 0.008);
  EXPECT_FALSE(growing.tuning[0].best);
  EXPECT_FALSE(growing.runs.back().settled);
  // It may grow once; then the best value is still at the edge, and the plan says so.
  const StudyPlan grown = plan_study(file.load(), [](const PlannedRun& run) {
    return std::optional(RunResult{false, *run.tuned});
  });
  EXPECT_EQ(grown.tuning[0].best, 0.008);
  EXPECT_FALSE(grown.tuning[0].inside);
}

TEST(Tuning, TheGridDoesNotGrowWhereTheKeyEnds) {
  // A density is at most 1; a learning rate cannot have more digits than its name.
  for (const std::string& tuning :
       {"key = \"network.input.density\"\nvalues = [0.25, 0.5, 1.0]"s,
        "values = [1.0001, 1.0002, 1.0003]"s, "values = [1e10, 1e20, 1e30]"s}) {
    const StudyFile file(head + ("[tuning]\nseeds = [11]\n" + tuning + "\n"));
    const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
      return std::optional(RunResult{false, *run.tuned});
    });
    EXPECT_EQ(plan.tuning.at(0).values.size(), 3u) << tuning;
    EXPECT_EQ(plan.tuning[0].best, plan.tuning[0].values.back().value);
    EXPECT_FALSE(plan.tuning[0].inside);
    EXPECT_TRUE(plan.runs.back().settled);
  }
}

TEST(Tuning, AValueAtWhichARunDivergesIsNotChosen) {
  const StudyFile file(std::string(head) + tuned);
  const StudyPlan plan = plan_study(file.load(), [](const PlannedRun& run) {
    return std::optional(RunResult{*run.tuned == 0.004 && run.seed == 12, *run.tuned});
  });
  EXPECT_EQ(plan.tuning[0].best, 0.002);
  EXPECT_TRUE(plan.tuning[0].inside);
  EXPECT_EQ(plan.tuning[0].values[2].n_diverged, 1u);
}

// Pruning --------------------------------------------------------------------------------------

TEST(Pruning, ChainsItsRounds) {
  const StudyFile file(std::string(head) + R"(
[axis.network.ticket]
wiring.kind = "dense"
pruning = { density = 0.25, rounds = 2, rewind = 10 }
[axis.network.fresh]
wiring.kind = "dense"
pruning = { density = 0.25, rounds = 2, rewind = 10, start = "reinitialise" }
)");
  const StudyPlan plan = plan_study(
      file.load({.out = {}, .assignments = {"seeds=[1]"}, .smoke = false}), nothing_known);
  EXPECT_THAT(names(plan),
              ElementsAre("ticket-round0-seed1", "ticket-round1-seed1", "ticket-round0-seed1",
                          "ticket-round1-seed1", "ticket-seed1", "fresh-seed1"));
  EXPECT_EQ(plan.runs[0].keep_weights_at, 10);
  EXPECT_EQ(plan.runs[1].parent, plan.runs[0].directory_name());
  EXPECT_DOUBLE_EQ(plan.runs[1].density, 0.5);
  const PlannedRun& ticket = plan.runs[4];
  EXPECT_EQ(ticket.parent, plan.runs[1].directory_name());
  EXPECT_EQ(ticket.first, plan.runs[0].directory_name());
  EXPECT_DOUBLE_EQ(ticket.density, 0.25);
  EXPECT_EQ(plan.runs[5].parent, ticket.parent);  // the same mask
  EXPECT_TRUE(plan.runs[5].reinitialised);
  EXPECT_NE(plan.runs[5].hash, ticket.hash);
}

TEST(Pruning, KeepsTheLargestMagnitudes) {
  EXPECT_THAT(keep_largest(std::vector<float>{0.1f, -3, 2, 0, -0.5f}, 2),
              ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(keep_largest(std::vector<float>{1, -1, 1}, 2), ElementsAre(1, 1, 0));
  EXPECT_THROW(keep_largest(std::vector<float>{1}, 2), UsageError);
}

}  // namespace
}  // namespace lmrnn
