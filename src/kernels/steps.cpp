#include "kernels/steps.hpp"

#include <algorithm>

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

/// How many groups ahead a group is prefetched.
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

/// Columns of one row. Long lists take two chains of additions, so that a fused multiply-add need
/// not wait for the one before.
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

/// The columns of a group that its rows do not share.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_unshared(D d, const Term& term, const RowGroups::Group& group,
                             std::size_t n_lanes, std::size_t lane,
                             V (&sum)[n_together][n_vectors]) {
  const float* weights = term.weights + group.first_entry;
  const std::uint32_t* columns = term.pattern->columns.data() + group.first_column;
  const float* source = term.source + lane;
  if (group.single_entries) {
    const std::size_t width = hn::Lanes(d);
#pragma GCC unroll 4
    for (std::size_t r = 0; r < n_together; ++r) {
      const V w = hn::Set(d, weights[r]);
      const float* x = source + columns[r] * n_lanes;
#pragma GCC unroll 2
      for (std::size_t v = 0; v < n_vectors; ++v)
        sum[r][v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), sum[r][v]);
    }
    return;
  }
  if (!group.any_alone) return;
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

/// Adds a term to the sums of the rows of a group.
template <std::size_t n_vectors, class D, class V>
HWY_INLINE void add_term(D d, const Term& term, std::size_t group_index, std::size_t n_lanes,
                         std::size_t lane, V (&sum)[n_together][n_vectors]) {
  const RowGroups::Group& group = term.pattern->groups[group_index];
  if (!group.single_entries)
    add_shared(d, term.weights + group.first_entry,
               term.pattern->columns.data() + group.first_column, group.n_shared,
               term.source + lane, n_lanes, sum);
  add_unshared(d, term, group, n_lanes, lane, sum);
}

/// The sums of the rows of a group: initial values plus terms. Call `get` for one group after the
/// other, with the same arguments.
///
/// Blocks of four lanes would leave most of a wider vector empty, and one group has so few sums
/// that additions would wait for each other. So for these blocks a vector holds the lanes of
/// several rows, and four groups are computed together, ahead of the calls that need them. Each sum
/// is added up in the order of add_term, so the bits are the same.
template <class D, std::size_t n_vectors>
class GroupSums {
 public:
  using V = hn::Vec<D>;

