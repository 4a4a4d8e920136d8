#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/shared/csv.hpp"
#include "core/shared/sha256.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run_tables.hpp"
#include "message_of.hpp"
#include "small_run.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TrainerCallbacks stop_after(std::int64_t step) {
  auto now = std::make_shared<std::int64_t>(0);
  TrainerCallbacks callbacks;
  callbacks.stop_requested = [now, step] { return ++*now >= step; };
  return callbacks;
}

template <class Action>
std::string complaint(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

Outcome train(const RunConfig& config, const fs::path& directory, int n_threads = 1) {
  return Trainer::start(config, directory, {.n_threads = n_threads}).run();
}

void expect_equal_runs(const fs::path& a, const fs::path& b) {
  EXPECT_EQ(checkpoint_steps(a), checkpoint_steps(b));
  for (const std::int64_t step : checkpoint_steps(a))
    EXPECT_TRUE(checkpoint_bytes(a, step) == checkpoint_bytes(b, step)) << "step " << step;
  EXPECT_EQ(timeless(a / "metrics.csv"), timeless(b / "metrics.csv"));
  EXPECT_EQ(read_file(a / "tasks.csv"), read_file(b / "tasks.csv"));
}

std::size_t n_lines(const fs::path& path) {
  const std::string text = read_file(path);
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// What a run leaves behind ---------------------------------------------------------------------

TEST(Run, LeavesACompleteDirectory) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  Trainer trainer = Trainer::start(small_run_config(), run, {.n_threads = 2});
  EXPECT_EQ(trainer.run(), Outcome::finished);
  EXPECT_EQ(trainer.step(), 20);

  EXPECT_EQ(to_toml(write_config(open_run(run).config)), to_toml(write_config(small_run_config())));
  const auto provenance = nlohmann::json::parse(read_file(run / "provenance.json"));
  EXPECT_EQ(provenance["format"], run_format_version);
  EXPECT_EQ(provenance["seed"], 11);
  for (const char* key : {"started", "version", "commit", "compiler", "simd", "processor", "host"})
    EXPECT_FALSE(provenance["sessions"][0][key].get<std::string>().empty()) << key;
  const auto done = nlohmann::json::parse(read_file(run / "DONE"));
  EXPECT_EQ(done["outcome"], "finished");
  EXPECT_EQ(done["steps"], 20);
  EXPECT_EQ(done["mean_accuracy"], trainer.last_evaluation()->mean_accuracy());
  // Rows at 3, 6, 8 (evaluation), 9, 12, 15, 16 (evaluation), 18, 20.
  EXPECT_EQ(n_lines(run / "metrics.csv"), 1u + 9);
  EXPECT_EQ(n_lines(run / "tasks.csv"), 1u + 3 * 3);
  EXPECT_THAT(checkpoint_steps(run), ElementsAre(15, 20));
  for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST(Run, TheLastCheckpointIsTheTrainedNetwork) {
  const TemporaryDirectory dir;
  Trainer trainer = Trainer::start(small_run_config(), dir / "run", {.n_threads = 1});
  trainer.run();
  for (const fs::path& path : {dir / "run", checkpoint_path(dir / "run", 20),
                               checkpoint_path(dir / "run", 20) / "network.safetensors"}) {
    const LoadedNetwork loaded = load_network(find_network(path));
    EXPECT_TRUE(std::ranges::equal(std::as_const(loaded.network).parameters(),
                                   trainer.network().parameters()));
    EXPECT_EQ(trained_on(loaded.metadata, path).seed, Seed{11});
    EXPECT_EQ(loaded.metadata.at("step"), "20");
  }
}

TEST(Run, KeepsTheCheckpointsThatItIsToldTo) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.checkpoint = {.every = 2, .keep_last = 3, .keep_every = 8};
  train(config, dir / "run");
  EXPECT_THAT(checkpoint_steps(dir / "run"), ElementsAre(0, 8, 16, 18, 20));
}

TEST(Run, SavesAllCheckpointsThatItIsToldToKeep) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.checkpoint = {.every = 8, .keep_last = 1, .keep_every = 6};
  train(config, dir / "run");
  EXPECT_THAT(checkpoint_steps(dir / "run"), ElementsAre(0, 6, 12, 18, 20));
  config.checkpoint = {.every = 0, .keep_last = 1, .keep_every = 7};
  train(config, dir / "other");
  EXPECT_THAT(checkpoint_steps(dir / "other"), ElementsAre(0, 7, 14, 20));
}

