#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lmrnn