  /// `begin(row, at)`: what the sums of the lanes from `at` on, in (row, lane), start from.
  template <class Begin, class... Terms>
  HWY_INLINE void get(D d, const RowGroups::Group* groups, std::size_t g, std::size_t last,
                      std::size_t n_lanes, std::size_t lane, V (&sum)[n_together][n_vectors],
                      const Begin& begin, const Terms&... terms) {
    if constexpr (several_rows) {
      if (g >= end_) {
        first_ = g;
        end_ = std::min(g + n_at_once, last);
        for (std::size_t i = g; i < end_; ++i)
          for (std::size_t r = 0; r < n_together; ++r)
            hn::StoreU(begin(groups[i].rows[r], groups[i].rows[r] * n_of_block), d,
                       of(i) + r * n_of_block);
        (add(d, terms), ...);
      }
      for (std::size_t r = 0; r < n_together; ++r) sum[r][0] = hn::LoadU(d, of(g) + r * n_of_block);
    } else {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r)
#pragma GCC unroll 2
        for (std::size_t v = 0; v < n_vectors; ++v)
          sum[r][v] =
              begin(groups[g].rows[r], groups[g].rows[r] * n_lanes + lane + v * hn::Lanes(d));
      (add_term(d, terms, g, n_lanes, lane, sum), ...);
    }
  }

 private:
  static constexpr std::size_t n_of_block = 4, n_at_once = 4;
  static constexpr std::size_t n_of_group = n_together * n_of_block;
  // for_lanes uses vectors narrower than the widest only for blocks of four lanes.
  static constexpr std::size_t widest = hn::MaxLanes(hn::CappedTag<float, n_of_group>());
  static constexpr bool several_rows =
      n_vectors == 1 && hn::MaxLanes(D()) == n_of_block && widest > n_of_block;
  static constexpr std::size_t width = several_rows ? widest : n_of_block;

  HWY_INLINE float* of(std::size_t g) {
    return sums_ + (g - first_) * n_of_group;
  }

  HWY_INLINE void add(D d, const Term& term) {
    const RowGroups::Group* groups = term.pattern->groups.data();
    std::size_t common = 0;
    if (end_ == first_ + n_at_once) {
      common = groups[first_].n_shared;
      for (std::size_t g = first_ + 1; g < end_; ++g)
        common = std::min<std::size_t>(common, groups[g].n_shared);
      add_columns<n_at_once>(term, first_, 0, common);
    }
    for (std::size_t g = first_; g < end_; ++g) {
      if (common < groups[g].n_shared) add_columns<1>(term, g, common, groups[g].n_shared);
      if (!groups[g].single_entries && !groups[g].any_alone) continue;
      V sum[n_together][1];
      for (std::size_t r = 0; r < n_together; ++r) sum[r][0] = hn::LoadU(d, of(g) + r * n_of_block);
      add_unshared(d, term, groups[g], n_of_block, 0, sum);
      for (std::size_t r = 0; r < n_together; ++r) hn::StoreU(sum[r][0], d, of(g) + r * n_of_block);
    }
  }

  /// Shared columns [first, last) of n_groups groups from g on.
  template <std::size_t n_groups>
  HWY_INLINE void add_columns(const Term& term, std::size_t g, std::size_t first,
                              std::size_t last) {
    const hn::CappedTag<float, width> d;
    const hn::RebindToUnsigned<decltype(d)> d_index;
    using Wide = hn::Vec<decltype(d)>;
    constexpr std::size_t n_rows = width / n_of_block, n_parts = n_together / n_rows;
    // One load takes the weights of n_rows columns, which are stored as (column, row). An index
    // selects those of one column and of n_rows rows, each once per lane.
    const auto row_of_lane = hn::ShiftRight<2>(hn::Iota(d_index, 0));
    decltype(hn::IndicesFromVec(d, row_of_lane)) index[n_together];
    for (std::size_t i = 0; i < n_together; ++i)
      index[i] = hn::IndicesFromVec(
          d, hn::Add(row_of_lane, hn::Set(d_index, static_cast<std::uint32_t>(i * n_rows))));

    const float* HWY_RESTRICT source = term.source;
    const float* weights[n_groups];
    const std::uint32_t* columns[n_groups];
    Wide sum[n_groups][n_parts];
    for (std::size_t i = 0; i < n_groups; ++i) {
      const RowGroups::Group& group = term.pattern->groups[g + i];
      weights[i] = term.weights + group.first_entry;
      columns[i] = term.pattern->columns.data() + group.first_column;
      for (std::size_t p = 0; p < n_parts; ++p) sum[i][p] = hn::LoadU(d, of(g + i) + p * width);
    }
    // Adds column `c` of those whose weights are in `w`.
    const auto add = [&](std::size_t i, Wide w, std::size_t c, Wide x) HWY_ATTR {
#pragma GCC unroll 2
      for (std::size_t p = 0; p < n_parts; ++p)
        sum[i][p] = hn::MulAdd(hn::TableLookupLanes(w, index[c * n_parts + p]), x, sum[i][p]);
    };
    std::size_t k = first;
    if (n_groups > 1 && last == term.pattern->n_columns) {
      // All columns at once: the groups have them at the same positions.
      for (; k + n_rows <= last; k += n_rows) {
        Wide w[n_groups];
        for (std::size_t i = 0; i < n_groups; ++i) w[i] = hn::LoadU(d, weights[i] + n_together * k);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < n_rows; ++c) {
          const Wide x = in_register(hn::LoadDup128(d, source + (k + c) * n_of_block));
#pragma GCC unroll 4
          for (std::size_t i = 0; i < n_groups; ++i) add(i, w[i], c, x);
        }
      }
    }
    for (; k + n_rows <= last; k += n_rows) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < n_groups; ++i) {
        const Wide w = hn::LoadU(d, weights[i] + n_together * k);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < n_rows; ++c)
          add(i, w, c, hn::LoadDup128(d, source + columns[i][k + c] * n_of_block));
      }
    }
    for (; k < last; ++k) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < n_groups; ++i)
        add(i, hn::LoadDup128(d, weights[i] + n_together * k), 0,
            hn::LoadDup128(d, source + columns[i][k] * n_of_block));
    }
    for (std::size_t i = 0; i < n_groups; ++i)
      for (std::size_t p = 0; p < n_parts; ++p) hn::StoreU(sum[i][p], d, of(g + i) + p * width);
  }

  alignas(64) float sums_[several_rows ? n_at_once * n_of_group : 1];
  std::size_t first_ = 0, end_ = 0;
};

