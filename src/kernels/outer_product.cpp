#include <algorithm>

#include "kernels/steps.hpp"
#include "lmrnn/check.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/outer_product.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "kernels/dispatch.hpp"
#include "kernels/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// AVX-512 and NEON have 32 registers: 24 sums, four targets and a source. With 16 registers, there
// is room for eight sums.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr bool many_registers = true;
#else
constexpr bool many_registers = false;
#endif
constexpr std::size_t columns_of_tile = many_registers ? 6 : 2;

#if HWY_TARGET != HWY_SCALAR
/// Per 128-bit block: {sum of a, sum of b, sum of c, sum of e} over the lanes of the block.
template <class D, class V>
HWY_INLINE V block_sums_of_four(D d, V a, V b, V c, V e) {
  const hn::RepartitionToWide<D> d64;
  const V ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const V ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab64 = hn::BitCast(d64, ab), ce64 = hn::BitCast(d64, ce);
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, ab64, ce64)),
                 hn::BitCast(d, hn::InterleaveUpper(d64, ab64, ce64)));
}

/// {sum of a, sum of b, sum of c, sum of e}. Adds within 128-bit blocks first: moves across them
/// are slow if vectors are wider than the hardware's units.
template <class D, class V>
HWY_INLINE auto sums_of_four(D d, V a, V b, V c, V e) {
  const V sums = block_sums_of_four(d, a, b, c, e);
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

/// Adds the sums over lanes of sums[0 ... n) to gradient[0 ... n).
template <std::size_t n, class D, class V>
HWY_INLINE void add_sums(D d, const V* sums, float* gradient) {
  std::size_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::CappedTag<float, 4> d4;
  for (; k + 4 <= n; k += 4)
    hn::StoreU(hn::Add(hn::LoadU(d4, gradient + k),
                       sums_of_four(d, sums[k], sums[k + 1], sums[k + 2], sums[k + 3])),
               d4, gradient + k);
#endif
  for (; k < n; ++k) gradient[k] += hn::GetLane(hn::SumOfLanes(d, sums[k]));
}

/// gradient[c, r] += <target row r, source row columns[c]> for a tile of rows x columns. The sums
/// stay in registers over all steps and lanes.
template <std::size_t n_rows, std::size_t n_columns, class D>
HWY_INLINE void add_tile(D d, const OuterProduct& product, const std::uint32_t* rows,
                         const std::uint32_t* columns, float* gradient) {
  using V = hn::Vec<D>;
  const std::size_t width = hn::Lanes(d), n_lanes = product.n_lanes;
  std::size_t row_at[n_rows], column_at[n_columns];
  for (std::size_t r = 0; r < n_rows; ++r) row_at[r] = rows[r] * n_lanes;
  for (std::size_t c = 0; c < n_columns; ++c) column_at[c] = columns[c] * n_lanes;
  V sum[n_columns][n_rows];
  for (std::size_t c = 0; c < n_columns; ++c)
    for (std::size_t r = 0; r < n_rows; ++r) sum[c][r] = hn::Zero(d);
  for (std::size_t step = 0; step < product.n_steps; ++step) {
    const float* target = product.target[step];
    const float* source = product.source[step];
    for (std::size_t lane = 0; lane < n_lanes; lane += width) {
      V t[n_rows];
#pragma GCC unroll 8
      for (std::size_t r = 0; r < n_rows; ++r)
        t[r] = in_register(hn::LoadU(d, target + row_at[r] + lane));
#pragma GCC unroll 8
      for (std::size_t c = 0; c < n_columns; ++c) {
        V x = hn::LoadU(d, source + column_at[c] + lane);
        if constexpr (n_rows > 1) x = in_register(x);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < n_rows; ++r) sum[c][r] = hn::MulAdd(t[r], x, sum[c][r]);
      }
    }
  }
  add_sums<n_rows * n_columns>(d, sum[0], gradient);
}

