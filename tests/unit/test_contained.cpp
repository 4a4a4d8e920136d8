#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>

#include "core/contained.hpp"
#include "lmrnn/error.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using testing::HasSubstr;

TEST(Contained, ReturnsWhatTheWorkReturned) {
  std::vector<std::byte> large(10'000'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i % 251);
  int mine = 1;
  EXPECT_EQ(run_contained(
                [&] {
                  mine = 2;  // of the copy
                  return large;
                },
                10),
            large);
  EXPECT_EQ(mine, 1);
  EXPECT_TRUE(run_contained([] { return std::vector<std::byte>(); }, 10).empty());
}

TEST(Contained, ErrorsComeThrough) {
  EXPECT_EQ(message_of<UsageError>([] {
              run_contained([]() -> std::vector<std::byte> { throw UsageError("a"); }, 10);
            }),
            "a");
  EXPECT_EQ(message_of<RunError>(
                [] { run_contained([]() -> std::vector<std::byte> { throw RunError("b"); }, 10); }),
            "b");
}

TEST(Contained, CrashesAndLoopsAreSurvived) {
  EXPECT_THAT(message_of<ContainedDeath>([] {
                run_contained(
                    []() -> std::vector<std::byte> {
                      std::raise(SIGSEGV);
                      return {};
                    },
                    10);
              }),
              HasSubstr("signal 11"));
  EXPECT_THAT(message_of<ContainedDeath>([] {
                run_contained(
                    []() -> std::vector<std::byte> {
                      volatile bool on = true;
                      while (on) {
                      }
                      return {};
                    },
                    1);
              }),
              HasSubstr("no end after 1 s"));
}

TEST(Contained, AHangWithoutProcessorTimeIsEnded) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(message_of<ContainedDeath>([] {
              run_contained(
                  []() -> std::vector<std::byte> {
                    for (;;) ::pause();
                  },
                  10, 1);
            }),
            "no end after 1 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the copy is still there";
}

/// Ignores SIGCHLD for as long as it lives, as a program may that starts this one or embeds it.
class SigchldIgnored {
 public:
  SigchldIgnored() : before_(std::signal(SIGCHLD, SIG_IGN)) {}
  ~SigchldIgnored() { std::signal(SIGCHLD, before_); }

 private:
  void (*before_)(int);
};

TEST(Contained, AnswersAndDeathsAreToldApartWhereSigchldIsIgnored) {
  const SigchldIgnored ignored;
  const std::vector<std::byte> large(1'000'000, std::byte{7});
  EXPECT_EQ(run_contained([&] { return large; }, 10), large);
  EXPECT_EQ(message_of<UsageError>([] {
              run_contained([]() -> std::vector<std::byte> { throw UsageError("a"); }, 10);
            }),
            "a");
  EXPECT_EQ(message_of<ContainedDeath>([] {
              run_contained(
                  []() -> std::vector<std::byte> {
                    std::raise(SIGSEGV);
                    return {};
                  },
                  10);
            }),
            "no answer");
}

}  // namespace
}  // namespace lmrnn
