#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

const std::vector<std::string> wiring_keys = {"kind", "rows", "cols", "metric", "radius"};

TEST(DidYouMean, NamesTheNearestKnownWord) {
  EXPECT_EQ(did_you_mean("radus", wiring_keys), "; did you mean \"radius\"?");
  EXPECT_EQ(did_you_mean("row", wiring_keys), "; did you mean \"rows\"?");
}

TEST(DidYouMean, CountsASwapOfNeighboursAsOneMistake) {
  EXPECT_EQ(did_you_mean("knid", wiring_keys), "; did you mean \"kind\"?");
  EXPECT_EQ(did_you_mean("clos", wiring_keys), "; did you mean \"cols\"?");
}

TEST(DidYouMean, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("temperature", wiring_keys), "");
  EXPECT_EQ(did_you_mean("kdni", wiring_keys), "");  // two mistakes in four letters
  EXPECT_EQ(did_you_mean("radius", {}), "");
}

TEST(DidYouMean, AllowsOneMistakeInThreeLetters) {
  const std::vector<std::string> known = {"abcdef"};
  EXPECT_NE(did_you_mean("abcdxy", known), "");
  EXPECT_EQ(did_you_mean("abcxyz", known), "");
}

TEST(DidYouMean, PrefersTheFirstOfEquallyNearWords) {
  const std::vector<std::string> known = {"dlygointr", "dlygointl"};
  EXPECT_EQ(did_you_mean("dlygointx", known), "; did you mean \"dlygointr\"?");
}

TEST(Errors, AreDistinguishableAndShareABase) {
  EXPECT_THROW(throw UsageError("x"), Error);
  EXPECT_THROW(throw RunError("x"), Error);
  EXPECT_STREQ(UsageError("net.toml:3: what; remedy").what(), "net.toml:3: what; remedy");
}

TEST(Error, IsOneLineWhateverTheValuesInItHold) {
  const UsageError error("a.toml", "kind = \"x\ny\t\x1b[31mz\" is unknown", "fix\r\nit");
  EXPECT_STREQ(error.what(), "a.toml: kind = \"x y  [31mz\" is unknown; fix  it");
  EXPECT_EQ(error.where(), "a.toml");
  EXPECT_EQ(error.remedy(), "fix  it");
  EXPECT_STREQ(RunError("disk\nfull").what(), "disk full");
}

TEST(UsageErrorParts, AreReadFromTheMessage) {
  const UsageError error("quickstart.toml:12: unknown key \"radus\"; did you mean \"radius\"?");
  EXPECT_EQ(error.where(), "quickstart.toml:12");
  EXPECT_EQ(error.problem(), "unknown key \"radus\"");
  EXPECT_EQ(error.remedy(), "did you mean \"radius\"?");
}

TEST(UsageErrorParts, SeparatorsInQuotesAndParenthesesCountForNothing) {
  const UsageError error("task \"a: b; c\" (x: y; z): too short; make it longer");
  EXPECT_EQ(error.where(), "task \"a: b; c\" (x: y; z)");
  EXPECT_EQ(error.problem(), "too short");
  EXPECT_EQ(error.remedy(), "make it longer");
}

TEST(UsageErrorParts, TheRemedyIsTheLastPart) {
  const UsageError error("f.npy: it ends; nothing follows: really; save it again");
  EXPECT_EQ(error.where(), "f.npy");
  EXPECT_EQ(error.problem(), "it ends; nothing follows: really");
  EXPECT_EQ(error.remedy(), "save it again");
}

TEST(UsageErrorParts, MayBeMissing) {
  const UsageError bare("no trials"), located("a: b"), told("no trials; give some");
  EXPECT_EQ(bare.where(), "");
  EXPECT_EQ(bare.problem(), "no trials");
  EXPECT_EQ(bare.remedy(), "");
  EXPECT_EQ(located.where(), "a");
  EXPECT_EQ(located.problem(), "b");
  EXPECT_EQ(told.where(), "");
  EXPECT_EQ(told.remedy(), "give some");
}

TEST(UsageErrorParts, GivenPartsMakeTheMessageAndSurviveCopies) {
  const UsageError given("C: D", "x; y", "z");
  EXPECT_STREQ(given.what(), "C: D: x; y; z");
  const UsageError copy = given;
  EXPECT_EQ(copy.where(), "C: D");
  EXPECT_EQ(copy.problem(), "x; y");
  EXPECT_EQ(copy.remedy(), "z");
  EXPECT_STREQ(UsageError("", "x", "").what(), "x");
}

}  // namespace
}  // namespace lmrnn