TEST(Run, CountsTrialsAndLogsTheLearningRate) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.train.log_every = 1;
  train(config, dir / "run");
  std::ifstream file(dir / "run" / "metrics.csv");
  std::string line;
  std::getline(file, line);
  double trials_before = 0;
  while (std::getline(file, line)) {
    double step = 0, trials = 0, seconds = 0, rate = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf", &step, &trials, &seconds, &rate), 4);
    // 20 rows of 40 steps; a trial of these tasks has 15 to 26.
    EXPECT_GE(trials - trials_before, 20 * 2);
    EXPECT_LE(trials - trials_before, 20 * 4);
    EXPECT_DOUBLE_EQ(rate, 1e-3);
    trials_before = trials;
  }
}

// Determinism ----------------------------------------------------------------------------------

class SameBits : public ::testing::TestWithParam<int> {
 protected:
  static RunConfig variant(int which) {
    RunConfig config = small_run_config();
    if (which == 1) {
      config.network.recurrent_noise = 0.1;
      config.stream.mode = StreamMode::carry_on;
      config.battery.tasks = "go,dlygointr,dm1";
    }
    if (which == 2) {
      config.optimiser.kind = OptimiserKind::sgd;
      config.loss = {.kind = LossKind::least_squares, .rate_penalty = 0.1, .weight_penalty = 0.01};
      config.stream.reset_at_trial = true;
      config.stream.trials_per_task = 5;
    }
    if (which == 3) {
      config.battery.dt = 50;
      config.network.tau = 100;
      config.network.storage = Representation::dense;
      config.wiring.kind = WiringKind::random;
    }
    return config;
  }
};

TEST_P(SameBits, ForAnyNumberOfThreads) {
  const TemporaryDirectory dir;
  const RunConfig config = variant(GetParam());
  train(config, dir / "one", 1);
  train(config, dir / "two", 2);
  train(config, dir / "five", 5);
  expect_equal_runs(dir / "one", dir / "two");
  expect_equal_runs(dir / "one", dir / "five");
}

TEST_P(SameBits, WhenInterruptedAnywhere) {
  const TemporaryDirectory dir;
  const RunConfig config = variant(GetParam());
  train(config, dir / "whole");
  // At a checkpoint; between rows of metrics.csv; at an evaluation.
  for (const std::int64_t step : {5, 7, 8, 10}) {
    const fs::path run = dir / ("stopped" + std::to_string(step));
    EXPECT_EQ(Trainer::start(config, run, {.n_threads = 1}).run(stop_after(step)),
              Outcome::interrupted);
    EXPECT_EQ(checkpoint_steps(run).back(), step);
    EXPECT_FALSE(fs::exists(run / "DONE"));
    Trainer resumed = Trainer::resume(run, {.n_threads = 2});
    EXPECT_EQ(resumed.step(), step);
    EXPECT_TRUE(resumed.notices().empty());
    EXPECT_EQ(resumed.run(), Outcome::finished);
    EXPECT_TRUE(checkpoint_bytes(run, 20) == checkpoint_bytes(dir / "whole", 20)) << step;
    EXPECT_EQ(timeless(run / "metrics.csv"), timeless(dir / "whole" / "metrics.csv")) << step;
    EXPECT_EQ(read_file(run / "tasks.csv"), read_file(dir / "whole" / "tasks.csv")) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, SameBits, ::testing::Range(0, 4));

TEST(Run, TheLastTwoEvaluationsMayHaveMoreTrials) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.train.steps = 7;
  config.evaluation.every = 2;
  config.evaluation.trials = 3;
  config.evaluation.final_trials = 50;
  train(config, dir / "run");
  std::map<std::int64_t, std::uint64_t> trials;
  for (const TaskRow& row : csv_rows<TaskRow>(read_file(dir / "run" / "tasks.csv"), "tasks", ""))
    trials[row.step] = row.trials;
  EXPECT_THAT(trials, ElementsAre(Pair(2, 3u), Pair(4, 3u), Pair(6, 50u), Pair(7, 50u)));
  // The run is scored on the same trials as a run with this number throughout, also after resuming.
  Trainer::start(config, dir / "resumed", {.n_threads = 1}).run(stop_after(5));
  Trainer::resume(dir / "resumed", {.n_threads = 1}).run();
  expect_equal_runs(dir / "run", dir / "resumed");
  config.evaluation.trials = 50;
  config.evaluation.final_trials.reset();
  train(config, dir / "all");
  const std::string some = read_file(dir / "run" / "tasks.csv");
  const std::string all = read_file(dir / "all" / "tasks.csv");
  EXPECT_EQ(some.substr(some.find("\n6,")), all.substr(all.find("\n6,")));
}

TEST(Run, SessionsSayHowLongTheyTook) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  Trainer::start(small_run_config(), run, {.n_threads = 1}).run(stop_after(7));
  Trainer::resume(run, {.n_threads = 2}).run();
  const auto provenance = nlohmann::json::parse(read_file(run / "provenance.json"));
  ASSERT_EQ(provenance["sessions"].size(), 2u);
  for (const auto& session : provenance["sessions"]) {
    EXPECT_GT(session["processor_seconds"].get<double>(), 0);
    EXPECT_GT(session["seconds"].get<double>(), 0);
    EXPECT_LT(session["seconds"].get<double>(), 600);
  }
}

