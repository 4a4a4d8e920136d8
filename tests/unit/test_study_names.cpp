// Keys, values, measures and columns that were renamed: their former names are still read, and no
// hash of a configuration changes. The fixture and the hashes below are from commit e3ffdaf;
// tests/fixtures/make_study.sh made the fixture.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "lmrnn/study.hpp"
#include "message_of.hpp"
#include "source_directory.hpp"
#include "study/hash.hpp"
#include "study/summary.hpp"
#include "study_file.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::optional<RunResult> nothing_known(const PlannedRun&) {
  return std::nullopt;
}

std::map<std::string, std::string> hashes_of(const fs::path& file, const StudyOptions& options) {
  std::map<std::string, std::string> hashes;
  for (const PlannedRun& run : plan_study(load_study(file, options), nothing_known).runs)
    hashes[run.name] = run.hash;
  return hashes;
}

TEST(FormerNames, TheHashesOfAStudyAreThoseThatItHadWithThem) {
  const auto hashes = hashes_of(source_directory() / "studies/field.toml", {});
  EXPECT_EQ(hashes.size(), 40u);
  const std::map<std::string, std::string> before = {{"local4-seed1", "82726a81654658fe"},
                                                     {"dense-seed1", "3a7310af87ce0b8c"},
                                                     {"random4-seed1", "acf09a7ba5db8b98"},
                                                     {"local2-seed1", "73b4593360dd2849"},
                                                     {"autapse-seed8", "6ca5973b06b43431"}};
  for (const auto& [run, hash] : before) EXPECT_EQ(hashes.at(run), hash) << run;
}

constexpr const char* by_former_names = R"(
seed = 1
recipe = "field"
[network]
representation = "sparse"
initialisation = "radius"
[stream]
steps = 20
[train]
stop_gain = 0.01
)";
constexpr const char* by_present_names = R"(
seed = 1
recipe = "neurogym"
[network]
storage = "sparse"
initialisation = "spectral-radius"
[stream]
row_steps = 20
[train]
stop_plateau = 0.01
)";

TEST(FormerNames, AreReadAsThePresentOnesAndHashedAsTheyWere) {
  const RunConfig former = resolve_config(parse_toml(by_former_names, "former.toml"));
  const RunConfig present = resolve_config(parse_toml(by_present_names, "present.toml"));
  EXPECT_EQ(former.recipe, Recipe::neurogym);
  EXPECT_EQ(former.network.storage, Representation::sparse);
  EXPECT_EQ(former.network.initialisation, Initialisation::spectral_radius);
  EXPECT_EQ(former.stream.steps, 20);
  EXPECT_EQ(former.train.stop_plateau, 0.01);
  EXPECT_EQ(canonical_text(former), canonical_text(present));
  EXPECT_THAT(canonical_text(present),
              AllOf(HasSubstr("recipe = \"field\"\n"), HasSubstr("stream.steps = 20\n"),
                    HasSubstr("network.initialisation = \"radius\"\n"),
                    HasSubstr("network.representation = \"sparse\"\n")));
  // What is written is read by its present names only.
  const std::string written = to_toml(write_config(present));
  EXPECT_THAT(written, AllOf(HasSubstr("recipe = \"neurogym\""), HasSubstr("row_steps = 20"),
                             HasSubstr("storage = \"sparse\""), HasSubstr("\"spectral-radius\"")));
  EXPECT_EQ(to_toml(write_config(former)), written);
}

TEST(FormerNames, TheLaterOfTwoNamesCountsAcrossAFileAndItsChanges) {
  for (const auto& [file, set] : std::vector<std::pair<std::string, std::string>>{
           {"steps", "row_steps"}, {"row_steps", "steps"}}) {
    ConfigTable table = parse_toml("seed = 1\n[stream]\n" + file + " = 20\n", "a.toml");
    assign_key(table, "stream." + set + "=30");
    EXPECT_EQ(resolve_config(table).stream.steps, 30) << file << ", " << set;
  }
}

