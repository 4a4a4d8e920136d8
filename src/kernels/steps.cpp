#include "kernels/steps.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/steps.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Keeps a loaded vector in its register. GCC otherwise folds the load into each of its uses, and
/// loads are what limits these loops.
template <class V>
HWY_INLINE V in_register(V v) {
#if HWY_COMPILER_GCC && HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  asm("" : "+v"(v.raw));
#endif
  return v;
}

/// Calls body(d, std::integral_constant<std::size_t, n_vectors>, first_lane) until all lanes are
/// covered: four vectors at a time, then what a group of `group_lanes` lanes needs.
template <std::size_t group_lanes, class D, class Body>
HWY_INLINE void for_lane_groups(D d, std::size_t n_lanes, Body&& body) {
  constexpr std::size_t width = hn::MaxLanes(D());
  constexpr std::size_t per_group = group_lanes / width;
  std::size_t lane = 0;
  const auto run = [&](auto n_vectors) HWY_ATTR {
    constexpr std::size_t lanes = decltype(n_vectors)::value * width;
    for (; lane + lanes <= n_lanes; lane += lanes) body(d, n_vectors, lane);
  };
  if constexpr (group_lanes == 16 || per_group >= 4) run(std::integral_constant<std::size_t, 4>());
  if constexpr (group_lanes == 16 && per_group == 1) run(std::integral_constant<std::size_t, 2>());
  if constexpr (per_group < 4) run(std::integral_constant<std::size_t, per_group>());
}

template <class Body>
HWY_INLINE void for_lanes(std::size_t n_lanes, Body&& body) {
  if (n_lanes % 16 == 0) {
    for_lane_groups<16>(hn::CappedTag<float, 16>(), n_lanes, body);
  } else if (n_lanes == 8) {
    for_lane_groups<8>(hn::CappedTag<float, 8>(), n_lanes, body);
  } else {
    for_lane_groups<4>(hn::CappedTag<float, 4>(), n_lanes, body);
  }
}

/// sum[v] += sum_k weights[k] source[columns[k], lane + v]: entries of one row. Two chains of
/// additions at least, since one fused multiply-add must not wait for the last.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_row(D d, const float* HWY_RESTRICT weights,
                        const std::uint32_t* HWY_RESTRICT columns, std::size_t n,
                        const float* HWY_RESTRICT source, std::size_t n_lanes, V* sum) {
  constexpr std::size_t n_chains = 8 / n_vectors;
  const std::size_t width = hn::Lanes(d);
  V extra[n_chains - 1][n_vectors];
  if (n < n_chains) {
    for (std::size_t k = 0; k < n; ++k) {
      const V w = hn::Set(d, weights[k]);
      const float* x = source + columns[k] * n_lanes;
      for (std::size_t v = 0; v < n_vectors; ++v)
        sum[v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), sum[v]);
    }
    return;
  }
  for (std::size_t c = 0; c + 1 < n_chains; ++c)
    for (std::size_t v = 0; v < n_vectors; ++v) extra[c][v] = hn::Zero(d);
  std::size_t k = 0;
  for (; k + n_chains <= n; k += n_chains) {
#pragma GCC unroll 8
    for (std::size_t c = 0; c < n_chains; ++c) {
      const V w = hn::Set(d, weights[k + c]);
      const float* x = source + columns[k + c] * n_lanes;
      V* chain = c == 0 ? sum : extra[c - 1];
#pragma GCC unroll 8
      for (std::size_t v = 0; v < n_vectors; ++v)
        chain[v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), chain[v]);
    }
  }
  for (; k < n; ++k) {
    const V w = hn::Set(d, weights[k]);
    const float* x = source + columns[k] * n_lanes;
    for (std::size_t v = 0; v < n_vectors; ++v)
      sum[v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), sum[v]);
  }
  for (std::size_t c = 0; c + 1 < n_chains; ++c)
    for (std::size_t v = 0; v < n_vectors; ++v) sum[v] = hn::Add(sum[v], extra[c][v]);
}