#if HWY_TARGET != HWY_SCALAR
/// add_tile for blocks of four lanes: a vector of the widest kind holds the lanes of several rows.
/// The bits are the same as from add_tile.
template <std::size_t n_columns, class D>
HWY_INLINE void add_tile_of_four_lanes(D d4, const OuterProduct& product, const std::uint32_t* rows,
                                       const std::uint32_t* columns, float* gradient) {
  constexpr std::size_t n_lanes = 4, n_rows = RowGroups::width;
  const hn::CappedTag<float, n_lanes * n_rows> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t width = hn::MaxLanes(d), n_parts = n_lanes * n_rows / width;
  std::size_t row_at[n_rows], column_at[n_columns];
  for (std::size_t r = 0; r < n_rows; ++r) row_at[r] = rows[r] * n_lanes;
  for (std::size_t c = 0; c < n_columns; ++c) column_at[c] = columns[c] * n_lanes;
  V sum[n_columns][n_parts];
  for (auto& parts : sum)
    for (V& s : parts) s = hn::Zero(d);
  for (std::size_t step = 0; step < product.n_steps; ++step) {
    const float* target = product.target[step];
    const float* source = product.source[step];
    const auto row = [&](std::size_t r) HWY_ATTR { return hn::LoadU(d4, target + row_at[r]); };
    V t[n_parts];
#pragma GCC unroll 2
    for (std::size_t p = 0; p < n_parts; ++p) {
      const hn::Half<decltype(d)> half;
      const std::size_t r = p * n_rows / n_parts;
      if constexpr (n_parts == 1) {
        t[p] = hn::Combine(d, hn::Combine(half, row(3), row(2)), hn::Combine(half, row(1), row(0)));
      } else {
        t[p] = hn::Combine(d, row(r + 1), row(r));
      }
    }
#pragma GCC unroll 24
    for (std::size_t c = 0; c < n_columns; ++c) {
      const V x = hn::LoadDup128(d, source + column_at[c]);
#pragma GCC unroll 2
      for (std::size_t p = 0; p < n_parts; ++p) sum[c][p] = hn::MulAdd(t[p], x, sum[c][p]);
    }
  }
  // The sums of four columns are (row, column), the gradient is (column, row).
  for (std::size_t c = 0; c < n_columns; c += 4) {
    V sums[n_parts];
    for (std::size_t p = 0; p < n_parts; ++p)
      sums[p] = block_sums_of_four(d, sum[c][p], sum[c + 1][p], sum[c + 2][p], sum[c + 3][p]);
    float* at = gradient + c * n_rows;
    if constexpr (n_parts == 1) {
      alignas(64) constexpr std::int32_t transposed[] = {0, 4, 8,  12, 1, 5, 9,  13,
                                                         2, 6, 10, 14, 3, 7, 11, 15};
      const V by_column = hn::TableLookupLanes(sums[0], hn::SetTableIndices(d, transposed));
      hn::StoreU(hn::Add(hn::LoadU(d, at), by_column), d, at);
    } else {
      const auto add = [&](V two_columns, std::size_t first) HWY_ATTR {
        // Rows 0 and 2; rows 1 and 3.
        const auto even = hn::LowerHalf(d4, two_columns), odd = hn::UpperHalf(d4, two_columns);
        float* to = at + first * n_rows;
        hn::StoreU(hn::Add(hn::LoadU(d4, to), hn::InterleaveLower(d4, even, odd)), d4, to);
        to += n_rows;
        hn::StoreU(hn::Add(hn::LoadU(d4, to), hn::InterleaveUpper(d4, even, odd)), d4, to);
      };
      add(hn::InterleaveLower(d, sums[0], sums[1]), 0);
      add(hn::InterleaveUpper(d, sums[0], sums[1]), 2);
    }
  }
}

#endif

