#include "kernels/one_trial.hpp"

#include <algorithm>

#include "lmrnn/check.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/one_trial.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "kernels/dispatch.hpp"
#include "kernels/lanes-inl.hpp"
#include "kernels/nonlinearity-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Slices = hn::CappedTag<float, RowSlices::width>;
constexpr std::size_t slice_vectors = RowSlices::width / hn::MaxLanes(Slices());
/// Independent sums of a slice, so that additions need not wait for each other.
constexpr std::size_t n_chains = std::max<std::size_t>(1, 8 / slice_vectors);

/// Channels that are listed at a time.
constexpr std::size_t most_listed = 256;

/// The channels of [first, last) that are not 0 in every step; returns their number.
std::size_t list_active(const InputCurrents& s, std::size_t first, std::size_t last,
                        std::uint32_t* active) {
  std::size_t n = 0;
  for (std::size_t c = first; c < last; ++c) {
    bool any = false;
    for (const float* inputs : s.inputs) any |= inputs[c] != 0.0f;
    active[n] = static_cast<std::uint32_t>(c);
    n += any;
  }
  return n;
}

void input_currents(const InputCurrents& s) {
  const Slices d;
  using V = hn::Vec<Slices>;
  constexpr std::size_t width = RowSlices::width;
  const std::size_t lanes = hn::Lanes(d);
  std::uint32_t active[most_listed];
  std::size_t first = 0;
  do {
    const std::size_t last = std::min(first + most_listed, s.n_channels);
    const std::size_t n_active = list_active(s, first, last, active);
    for (std::size_t i = 0; i < s.n_slices; ++i) {
      const float* weights = s.weights + i * s.n_channels * width;
      const std::size_t at = i * width;
      V sum[steps_together][slice_vectors];
      for (std::size_t t = 0; t < steps_together; ++t)
        for (std::size_t v = 0; v < slice_vectors; ++v)
          sum[t][v] = first == 0 ? hn::Zero(d) : hn::LoadU(d, s.currents[t] + at + v * lanes);
      for (std::size_t k = 0; k < n_active; ++k)
        for (std::size_t v = 0; v < slice_vectors; ++v) {
          const V w = in_register(hn::LoadU(d, weights + active[k] * width + v * lanes));
#pragma GCC unroll 4
          for (std::size_t t = 0; t < steps_together; ++t)
            sum[t][v] = hn::MulAdd(w, hn::Set(d, s.inputs[t][active[k]]), sum[t][v]);
        }
      for (std::size_t t = 0; t < steps_together; ++t)
        for (std::size_t v = 0; v < slice_vectors; ++v)
          hn::StoreU(sum[t][v], d, s.currents[t] + at + v * lanes);
    }
    first = last;
  } while (first < s.n_channels);
}

void one_trial_step(const OneTrialStep& s) {
  const Slices d;
  const hn::RebindToSigned<Slices> di;
  using V = hn::Vec<Slices>;
  constexpr std::size_t width = RowSlices::width;
  const std::size_t lanes = hn::Lanes(d);
  const float* before = s.previous - RowSlices::margin;
  const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
  const bool is_blended = s.equation != StateEquation::rate;
  const float* blended_with = s.voltage ? s.voltage : s.previous;
  for (std::size_t i = 0; i < s.recurrent->slices.size(); ++i) {
    const RowSlices::Slice slice = s.recurrent->slices[i];
    V sum[n_chains][slice_vectors];
#pragma GCC unroll 8
    for (std::size_t c = 0; c < n_chains; ++c)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < slice_vectors; ++v) {
        const std::size_t at = i * width + v * lanes;
        sum[c][v] = c == 0 ? hn::Add(hn::LoadU(d, s.drive + at), hn::LoadU(d, s.current + at))
                           : hn::Zero(d);
      }

    const float* weights = s.weights + slice.first_entry;
    const std::uint32_t* starts = s.recurrent->run_starts.data() + slice.first_run;
    const auto add_run = [&](std::size_t k, V* chain) HWY_ATTR {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < slice_vectors; ++v)
        chain[v] = hn::MulAdd(hn::LoadU(d, weights + k * width + v * lanes),
                              hn::LoadU(d, before + starts[k] + v * lanes), chain[v]);
    };
    std::size_t k = 0;
    for (; k + n_chains <= slice.n_runs; k += n_chains) {
#pragma GCC unroll 8
      for (std::size_t c = 0; c < n_chains; ++c) add_run(k + c, sum[c]);
    }