/// Offsets of the rows of a group, at lane `lane`.
struct RowsAt {
  std::size_t at[n_together];
  HWY_INLINE RowsAt(const RowGroups::Group& group, std::size_t n_lanes, std::size_t lane) {
    for (std::size_t r = 0; r < n_together; ++r) at[r] = group.rows[r] * n_lanes + lane;
  }
};

/// How the sums of a group become states. `plain`: ReLU units without a leak. `rate`: f, then the
/// leak. `blended`: f after the leak, with or without a voltage.
enum class Finish { plain, rate, blended };

HWY_INLINE Finish finish_of(StateEquation equation, Nonlinearity nonlinearity, float alpha) {
  if (equation != StateEquation::rate) return Finish::blended;
  return nonlinearity == Nonlinearity::relu && alpha == 1.0f ? Finish::plain : Finish::rate;
}

/// Calls body(d, std::integral_constant<std::size_t, n_vectors>, first_lane,
/// std::integral_constant<Finish, finish>) until all lanes are covered.
template <class Body>
HWY_INLINE void for_lanes_finished(std::size_t n_lanes, Finish finish, Body&& body) {
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    if (finish == Finish::plain) {
      body(d, count, lane, std::integral_constant<Finish, Finish::plain>());
    } else if (finish == Finish::rate) {
      body(d, count, lane, std::integral_constant<Finish, Finish::rate>());
    } else {
      body(d, count, lane, std::integral_constant<Finish, Finish::blended>());
    }
  });
}

/// All groups of a range, for n_vectors vectors of lanes. Copies what the loop needs from the step
/// first, because the compiler must assume that storing states may change anything.
template <Finish finish, std::size_t n_vectors, class D>
HWY_INLINE void forward_groups(D d, const ForwardStep& s, std::size_t lane) {
  using V = hn::Vec<D>;
  const std::size_t width = hn::Lanes(d), n_lanes = s.n_lanes;
  const RowGroups::Group* HWY_RESTRICT groups = s.recurrent.pattern->groups.data();
  const std::size_t last = std::min(s.range.last, s.recurrent.pattern->groups.size());
  const Term recurrent = s.recurrent;
  const float* HWY_RESTRICT drive = s.drive;
  const float* previous = s.previous;
  float* HWY_RESTRICT state = s.state;
  float* HWY_RESTRICT voltage = s.voltage;
  const float* blended_with = voltage ? voltage : previous;
  const Nonlinearity nonlinearity = s.nonlinearity;
  const bool leaky = s.alpha != 1.0f;
  const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
  const auto begin = [&](std::size_t, std::size_t at) HWY_ATTR { return hn::LoadU(d, drive + at); };
  GroupSums<D, n_vectors> sums;
  for (std::size_t g = s.range.first; g < last; ++g) {
    if (g + groups_ahead < last)
      prefetch_rows(state, groups[g + groups_ahead].rows.data(), n_together, n_lanes, lane,
                    n_vectors * width);
    const RowsAt rows(groups[g], n_lanes, lane);
    V sum[n_together][n_vectors];
    sums.get(d, groups, g, last, n_lanes, lane, sum, begin, recurrent);
    const std::size_t n_rows = groups[g].n_rows;
#pragma GCC unroll 4
    for (std::size_t r = 0; r < n_together; ++r) {
      if (r >= n_rows) break;
#pragma GCC unroll 2
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const std::size_t at = rows.at[r] + v * width;
        if constexpr (finish == Finish::plain) {
          hn::StoreU(relu(d, sum[r][v]), d, state + at);
        } else if constexpr (finish == Finish::blended) {
          V x = sum[r][v];
          if (leaky) x = hn::MulAdd(alpha, x, hn::Mul(leak, hn::LoadU(d, blended_with + at)));
          if (voltage) hn::StoreU(x, d, voltage + at);
          hn::StoreU(rate(nonlinearity, d, x), d, state + at);
        } else {
          V h = rate(nonlinearity, d, sum[r][v]);
          if (leaky) h = hn::MulAdd(alpha, h, hn::Mul(leak, hn::LoadU(d, previous + at)));
          hn::StoreU(h, d, state + at);
        }
      }
    }
  }
}

