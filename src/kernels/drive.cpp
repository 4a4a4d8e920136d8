#include "kernels/drive.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/drive.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "kernels/dispatch.hpp"
#include "kernels/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t slice = RowSlices::width;

#if HWY_TARGET != HWY_SCALAR
/// Four values of each of rows k, k + 4, k + 8, ..., one row per 128 bits.
template <class D>
HWY_INLINE hn::Vec<D> load_quads(D d, const float* from, std::size_t stride) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    constexpr std::size_t rows_of_half = hn::MaxLanes(D()) / 2;
    return hn::Combine(d, load_quads(half, from + rows_of_half * stride, stride),
                       load_quads(half, from, stride));
  }
}
#endif

/// out[k] = column k, for four columns of an array with as many rows as a vector has lanes. Rows
/// are combined while loading from memory, so that only half of the moves need the shuffle unit.
template <class D>
HWY_INLINE void transpose_four(D d, const float* from, std::size_t stride, hn::Vec<D> (&out)[4]) {
#if HWY_TARGET == HWY_SCALAR
  static_cast<void>(stride);
  for (std::size_t k = 0; k < 4; ++k) out[k] = hn::LoadU(d, from + k);
#else
  using V = hn::Vec<D>;
  const hn::RepartitionToWide<D> wide;
  const V a = load_quads(d, from, stride), b = load_quads(d, from + stride, stride);
  const V c = load_quads(d, from + 2 * stride, stride),
          e = load_quads(d, from + 3 * stride, stride);
  const auto ab = hn::BitCast(wide, hn::InterleaveLower(d, a, b));
  const auto ce = hn::BitCast(wide, hn::InterleaveLower(d, c, e));
  const auto ab2 = hn::BitCast(wide, hn::InterleaveUpper(d, a, b));
  const auto ce2 = hn::BitCast(wide, hn::InterleaveUpper(d, c, e));
  out[0] = hn::BitCast(d, hn::InterleaveLower(wide, ab, ce));
  out[1] = hn::BitCast(d, hn::InterleaveUpper(wide, ab, ce));
  out[2] = hn::BitCast(d, hn::InterleaveLower(wide, ab2, ce2));
  out[3] = hn::BitCast(d, hn::InterleaveUpper(wide, ab2, ce2));
#endif
}

/// Vectors of units that are summed in parallel. Each channel is added to all of them, so there
/// must be enough that an addition does not wait for the one before: 8 or more, if there are
/// registers, and at most a whole group of units.
template <class D>
constexpr std::size_t drive_vectors() {
  return hn::MaxLanes(D()) < 8 ? 8 : drive_units / hn::MaxLanes(D());
}

/// Computes some vectors of units of one trial, from unit `unit` on.
template <class D>
HWY_INLINE void drive_of_trial(D d, const DriveStep& s, std::size_t lane, std::size_t unit,
                               float* to) {
  using V = hn::Vec<D>;
  const std::size_t width = hn::Lanes(d), n_channels = s.inputs->n_channels();
  const std::size_t padded = padded_drive_units(s.n_units),
                    cell = lane + s.step * s.inputs->n_lanes();
  constexpr std::size_t n_vectors = drive_vectors<D>();
  V sum[n_vectors];
  const float* weights[n_vectors];
#pragma GCC unroll 8
  for (std::size_t v = 0; v < n_vectors; ++v) {
    const std::size_t at = unit + v * width;
    weights[v] = s.input_weights + at / slice * slice * n_channels + at % slice;
    sum[v] = hn::LoadU(d, s.bias + at);
  }
  const std::int32_t* rules = s.rules.empty() ? nullptr : s.rules.at(s.rule_step, lane);
  for (std::size_t slot = 0; slot < s.rules.n_items; ++slot) {
    const std::int32_t rule = rules[slot];
    if (rule < 0) continue;
    const float* row = s.rule_weights + static_cast<std::size_t>(rule) * padded + unit;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < n_vectors; ++v)
      sum[v] = hn::Add(sum[v], hn::LoadU(d, row + v * width));
  }
  const float* x = s.inputs->values(s.step, lane);
  const auto add_channel = [&](std::size_t c) HWY_ATTR {
    const V factor = hn::Set(d, x[c]);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < n_vectors; ++v)
      sum[v] = hn::MulAdd(factor, hn::LoadU(d, weights[v] + c * slice), sum[v]);
  };
  const std::uint32_t* active = s.inputs->active(cell);
  const std::size_t n = s.inputs->n_active(cell);
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t c = s.inputs->first_channel(active[k]);
    add_channel(c);
    if (active[k] < s.inputs->n_alone()) continue;
#pragma GCC unroll 4
    for (std::size_t more = 1; more < ActiveInputs::bundle; ++more) add_channel(c + more);
  }
#pragma GCC unroll 8
  for (std::size_t v = 0; v < n_vectors; ++v) hn::StoreU(sum[v], d, to + v * width);
}