/// Tiles over a list of columns, `widest` columns each, the last ones narrower.
template <std::size_t n_rows, std::size_t widest, class D>
HWY_INLINE void add_tiles(D d, const OuterProduct& product, const std::uint32_t* rows,
                          const std::uint32_t* columns, std::size_t n, float* gradient) {
  std::size_t k = 0;
  for (; k + widest <= n; k += widest)
    add_tile<n_rows, widest>(d, product, rows, columns + k, gradient + k * n_rows);
  if constexpr (widest > 1)
    add_tiles<n_rows, widest == 6 ? 4 : widest / 2>(d, product, rows, columns + k, n - k,
                                                    gradient + k * n_rows);
}

/// Unshared columns, n_columns of each row of a group: `columns` and `gradient` are given per row.
template <std::size_t n_columns, class D>
HWY_INLINE void add_alone(D d, const OuterProduct& product, const std::uint32_t* rows,
                          const std::uint32_t* const* columns, float* const* gradient) {
  using V = hn::Vec<D>;
  constexpr std::size_t n_rows = RowGroups::width;
  const std::size_t width = hn::Lanes(d), n_lanes = product.n_lanes;
  std::size_t row_at[n_rows], column_at[n_rows][n_columns];
  V sum[n_rows][n_columns];
  for (std::size_t r = 0; r < n_rows; ++r) {
    row_at[r] = rows[r] * n_lanes;
    for (std::size_t c = 0; c < n_columns; ++c) {
      column_at[r][c] = columns[r][c] * n_lanes;
      sum[r][c] = hn::Zero(d);
    }
  }
  for (std::size_t step = 0; step < product.n_steps; ++step) {
    const float* target = product.target[step];
    const float* source = product.source[step];
    for (std::size_t lane = 0; lane < n_lanes; lane += width) {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_rows; ++r) {
        const V t = in_register(hn::LoadU(d, target + row_at[r] + lane));
#pragma GCC unroll 8
        for (std::size_t c = 0; c < n_columns; ++c)
          sum[r][c] = hn::MulAdd(t, hn::LoadU(d, source + column_at[r][c] + lane), sum[r][c]);
      }
    }
  }
  for (std::size_t r = 0; r < n_rows; ++r) add_sums<n_columns>(d, sum[r], gradient[r]);
}

/// How many unshared columns to process for all four rows at once: 5, 3 or 0. With few of them in
/// one row, the processor would wait for their sums; with many, the sources of four rows would
/// evict each other from the first cache.
inline std::size_t alone_at_once(const RowGroups::Group& group) {
  if (!many_registers || group.n_rows < RowGroups::width || std::ranges::max(group.n_alone) >= 8)
    return 0;
  const std::size_t least = std::ranges::min(group.n_alone);
  return least >= 5 ? 5 : least >= 3 ? 3 : 0;
}

/// The unshared columns of a group, listed row by row.
template <class D>
HWY_INLINE void add_all_alone(D d, const OuterProduct& product, const RowGroups::Group& group,
                              const std::uint32_t* columns, float* gradient) {
  const std::uint32_t* own_columns[RowGroups::width];
  float* own_gradient[RowGroups::width];
  for (std::size_t r = 0, first = 0; r < group.n_rows; first += group.n_alone[r++]) {
    own_columns[r] = columns + first;
    own_gradient[r] = gradient + first;
  }
  const std::size_t at_once = alone_at_once(group);
  if (at_once == 5) add_alone<5>(d, product, group.rows.data(), own_columns, own_gradient);
  if (at_once == 3) add_alone<3>(d, product, group.rows.data(), own_columns, own_gradient);
  for (std::size_t r = 0; r < group.n_rows; ++r)
    add_tiles<1, 8>(d, product, &group.rows[r], own_columns[r] + at_once,
                    group.n_alone[r] - at_once, own_gradient[r] + at_once);
}