void forward_step(const ForwardStep& s) {
  const Finish finish = finish_of(s.equation, s.nonlinearity, s.alpha);
  for_lanes_finished(s.n_lanes, finish,
                     [&](auto d, auto count, std::size_t lane, auto how) HWY_ATTR {
                       forward_groups<decltype(how)::value, decltype(count)::value>(d, s, lane);
                     });
}

void rate_step(const RateStep& s) {
  for_lanes(s.n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    const std::size_t width = hn::Lanes(d);
    for (std::size_t row = 0; row < s.n_rows; ++row)
      for (std::size_t v = 0; v < decltype(count)::value; ++v) {
        const std::size_t at = row * s.n_lanes + lane + v * width;
        hn::StoreU(rate(s.nonlinearity, d, hn::LoadU(d, s.voltage + at)), d, s.rate + at);
      }
  });
}

std::size_t lanes_at_once() {
  return std::max<std::size_t>(8, 2 * hn::Lanes(hn::CappedTag<float, 16>()));
}

void affine_step(const AffineStep& s) {
  const std::size_t n_lanes = s.n_lanes;
  const auto& groups = s.term.pattern->groups;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    const auto begin = [&](std::size_t row, std::size_t)
                           HWY_ATTR { return hn::Set(d, s.offset[row]); };
    GroupSums<decltype(d), n_vectors> sums;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      V sum[n_together][n_vectors];
      sums.get(d, groups.data(), g, groups.size(), n_lanes, lane, sum, begin, s.term);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r) {
        if (r >= groups[g].n_rows) break;
        for (std::size_t v = 0; v < n_vectors; ++v)
          hn::StoreU(sum[r][v], d, s.output + groups[g].rows[r] * n_lanes + lane + v * width);
      }
    }
  });
}

/// Columns [first, last) of a row with `n` unshared columns, in the order of add_alone.
template <std::size_t n_vectors, class D>
HWY_INLINE void add_alone_part(D d, const AffinePart& part, const float* HWY_RESTRICT weights,
                               std::size_t row, std::size_t lane) {
  using V = hn::Vec<D>;
  constexpr std::size_t n_chains = 4 / n_vectors;
  const AffineStep& s = part.whole;
  const std::size_t width = hn::Lanes(d), n_lanes = s.n_lanes, n = s.term.pattern->n_columns;
  const bool in_chains = n >= 4 * n_chains, begins = part.first == 0;
  float* output = s.output + row * n_lanes + lane;
  V sum[n_chains][n_vectors];
  const auto chain_at = [&](std::size_t c)
                            HWY_ATTR { return part.chains + (row * 3 + c - 1) * n_lanes + lane; };
  for (std::size_t v = 0; v < n_vectors; ++v) {
    sum[0][v] = begins ? hn::Set(d, s.offset[row]) : hn::LoadU(d, output + v * width);
    for (std::size_t c = 1; c < n_chains; ++c)
      sum[c][v] = begins ? hn::Zero(d) : hn::LoadU(d, chain_at(c) + v * width);
  }
  const auto add = [&](std::size_t k, V* chain) HWY_ATTR {
    const V w = hn::Set(d, weights[k]);
    const float* x = s.term.source + k * n_lanes + lane;
#pragma GCC unroll 2
    for (std::size_t v = 0; v < n_vectors; ++v)
      chain[v] = hn::MulAdd(w, hn::LoadU(d, x + v * width), chain[v]);
  };
  std::size_t k = part.first;
  if (in_chains) {
    for (; k + n_chains <= part.last; k += n_chains) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < n_chains; ++c) add(k + c, sum[c]);
    }
    for (std::size_t c = 1; c < n_chains; ++c)
      for (std::size_t v = 0; v < n_vectors; ++v) {
        if (part.last == n) {
          sum[0][v] = hn::Add(sum[0][v], sum[c][v]);
        } else {
          hn::StoreU(sum[c][v], d, chain_at(c) + v * width);
        }
      }
  }
  for (; k < part.last; ++k) add(k, sum[0]);
  for (std::size_t v = 0; v < n_vectors; ++v) hn::StoreU(sum[0][v], d, output + v * width);
}

