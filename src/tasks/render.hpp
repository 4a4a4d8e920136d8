// From the outline of a trial to its samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/random.hpp"
#include "tasks/battery_data.hpp"

namespace lmrnn {

/// The random numbers of a noise key in order, generated a few hundred at a time.
class NoiseReader {
 public:
  /// Starts at number `first` of `key`. `most` is the most that one call of `take` asks for.
  void start(const Key& key, std::uint64_t first, std::size_t most);

  /// The next `n` standard normals; valid until the next call.
  const float* take(std::size_t n) {
    if (static_cast<std::size_t>(end_ - next_) < n) refill(n);
    const float* result = next_;
    next_ += n;
    return result;
  }

 private:
  void refill(std::size_t n);

  Key key_{};
  std::uint64_t next_index_ = 0;  ///< number at which the next refill begins
  std::size_t kept_ = 0;          ///< room for leftovers before the refilled numbers
  Buffer<float> numbers_;
  const float* next_ = nullptr;
  const float* end_ = nullptr;
};

/// Writes trials, or parts of them; has all the scratch memory for this.
class Renderer {
 public:
  explicit Renderer(const BatteryData& battery)
      : battery_(&battery), frame_(static_cast<std::size_t>(battery.n_channels())) {}

  /// Writes the observations of steps [first, last) of a trial: step t goes to inputs[(t - first) *
  /// stride + channel], which must be 0 before. Without `noise`, noise-free.
  void write_inputs(const TrialOutline& outline, std::int32_t first, std::int32_t last,
                    float* inputs, std::size_t stride, NoiseReader* noise = nullptr);

 private:
  void make_frame(const PeriodOutline& period);
  void write_period(const PeriodOutline& period, std::size_t n_steps, float* out,
                    std::size_t stride, NoiseReader* noise);

  const BatteryData* battery_;
  Buffer<float> frame_;
};

/// How many noise numbers steps [0, step) of a trial use.
std::uint64_t noise_before(const TrialOutline& outline, std::int32_t step) noexcept;

}  // namespace lmrnn