/// Computes a group of units for as many lanes as D has.
template <class D>
HWY_INLINE void drive_of_group(D d, const DriveStep& s, std::size_t lane, std::size_t first_unit) {
  const hn::CappedTag<float, slice> d_units;
  const std::size_t width = hn::Lanes(d), n_lanes = s.inputs->n_lanes();
  HWY_ALIGN float by_trial[hn::MaxLanes(D()) * drive_units];
  for (std::size_t k = 0; k < width; ++k) {
    float* row = by_trial + k * drive_units;
    if (lane + k >= s.inputs->n_trials()) {
      std::fill_n(row, drive_units, 0.0f);
      continue;
    }
    for (std::size_t unit = 0; unit < drive_units;
         unit += drive_vectors<decltype(d_units)>() * hn::Lanes(d_units))
      drive_of_trial(d_units, s, lane + k, first_unit + unit, row + unit);
  }
  for (std::size_t unit = 0; unit < drive_units; unit += 4) {
    hn::Vec<D> column[4];
    transpose_four(d, by_trial + unit, drive_units, column);
    for (std::size_t k = 0; k < 4; ++k)
      hn::StoreU(column[k], d, s.drive + (first_unit + unit + k) * n_lanes + lane);
  }
}

void drive_step(const DriveStep& s) {
  const std::size_t last = std::min(s.range.last, s.n_units);
  for (std::size_t unit = s.range.first; unit < last; unit += drive_units)
    for_lanes(s.inputs->n_lanes(), [&](auto d, auto count, std::size_t lane) HWY_ATTR {
      for (std::size_t v = 0; v < decltype(count)::value; ++v) {
        const std::size_t first = lane + v * hn::Lanes(d);
        if (s.unchanged && std::all_of(s.unchanged + first, s.unchanged + first + hn::Lanes(d),
                                       [](std::uint8_t same) { return same != 0; }))
          continue;
        drive_of_group(d, s, first, unit);
      }
    });
}

/// Units that are handled together in gradients: two slices.
constexpr std::size_t n_together = 2 * slice;

/// Transposes deltas (unit, lane) of all steps to (cell, unit of the two slices).
HWY_INLINE void transpose_deltas(const DriveGradient& s, std::size_t first_unit) {
  const hn::CappedTag<float, slice> d;
  const std::size_t width = hn::Lanes(d), n_lanes = s.inputs->n_lanes();
  for (std::size_t t = 0; t < s.inputs->n_steps(); ++t)
    for (std::size_t part = 0; part < n_together; part += width) {
      const std::size_t unit = first_unit + part;
      float* to = s.scratch + t * n_lanes * n_together + part;
      if (unit + width <= s.n_units) {
        const float* from = s.deltas[t] + unit * n_lanes;
        for (std::size_t lane = 0; lane < n_lanes; lane += 4) {
          hn::Vec<decltype(d)> column[4];
          transpose_four(d, from + lane, n_lanes, column);
          for (std::size_t k = 0; k < 4; ++k)
            hn::StoreU(column[k], d, to + (lane + k) * n_together);
        }
        continue;
      }
      for (std::size_t u = 0; u < width; ++u)  // the last units, and rows without a unit
        for (std::size_t lane = 0; lane < n_lanes; ++lane)
          to[lane * n_together + u] =
              unit + u < s.n_units ? s.deltas[t][(unit + u) * n_lanes + lane] : 0.0f;
    }
}

