// Development checks: if they are on, they abort with the numbers; if they are off, they cost
// nothing.
#include <gmock/gmock.h>

#include "lmrnn/array.hpp"
#include "lmrnn/check.hpp"
#include "lmrnn/trials.hpp"
#include "rnn/engine.hpp"

namespace lmrnn {
namespace {

#ifdef LMRNN_CHECKS

class CheckDeath : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(CheckDeath, AnIndexOutsideAView) {
  int numbers[24]{};
  const View2<int> two{numbers, 2, 3};
  const View3<int> three{numbers, 2, 3, 4};
  EXPECT_EQ(&two(1, 2), numbers + 5);
  EXPECT_EQ(&three(1, 2, 3), numbers + 23);
  EXPECT_DEATH(two(2, 0), "array.hpp:[0-9]+: i < n0 .2 and 2.; the first index of a View2");
  EXPECT_DEATH(two(0, 3), "j < n1 .3 and 3.");
  EXPECT_DEATH(two.row(2), "the row of a View2");
  EXPECT_DEATH(three(0, 0, 4), "k < n2 .4 and 4.");
  EXPECT_DEATH(three.row(0, 3), "the row of a View3");
  EXPECT_DEATH(three.plane(2), "the plane of a View3");
  EXPECT_DEATH(View2<int>()(0, 0), "0 and 0|first index");
}

TEST_F(CheckDeath, TrialsOutsideAnArray) {
  int numbers[24]{};
  const TrialArray<int> array{numbers, 2, 3, 4};
  EXPECT_EQ(array.trials(1, 2).at(1, 1), numbers + 20);
  EXPECT_DEATH(array.trials(2, 2), "4 and 3.; the trials lie outside a TrialArray");
  EXPECT_DEATH(array.at(0, 3), "3 and 3.; the trial of a TrialArray");
  EXPECT_DEATH(array(0, 0, 4), "4 and 4.; the item of a TrialArray");
  // Parts of arguments that are absent or not requested, as in every block of a run.
  EXPECT_TRUE(TrialArray<int>().trials(0, 1).empty());
  EXPECT_TRUE(TrialView().trials(3, 2).inputs.empty());
}

// The heap overflow of 0.1.0's training: planes sized by the first, smaller block.
TEST_F(CheckDeath, PlanesOfASmallerBlock) {
  rnn::Planes planes;
  planes.resize(8, 1024 * 4);
  EXPECT_NE(planes.at(7, 1024 * 4), nullptr);
  EXPECT_DEATH(planes.at(0, 1024 * 32), "4096.; planes were sized for a smaller block");
  EXPECT_DEATH(planes.at(8, 1024 * 4), "8 and 8.; this plane was never made");
}

TEST_F(CheckDeath, InputsThatWereNeverListed) {
  kernels::ActiveInputs inputs;
  const std::vector<float> x(3 * 5);
  inputs.list({x.data(), 1, 3, 5}, 0, 1, 4);
  EXPECT_EQ(inputs.n_active(3), 0u);
  EXPECT_DEATH(inputs.n_active(4), "4 and 4.; this cell was never listed");
  EXPECT_DEATH(inputs.values(1, 0), "1 and 1.; this step was never listed");
  EXPECT_DEATH(inputs.cells_of(0), "never listed");
}

TEST_F(CheckDeath, LanesThatNoBlockHas) {
  kernels::AffineStep step{};
  step.n_lanes = 5;
  EXPECT_DEATH(kernels::affine_step(step), "4, 8 or a multiple of 16 lanes");
}

#else

TEST(Check, IsNotEvaluatedWhereItIsOff) {
  int n = 0;
  const auto count = [&n] { return ++n; };
  LMRNN_CHECK(count() > 0, "never evaluated");
  LMRNN_CHECK_INDEX(count(), 0, "never evaluated");
  LMRNN_CHECK_FITS(count(), 0, "never evaluated");
  EXPECT_EQ(n, 0);
}

#endif

}  // namespace
}  // namespace lmrnn