TEST(Run, SaysThatRowsAreTooShortForTrials) {
  RunConfig config = small_run_config();
  const TemporaryDirectory place;
  EXPECT_TRUE(Trainer::start(config, place / "long", {.n_threads = 1}).notices().empty());
  config.stream.steps = 25;  // go takes 20 steps, dlygointr up to 26, antiseqr 25
  const Trainer trainer = Trainer::start(config, place / "short", {.n_threads = 1});
  ASSERT_EQ(trainer.notices().size(), 1u);
  EXPECT_THAT(trainer.notices()[0], HasSubstr("1 of 3 tasks"));
  EXPECT_THAT(trainer.notices()[0], HasSubstr("dlygointr takes up to 26 steps"));
  config.stream.mode = StreamMode::carry_on;  // goes on where the last batch stopped
  EXPECT_TRUE(Trainer::start(config, place / "continued", {.n_threads = 1}).notices().empty());
}

TEST(Run, AnotherSeedGivesAnotherRun) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  train(config, dir / "a");
  config.seed = 12;
  train(config, dir / "b");
  EXPECT_FALSE(checkpoint_bytes(dir / "a", 20) == checkpoint_bytes(dir / "b", 20));
}

// Kill -9 --------------------------------------------------------------------------------------

// Runs `work` in its own process, which dies by SIGKILL or ends normally.
template <class Work>
void in_doomed_process(Work work, std::chrono::milliseconds kill_after) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  if (kill_after.count() >= 0) {
    std::this_thread::sleep_for(kill_after);
    ::kill(child, SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
}

TEST(Killed, BetweenCheckpointsItGoesOnFromTheLast) {
  const TemporaryDirectory dir;
  const RunConfig config = small_run_config();
  train(config, dir / "whole");
  const fs::path run = dir / "killed";
  in_doomed_process(
      [&] {
        TrainerCallbacks callbacks;
        callbacks.progress = [](const Progress& p) {
          if (p.step == 13) ::kill(::getpid(), SIGKILL);
        };
        Trainer::start(config, run, {.n_threads = 2}).run(callbacks);
      },
      std::chrono::milliseconds(-1));
  EXPECT_EQ(checkpoint_steps(run).back(), 10);
  EXPECT_THAT(read_file(run / "metrics.csv"), HasSubstr("\n12,"));  // to be written again
  Trainer resumed = Trainer::resume(run, {.n_threads = 1});
  EXPECT_EQ(resumed.step(), 10);
  EXPECT_EQ(resumed.run(), Outcome::finished);
  expect_equal_runs(dir / "whole", run);
}

TEST(Killed, AtAnyMoment) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.train.steps = 200;
  config.train.log_every = config.checkpoint.every = 1;  // nearly always writing
  config.evaluation.every = 50;
  train(config, dir / "whole");
  for (const int after : {3, 20, 35, 60, 100, 170}) {
    const fs::path run = dir / ("killed" + std::to_string(after));
    for (int attempt = 0; attempt < 3 && !fs::exists(run / "DONE"); ++attempt)
      in_doomed_process(
          [&] {
            try {
              (fs::exists(run / "config.toml") ? Trainer::resume(run, {.n_threads = 1})
                                               : Trainer::start(config, run, {.n_threads = 1}))
                  .run();
            } catch (...) {
              ::_exit(1);
            }
          },
          std::chrono::milliseconds(after));
    // If it was killed before there was a configuration, the directory can be used again.
    if (!fs::exists(run / "config.toml")) continue;
    if (!fs::exists(run / "DONE")) {
      EXPECT_EQ(Trainer::resume(run, {.n_threads = 1}).run(), Outcome::finished);
    }
    expect_equal_runs(dir / "whole", run);
  }
}

// Found by tests/robustness/kill.py.
TEST(Killed, WhileReplacingAFileItLeavesNothingForEver) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  Trainer::start(small_run_config(), run, {.n_threads = 1}).run(stop_after(10));
  std::ofstream(run / "provenance.json.tmp-1") << "{";
  std::ofstream(run / "metrics.csv.tmp-23") << "step";
  Trainer::resume(run, {.n_threads = 1}).run();
  EXPECT_FALSE(fs::exists(run / "provenance.json.tmp-1"));
  EXPECT_FALSE(fs::exists(run / "metrics.csv.tmp-23"));
}

