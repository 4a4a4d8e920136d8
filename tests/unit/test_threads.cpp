#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "lmrnn/threads.hpp"

namespace lmrnn {
namespace {

class ThreadPools : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPools, testing::Values(1, 2, 3, 8));

TEST_P(ThreadPools, RunEveryItemOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.n_threads(), GetParam());
  std::vector<std::atomic<int>> counts(1000);
  pool.for_each(counts.size(), [&](std::size_t i) { ++counts[i]; });
  for (const auto& count : counts) EXPECT_EQ(count, 1);
}

TEST_P(ThreadPools, CanBeUsedAgainAndAgain) {
  ThreadPool pool(GetParam());
  // Unsynchronised writes to distinct elements: the thread sanitizer reports it if for_each returns
  // before its items are done.
  std::vector<int> values(17);
  for (int round = 0; round < 200; ++round)
    pool.for_each(values.size(), [&](std::size_t i) { values[i] += static_cast<int>(i); });
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], 200 * static_cast<int>(i));
}

TEST_P(ThreadPools, DoNothingForNoItems) {
  ThreadPool pool(GetParam());
  pool.for_each(0, [](std::size_t) { FAIL() << "no item was asked for"; });
}

TEST_P(ThreadPools, RethrowAndGoOnAfterwards) {
  ThreadPool pool(GetParam());
  const auto failing = [](std::size_t i) {
    if (i == 3) throw std::runtime_error("item 3");
  };
  EXPECT_THROW(pool.for_each(10, failing), std::runtime_error);
  std::atomic<int> n_done = 0;
  EXPECT_NO_THROW(pool.for_each(10, [&](std::size_t) { ++n_done; }));
  EXPECT_EQ(n_done, 10);
}

TEST(ThreadPool, RunsItemsAtTheSameTime) {
  // Two items that wait for each other finish only if two threads run them. A time limit turns a
  // hang into a failure.
  ThreadPool pool(2);
  std::mutex mutex;
  std::condition_variable arrival;
  int n_arrived = 0;
  std::set<std::thread::id> threads;
  std::atomic<int> n_met = 0;
  pool.for_each(2, [&](std::size_t) {
    std::unique_lock lock(mutex);
    threads.insert(std::this_thread::get_id());
    ++n_arrived;
    arrival.notify_all();
    n_met += arrival.wait_for(lock, std::chrono::seconds(30), [&] { return n_arrived == 2; });
  });
  EXPECT_EQ(n_met, 2);
  EXPECT_THAT(threads, testing::SizeIs(2));
  EXPECT_THAT(threads, testing::Contains(std::this_thread::get_id()));  // the caller is one of them
}

TEST(ThreadPool, OfZeroTakesAllProcessors) {
  EXPECT_EQ(ThreadPool(0).n_threads(), available_processors());
}

TEST(AvailableProcessors, RespectsAffinity) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(available_processors(), CPU_COUNT(&before));
  int processor = 0;
  while (!CPU_ISSET(processor, &before)) ++processor;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_processors(), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace lmrnn