/// The shared entries of a pair of rows: each source vector is loaded once and used twice.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_two_rows(D d, const float* HWY_RESTRICT weights0,
                             const float* HWY_RESTRICT weights1,
                             const std::uint32_t* HWY_RESTRICT columns, std::size_t n,
                             const float* HWY_RESTRICT source, std::size_t n_lanes, V* sum0,
                             V* sum1) {
  constexpr std::size_t n_chains = 4 / n_vectors;
  const std::size_t width = hn::Lanes(d);
  V extra0[n_chains][n_vectors], extra1[n_chains][n_vectors];
  for (std::size_t c = 0; c < n_chains; ++c) {
    for (std::size_t v = 0; v < n_vectors; ++v) {
      extra0[c][v] = c == 0 ? sum0[v] : hn::Zero(d);
      extra1[c][v] = c == 0 ? sum1[v] : hn::Zero(d);
    }
  }
  std::size_t k = 0;
  for (; k + n_chains <= n; k += n_chains) {
#pragma GCC unroll 8
    for (std::size_t c = 0; c < n_chains; ++c) {
      const V w0 = hn::Set(d, weights0[k + c]);
      const V w1 = hn::Set(d, weights1[k + c]);
      const float* x = source + columns[k + c] * n_lanes;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const V xv = in_register(hn::LoadU(d, x + v * width));
        extra0[c][v] = hn::MulAdd(w0, xv, extra0[c][v]);
        extra1[c][v] = hn::MulAdd(w1, xv, extra1[c][v]);
      }
    }
  }
  for (; k < n; ++k) {
    const V w0 = hn::Set(d, weights0[k]);
    const V w1 = hn::Set(d, weights1[k]);
    const float* x = source + columns[k] * n_lanes;
    for (std::size_t v = 0; v < n_vectors; ++v) {
      const V xv = in_register(hn::LoadU(d, x + v * width));
      extra0[0][v] = hn::MulAdd(w0, xv, extra0[0][v]);
      extra1[0][v] = hn::MulAdd(w1, xv, extra1[0][v]);
    }
  }
  for (std::size_t v = 0; v < n_vectors; ++v) {
    sum0[v] = extra0[0][v];
    sum1[v] = extra1[0][v];
    for (std::size_t c = 1; c < n_chains; ++c) {
      sum0[v] = hn::Add(sum0[v], extra0[c][v]);
      sum1[v] = hn::Add(sum1[v], extra1[c][v]);
    }
  }
}

/// Adds a term to the sums of rows 2 * pair and 2 * pair + 1.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_term(D d, const Term& term, std::size_t pair_index, std::size_t n_lanes,
                         std::size_t lane, V* sum0, V* sum1) {
  const PairedRows::Pair pair = term.pattern->pairs[pair_index];
  const float* weights = term.weights + pair.first_entry;
  const std::uint32_t* columns = term.pattern->columns.data() + pair.first_column;
  const float* source = term.source + lane;
  if (pair.n_shared != 0)
    add_two_rows<n_vectors>(d, weights, weights + pair.n_shared, columns, pair.n_shared, source,
                            n_lanes, sum0, sum1);
  weights += 2 * pair.n_shared;
  columns += pair.n_shared;
  add_row<n_vectors>(d, weights, columns, pair.n_only_first, source, n_lanes, sum0);
  add_row<n_vectors>(d, weights + pair.n_only_first, columns + pair.n_only_first,
                     pair.n_only_second, source, n_lanes, sum1);
}

template <class D, class V>
HWY_INLINE V softplus(D d, V u) {
  // log(1 + e^u) = max(u, 0) + log1p(e^-|u|), which cannot overflow.
  return hn::Add(hn::Max(u, hn::Zero(d)), hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(u)))));
}