TEST(Killed, BeforeThereIsAConfigurationItMayBeginAgain) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  fs::create_directories(run / "checkpoints");
  std::ofstream(run / "lock");
  std::ofstream(run / "provenance.json") << "{}";
  std::ofstream(run / "config.toml.tmp-9") << "seed";
  EXPECT_EQ(train(small_run_config(), run), Outcome::finished);
  EXPECT_FALSE(fs::exists(run / "config.toml.tmp-9"));
  // Without its configuration, a run that has got further is not overwritten.
  fs::remove(run / "config.toml");
  fs::remove(run / "DONE");
  EXPECT_THAT(complaint([&] { Trainer::start(small_run_config(), run, {.n_threads = 1}); }),
              HasSubstr("not empty"));
}

TEST(Killed, AHalfWrittenRowIsDropped) {
  const TemporaryDirectory dir;
  const RunConfig config = small_run_config();
  train(config, dir / "whole");
  const fs::path run = dir / "run";
  Trainer::start(config, run, {.n_threads = 1}).run(stop_after(10));
  std::ofstream(run / "metrics.csv", std::ios::app) << "11,33";
  std::ofstream(run / "tasks.csv", std::ios::app) << "11,go,3\n12,g";
  Trainer::resume(run, {.n_threads = 1}).run();
  expect_equal_runs(dir / "whole", run);
}

// Refusals -------------------------------------------------------------------------------------

TEST(Refused, ASecondRunIntoADirectory) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  const RunConfig config = small_run_config();
  {
    const Trainer trainer = Trainer::start(config, run, {.n_threads = 1});
    EXPECT_THAT(complaint([&] { Trainer::start(config, run, {.n_threads = 1}); }),
                HasSubstr("--resume"));
    EXPECT_THAT(complaint([&] { Trainer::resume(run, {.n_threads = 1}); }),
                HasSubstr("another process"));
  }
  Trainer::resume(run, {.n_threads = 1}).run();
  EXPECT_THAT(complaint([&] { Trainer::start(config, run, {.n_threads = 1}); }),
              HasSubstr("finished run"));
  EXPECT_THAT(complaint([&] { Trainer::resume(run, {.n_threads = 1}); }), HasSubstr("done"));
  std::ofstream(dir / "file") << "x";
  EXPECT_THAT(complaint([&] { Trainer::start(config, dir / "file", {.n_threads = 1}); }),
              HasSubstr("is a file"));
  fs::create_directory(dir / "other");
  std::ofstream(dir / "other" / "thesis.tex") << "x";
  EXPECT_THAT(complaint([&] { Trainer::start(config, dir / "other", {.n_threads = 1}); }),
              HasSubstr("not empty"));
  EXPECT_FALSE(fs::exists(dir / "other" / "lock"));
}

TEST(Refused, ToWriteIntoARunThatWasMovedAway) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.checkpoint.every = 5;
  // Moved before a checkpoint; and after the last one, when only the file DONE is still missing.
  for (const std::int64_t step : {std::int64_t{3}, config.train.steps}) {
    const fs::path run = dir / "run", moved = dir / ("moved" + std::to_string(step));
    TrainerCallbacks callbacks;
    callbacks.progress = [&](const Progress& progress) {
      if (progress.step == step) fs::rename(run, moved);
    };
    Trainer trainer = Trainer::start(config, run, {.n_threads = 1});
    EXPECT_THAT(message_of<RunError>([&] { trainer.run(callbacks); }),
                AllOf(HasSubstr("run: is not there any more; it was moved or deleted"),
                      HasSubstr("resume from its last checkpoint")));
    EXPECT_FALSE(fs::exists(run));
    EXPECT_FALSE(fs::exists(moved / "DONE"));
  }
}

TEST(Refused, TheLockGoesWithTheProcess) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  in_doomed_process(
      [&] {
        Trainer trainer = Trainer::start(small_run_config(), run, {.n_threads = 1});
        ::kill(::getpid(), SIGKILL);
      },
      std::chrono::milliseconds(-1));
  EXPECT_TRUE(fs::exists(run / "lock"));
  EXPECT_EQ(Trainer::resume(run, {.n_threads = 1}).run(), Outcome::finished);
}

TEST(Refused, AnImpossibleConfigurationWritesNothing) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.battery.tasks = "dmc";
  config.battery.n_ring = 15;
  EXPECT_THROW(Trainer::start(config, dir / "run", {.n_threads = 1}), UsageError);
  config = small_run_config();
  config.simd = "mmx";
  EXPECT_THROW(Trainer::start(config, dir / "run", {.n_threads = 1}), UsageError);
  config = small_run_config();
  config.init_from = dir / "nowhere";
  EXPECT_THROW(Trainer::start(config, dir / "run", {.n_threads = 1}), UsageError);
  EXPECT_FALSE(fs::exists(dir / "run"));
}

