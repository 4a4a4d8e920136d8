#include "kernels/steps.hpp"

#include "lmrnn/check.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/steps.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "kernels/dispatch.hpp"
#include "kernels/lanes-inl.hpp"
#include "kernels/nonlinearity-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Rows of a group.
constexpr std::size_t n_together = RowGroups::width;

/// Groups from the one that is asked for ahead of its use to the one in use.
constexpr std::size_t groups_ahead = 8;

/// The shared columns of a group: each source vector is loaded once and used four times.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_shared(D d, const float* HWY_RESTRICT weights,
                           const std::uint32_t* HWY_RESTRICT columns, std::size_t n,
                           const float* HWY_RESTRICT source, std::size_t n_lanes,
                           V (&sum)[n_together][n_vectors]) {
  const std::size_t width = hn::Lanes(d);
  for (std::size_t k = 0; k < n; ++k, weights += n_together) {
    const float* at = source + columns[k] * n_lanes;
    V x[n_vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < n_vectors; ++v) x[v] = in_register(hn::LoadU(d, at + v * width));
#pragma GCC unroll 4
    for (std::size_t r = 0; r < n_together; ++r) {
      const V w = hn::Set(d, weights[r]);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < n_vectors; ++v) sum[r][v] = hn::MulAdd(w, x[v], sum[r][v]);
    }
  }
}

/// Columns of one row. Long lists take two chains of additions, since one fused multiply-add must
/// not wait for the last.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_alone(D d, const float* HWY_RESTRICT weights,
                          const std::uint32_t* HWY_RESTRICT columns, std::size_t n,
                          const float* HWY_RESTRICT source, std::size_t n_lanes,
                          V (&sum)[n_vectors]) {
  constexpr std::size_t n_chains = 4 / n_vectors;
  const std::size_t width = hn::Lanes(d);
  const auto add = [&](std::size_t k, V* chain) HWY_ATTR {
    const V w = hn::Set(d, weights[k]);
    const float* x = source + columns[k] * n_lanes;
#pragma GCC unroll 2
    for (std::size_t v = 0; v < n_vectors; ++v)
      chain[v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), chain[v]);
  };
  std::size_t k = 0;
  if (n >= 4 * n_chains) {
    V extra[n_chains - 1][n_vectors];
    for (auto& chain : extra)
      for (V& s : chain) s = hn::Zero(d);
    for (; k + n_chains <= n; k += n_chains) {
      add(k, sum);
#pragma GCC unroll 4
      for (std::size_t c = 1; c < n_chains; ++c) add(k + c, extra[c - 1]);
    }
    for (auto& chain : extra)
      for (std::size_t v = 0; v < n_vectors; ++v) sum[v] = hn::Add(sum[v], chain[v]);
  }
  for (; k < n; ++k) add(k, sum);
}

/// Adds a term to the sums of the rows of a group.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_term(D d, const Term& term, std::size_t group_index, std::size_t n_lanes,
                         std::size_t lane, V (&sum)[n_together][n_vectors]) {
  const RowGroups::Group& group = term.pattern->groups[group_index];
  const float* weights = term.weights + group.first_entry;
  const std::uint32_t* columns = term.pattern->columns.data() + group.first_column;
  const float* source = term.source + lane;
  add_shared(d, weights, columns, group.n_shared, source, n_lanes, sum);
  weights += n_together * group.n_shared;
  columns += group.n_shared;
#pragma GCC unroll 4
  for (std::size_t r = 0; r < n_together; ++r) {
    const std::size_t n = group.n_alone[r];
    add_alone(d, weights, columns, n, source, n_lanes, sum[r]);
    weights += n;
    columns += n;
  }
}

