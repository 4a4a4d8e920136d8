// Which representation a network chooses itself, and that it uses the one that is set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lmrnn/network.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

Architecture architecture(WiringKind kind, double radius = 1) {
  WiringConfig wiring;
  wiring.kind = kind;
  wiring.rows = wiring.cols = 6;
  wiring.radius = radius;
  Architecture a;
  a.n_channels = 3;
  a.n_classes = 2;
  a.recurrent = make_mask(wiring, Seed{1});
  a.input = Mask::dense(36, 3);
  a.readout = Mask::dense(2, 36);
  return a;
}

TEST(Representation, AutoFollowsTheDensity) {
  EXPECT_EQ(choose_representation(architecture(WiringKind::autapse)).representation,
            Representation::diagonal);
  EXPECT_EQ(choose_representation(architecture(WiringKind::dense)).representation,
            Representation::dense);
  // All but the unit opposite on the torus: 35 of 36.
  const Architecture nearly = architecture(WiringKind::local, 5);
  ASSERT_NEAR(nearly.recurrent.density(), 35.0 / 36, 1e-9);
  EXPECT_EQ(choose_representation(nearly).representation, Representation::dense);
  const RepresentationChoice sparse = choose_representation(architecture(WiringKind::random, 3));
  EXPECT_EQ(sparse.representation, Representation::sparse);
  EXPECT_THAT(sparse.reason, HasSubstr("% of all pairs have a synapse; dense is faster from"));
}

TEST(Representation, IsTheOneThatWasAskedFor) {
  for (const auto asked : {Representation::sparse, Representation::dense}) {
    Architecture a = architecture(WiringKind::local, 2);
    a.representation = asked;
    EXPECT_EQ(choose_representation(a).reason, "as asked for");
    EXPECT_EQ(Network(std::move(a)).representation(), asked);
  }
  Architecture a = architecture(WiringKind::local, 2);
  a.representation = Representation::diagonal;
  EXPECT_THAT(message_of<UsageError>([&] { Network{std::move(a)}; }), HasSubstr("autapses only"));
}

}  // namespace
}  // namespace lmrnn
