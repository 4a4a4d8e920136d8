// The ring of directions and the bumps of activity that stimuli raise on it.
#pragma once

#include <cstdint>
#include <numbers>
#include <vector>

namespace lmrnn {

class Ring {
 public:
  explicit Ring(std::int32_t n);

  std::int32_t size() const noexcept { return n_; }

  /// 2 pi k / n.
  double angle(std::int32_t k) const noexcept { return 2 * std::numbers::pi * k / n_; }
  /// An angle in units of directions: for angle(k), returns k.
  double directions(double angle) const noexcept { return angle * directions_per_radian_; }

  /// k mod n, in 0 ... n - 1.
  std::int32_t wrap(std::int64_t k) const noexcept {
    if (k >= 0 && k < n_) return static_cast<std::int32_t>(k);  // almost always; avoids a division
    const auto r = static_cast<std::int32_t>(k % n_);
    return r < 0 ? r + n_ : r;
  }
  /// The direction nearest to an angle; halfway cases away from angle 0.
  std::int32_t nearest(double angle) const noexcept;

  /// channels[c] += 0.8 strength exp(-d^2 / (2 (pi/8)^2)), d the circular distance from `angle` to
  /// direction c (NeuroGym's yang19 collection).
  void add_bump(double angle, double strength, float* channels) const noexcept;

 private:
  std::int32_t n_;
  double directions_per_radian_;
  std::vector<float> profile_;  ///< bump at direction 0, twice over: a rotation is an offset
};

}  // namespace lmrnn