// Input files ----------------------------------------------------------------------------------

// source,target: a ring of n units, each with the next one and the one `reach` further on.
std::string ring_mask(int n, int reach) {
  std::string text = "source,target\n";
  for (int unit = 0; unit < n; ++unit)
    text += std::to_string(unit) + "," + std::to_string((unit + 1) % n) + "\n" +
            std::to_string(unit) + "," + std::to_string((unit + reach) % n) + "\n";
  return text;
}

class InputFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(mask_, ring_mask(16, 3));
    config_.wiring.kind = WiringKind::file;
    config_.wiring.path = mask_.string();
  }
  std::string complaint_at_resuming() const {
    return complaint([this] { Trainer::resume(run_, {.n_threads = 1}); });
  }

  const TemporaryDirectory dir_;
  const fs::path mask_ = dir_ / "mask.csv", run_ = dir_ / "run";
  RunConfig config_ = small_run_config();
};

TEST_F(InputFiles, ProvenanceSaysWhatWasInThem) {
  train(small_run_config(), dir_ / "source");
  config_.init_from = (dir_ / "source").string();
  config_.wiring.kind = WiringKind::local;
  train(config_, dir_ / "second");
  auto inputs = nlohmann::json::parse(read_file(dir_ / "second" / "provenance.json"))["inputs"];
  EXPECT_EQ(inputs.size(), 1u);  // wiring.path is not read by wiring.kind = "local"
  const fs::path network = find_network(dir_ / "source");
  EXPECT_EQ(inputs["init_from"]["file"], network.string());
  EXPECT_EQ(inputs["init_from"]["sha256"], sha256(read_file(network)));
  config_ = small_run_config();
  SetUp();
  train(config_, run_);
  inputs = nlohmann::json::parse(read_file(run_ / "provenance.json"))["inputs"];
  EXPECT_EQ(inputs["wiring.path"]["sha256"], sha256(ring_mask(16, 3)));
  EXPECT_FALSE(
      nlohmann::json::parse(read_file(dir_ / "source" / "provenance.json")).contains("inputs"));
}

TEST_F(InputFiles, AReplacedOneIsRefusedWhenTheRunIsResumed) {
  Trainer::start(config_, run_, {.n_threads = 1}).run(stop_after(7));
  const std::string provenance = read_file(run_ / "provenance.json");
  write_file(mask_, ring_mask(16, 5));
  EXPECT_THAT(complaint_at_resuming(),
              AllOf(HasSubstr(mask_.string() + " has changed since the run began"),
                    HasSubstr("wiring.path"), HasSubstr(sha256(ring_mask(16, 3)))));
  EXPECT_EQ(read_file(run_ / "provenance.json"), provenance);
  write_file(mask_, ring_mask(16, 3));
  EXPECT_EQ(Trainer::resume(run_, {.n_threads = 1}).run(), Outcome::finished);
  train(config_, dir_ / "whole");
  EXPECT_EQ(checkpoint_bytes(run_, 20), checkpoint_bytes(dir_ / "whole", 20));
}

TEST_F(InputFiles, AReplacedOneIsRefusedBeforeTheFirstCheckpointToo) {
  { const Trainer trainer = Trainer::start(config_, run_, {.n_threads = 1}); }
  ASSERT_TRUE(checkpoint_steps(run_).empty());
  write_file(mask_, ring_mask(16, 5));
  EXPECT_THAT(complaint_at_resuming(), HasSubstr("has changed since the run began"));
  fs::remove(mask_);
  EXPECT_THAT(complaint_at_resuming(), HasSubstr("cannot be read"));
}

TEST_F(InputFiles, ACheckpointNeedsThemNoLonger) {
  Trainer::start(config_, run_, {.n_threads = 1}).run(stop_after(7));
  fs::remove(mask_);
  EXPECT_EQ(Trainer::resume(run_, {.n_threads = 1}).run(), Outcome::finished);
}

/// Works in a directory while it exists.
class Within {
 public:
  explicit Within(const fs::path& directory) { fs::current_path(directory); }
  ~Within() { fs::current_path(before_); }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  const fs::path before_ = fs::current_path();
};