TEST(FormerNames, BothNamesInOneFileAreRefused) {
  const std::string message = message_of<UsageError>([] {
    resolve_config(parse_toml("seed = 1\n[stream]\nsteps = 20\nrow_steps = 30\n", "a.toml"));
  });
  EXPECT_EQ(message,
            "a.toml:3: \"steps\" is the former name of \"row_steps\", which is given too "
            "(a.toml:4); keep one of them");
}

TEST(FormerNames, AnUnknownKeyIsNotToldTheFormerNames) {
  const std::string message = message_of<UsageError>(
      [] { resolve_config(parse_toml("seed = 1\n[network]\nstorge = 1\n", "a.toml")); });
  EXPECT_THAT(message, AllOf(HasSubstr("storage"), testing::Not(HasSubstr("representation"))));
}

TEST(FormerNames, OneAxisMayUseTheFormerNameOfAKeyThatAllShareByItsPresentOne) {
  const char* head = R"(
claim = "a claim"
support = "what supports it"
seeds = [1]
statistics.seed = 3
[config]
battery.tasks = "go"
)";
  const StudyFile file(std::string(head) + R"(
stream.row_steps = 50
[axis.rows.short]
stream.steps = 20
[axis.rows.long]
stream.batch = 16
[[override]]
when = { rows = "long" }
set = { stream = { steps = 70 } }
)");
  const StudyPlan plan = plan_study(file.load(), nothing_known);
  ASSERT_EQ(plan.runs.size(), 2u);
  EXPECT_EQ(plan.runs[0].config.stream.steps, 20);
  EXPECT_EQ(plan.runs[1].config.stream.steps, 70);
  const StudyFile grid(std::string(head) + "[grid]\nstream.steps = [30, 40]\n");
  const StudyPlan gridded = plan_study(grid.load(), nothing_known);
  EXPECT_EQ(gridded.runs[1].config.stream.steps, 40);
  EXPECT_THAT(gridded.runs[1].name, HasSubstr("steps40"));
}

class FormerStudy : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::copy(source_directory() / "tests/fixtures/study_format_1", dir_ / "study",
             fs::copy_options::recursive);
    StudyOptions options;
    options.out = dir_ / "study/out";
    study_ = load_study(dir_ / "study/old.toml", options);
  }
  std::string table(const char* name) const { return read_file(study_.out / "tables" / name); }

  TemporaryDirectory dir_;
  Study study_;
};

TEST_F(FormerStudy, IsReadWithItsHashesAndHasNothingLeftToDo) {
  const StudyPlan plan = plan_study(study_);
  std::vector<std::string> names;
  std::vector<RunState> states;
  for (const PlannedRun& run : plan.runs) names.push_back(run.directory_name());
  for (const RunStatus& status : study_status(study_, plan)) states.push_back(status.state);
  EXPECT_THAT(names, ElementsAre("local-seed1-f3fa6f92", "local-seed2-4e595232",
                                 "dense-seed1-c49e6ba3", "dense-seed2-af34bf54"));
  EXPECT_THAT(states, ElementsAre(RunState::done, RunState::recorded, RunState::recorded,
                                  RunState::recorded));
}

TEST_F(FormerStudy, ItsTablesAreMadeAgain) {
  const std::string results = read_file(study_.results);
  const Collected collected = collect_study(study_);
  EXPECT_THAT(collected.warnings, ElementsAre());
  EXPECT_EQ(read_file(study_.results), results);
  EXPECT_THAT(table("runs.csv"), HasSubstr("dense-seed2"));
  EXPECT_EQ(study_.config.statistics.confidence, 0.9);
}

TEST_F(FormerStudy, ItsRunIsRead) {
  const fs::path run = study_.out / "runs/local-seed1-f3fa6f92";
  const RunRecord record = open_run(run);
  EXPECT_TRUE(record.done);
  EXPECT_EQ(record.config.recipe, Recipe::neurogym);
  EXPECT_EQ(record.config.network.initialisation, Initialisation::spectral_radius);
  EXPECT_EQ(record.config.stream.steps, 20);
  EXPECT_EQ(load_network(find_network(run)).network.architecture().n_units(), 9u);
}

}  // namespace
}  // namespace lmrnn