// The nonlinearity is a branch that always goes the same way, not a template: the loops around it
// are large, and one copy of them is enough.
template <class D, class V>
HWY_INLINE V rate(Nonlinearity nonlinearity, D d, V u) {
  switch (nonlinearity) {
    // In this order, x86's maximum passes a NaN on: diverged weights must show in the loss.
    case Nonlinearity::relu:
      return hn::Max(hn::Zero(d), u);
    case Nonlinearity::tanh:
      return hn::Tanh(d, u);
    case Nonlinearity::softplus:
      return softplus(d, u);
  }
  return u;
}

/// factor * f'(u) as a function of r = f(u).
template <class D, class V>
HWY_INLINE V slope_times(Nonlinearity nonlinearity, D d, V r, V factor) {
  const V one = hn::Set(d, 1.0f);
  switch (nonlinearity) {
    case Nonlinearity::relu:
      return hn::IfThenElseZero(hn::Gt(r, hn::Zero(d)), factor);
    case Nonlinearity::tanh:
      return hn::Mul(factor, hn::Sub(one, hn::Mul(r, r)));
    case Nonlinearity::softplus:
      return hn::Mul(factor, hn::Sub(one, hn::Exp(d, hn::Neg(r))));
  }
  return factor;
}

void forward_step(const ForwardStep& s) {
  const std::size_t n_rows = s.recurrent.pattern->n_rows;
  const std::size_t n_lanes = s.n_lanes;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
    const bool leaky = s.alpha != 1.0f;
    const auto finish = [&](std::size_t row, const V* sum) HWY_ATTR {
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const std::size_t at = row * n_lanes + lane + v * width;
        V h = rate(s.nonlinearity, d, sum[v]);
        if (leaky) h = hn::MulAdd(alpha, h, hn::Mul(leak, hn::LoadU(d, s.previous + at)));
        hn::StoreU(h, d, s.state + at);
        if (s.kept.data) hn::StoreU(h, d, s.kept.data + row * s.kept.stride + lane + v * width);
      }
    };
    for (std::size_t p = 0; 2 * p < n_rows; ++p) {
      const bool has_second = 2 * p + 1 < n_rows;
      V sum0[n_vectors], sum1[n_vectors];
      for (std::size_t v = 0; v < n_vectors; ++v) {
        sum0[v] = hn::LoadU(d, s.drive + 2 * p * n_lanes + lane + v * width);
        sum1[v] = has_second ? hn::LoadU(d, s.drive + (2 * p + 1) * n_lanes + lane + v * width)
                             : hn::Zero(d);
      }
      add_term<n_vectors>(d, s.input, p, n_lanes, lane, sum0, sum1);
      add_term<n_vectors>(d, s.recurrent, p, n_lanes, lane, sum0, sum1);
      finish(2 * p, sum0);
      if (has_second) finish(2 * p + 1, sum1);
    }
  });
}

void affine_step(const AffineStep& s) {
  const std::size_t n_rows = s.term.pattern->n_rows;
  for_lanes(s.n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    for (std::size_t p = 0; 2 * p < n_rows; ++p) {
      const bool has_second = 2 * p + 1 < n_rows;
      V sum0[n_vectors], sum1[n_vectors];
      for (std::size_t v = 0; v < n_vectors; ++v) {
        sum0[v] = hn::Set(d, s.offset[2 * p]);
        sum1[v] = hn::Set(d, has_second ? s.offset[2 * p + 1] : 0.0f);
      }
      add_term<n_vectors>(d, s.term, p, s.n_lanes, lane, sum0, sum1);
      float* out = s.output + 2 * p * s.n_lanes + lane;
      for (std::size_t v = 0; v < n_vectors; ++v) {
        hn::StoreU(sum0[v], d, out + v * hn::Lanes(d));
        if (has_second) hn::StoreU(sum1[v], d, out + s.n_lanes + v * hn::Lanes(d));
      }
    }
  });
}