// The mask of plastic synapses is read again whenever a run is resumed.
TEST_F(InputFiles, ARelativePathMeansTheSameFileWhereverTheRunIsResumed) {
  config_.wiring.kind = WiringKind::dense;
  config_.wiring.plastic.kind = SubsetKind::file;
  config_.wiring.plastic.path = "mask.csv";
  for (const auto& [name, reach] : {std::pair("here", 3), std::pair("there", 5)}) {
    fs::create_directory(dir_ / name);
    write_file(dir_ / name / "mask.csv", ring_mask(16, reach));
  }
  {
    const Within here(dir_ / "here");
    train(config_, dir_ / "whole");
    { const Trainer trainer = Trainer::start(config_, dir_ / "new", {.n_threads = 1}); }
    for (const char* name : {"run", "moved"})
      Trainer::start(config_, dir_ / name, {.n_threads = 1}).run(stop_after(7));
  }
  const Within there(dir_ / "there");
  for (const char* name : {"new", "run"}) {
    EXPECT_EQ(Trainer::resume(dir_ / name, {.n_threads = 1}).run(), Outcome::finished);
    EXPECT_EQ(checkpoint_bytes(dir_ / name, 20), checkpoint_bytes(dir_ / "whole", 20)) << name;
  }
  // If the file is missing, the one at the same relative path is used, if it has the same content.
  fs::remove(dir_ / "here" / "mask.csv");
  EXPECT_THAT(complaint([&] { Trainer::resume(dir_ / "moved", {.n_threads = 1}); }),
              HasSubstr("mask.csv has changed since the run began"));
  write_file("mask.csv", ring_mask(16, 3));
  EXPECT_EQ(Trainer::resume(dir_ / "moved", {.n_threads = 1}).run(), Outcome::finished);
  EXPECT_EQ(checkpoint_bytes(dir_ / "moved", 20), checkpoint_bytes(dir_ / "whole", 20));
}

// It names the newest checkpoint, and that run may continue.
TEST_F(InputFiles, TheRunThatAnotherStartedFromMayGoOn) {
  RunConfig first = small_run_config();
  first.checkpoint.keep_last = 100;
  Trainer::start(first, dir_ / "first", {.n_threads = 1}).run(stop_after(7));
  RunConfig second = small_run_config();
  second.init_from = (dir_ / "first").string();
  Trainer::start(second, run_, {.n_threads = 1}).run(stop_after(7));
  Trainer::resume(dir_ / "first", {.n_threads = 1}).run();
  EXPECT_EQ(Trainer::resume(run_, {.n_threads = 1}).run(), Outcome::finished);
}

TEST(Refused, ADirectoryOfAnotherVersion) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  Trainer::start(small_run_config(), run, {.n_threads = 1}).run(stop_after(5));
  auto provenance = nlohmann::json::parse(read_file(run / "provenance.json"));
  provenance["format"] = run_format_version + 1;
  write_file(run / "provenance.json", provenance.dump());
  const std::string before = read_file(run / "metrics.csv");
  EXPECT_THAT(complaint([&] { Trainer::resume(run, {.n_threads = 1}); }),
              AllOf(HasSubstr("format"), HasSubstr("the version that wrote it")));
  EXPECT_EQ(read_file(run / "metrics.csv"), before);
}

TEST(Refused, ADirectoryThatIsNoRun) {
  const TemporaryDirectory dir;
  EXPECT_THAT(complaint([&] { open_run(dir / "nothing"); }), HasSubstr("no such directory"));
  fs::create_directory(dir / "empty");
  EXPECT_THAT(complaint([&] { open_run(dir / "empty"); }), HasSubstr("not a run directory"));
}

TEST(Refused, ATruncatedCheckpoint) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  const RunConfig config = small_run_config();
  train(config, dir / "whole");
  Trainer::start(config, run, {.n_threads = 1}).run(stop_after(10));
  const std::string metrics = read_file(run / "metrics.csv");
  for (const char* name : {"network.safetensors", "state.safetensors"}) {
    const fs::path file = checkpoint_path(run, 10) / name;
    const std::string content = read_file(file);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, content.size() / 2, content.size() - 1}) {
      write_file(file, content.substr(0, size));
      EXPECT_THAT(complaint([&] { Trainer::resume(run, {.n_threads = 1}); }), HasSubstr(name))
          << size;
    }
    write_file(file, content);
  }
  EXPECT_EQ(read_file(run / "metrics.csv"), metrics);
  // The remedy: if the damaged checkpoint is removed, the one before it is used.
  fs::remove_all(checkpoint_path(run, 10));
  Trainer::resume(run, {.n_threads = 1}).run();
  EXPECT_TRUE(checkpoint_bytes(run, 20) == checkpoint_bytes(dir / "whole", 20));
  EXPECT_EQ(timeless(run / "metrics.csv"), timeless(dir / "whole" / "metrics.csv"));
}

TEST(Refused, ACheckpointOfAnotherNetwork) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  Trainer::start(config, dir / "a", {.n_threads = 1}).run(stop_after(10));
  config.wiring.radius = 2;
  Trainer::start(config, dir / "b", {.n_threads = 1}).run(stop_after(10));
  fs::copy_file(checkpoint_path(dir / "b", 10) / "state.safetensors",
                checkpoint_path(dir / "a", 10) / "state.safetensors",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(complaint([&] { Trainer::resume(dir / "a", {.n_threads = 1}); }),
              HasSubstr("first_moment"));
}