void forward_step(const ForwardStep& s) {
  const std::size_t n_lanes = s.n_lanes;
  const auto& groups = s.recurrent.pattern->groups;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
    const bool leaky = s.alpha != 1.0f;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g + groups_ahead < groups.size())
        prefetch_rows(s.state, groups[g + groups_ahead].rows.data(), n_together, n_lanes, lane,
                      n_vectors * width);
      V sum[n_together][n_vectors];
      for (std::size_t r = 0; r < n_together; ++r)
        for (std::size_t v = 0; v < n_vectors; ++v)
          sum[r][v] = hn::LoadU(d, s.drive + groups[g].rows[r] * n_lanes + lane + v * width);
      add_term(d, s.recurrent, g, n_lanes, lane, sum);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r) {
        if (r >= groups[g].n_rows) break;
        for (std::size_t v = 0; v < n_vectors; ++v) {
          const std::size_t at = groups[g].rows[r] * n_lanes + lane + v * width;
          V h = rate(s.nonlinearity, d, sum[r][v]);
          if (leaky) h = hn::MulAdd(alpha, h, hn::Mul(leak, hn::LoadU(d, s.previous + at)));
          hn::StoreU(h, d, s.state + at);
        }
      }
    }
  });
}

void affine_step(const AffineStep& s) {
  const std::size_t n_lanes = s.n_lanes;
  const auto& groups = s.term.pattern->groups;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      V sum[n_together][n_vectors];
      for (std::size_t r = 0; r < n_together; ++r)
        for (V& part : sum[r]) part = hn::Set(d, s.offset[groups[g].rows[r]]);
      add_term(d, s.term, g, n_lanes, lane, sum);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r) {
        if (r >= groups[g].n_rows) break;
        for (std::size_t v = 0; v < n_vectors; ++v)
          hn::StoreU(sum[r][v], d, s.output + groups[g].rows[r] * n_lanes + lane + v * width);
      }
    }
  });
}

void backward_step(const BackwardStep& s) {
  const std::size_t n_lanes = s.n_lanes;
  const auto& groups = s.recurrent.pattern->groups;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
    const V inverse_alpha = hn::Set(d, 1.0f / s.alpha);
    const bool leaky = s.alpha != 1.0f;
    const auto finish = [&](std::size_t at, std::size_t column, V g) HWY_ATTR {
      const V h = hn::LoadU(d, s.state + at);
      if (s.penalty) g = hn::MulAdd(hn::LoadU(d, s.penalty + column), h, g);
      V r = h, factor = g;
      if (leaky) {
        // The same rounded product as in the forward step, so that r is exactly 0 where f was.
        const V kept = hn::Mul(leak, hn::LoadU(d, s.previous + at));
        r = hn::Mul(hn::Sub(h, kept), inverse_alpha);
        factor = hn::Mul(alpha, g);
        hn::StoreU(hn::Mul(leak, g), d, s.carry + at);
      }
      const V delta = slope_times(s.nonlinearity, d, r, factor);
      hn::StoreU(delta, d, s.delta + at);
    };
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g + groups_ahead < groups.size())
        prefetch_rows(s.previous, groups[g + groups_ahead].rows.data(), n_together, n_lanes, lane,
                      n_vectors * width);
      V sum[n_together][n_vectors];
      for (std::size_t r = 0; r < n_together; ++r)
        for (std::size_t v = 0; v < n_vectors; ++v)
          sum[r][v] = s.carry
                          ? hn::LoadU(d, s.carry + groups[g].rows[r] * n_lanes + lane + v * width)
                          : hn::Zero(d);
      add_term(d, s.readout, g, n_lanes, lane, sum);
      add_term(d, s.recurrent, g, n_lanes, lane, sum);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r) {
        if (r >= groups[g].n_rows) break;
        for (std::size_t v = 0; v < n_vectors; ++v) {
          const std::size_t column = lane + v * width;
          finish(groups[g].rows[r] * n_lanes + column, column, sum[r][v]);
        }
      }
    }
  });
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {

HWY_EXPORT(forward_step);
HWY_EXPORT(affine_step);
HWY_EXPORT(backward_step);

void forward_step(const ForwardStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(s.state != s.previous && s.state != s.recurrent.source, "the state is overwritten");
  LMRNN_DISPATCH(forward_step)(s);
}
void affine_step(const AffineStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_DISPATCH(affine_step)(s);
}
void backward_step(const BackwardStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(s.delta != s.recurrent.source, "the later step's delta is overwritten");
  LMRNN_CHECK(s.carry != nullptr || s.alpha == 1.0f, "units that leak need a carry");
  LMRNN_DISPATCH(backward_step)(s);
}

}  // namespace lmrnn::kernels
#endif