void backward_step(const BackwardStep& s) {
  const std::size_t n_rows = s.recurrent.pattern->n_rows;
  const std::size_t n_lanes = s.n_lanes;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    const bool leaky = s.alpha != 1.0f;
    const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
    const V inverse_alpha = hn::Set(d, 1.0f / s.alpha);
    const auto finish = [&](std::size_t row, const V* sum) HWY_ATTR {
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const std::size_t column = lane + v * width;
        const std::size_t at = row * n_lanes + column;
        const V h = hn::LoadU(d, s.state.data + row * s.state.stride + column);
        const V g = s.penalty ? hn::MulAdd(hn::LoadU(d, s.penalty + column), h, sum[v]) : sum[v];
        V r = h, factor = g;
        if (leaky) {
          // The same rounded product as in the forward step, so that r is exactly 0 where f was.
          const V kept =
              hn::Mul(leak, hn::LoadU(d, s.previous.data + row * s.previous.stride + column));
          r = hn::Mul(hn::Sub(h, kept), inverse_alpha);
          factor = hn::Mul(alpha, g);
          hn::StoreU(hn::Mul(leak, g), d, s.carry + at);
        }
        const V delta = slope_times(s.nonlinearity, d, r, factor);
        hn::StoreU(delta, d, s.delta + at);
        hn::StoreU(delta, d, s.kept.data + row * s.kept.stride + column);
        hn::StoreU(hn::Add(delta, hn::LoadU(d, s.delta_sum + at)), d, s.delta_sum + at);
      }
    };
    for (std::size_t p = 0; 2 * p < n_rows; ++p) {
      const bool has_second = 2 * p + 1 < n_rows;
      V sum0[n_vectors], sum1[n_vectors];
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const std::size_t at = 2 * p * n_lanes + lane + v * width;
        sum0[v] = leaky ? hn::LoadU(d, s.carry + at) : hn::Zero(d);
        sum1[v] = leaky && has_second ? hn::LoadU(d, s.carry + at + n_lanes) : hn::Zero(d);
      }
      add_term<n_vectors>(d, s.readout, p, n_lanes, lane, sum0, sum1);
      add_term<n_vectors>(d, s.recurrent, p, n_lanes, lane, sum0, sum1);
      finish(2 * p, sum0);
      if (has_second) finish(2 * p + 1, sum1);
    }
  });
}

#if HWY_TARGET != HWY_SCALAR
/// {sum of a, sum of b, sum of c, sum of e}. Adds within 128-bit blocks first: moves across them
/// are slow where vectors are wider than the hardware's units.
template <class D, class V>
HWY_INLINE auto sums_of_four(D d, V a, V b, V c, V e) {
  const hn::RepartitionToWide<D> d64;
  const V ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const V ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab64 = hn::BitCast(d64, ab), ce64 = hn::BitCast(d64, ce);
  const V sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, ab64, ce64)),
                         hn::BitCast(d, hn::InterleaveUpper(d64, ab64, ce64)));
  const hn::Half<D> half;
  if constexpr (hn::MaxLanes(D()) == 16) {
    const hn::Half<decltype(half)> quarter;
    const auto two = hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums));
    return hn::Add(hn::LowerHalf(quarter, two), hn::UpperHalf(quarter, two));
  } else if constexpr (hn::MaxLanes(D()) == 8) {
    return hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums));
  } else {
    return sums;
  }
}
#endif

