#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "core/shared/child.hpp"

namespace lmrnn {
namespace {

ChildOutput shell(const std::string& script, unsigned seconds = 60) {
  return output_of({"sh", "-c", script}, seconds);
}

TEST(Child, TheAnswerAndTheRestAreKeptApart) {
  const ChildOutput said = shell("echo welcome >&2; echo 4711; echo bye >&2");
  EXPECT_TRUE(said.ok);
  EXPECT_EQ(said.out, "4711\n");
  EXPECT_EQ(said.err, "welcome\nbye\n");
}

TEST(Child, LongAnswersOnBothSidesDoNotBlock) {
  const ChildOutput said = shell("head -c 300000 /dev/zero >&2; head -c 400000 /dev/zero");
  EXPECT_TRUE(said.ok);
  EXPECT_EQ(said.out.size(), 400000u);
  EXPECT_EQ(said.err.size(), 300000u);
}

TEST(Child, SaysHowItEnded) {
  EXPECT_EQ(shell("exit 3").end, "status 3");
  EXPECT_FALSE(shell("exit 3").ok);
  EXPECT_EQ(shell("kill -9 $$").end, "signal 9");
  const ChildOutput none = output_of({"no-such-program-as-this"}, 60);
  EXPECT_FALSE(none.ok);
  EXPECT_EQ(none.end, "status 127");
}

TEST(Child, AHangIsEndedWithAllThatItStarted) {
  const auto begin = std::chrono::steady_clock::now();
  const ChildOutput said = shell("echo half; sleep 1000; true", 1);
  EXPECT_FALSE(said.ok);
  EXPECT_EQ(said.out, "half\n");
  EXPECT_EQ(said.end, "no end after 1 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Child, WhatItLeavesBehindIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  const ChildOutput said = shell("sleep 30 & echo done");
  EXPECT_TRUE(said.ok);
  EXPECT_EQ(said.out, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Child, TheStatusIsKnownWhereSigchldIsIgnored) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const ChildOutput good = shell("echo 1"), bad = shell("exit 2");
  std::signal(SIGCHLD, before);
  EXPECT_TRUE(good.ok);
  EXPECT_EQ(bad.end, "status 2");
}

}  // namespace
}  // namespace lmrnn