/// The columns that the rows of a group share.
template <class D>
HWY_INLINE void add_shared(D d, const OuterProduct& product, const RowGroups::Group& group,
                           const std::uint32_t* columns, float* gradient) {
#if HWY_TARGET != HWY_SCALAR
  // Only for blocks of four lanes is the widest vector wider than the one in use.
  if constexpr (hn::MaxLanes(D()) == 4 && hn::MaxLanes(hn::CappedTag<float, 16>()) > 4) {
    if (product.n_lanes == 4) {
      constexpr std::size_t n_rows = RowGroups::width, at_once = many_registers ? 16 : 4;
      std::size_t k = 0;
      for (; k + at_once <= group.n_shared; k += at_once)
        add_tile_of_four_lanes<at_once>(d, product, group.rows.data(), columns + k,
                                        gradient + k * n_rows);
      for (; k + 8 <= group.n_shared; k += 8)
        add_tile_of_four_lanes<8>(d, product, group.rows.data(), columns + k,
                                  gradient + k * n_rows);
      for (; k + 4 <= group.n_shared; k += 4)
        add_tile_of_four_lanes<4>(d, product, group.rows.data(), columns + k,
                                  gradient + k * n_rows);
      add_tiles<n_rows, 2>(d, product, group.rows.data(), columns + k, group.n_shared - k,
                           gradient + k * n_rows);
      return;
    }
  }
#endif
  add_tiles<RowGroups::width, columns_of_tile>(d, product, group.rows.data(), columns,
                                               group.n_shared, gradient);
}

/// Entries of a group whose rows have one entry each: four chains of additions in parallel, where
/// add_tile<1, 1> would do one after the other.
template <class D>
HWY_INLINE void add_single_entries(D d, const OuterProduct& product, const std::uint32_t* rows,
                                   const std::uint32_t* columns, float* gradient) {
  using V = hn::Vec<D>;
  constexpr std::size_t n = RowGroups::width;
  const std::size_t width = hn::Lanes(d), n_lanes = product.n_lanes;
  V sum[n];
  for (V& s : sum) s = hn::Zero(d);
  for (std::size_t step = 0; step < product.n_steps; ++step) {
    const float* target = product.target[step];
    const float* source = product.source[step];
    for (std::size_t lane = 0; lane < n_lanes; lane += width) {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n; ++r)
        sum[r] = hn::MulAdd(hn::LoadU(d, target + rows[r] * n_lanes + lane),
                            hn::LoadU(d, source + columns[r] * n_lanes + lane), sum[r]);
    }
  }
  for (std::size_t r = 0; r < n; ++r) gradient[r] += hn::GetLane(hn::SumOfLanes(d, sum[r]));
}

template <class D>
HWY_INLINE void add_outer_product_with(D d, const OuterProduct& product) {
  const auto& groups = product.pattern->groups;
  const std::size_t last = std::min(product.range.last, groups.size());
  for (std::size_t g = product.range.first; g < last; ++g) {
    const RowGroups::Group& group = groups[g];
    const std::uint32_t* columns = product.pattern->columns.data() + group.first_column;
    float* gradient = product.gradient + group.first_entry;
    if (group.single_entries) {
      add_single_entries(d, product, group.rows.data(), columns, gradient);
      continue;
    }
    add_shared(d, product, group, columns, gradient);
    add_all_alone(d, product, group, columns + group.n_shared,
                  gradient + RowGroups::width * group.n_shared);
  }
}

void add_outer_product(const OuterProduct& product) {
  if (product.n_lanes % 16 == 0) {
    add_outer_product_with(hn::CappedTag<float, 16>(), product);
  } else {
    add_outer_product_with(hn::CappedTag<float, 4>(), product);
  }
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {

HWY_EXPORT(add_outer_product);

void add_outer_product(const OuterProduct& product) noexcept {
  LMRNN_CHECK(is_padded_lanes(product.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_DISPATCH(add_outer_product)(product);
}

}  // namespace lmrnn::kernels
#endif