void affine_part(const AffinePart& part) {
  const AffineStep& s = part.whole;
  const std::size_t n_lanes = s.n_lanes, n_columns = s.term.pattern->n_columns;
  for_lanes(n_lanes, [&](auto d, auto count, std::size_t lane) HWY_ATTR {
    constexpr std::size_t n_vectors = decltype(count)::value;
    using V = hn::Vec<decltype(d)>;
    const std::size_t width = hn::Lanes(d);
    for (const RowGroups::Group& group : s.term.pattern->groups) {
      const float* weights = s.term.weights + group.first_entry;
      if (group.n_shared == 0) {
        for (std::size_t r = 0; r < group.n_rows; ++r)
          add_alone_part<n_vectors>(d, part, weights + r * n_columns, group.rows[r], lane);
        continue;
      }
      V sum[n_together][n_vectors];
      for (std::size_t r = 0; r < n_together; ++r)
        for (std::size_t v = 0; v < n_vectors; ++v)
          sum[r][v] = part.first == 0
                          ? hn::Set(d, s.offset[group.rows[r]])
                          : hn::LoadU(d, s.output + group.rows[r] * n_lanes + lane + v * width);
      add_shared(d, weights + n_together * part.first,
                 s.term.pattern->columns.data() + group.first_column + part.first,
                 part.last - part.first, s.term.source + lane, n_lanes, sum);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < n_together; ++r) {
        if (r >= group.n_rows) break;
        for (std::size_t v = 0; v < n_vectors; ++v)
          hn::StoreU(sum[r][v], d, s.output + group.rows[r] * n_lanes + lane + v * width);
      }
    }
  });
}