// Divergence -----------------------------------------------------------------------------------

TEST(Diverged, StopsAndKeepsTheLastGoodCheckpoint) {
  const TemporaryDirectory dir;
  const fs::path run = dir / "run";
  RunConfig config = small_run_config();
  config.train.steps = 1000;
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = 1e6, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.loss.kind = LossKind::least_squares;
  const std::string message = complaint([&] { train(config, run); });
  const std::int64_t last = checkpoint_steps(run).back();
  EXPECT_THAT(message, AllOf(HasSubstr("diverged"), HasSubstr("learning_rate"),
                             HasSubstr(checkpoint_path(run, last).string())));
  EXPECT_FALSE(fs::exists(run / "DONE"));
  const LoadedNetwork good = load_network(find_network(run));
  for (const float w : std::as_const(good.network).parameters()) ASSERT_TRUE(std::isfinite(w));
}

// Four by four units of ReLU, whose activity grows 1.4-fold a step as they are initialised.
RunConfig growing_config() {
  RunConfig config = small_run_config();
  config.seed = 2;
  config.battery.tasks = "go";
  config.stream.steps = 350;
  config.train.steps = 2;
  return config;
}

TEST(Diverged, AnUntrainedNetworkThatGrowsIsRefusedWithItsRemedy) {
  const TemporaryDirectory dir;
  RunConfig config = growing_config();
  for (const double clip : {0.0, 1.0}) {
    config.optimiser.clip = clip;
    const fs::path run = dir / std::to_string(clip);
    const std::string message = complaint([&] { train(config, run); });
    EXPECT_THAT(message, HasSubstr("the untrained network diverges"));
    EXPECT_THAT(message, ContainsRegex("grows 1.[0-9]+-fold at every time step"));
    EXPECT_THAT(message,
                HasSubstr("set network.initialisation = \"spectral-radius\" (now \"fan-in\")"));
    EXPECT_THAT(message, Not(HasSubstr("nan")));
    EXPECT_THAT(message, Not(HasSubstr("optimiser")));
    EXPECT_THAT(checkpoint_steps(run), ElementsAre(0));
    // Resumed, it is the same network.
    EXPECT_EQ(complaint([&] { Trainer::resume(run, {.n_threads = 1}).run(); }), message);
  }
  EXPECT_THAT(estimate_run(config, 1).notices,
              ElementsAre(HasSubstr("the untrained network diverges")));

  config.network.initialisation = Initialisation::spectral_radius;
  EXPECT_EQ(train(config, dir / "radius"), Outcome::finished);
  EXPECT_THAT(estimate_run(config, 1).notices, ElementsAre());
}

TEST(Diverged, AnUntrainedNetworkThatGrowsToAFiniteLossIsNoticed) {
  const TemporaryDirectory dir;
  RunConfig config = growing_config();
  config.stream.steps = 80;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  EXPECT_THAT(trainer.notices(),
              Contains(HasSubstr("the untrained network may diverge: its loss")));
}

TEST(Diverged, NoAdviceToLowerAClipOfZero) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.train.steps = 1000;
  config.optimiser = {.kind = OptimiserKind::sgd, .learning_rate = 1e6, .clip = 0};
  config.schedule = {.kind = ScheduleKind::constant, .warmup = 0};
  config.loss.kind = LossKind::least_squares;
  const std::string message = complaint([&] { train(config, dir / "run"); });
  EXPECT_THAT(message, HasSubstr("smaller optimiser.learning_rate (now 1000000) or with "
                                 "optimiser.clip = 1 (now 0: no clipping)"));
  EXPECT_THAT(message, Not(HasSubstr("nan")));
  EXPECT_THAT(message, Not(HasSubstr("untrained")));
}

// Tables -----------------------------------------------------------------------------------------

std::string without_last_lines(std::string text, int n) {
  for (; n > 0; --n) text.resize(text.rfind('\n', text.size() - 2) + 1);
  return text;
}

