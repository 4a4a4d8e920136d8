// Spatial autocorrelation: Moran, Biometrika 37:17 (1950).
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lmrnn/random.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

/// Pairs of different units at most `reach` apart, each with weight 1.
class Neighbours {
 public:
  Neighbours(const Sheet& sheet, double reach);
  /// (n / sum w) sum_ab w_ab (x_a - m)(x_b - m) / sum_a (x_a - m)^2; NaN for a constant map.
  double moran(std::span<const double> map) const;

 private:
  std::size_t n_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_;
};

struct MoranTest {
  double value = 0, null_mean = 0, null_deviation = 0;
  double p = 1;  ///< one-sided; the map itself counts as one of the permutations
};

/// Compares with the same values at permuted places; with `areas`, values stay in their area. Each
/// map needs its own `row`, the number of its random stream.
MoranTest moran_test(const Neighbours& neighbours, std::span<const double> map,
                     std::size_t n_permutations, Seed seed, std::uint32_t row,
                     std::span<const Area> areas = {});

/// `map` minus the mean of each area. If areas differ only in their means, there is no order within
/// them, but Moran's I would be above 0 without this.
std::vector<double> centred_by_area(std::vector<double> map, std::span<const Area> areas);

}  // namespace lmrnn
