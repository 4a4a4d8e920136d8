// One object, many threads: every public object that its header calls shareable is used by eight
// threads at once, and gives each of them the results of one thread alone. The thread sanitizer
// runs these tests, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "battery_cases.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/lesion.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/train.hpp"
#include "network_cases.hpp"
#include "small_run.hpp"
#include "tasks/row_cursor.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t n_threads = 8;

/// Calls use(i) on eight threads that start together; rethrows the first exception here.
void on_threads(const std::function<void(std::size_t)>& use) {
  std::barrier beginning(n_threads);
  std::vector<std::exception_ptr> errors(n_threads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n_threads; ++i)
    threads.emplace_back([&, i] {
      beginning.arrive_and_wait();
      try {
        use(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

// Streams ----------------------------------------------------------------------------------------

struct StreamCase {
  std::string name;
  StreamMode mode;
  std::int64_t trials_per_task;
};

/// Everything that a stream says about a batch of six rows.
struct Rows {
  Trials all;

  Rows(const PackedStream& stream, std::uint32_t batch)
      : all(static_cast<std::size_t>(stream.config().steps), 6, stream.battery().n_channels(),
            stream.battery().n_rule_slots(),
            {.trial_starts = true, .periods = true, .tasks = true, .scored = true}) {
    stream.fill(batch, 0, all.rows());
  }
  bool operator==(const Rows& other) const {
    const auto arrays = [](const Trials& t) {
      return std::tie(t.inputs, t.rules, t.targets, t.trial_starts, t.periods, t.step_tasks,
                      t.scored);
    };
    return arrays(all) == arrays(other.all);
  }
};

class SharedStreams : public ::testing::TestWithParam<StreamCase> {
 protected:
  PackedStream make_stream() const {
    BatteryConfig battery = config_of("modcog82");
    StreamConfig config;
    config.mode = GetParam().mode;
    config.trials_per_task = GetParam().trials_per_task;
    config.steps = 60;
    config.batch = 6;
    return {Battery(battery, test_seed), config, test_seed, Split::train};
  }
};

TEST_P(SharedStreams, GiveEveryThreadWhatTheyGiveToOne) {
  constexpr std::uint32_t n_batches = 6;
  const PackedStream alone = make_stream(), shared = make_stream();
  std::vector<Rows> wanted;
  for (std::uint32_t batch = 0; batch < n_batches; ++batch) wanted.emplace_back(alone, batch);
  std::atomic<int> n_wrong = 0;
  on_threads([&](std::size_t thread) {
    // Every thread uses another order, so rows are requested forward, backward and at the same
    // time.
    for (std::uint32_t k = 0; k < 4 * n_batches; ++k) {
      const auto batch = static_cast<std::uint32_t>((k * (1 + thread % 5) + thread) % n_batches);
      n_wrong += !(Rows(shared, batch) == wanted[batch]);
    }
  });
  EXPECT_EQ(n_wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, SharedStreams,
                         ::testing::Values(StreamCase{"restart", StreamMode::restart, 0},
                                           StreamCase{"carry_on", StreamMode::carry_on, 0},
                                           StreamCase{"finite_restart", StreamMode::restart, 5},
                                           StreamCase{"finite_carry_on", StreamMode::carry_on, 5}),
                         [](const auto& name) { return name.param.name; });

TEST(RowCursor, ThatAnExceptionLeftOnTheWayIsAtTheBeginningOfNoBatch) {
  const Battery battery(config_of("go,dm1"), test_seed);
  StreamConfig config;
  config.mode = StreamMode::carry_on;
  const StreamPlan plan{&data_of(battery), config, test_seed, Split::train};
  RowCursor cursor(plan, 0);
  cursor.begin_batch(0);
  cursor.enter_trial();
  EXPECT_GT(cursor.next_batch(), (1u << 30) - 1);  // not 1: the rest of batch 0 is missing
  cursor.end_batch();
  EXPECT_EQ(cursor.next_batch(), 1u);
}

// Batteries, networks, evaluators ----------------------------------------------------------------

TEST(SharedBattery, DrawsAndComposesForEveryThread) {
  const Battery battery(config_of("modcog82"), test_seed);
  const auto trial_of = [&](std::size_t task) {
    const Key key{test_seed, RandomPurpose::conditions, Split::test};
    return battery.compose(task, battery.draw(task, key, 3)).inputs;
  };
  std::vector<std::vector<float>> wanted;
  for (std::size_t task = 0; task < battery.tasks().size(); ++task)
    wanted.push_back(trial_of(task));
  std::atomic<int> n_wrong = 0;
  on_threads([&](std::size_t) {
    const Battery copy = battery;  // shares the data of the original
    for (std::size_t task = 0; task < wanted.size(); ++task) {
      n_wrong += trial_of(task) != wanted[task];
      n_wrong += copy.index_of(battery.tasks()[task].name()) != task;
    }
  });
  EXPECT_EQ(n_wrong, 0);
}

TEST(SharedNetwork, ComputesForEveryThreadWithAWorkspaceOfItsOwn) {
  std::vector<testing::NetworkCase> cases = testing::network_cases();
  cases.resize(4);
  for (const testing::NetworkCase& c : cases) {
    const testing::Laboratory lab(c);
    const Network& network = *lab.network;
    const auto gradient_of = [&](Workspace& workspace) {
      std::vector<float> gradient(network.layout().total);
      network.loss_and_gradient(lab.block, lab.recurrent_noise, lab.loss_options(), gradient,
                                workspace);
      return gradient;
    };
    const auto logits_of = [&](Workspace& workspace) {
      std::vector<float> logits(c.n_steps * c.n_classes * c.n_trials);
      network.forward(lab.block, lab.recurrent_noise, {},
                      {logits.data(), c.n_steps, c.n_classes, c.n_trials}, workspace);
      return logits;
    };
    Workspace first;
    const std::vector<float> gradient = gradient_of(first), logits = logits_of(first);
    std::atomic<int> n_wrong = 0;
    on_threads([&](std::size_t) {
      Workspace own;
      for (int k = 0; k < 5; ++k) {
        n_wrong += gradient_of(own) != gradient;
        n_wrong += logits_of(own) != logits;
      }
      n_wrong += network.copy().parameters().size() != gradient.size();
    });
    EXPECT_EQ(n_wrong, 0) << c.name;
  }
}

std::vector<std::uint64_t> counts_of(const Evaluation& evaluation) {
  std::vector<std::uint64_t> counts;
  for (const TaskScore& task : evaluation.tasks)
    counts.insert(counts.end(), {task.counts.right_decision_steps, task.counts.right_trials});
  return counts;
}

TEST(SharedEvaluatorAndPool, ScoreForEveryThread) {
  const RunConfig config = small_run_config();
  const Battery battery(config.battery, config.run_seed());
  const Network network = make_network(config, battery);
  ThreadPool pool(2);
  const Evaluator evaluator(battery, test_seed, Split::test, 40, pool);
  const PackedStream stream(battery, config.stream, test_seed, Split::test);
  const auto wanted = counts_of(evaluator.evaluate(network, pool));
  const auto in_stream = counts_of(evaluate_stream(network, stream, 2, evaluator.ceilings(), pool));
  std::atomic<int> n_wrong = 0;
  on_threads([&](std::size_t) {
    n_wrong += counts_of(evaluator.evaluate(network, pool)) != wanted;
    n_wrong +=
        counts_of(evaluate_stream(network, stream, 2, evaluator.ceilings(), pool)) != in_stream;
  });
  EXPECT_EQ(n_wrong, 0);
}

// Pools and files --------------------------------------------------------------------------------

TEST(SharedPool, RunsEveryItemOfEveryCaller) {
  ThreadPool pool(3);
  std::atomic<int> n_wrong = 0;
  on_threads([&](std::size_t) {
    for (int round = 0; round < 50; ++round) {
      std::vector<int> n_runs(37);
      pool.for_each(n_runs.size(), [&](std::size_t i) { ++n_runs[i]; });
      n_wrong += n_runs != std::vector<int>(37, 1);
    }
  });
  EXPECT_EQ(n_wrong, 0);
}

TEST(SharedPool, RefusesItsOwnItems) {
  for (const int n : {1, 3}) {
    ThreadPool pool(n), other(2);
    EXPECT_THROW(pool.for_each(4, [&](std::size_t) { pool.for_each(2, [](std::size_t) {}); }),
                 std::logic_error);
    std::atomic<int> n_done = 0;  // another pool may
    pool.for_each(4, [&](std::size_t) { other.for_each(2, [&](std::size_t) { ++n_done; }); });
    EXPECT_EQ(n_done, 8);
  }
}

TEST(SharedFile, WrittenByManyThreadsIsWholeAndLeavesNothingBehind) {
  const TemporaryDirectory directory;
  const std::filesystem::path text = directory / "text", arrays = directory / "arrays.npz",
                              hdf5 = directory / "arrays.h5";
  const auto content = [](std::size_t i) {
    return std::string(200'000 + 1000 * i, static_cast<char>('a' + i));
  };
  std::set<std::string> possible;
  for (std::size_t i = 0; i < n_threads; ++i) possible.insert(content(i));
  on_threads([&](std::size_t i) {
    const std::vector<double> values(1000 + i, static_cast<double>(i));
    ArrayFile file;
    file.arrays.emplace_back("x", ArrayData::of<double>(values, {values.size()}));
    for (int k = 0; k < 10; ++k) {
      write_file(text, content(i));
      write_npz(arrays, file);
      write_hdf5(hdf5, file, {});
      read_npz(arrays);
    }
  });
  EXPECT_THAT(possible, ::testing::Contains(read_file(text)));
  std::size_t n_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(text.parent_path())) {
    EXPECT_EQ(entry.path().string().find(".tmp-"), std::string::npos) << entry.path();
    ++n_files;
  }
  EXPECT_EQ(n_files, 3u);
}

// SIMD targets -----------------------------------------------------------------------------------

TEST(SimdTarget, BelongsToItsThreadAndToThePoolsWorkForIt) {
  const std::vector<std::string_view> targets = simd_targets();
  ThreadPool pool(3);
  std::atomic<int> n_wrong = 0;
  on_threads([&](std::size_t thread) {
    const std::string_view own = targets[thread % targets.size()];
    n_wrong += simd_target() != targets.front();
    const SimdScope scope(own);
    for (int k = 0; k < 100; ++k) {
      n_wrong += simd_target() != own;
      pool.for_each(3, [&](std::size_t) { n_wrong += simd_target() != own; });
    }
    {
      const SimdScope inner("auto");
      n_wrong += simd_target() != targets.front();
    }
    n_wrong += simd_target() != own;
  });
  EXPECT_EQ(n_wrong, 0);
  EXPECT_EQ(simd_target(), targets.front());
  EXPECT_THROW(SimdScope("avx3000"), UsageError);
}

/// Long enough for rounding to differ between the targets.
RunConfig run_on(std::string_view target) {
  RunConfig config = small_run_config();
  config.simd = target;
  config.train.steps = 8;
  config.evaluation.trials = 10;
  return config;
}

std::string final_bytes(const std::filesystem::path& run) {
  return checkpoint_bytes(run, 8) + timeless(run / "metrics.csv") + timeless(run / "tasks.csv");
}

class TwoTrainers : public ::testing::Test {
 protected:
  std::string alone(std::string_view target) {
    const std::filesystem::path run = directory_ / ("alone-" + std::string(target));
    if (!std::filesystem::exists(run)) Trainer::start(run_on(target), run, {.n_threads = 2}).run();
    return final_bytes(run);
  }

  const std::vector<std::string_view> targets_ = simd_targets();
  const std::string_view first_ = targets_.front(), second_ = targets_.back();
  TemporaryDirectory directory_;
};

TEST_F(TwoTrainers, OnTwoTargetsAreToldApartByTheirBits) {
  if (first_ == second_) GTEST_SKIP() << "this build has one target";
  EXPECT_NE(alone(first_), alone(second_));  // or the tests below would show nothing
}

TEST_F(TwoTrainers, StepByStepInTwoThreadsGiveTheBitsOfEachAlone) {
  std::mutex mutex;
  std::condition_variable turned;
  int whose_turn = 0;
  std::array<bool, 2> ended{};
  const auto train = [&](int me, std::string_view target, const std::filesystem::path& run) {
    Trainer trainer = Trainer::start(run_on(target), run, {.n_threads = 2});
    trainer.run({.progress =
                     [&](const Progress&) {
                       std::unique_lock lock(mutex);
                       whose_turn = 1 - me;
                       turned.notify_all();
                       turned.wait(lock, [&] { return whose_turn == me || ended[1 - me]; });
                     },
                 .stop_requested = {}});
    const std::scoped_lock lock(mutex);
    ended[me] = true;
    turned.notify_all();
  };
  std::thread other([&] { train(1, second_, directory_ / "second"); });
  train(0, first_, directory_ / "first");
  other.join();
  EXPECT_EQ(final_bytes(directory_ / "first"), alone(first_));
  EXPECT_EQ(final_bytes(directory_ / "second"), alone(second_));
}

TEST_F(TwoTrainers, OneWithinACallbackOfTheOtherGiveTheBitsOfEachAlone) {
  Trainer outer = Trainer::start(run_on(second_), directory_ / "outer", {.n_threads = 2});
  outer.run({.progress =
                 [&](const Progress& p) {
                   EXPECT_EQ(simd_target(), first_);  // the caller's choice, not the run's
                   if (p.step != 3) return;
                   Trainer::start(run_on("auto"), directory_ / "inner", {.n_threads = 1}).run();
                 },
             .stop_requested = {}});
  EXPECT_EQ(final_bytes(directory_ / "outer"), alone(second_));
  EXPECT_EQ(
      checkpoint_bytes(directory_ / "inner", 8),
      checkpoint_bytes(
          (static_cast<void>(alone(first_)), directory_ / ("alone-" + std::string(first_))), 8));
}

TEST_F(TwoTrainers, AtFullSpeedInEightThreadsGiveTheBitsOfEachAlone) {
  const std::vector<std::string> wanted = {alone(first_), alone(second_)};
  std::array<std::string, n_threads> got;
  on_threads([&](std::size_t i) {
    const std::filesystem::path run = directory_ / ("run-" + std::to_string(i));
    Trainer::start(run_on(i % 2 == 0 ? first_ : second_), run, {.n_threads = 2}).run();
    got[i] = final_bytes(run);
  });
  for (std::size_t i = 0; i < n_threads; ++i) EXPECT_EQ(got[i], wanted[i % 2]) << i;
}

}  // namespace
}  // namespace lmrnn
