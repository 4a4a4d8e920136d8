#include "tasks/ring.hpp"

#include <algorithm>
#include <cmath>

namespace lmrnn {
namespace {

double bump(double distance) noexcept {
  constexpr double width = std::numbers::pi / 8;
  const double d = distance / width;
  return 0.8 * std::exp(-d * d / 2);
}

}  // namespace

Ring::Ring(std::int32_t n) : n_(n), directions_per_radian_(n / (2 * std::numbers::pi)) {
  for (std::int32_t k = 0; k < 2 * n; ++k)
    profile_.push_back(static_cast<float>(bump(angle(std::min(k % n, n - k % n)))));
}

std::int32_t Ring::nearest(double angle) const noexcept {
  return wrap(std::llround(directions(angle)));
}

void Ring::add_bump(double angle, double strength, float* channels) const noexcept {
  const double position = directions(angle);
  const std::int64_t k = static_cast<std::int64_t>(position + (position < 0 ? -0.5 : 0.5));
  if (std::abs(position - static_cast<double>(k)) < 1e-9) {  // on a direction: no exponentials
    const float* rotated = profile_.data() + n_ - wrap(k);
    const auto scale = static_cast<float>(strength);
    for (std::int32_t c = 0; c < n_; ++c) channels[c] += scale * rotated[c];
    return;
  }
  const double around = position - n_ * std::floor(position / n_);
  for (std::int32_t c = 0; c < n_; ++c) {
    const double apart = std::abs(around - c);  // in directions
    const double distance = std::min(apart, n_ - apart) / directions_per_radian_;
    channels[c] += static_cast<float>(strength * bump(distance));
  }
}

}  // namespace lmrnn
