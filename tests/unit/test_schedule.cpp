#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "lmrnn/run_config.hpp"

namespace lmrnn {
namespace {

TEST(Schedule, ConstantWithoutWarmupIsOne) {
  const ScheduleConfig schedule{.kind = ScheduleKind::constant, .warmup = 0};
  for (const std::int64_t step : {0, 1, 50, 99})
    EXPECT_DOUBLE_EQ(schedule_factor(schedule, step, 100), 1);
}

TEST(Schedule, WarmupRisesLinearlyFromTheMiddleOfTheFirstStep) {
  const ScheduleConfig schedule{.kind = ScheduleKind::constant, .warmup = 0.1};
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 0, 100), 0.05);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 4, 100), 0.45);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 9, 100), 0.95);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 10, 100), 1);
}

TEST(Schedule, CosineFallsToItsLastValue) {
  const ScheduleConfig schedule{.kind = ScheduleKind::cosine, .warmup = 0.2, .last = 0.1};
  // Half way between the end of the warm-up (20) and the end (100): step 59.5 + 0.5.
  const double before = schedule_factor(schedule, 59, 100);
  const double after = schedule_factor(schedule, 60, 100);
  EXPECT_NEAR((before + after) / 2, 0.55, 1e-12);
  const double last = 0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi * 79.5 / 80));
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 99, 100), last);
  EXPECT_NEAR(last, 0.1, 1e-3);
}

TEST(Schedule, CooldownIsFlatThenLinear) {
  const ScheduleConfig schedule{
      .kind = ScheduleKind::warmup_cooldown, .warmup = 0.1, .cooldown = 0.2, .last = 0};
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 0, 100), 0.05);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 50, 100), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 79, 100), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 80, 100), 19.5 / 20);
  EXPECT_DOUBLE_EQ(schedule_factor(schedule, 99, 100), 0.5 / 20);
}

TEST(Schedule, NeverLeavesTheUnitInterval) {
  for (const auto kind :
       {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::warmup_cooldown})
    for (const double warmup : {0.0, 0.05, 0.5, 1.0})
      for (const double cooldown : {0.0, 0.5, 1.0})
        for (const std::int64_t n : {1, 2, 7, 1000})
          for (std::int64_t step = 0; step < n; ++step) {
            const double f =
                schedule_factor({.kind = kind, .warmup = warmup, .cooldown = cooldown}, step, n);
            ASSERT_GE(f, 0) << to_name(kind) << " " << warmup << " " << step << "/" << n;
            ASSERT_LE(f, 1) << to_name(kind) << " " << warmup << " " << step << "/" << n;
          }
}

TEST(Blocks, DependOnTheBatchAlone) {
  const auto rows = [](std::int64_t batch, std::int64_t block = 0) {
    return block_rows({.block = block}, {.batch = batch});
  };
  EXPECT_EQ(rows(64), 32u);
  EXPECT_EQ(rows(65), 32u);
  EXPECT_EQ(rows(63), 16u);
  EXPECT_EQ(rows(16), 8u);
  EXPECT_EQ(rows(15), 15u);
  EXPECT_EQ(rows(4), 4u);
  EXPECT_EQ(rows(1), 1u);
  EXPECT_EQ(rows(64, 16), 16u);
}

}  // namespace
}  // namespace lmrnn