TEST(RunTables, AnEvaluationThatIsNotOverDoesNotCount) {
  const TemporaryDirectory dir;
  train(small_run_config(), dir / "run");
  const fs::path metrics = dir / "run/metrics.csv", tasks = dir / "run/tasks.csv";
  const std::vector<TaskRow> last = last_task_rows(dir / "run");
  const std::string all_metrics = read_file(metrics), all_tasks = read_file(tasks);
  const auto n_tasks = static_cast<int>(last.size());
  ASSERT_GE(n_tasks, 2);
  // Killed within the last evaluation, whose row in metrics.csv comes last.
  std::int64_t before = -1;
  for (const MetricsRow& row : read_metrics(dir / "run"))
    if (row.mean_accuracy && row.step < last[0].step) before = row.step;
  ASSERT_GT(before, 0);
  write_file(metrics,
             all_metrics.substr(0, all_metrics.find(fmt::format("\n{},", last[0].step)) + 1));
  write_file(tasks, without_last_lines(all_tasks, n_tasks - 1));
  const std::vector<TaskRow> left = last_task_rows(dir / "run");
  ASSERT_EQ(left.size(), last.size());
  EXPECT_EQ(left[0].step, before);
  EXPECT_EQ(read_task_rows(dir / "run").back().step, before);
  // metrics.csv has the evaluation, but its tasks were cut off.
  write_file(metrics, all_metrics);
  EXPECT_THAT(
      message_of<UsageError>([&] { last_task_rows(dir / "run"); }),
      HasSubstr("tasks.csv: does not have the whole evaluation that metrics.csv has of step"));
  write_file(tasks, without_last_lines(all_tasks, n_tasks));
  EXPECT_THAT(message_of<UsageError>([&] { last_task_rows(dir / "run"); }),
              HasSubstr("does not have the evaluation"));
  write_file(tasks, all_tasks);
  EXPECT_EQ(last_task_rows(dir / "run").size(), last.size());
}

// Criteria -------------------------------------------------------------------------------------

TEST(Criterion, StopsAtTheEvaluationThatMeetsIt) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.train.stop_mean = 0;
  Trainer trainer = Trainer::start(config, dir / "run", {.n_threads = 1});
  EXPECT_EQ(trainer.run(), Outcome::criterion);
  EXPECT_EQ(trainer.step(), 8);
  EXPECT_EQ(checkpoint_steps(dir / "run").back(), 8);
  EXPECT_EQ(nlohmann::json::parse(read_file(dir / "run" / "DONE"))["outcome"], "criterion");
}

TEST(Criterion, AllThatAreGivenMustHold) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.train.stop_mean = 0;
  config.train.stop_worst = 1;
  EXPECT_EQ(train(config, dir / "run"), Outcome::finished);
}

// A run killed between the last checkpoint and DONE trains and writes nothing twice.
TEST(Criterion, DoneIsAddedWhenItWasMissing) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  for (const bool early : {false, true}) {
    if (early) config.train.stop_mean = 0;
    const fs::path run = dir / (early ? "early" : "late");
    const Outcome outcome = train(config, run);
    const auto done = nlohmann::json::parse(read_file(run / "DONE"));
    const std::string metrics = read_file(run / "metrics.csv");
    fs::remove(run / "DONE");
    EXPECT_EQ(Trainer::resume(run, {.n_threads = 1}).run(), outcome);
    const auto again = nlohmann::json::parse(read_file(run / "DONE"));
    EXPECT_EQ(again["mean_accuracy"], done["mean_accuracy"]);
    EXPECT_EQ(again["steps"], done["steps"]);
    EXPECT_EQ(again["outcome"], done["outcome"]);
    EXPECT_EQ(read_file(run / "metrics.csv"), metrics);
  }
}

// The evaluation that begins the cool-down could not know that it was the last one.
TEST(Criterion, ACoolDownOfNoStepsIsJudgedByTheTrialsThatItWas) {
  const TemporaryDirectory dir;
  RunConfig config = small_run_config();
  config.schedule.kind = ScheduleKind::open_ended;
  config.schedule.cooldown = 0;
  config.train.stop_mean = 0;
  config.evaluation.trials = 5;
  config.evaluation.final_trials = 200;
  const fs::path run = dir / "run";
  train(config, run);
  const std::string done = read_file(run / "DONE");
  EXPECT_EQ(nlohmann::json::parse(done)["steps"], 8);
  fs::remove(run / "DONE");
  Trainer::resume(run, {.n_threads = 1}).run();
  EXPECT_EQ(nlohmann::json::parse(read_file(run / "DONE"))["mean_accuracy"],
            nlohmann::json::parse(done)["mean_accuracy"]);
}

TEST(Estimate, WritesNothingAndAddsUp) {
  const TemporaryDirectory dir;
  const RunEstimate e = estimate_run(small_run_config(), 1);
  EXPECT_EQ(e.n_units, 16u);
  EXPECT_EQ(e.n_synapses, 16u * 5);
  EXPECT_EQ(e.n_tasks, 3u);
  EXPECT_EQ(e.n_blocks, 3u);
  // W, W_in (33 channels), W_rule, b, W_out (17 classes), b_out.
  EXPECT_EQ(e.n_parameters, 16u * 5 + 16 * 33 + 3 * 16 + 16 + 17 * 16 + 17);
  EXPECT_GT(e.seconds_per_step, 0);
  EXPECT_GT(e.measured_steps, 0);
}

}  // namespace
}  // namespace lmrnn