/// Like forward_groups.
template <Finish finish, std::size_t n_vectors, class D>
HWY_INLINE void backward_groups(D d, const BackwardStep& s, std::size_t lane) {
  using V = hn::Vec<D>;
  const std::size_t width = hn::Lanes(d), n_lanes = s.n_lanes;
  const RowGroups::Group* HWY_RESTRICT groups = s.recurrent.pattern->groups.data();
  const std::size_t last = std::min(s.range.last, s.recurrent.pattern->groups.size());
  const Term recurrent = s.recurrent, readout = s.readout;
  const float *state = s.state, *previous = s.previous, *penalty = s.penalty;
  float *delta_out = s.delta, *carry = s.carry;
  const Nonlinearity nonlinearity = s.nonlinearity;
  const bool leaky = s.alpha != 1.0f;
  const V alpha = hn::Set(d, s.alpha), leak = hn::Set(d, 1.0f - s.alpha);
  const V inverse_alpha = hn::Set(d, 1.0f / s.alpha);
  // The gradients in the sum are with respect to what other units see: the rate, if there is a
  // voltage.
  const bool is_voltage = finish == Finish::blended && s.equation == StateEquation::voltage;
  const float* carried = is_voltage ? nullptr : carry;
  const auto begin = [&](std::size_t, std::size_t at)
                         HWY_ATTR { return carried ? hn::LoadU(d, carried + at) : hn::Zero(d); };
  GroupSums<D, n_vectors> sums;
  for (std::size_t g = s.range.first; g < last; ++g) {
    if (g + groups_ahead < last)
      prefetch_rows(previous, groups[g + groups_ahead].rows.data(), n_together, n_lanes, lane,
                    n_vectors * width);
    const RowsAt rows(groups[g], n_lanes, lane);
    V sum[n_together][n_vectors];
    sums.get(d, groups, g, last, n_lanes, lane, sum, begin, readout, recurrent);
    const std::size_t n_rows = groups[g].n_rows;
#pragma GCC unroll 4
    for (std::size_t r = 0; r < n_together; ++r) {
      if (r >= n_rows) break;
#pragma GCC unroll 2
      for (std::size_t v = 0; v < n_vectors; ++v) {
        const std::size_t at = rows.at[r] + v * width;
        V g_now = sum[r][v];
        const V h = hn::LoadU(d, state + at);
        if (penalty) g_now = hn::MulAdd(hn::LoadU(d, penalty + lane + v * width), h, g_now);
        if constexpr (finish == Finish::plain) {
          hn::StoreU(hn::IfThenElseZero(hn::Gt(h, hn::Zero(d)), g_now), d, delta_out + at);
          continue;
        }
        if constexpr (finish == Finish::blended) {
          V q = slope_times(nonlinearity, d, h, g_now);
          if (is_voltage && carry) q = hn::Add(q, hn::LoadU(d, carry + at));
          if (leaky) {
            hn::StoreU(hn::Mul(leak, q), d, carry + at);
            q = hn::Mul(alpha, q);
          }
          hn::StoreU(q, d, delta_out + at);
          continue;
        }
        V f = h, factor = g_now;
        if (leaky) {
          // The same rounded product as in the forward step, so that f is exactly 0 where it was.
          const V kept = hn::Mul(leak, hn::LoadU(d, previous + at));
          f = hn::Mul(hn::Sub(h, kept), inverse_alpha);
          factor = hn::Mul(alpha, g_now);
          hn::StoreU(hn::Mul(leak, g_now), d, carry + at);
        }
        hn::StoreU(slope_times(nonlinearity, d, f, factor), d, delta_out + at);
      }
    }
  }
}

void backward_step(const BackwardStep& s) {
  const Finish finish = finish_of(s.equation, s.nonlinearity, s.alpha);
  for_lanes_finished(s.n_lanes, finish,
                     [&](auto d, auto count, std::size_t lane, auto how) HWY_ATTR {
                       backward_groups<decltype(how)::value, decltype(count)::value>(d, s, lane);
                     });
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {

HWY_EXPORT(lanes_at_once);
HWY_EXPORT(forward_step);
HWY_EXPORT(rate_step);
HWY_EXPORT(affine_step);
HWY_EXPORT(affine_part);
HWY_EXPORT(backward_step);

std::size_t lanes_at_once() noexcept {
  return LMRNN_DISPATCH(lanes_at_once)();
}
void forward_step(const ForwardStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(s.state != s.previous && s.state != s.recurrent.source, "the state is overwritten");
  LMRNN_CHECK((s.voltage != nullptr) == (s.equation == StateEquation::voltage),
              "the voltage form, and no other, has a voltage");
  LMRNN_DISPATCH(forward_step)(s);
}
void rate_step(const RateStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_DISPATCH(rate_step)(s);
}
void affine_step(const AffineStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_DISPATCH(affine_step)(s);
}
void affine_part(const AffinePart& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.whole.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(s.whole.term.pattern->has_whole_rows(), "a row lacks columns");
  LMRNN_CHECK_FITS(s.last, s.whole.term.pattern->n_columns, "a part has too many columns");
  LMRNN_CHECK(s.first % 4 == 0 && (s.last % 4 == 0 || s.last == s.whole.term.pattern->n_columns),
              "a part that is not the last begins and ends at multiples of 4");
  LMRNN_DISPATCH(affine_part)(s);
}
void backward_step(const BackwardStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(s.delta != s.recurrent.source, "the later step's delta is overwritten");
  LMRNN_CHECK(s.carry != nullptr || s.alpha == 1.0f, "units that leak need a carry");
  LMRNN_DISPATCH(backward_step)(s);
}

}  // namespace lmrnn::kernels
#endif
