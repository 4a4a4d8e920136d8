// An example of a wiring, and of its test. docs/contributing/index.md explains it.
#include <gtest/gtest.h>

#include "lmrnn/wiring.hpp"

namespace lmrnn {
namespace {

// --8<-- [start:wiring]
/// Every unit hears itself and its neighbours to the left and right, round the row.
Mask make_rows(const WiringConfig& config, Seed) {
  const Sheet sheet = config.sheet();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> synapses;  // target, source
  for (std::int64_t row = 0; row < sheet.rows; ++row)
    for (std::int64_t col = 0; col < sheet.cols; ++col)
      for (const std::int64_t step : {-1, 0, 1}) {
        if (step == 0 && !config.autapses) continue;
        const std::int64_t source = (col + step + sheet.cols) % sheet.cols;
        synapses.emplace_back(row * sheet.cols + col, row * sheet.cols + source);
      }
  return {sheet.n_units(), sheet.n_units(), std::move(synapses)};
}
// --8<-- [end:wiring]

// --8<-- [start:test]
TEST(ExampleWiring, NeighboursInTheRow) {
  WiringConfig config;
  config.rows = 4;
  config.cols = 5;
  const Mask mask = make_rows(config, Seed{1});
  EXPECT_EQ(mask.n_synapses(), 4u * 5 * 3);
  EXPECT_TRUE(mask.has(0, 4)) << "round the row";
  EXPECT_FALSE(mask.has(0, 5)) << "but not to the next one";
  EXPECT_EQ(mask, mask.transposed());
  EXPECT_EQ(mask_statistics(mask, config.sheet()).reachable, 4.0 / 19);
}
// --8<-- [end:test]

}  // namespace
}  // namespace lmrnn
