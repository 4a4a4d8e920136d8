// Files of earlier versions. If a change of a format breaks one of these tests, either continue to
// read the old format or raise its version number, so that old files are rejected with a clear
// message. tests/fixtures/make_run.sh made the fixture.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lmrnn/evaluate.hpp"
#include "small_run.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

const fs::path fixture = source_directory() / "tests/fixtures/run_format_1";
constexpr std::int64_t saved_step = 9, last_step = 13;

TEST(Format1, TheRunDirectoryIsRead) {
  ASSERT_EQ(run_format_version, 1) << "add a fixture of the new format beside the old one";
  const RunRecord run = open_run(fixture);
  EXPECT_EQ(run.config.run_seed().value, 5u);
  EXPECT_EQ(run.config.train.steps, last_step);
  EXPECT_EQ(run.checkpoints, std::vector<std::int64_t>{saved_step});
  EXPECT_FALSE(run.done);
}

TEST(Format1, TheNetworkIsReadAndWrittenTheSame) {
  const TemporaryDirectory dir;
  const fs::path path = checkpoint_path(fixture, saved_step) / "network.safetensors";
  const LoadedNetwork loaded = load_network(path);
  EXPECT_EQ(loaded.network.architecture().n_units(), 9u);
  EXPECT_EQ(loaded.network.architecture().n_channels, 9u);
  EXPECT_EQ(loaded.network.architecture().recurrent.n_synapses(), 45u);
  EXPECT_EQ(loaded.metadata.at("step"), "9");
  save_network(dir / "again", loaded.network, loaded.metadata);
  EXPECT_TRUE(read_file(dir / "again") == read_file(path)) << "the format has changed";
}

TEST(Format1, TheRunGoesOnToItsEnd) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  fs::copy(fixture, run, fs::copy_options::recursive);
  Trainer trainer = Trainer::resume(run, {.n_threads = 1});
  EXPECT_EQ(trainer.step(), saved_step);
  EXPECT_EQ(trainer.run(), Outcome::finished);
  EXPECT_EQ(checkpoint_steps(run).back(), last_step);
  EXPECT_TRUE(fs::exists(run / "DONE"));
  // The rows that were there are still there, below the columns' present names.
  for (const auto& [name, former, present] :
       {std::tuple("metrics.csv", ",tasks_reached,", ",tasks_passed,"),
        std::tuple("tasks.csv", ",reached,", ",passed,")}) {
    const std::string before = read_file(fixture / name), now = read_file(run / name);
    const std::size_t end = before.find('\n');
    EXPECT_NE(before.substr(0, end).find(former), std::string::npos) << "no earlier version's file";
    EXPECT_NE(now.substr(0, now.find('\n')).find(present), std::string::npos);
    std::string rows;
    for (const char c : before.substr(end)) {  // metrics.csv has one column more, empty there
      if (c == '\n' && !rows.empty() && std::string_view(name) == "metrics.csv") rows += ',';
      rows += c;
    }
    EXPECT_TRUE(now.substr(now.find('\n')).starts_with(rows));
  }
}

}  // namespace
}  // namespace lmrnn