/// Gradients of the weights from a bundle of channels to two vectors of units.
template <std::size_t n_channels, class D>
HWY_INLINE void add_bundle(D d, const DriveGradient& s, std::size_t bundle, std::size_t part,
                           float* gradient, std::size_t next_vector) {
  using V = hn::Vec<D>;
  const std::size_t width = hn::Lanes(d), c = s.inputs->first_channel(bundle);
  gradient += c * slice;
  V sum[n_channels][2];
#pragma GCC unroll 4
  for (std::size_t k = 0; k < n_channels; ++k) {
    sum[k][0] = hn::LoadU(d, gradient + k * slice);
    sum[k][1] = hn::LoadU(d, gradient + k * slice + next_vector);
  }
  const float* values = s.inputs->values(0, 0) + c;
  for (const auto [cell, at] : s.inputs->cells_of(bundle)) {
    const float* x = values + at;
    const float* delta = s.scratch + cell * n_together + part;
    const V d0 = in_register(hn::LoadU(d, delta)), d1 = in_register(hn::LoadU(d, delta + width));
#pragma GCC unroll 4
    for (std::size_t k = 0; k < n_channels; ++k) {
      const V factor = hn::Set(d, x[k]);
      sum[k][0] = hn::MulAdd(factor, d0, sum[k][0]);
      sum[k][1] = hn::MulAdd(factor, d1, sum[k][1]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t k = 0; k < n_channels; ++k) {
    hn::StoreU(sum[k][0], d, gradient + k * slice);
    hn::StoreU(sum[k][1], d, gradient + k * slice + next_vector);
  }
}

HWY_INLINE void add_input_gradient(const DriveGradient& s, std::size_t first_unit) {
  const hn::CappedTag<float, slice> d;
  const std::size_t width = hn::Lanes(d), n_channels = s.inputs->n_channels();
  for (std::size_t bundle = 0; bundle < s.inputs->n_bundles(); ++bundle)
    for (std::size_t part = 0; part < n_together; part += 2 * width) {
      const std::size_t unit = first_unit + part;
      float* gradient = s.input_gradient + unit / slice * slice * n_channels + unit % slice;
      const std::size_t next = width == slice ? slice * n_channels : width;
      if (bundle < s.inputs->n_alone()) {
        add_bundle<1>(d, s, bundle, part, gradient, next);
      } else {
        add_bundle<ActiveInputs::bundle>(d, s, bundle, part, gradient, next);
      }
    }
}

/// A rule is constant in a trial, so consecutive steps with the same rules are added up first.
HWY_INLINE void add_rule_gradient(const DriveGradient& s, std::size_t first_unit) {
  const hn::CappedTag<float, slice> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t width = hn::Lanes(d), n_lanes = s.inputs->n_lanes();
  const std::size_t n_trials = s.inputs->n_trials(), n_steps = s.inputs->n_steps();
  const std::size_t padded = padded_drive_units(s.n_units);
  const std::size_t n_slots = s.rules.n_items;
  const auto rules_of = [&](std::size_t t, std::size_t trial) {
    return n_slots == 0 ? nullptr : s.rules.at(s.first_step + t, trial);
  };
  const auto same_rules = [&](std::size_t t, std::size_t other, std::size_t trial) {
    const std::int32_t *a = rules_of(t, trial), *b = rules_of(other, trial);
    for (std::size_t slot = 0; slot < n_slots; ++slot)
      if (a[slot] != b[slot]) return false;
    return true;
  };
  for (std::size_t trial = 0; trial < n_trials; ++trial)
    for (std::size_t first = 0, last; first < n_steps; first = last) {
      for (last = first + 1; last < n_steps && same_rules(first, last, trial); ++last) {
      }
      for (std::size_t part = 0; part < n_together; part += width) {
        V sum = hn::Zero(d);
        for (std::size_t t = first; t < last; ++t)
          sum = hn::Add(sum, hn::LoadU(d, s.scratch + (t * n_lanes + trial) * n_together + part));
        const auto add_to = [&](float* row) HWY_ATTR {
          float* at = row + first_unit + part;
          hn::StoreU(hn::Add(sum, hn::LoadU(d, at)), d, at);
        };
        add_to(s.bias_gradient);
        for (std::size_t slot = 0; slot < n_slots; ++slot)
          if (const std::int32_t rule = rules_of(first, trial)[slot]; rule >= 0)
            add_to(s.rule_gradient + static_cast<std::size_t>(rule) * padded);
      }
    }
}

/// Prefetches the trials' rules, which are scattered over a table too large for the near caches.
/// Mostly these are the rules of the first and of the last step.
HWY_INLINE void prefetch_rule_gradient(const DriveGradient& s, std::size_t first_unit) {
  const std::size_t padded = padded_drive_units(s.n_units);
  if (s.rules.empty()) return;
  for (const std::size_t t : {std::size_t(0), s.inputs->n_steps() - 1})
    for (std::size_t k = 0; k < s.inputs->n_trials() * s.rules.n_items; ++k)
      if (const std::int32_t rule =
              s.rules(s.first_step + t, k / s.rules.n_items, k % s.rules.n_items);
          rule >= 0) {
        const float* row = s.rule_gradient + static_cast<std::size_t>(rule) * padded + first_unit;
        for (std::size_t part = 0; part < n_together; part += slice) hwy::Prefetch(row + part);
      }
}

void add_drive_gradient(const DriveGradient& s) {
  const std::size_t last = std::min(s.range.last, s.n_units);
  for (std::size_t unit = s.range.first; unit < last; unit += n_together) {
    prefetch_rule_gradient(s, unit);
    transpose_deltas(s, unit);
    add_input_gradient(s, unit);
    add_rule_gradient(s, unit);
  }
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {

HWY_EXPORT(drive_step);
HWY_EXPORT(add_drive_gradient);

void drive_step(const DriveStep& s) noexcept {
  LMRNN_CHECK_INDEX(s.step, s.inputs->n_steps(), "this step's inputs were never added");
  LMRNN_CHECK(is_padded_lanes(s.inputs->n_lanes()), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_DISPATCH(drive_step)(s);
}
void add_drive_gradient(const DriveGradient& s) noexcept {
  LMRNN_CHECK(s.inputs->n_steps() > 0, "a gradient of no steps");
  LMRNN_DISPATCH(add_drive_gradient)(s);
}

}  // namespace lmrnn::kernels
#endif