/// gradient[r * stride + c] += <target row r, source row columns[c]> for a tile of rows x columns.
/// The sums stay in registers over all of n_values; small tiles run several chains of additions.
template <std::size_t n_rows, std::size_t n_columns, class D>
HWY_INLINE void add_tile(D d, const float* const* HWY_RESTRICT targets, const OuterProduct& product,
                         const std::uint32_t* columns, float* gradient, std::size_t stride) {
  using V = hn::Vec<D>;
  constexpr std::size_t n_chains = 8 / (n_rows * n_columns);
  const std::size_t width = hn::Lanes(d), n_vectors = product.n_values / width;
  const float* sources[n_columns];
  for (std::size_t c = 0; c < n_columns; ++c)
    sources[c] = product.source.data + columns[c] * product.source.stride;
  V sum[n_chains][n_rows][n_columns];
  for (std::size_t q = 0; q < n_chains; ++q)
    for (std::size_t r = 0; r < n_rows; ++r)
      for (std::size_t c = 0; c < n_columns; ++c) sum[q][r][c] = hn::Zero(d);
  const auto accumulate = [&](std::size_t k, std::size_t q) HWY_ATTR {
    V t[n_rows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < n_rows; ++r) t[r] = in_register(hn::LoadU(d, targets[r] + k));
#pragma GCC unroll 8
    for (std::size_t c = 0; c < n_columns; ++c) {
      V x = hn::LoadU(d, sources[c] + k);
      if constexpr (n_rows > 1) x = in_register(x);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < n_rows; ++r) sum[q][r][c] = hn::MulAdd(t[r], x, sum[q][r][c]);
    }
  };
  std::size_t v = 0;
  for (; v + n_chains <= n_vectors; v += n_chains) {
#pragma GCC unroll 8
    for (std::size_t q = 0; q < n_chains; ++q) accumulate((v + q) * width, q);
  }
  for (; v < n_vectors; ++v) accumulate(v * width, 0);
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t c = 0; c < n_columns; ++c)
      for (std::size_t q = 1; q < n_chains; ++q) sum[0][r][c] = hn::Add(sum[0][r][c], sum[q][r][c]);
    std::size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::CappedTag<float, 4> d4;
    for (; c + 4 <= n_columns; c += 4) {
      float* g = gradient + r * stride + c;
      const V* s = sum[0][r] + c;
      hn::StoreU(hn::Add(hn::LoadU(d4, g), sums_of_four(d, s[0], s[1], s[2], s[3])), d4, g);
    }
#endif
    for (; c < n_columns; ++c)
      gradient[r * stride + c] += hn::GetLane(hn::SumOfLanes(d, sum[0][r][c]));
  }
}

/// Tiles over a list of columns, `widest` at a time, the last ones narrower.
template <std::size_t n_rows, std::size_t widest, class D>
HWY_INLINE void add_tiles(D d, const float* const* targets, const OuterProduct& product,
                          const std::uint32_t* columns, std::size_t n, float* gradient,
                          std::size_t stride) {
  std::size_t k = 0;
  for (; k + widest <= n; k += widest)
    add_tile<n_rows, widest>(d, targets, product, columns + k, gradient + k, stride);
  if constexpr (widest > 1)
    add_tiles<n_rows, widest / 2>(d, targets, product, columns + k, n - k, gradient + k, stride);
}

template <class D>
HWY_INLINE void add_outer_product_with(D d, const OuterProduct& product) {
  const PairedRows& pattern = *product.pattern;
  for (std::size_t p = 0; p < pattern.pairs.size(); ++p) {
    const PairedRows::Pair pair = pattern.pairs[p];
    const float* targets[2] = {product.target.data + 2 * p * product.target.stride,
                               product.target.data + (2 * p + 1) * product.target.stride};
    const std::uint32_t* columns = pattern.columns.data() + pair.first_column;
    float* gradient = product.gradient + pair.first_entry;
    add_tiles<2, 4>(d, targets, product, columns, pair.n_shared, gradient, pair.n_shared);
    columns += pair.n_shared;
    gradient += 2 * pair.n_shared;
    add_tiles<1, 8>(d, targets, product, columns, pair.n_only_first, gradient, 0);
    add_tiles<1, 8>(d, targets + 1, product, columns + pair.n_only_first, pair.n_only_second,
                    gradient + pair.n_only_first, 0);
  }
}

void add_outer_product(const OuterProduct& product) {
  if (product.n_values % 16 == 0) {
    add_outer_product_with(hn::CappedTag<float, 16>(), product);
  } else {
    add_outer_product_with(hn::CappedTag<float, 4>(), product);
  }
}