#pragma GCC unroll 8
    for (std::size_t c = 0; c < n_chains; ++c)  // unrolled, so that the chains stay in registers
      if (k + c < slice.n_runs) add_run(k + c, sum[c]);

    weights += slice.n_runs * width;
    const std::uint32_t* columns = s.recurrent->gathered.data() + slice.first_gather * width;
    const auto add_gather = [&](std::size_t gather, V* chain) HWY_ATTR {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < slice_vectors; ++v) {
        const std::size_t at = gather * width + v * lanes;
        const auto index = hn::LoadU(di, reinterpret_cast<const std::int32_t*>(columns) + at);
        chain[v] =
            hn::MulAdd(hn::LoadU(d, weights + at), hn::GatherIndex(d, before, index), chain[v]);
      }
    };
    for (k = 0; k < slice.n_gathers; k += n_chains) {
#pragma GCC unroll 8
      for (std::size_t c = 0; c < n_chains; ++c)
        if (k + c < slice.n_gathers) add_gather(k + c, sum[c]);
    }

    // These loops are fully unrolled, so that every sum stays in its register.
    V total[slice_vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < slice_vectors; ++v) {
      total[v] = sum[0][v];
#pragma GCC unroll 8
      for (std::size_t c = 1; c < n_chains; ++c) total[v] = hn::Add(total[v], sum[c][v]);
    }
    for (std::size_t v = 0; v < slice_vectors; ++v) {
      const std::size_t at = i * width + v * lanes;
      if (is_blended) {
        V x = total[v];
        if (s.alpha != 1.0f)
          x = hn::MulAdd(alpha, x, hn::Mul(leak, hn::LoadU(d, blended_with + at)));
        if (s.voltage) hn::StoreU(x, d, s.voltage + at);
        hn::StoreU(rate(s.nonlinearity, d, x), d, s.state + at);
        continue;
      }
      V h = rate(s.nonlinearity, d, total[v]);
      if (s.alpha != 1.0f) h = hn::MulAdd(alpha, h, hn::Mul(leak, hn::LoadU(d, s.previous + at)));
      hn::StoreU(h, d, s.state + at);
    }
  }
}

/// Rows first ... first + n_rows of dense_outputs.
template <std::size_t n_rows>
HWY_INLINE void output_rows(const DenseOutputs& s, std::size_t first) {
  const hn::CappedTag<float, 16> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const float* weights = s.weights + first * s.n_columns;
  V sum[steps_together][n_rows];
  for (auto& step : sum)
    for (V& part : step) part = hn::Zero(d);
  std::size_t c = 0;
  for (; c + lanes <= s.n_columns; c += lanes) {
    V w[n_rows];
#pragma GCC unroll 2
    for (std::size_t r = 0; r < n_rows; ++r)
      w[r] = in_register(hn::LoadU(d, weights + r * s.n_columns + c));
#pragma GCC unroll 4
    for (std::size_t t = 0; t < steps_together; ++t) {
      const V x = in_register(hn::LoadU(d, s.sources[t] + c));
#pragma GCC unroll 2
      for (std::size_t r = 0; r < n_rows; ++r) sum[t][r] = hn::MulAdd(w[r], x, sum[t][r]);
    }
  }
  for (std::size_t t = 0; t < steps_together; ++t)
    for (std::size_t r = 0; r < n_rows; ++r) {
      float total = s.offset[first + r] + hn::GetLane(hn::SumOfLanes(d, sum[t][r]));
      for (std::size_t rest = c; rest < s.n_columns; ++rest)
        total += weights[r * s.n_columns + rest] * s.sources[t][rest];
      s.outputs[t][first + r] = total;
    }
}

void dense_outputs(const DenseOutputs& s) {
  std::size_t row = 0;
  for (; row + 2 <= s.n_rows; row += 2) output_rows<2>(s, row);
  if (row < s.n_rows) output_rows<1>(s, row);
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {

HWY_EXPORT(input_currents);
HWY_EXPORT(one_trial_step);
HWY_EXPORT(dense_outputs);

void input_currents(const InputCurrents& s) noexcept {
  LMRNN_DISPATCH(input_currents)(s);
}
void one_trial_step(const OneTrialStep& s) noexcept {
  LMRNN_CHECK(s.state != s.previous, "the state is overwritten");
  LMRNN_CHECK((s.voltage != nullptr) == (s.equation == StateEquation::voltage),
              "the voltage form, and no other, has a voltage");
  LMRNN_DISPATCH(one_trial_step)(s);
}
void dense_outputs(const DenseOutputs& s) noexcept {
  LMRNN_DISPATCH(dense_outputs)(s);
}

}  // namespace lmrnn::kernels
#endif
