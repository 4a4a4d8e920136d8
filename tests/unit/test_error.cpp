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

}  // namespace
}  // namespace lmrnn
