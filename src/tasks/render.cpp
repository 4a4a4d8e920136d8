#include "tasks/render.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/noise.hpp"

namespace lmrnn {
namespace {

/// out = mean + deviation z.
void add_noise(const float* __restrict mean, const float* __restrict z, float deviation,
               std::size_t n, float* __restrict out) noexcept {
  for (std::size_t c = 0; c < n; ++c) out[c] = mean[c] + deviation * z[c];
}

}  // namespace

void NoiseReader::start(const Key& key, std::uint64_t first, std::size_t most) {
  constexpr std::size_t group = kernels::normals_per_group;
  kept_ = (most + group - 1) / group * group;
  numbers_.resize(std::max<std::size_t>(numbers_.size(), 2 * kept_ + 4 * group));
  key_ = key;
  next_index_ = first / group * group;
  next_ = end_ = numbers_.data() + kept_;
  take(first % group);
}

void NoiseReader::refill(std::size_t n) {
  constexpr std::size_t group = kernels::normals_per_group;
  const auto left = static_cast<std::size_t>(end_ - next_);
  float* begin = numbers_.data() + kept_;
  std::copy(next_, end_, begin - left);
  // Not many at a time, because numbers that a row does not use are wasted.
  const std::size_t fresh = std::max<std::size_t>(4, (n + group - 1) / group) * group;
  kernels::fill_normal(key_, next_index_, {begin, fresh});
  next_index_ += fresh;
  next_ = begin - left;
  end_ = begin + fresh;
}

void Renderer::make_frame(const PeriodOutline& period) {
  const auto n_ring = static_cast<std::size_t>(battery_->n_ring());
  std::ranges::fill(frame_, 0.0f);
  frame_[0] = period.cue ? 1.0f : 0.0f;
  for (std::int32_t b = 0; b < period.n_bumps; ++b) {
    const Bump& bump = period.bumps[static_cast<std::size_t>(b)];
    battery_->ring.add_bump(bump.angle, bump.strength,
                            frame_.data() + 1 + static_cast<std::size_t>(bump.modality) * n_ring);
  }
}

void Renderer::write_period(const PeriodOutline& period, std::size_t n_steps, float* out,
                            std::size_t stride, NoiseReader* noise) {
  if (period.n_bumps == 0) {  // the arrays are zero already, and noise comes only with stimuli
    if (period.cue)
      for (std::size_t t = 0; t < n_steps; ++t) out[t * stride] = 1;
    return;
  }
  make_frame(period);
  const float* frame = frame_.data();
  const float deviation = battery_->noise_deviation;
  const auto first = static_cast<std::size_t>(period.first_noisy);
  const auto n_noisy = noise ? static_cast<std::size_t>(period.last_noisy - period.first_noisy) : 0;
  for (std::size_t t = 0; t < n_steps; ++t, out += stride) {
    if (n_noisy < frame_.size()) std::memcpy(out, frame, frame_.size() * sizeof(float));
    if (n_noisy > 0)
      add_noise(frame + first, noise->take(n_noisy), deviation, n_noisy, out + first);
  }
}

void Renderer::write_inputs(const TrialOutline& outline, std::int32_t first, std::int32_t last,
                            float* inputs, std::size_t stride, NoiseReader* noise) {
  for (const PeriodOutline& period : outline.all_periods()) {
    const std::int32_t begin = std::max(period.span.first, first);
    const std::int32_t end = std::min(period.span.last, last);
    if (begin < end)
      write_period(period, static_cast<std::size_t>(end - begin),
                   inputs + static_cast<std::size_t>(begin - first) * stride, stride, noise);
  }
}

std::uint64_t noise_before(const TrialOutline& outline, std::int32_t step) noexcept {
  std::uint64_t n = 0;
  for (const PeriodOutline& period : outline.all_periods()) {
    const std::int32_t steps = std::min(period.span.last, step) - period.span.first;
    if (steps > 0)
      n += static_cast<std::uint64_t>(steps) *
           static_cast<std::uint64_t>(period.last_noisy - period.first_noisy);
  }
  return n;
}

}  // namespace lmrnn