template <class D>
HWY_INLINE void cross_entropy(D d, const LossStep& s, std::size_t lane) {
  using V = hn::Vec<D>;
  const hn::RebindToSigned<D> di;
  V largest = hn::LoadU(d, s.logits + lane);
  for (std::size_t c = 1; c < s.n_classes; ++c)
    largest = hn::Max(largest, hn::LoadU(d, s.logits + c * s.n_lanes + lane));
  const auto target = hn::LoadU(di, s.targets + lane);
  V total = hn::Zero(d), of_target = hn::Zero(d);
  for (std::size_t c = 0; c < s.n_classes; ++c) {
    const V centred = hn::Sub(hn::LoadU(d, s.logits + c * s.n_lanes + lane), largest);
    const V e = hn::Exp(d, centred);
    total = hn::Add(total, e);
    const auto is_target =
        hn::RebindMask(d, hn::Eq(target, hn::Set(di, static_cast<std::int32_t>(c))));
    of_target = hn::IfThenElse(is_target, centred, of_target);
    hn::StoreU(e, d, s.gradient + c * s.n_lanes + lane);
  }
  const V weight = hn::LoadU(d, s.weights + lane);
  hn::StoreU(hn::Mul(weight, hn::Sub(hn::Log(d, total), of_target)), d, s.loss + lane);
  const V scaled = hn::Mul(weight, hn::Set(d, s.scale));
  const V factor = hn::Div(scaled, total);
  for (std::size_t c = 0; c < s.n_classes; ++c) {
    const std::size_t at = c * s.n_lanes + lane;
    const auto is_target =
        hn::RebindMask(d, hn::Eq(target, hn::Set(di, static_cast<std::int32_t>(c))));
    const V g = hn::Sub(hn::Mul(factor, hn::LoadU(d, s.gradient + at)),
                        hn::IfThenElseZero(is_target, scaled));
    hn::StoreU(g, d, s.gradient + at);
    hn::StoreU(g, d, s.kept.data + c * s.kept.stride + lane);
  }
}

template <class D>
HWY_INLINE void least_squares(D d, const LossStep& s, std::size_t lane) {
  using V = hn::Vec<D>;
  const hn::RebindToSigned<D> di;
  const V weight = hn::LoadU(d, s.weights + lane);
  const V twice = hn::Mul(weight, hn::Set(d, 2.0f * s.scale));
  const auto first_wanted =
      hn::Mul(hn::LoadU(di, s.targets + lane), hn::Set(di, static_cast<std::int32_t>(s.n_classes)));
  V total = hn::Zero(d);
  for (std::size_t c = 0; c < s.n_classes; ++c) {
    const std::size_t at = c * s.n_lanes + lane;
    const V wanted = hn::GatherIndex(d, s.wanted + c, first_wanted);
    const V error = hn::Sub(hn::LoadU(d, s.logits + at), wanted);
    total = hn::MulAdd(error, error, total);
    const V g = hn::Mul(twice, error);
    hn::StoreU(g, d, s.gradient + at);
    hn::StoreU(g, d, s.kept.data + c * s.kept.stride + lane);
  }
  hn::StoreU(hn::Mul(weight, total), d, s.loss + lane);
}

void loss_step(const LossStep& s) {
  for_lanes(s.n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    for (std::size_t v = 0; v < decltype(count)::value; ++v) {
      if (s.wanted) {
        least_squares(d, s, lane + v * hn::Lanes(d));
      } else {
        cross_entropy(d, s, lane + v * hn::Lanes(d));
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
HWY_EXPORT(add_outer_product);
HWY_EXPORT(loss_step);

void forward_step(const ForwardStep& s) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_step)(s);
}
void affine_step(const AffineStep& s) noexcept {
  HWY_DYNAMIC_DISPATCH(affine_step)(s);
}
void backward_step(const BackwardStep& s) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_step)(s);
}
void add_outer_product(const OuterProduct& product) noexcept {
  HWY_DYNAMIC_DISPATCH(add_outer_product)(product);
}
void loss_step(const LossStep& s) noexcept {
  HWY_DYNAMIC_DISPATCH(loss_step)(s);
}

}  // namespace lmrnn::kernels
#endif
