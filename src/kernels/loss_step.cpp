#include <algorithm>
#include <cstdint>

#include "kernels/steps.hpp"
#include "lmrnn/check.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/loss_step.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/dispatch.hpp"
#include "kernels/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// f(x), or NaN if x is NaN, because a logit that is NaN must show in the loss. Without this, Exp
// turns it into 0, and the portable target's Log into a finite number.
template <class V>
HWY_INLINE V unless_nan(V x, V f_of_x) {
  return hn::IfThenElse(hn::Eq(x, x), f_of_x, x);
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
    const V e = unless_nan(centred, hn::Exp(d, centred));
    total = hn::Add(total, e);
    const auto is_target =
        hn::RebindMask(d, hn::Eq(target, hn::Set(di, static_cast<std::int32_t>(c))));
    of_target = hn::IfThenElse(is_target, centred, of_target);
    hn::StoreU(e, d, s.gradient + c * s.n_lanes + lane);
  }
  const V weight = hn::LoadU(d, s.weights + lane);
  hn::StoreU(hn::Mul(weight, hn::Sub(unless_nan(total, hn::Log(d, total)), of_target)), d,
             s.loss + lane);
  const V scaled = hn::Mul(weight, hn::Set(d, s.scale));
  const V factor = hn::Div(scaled, total);
  for (std::size_t c = 0; c < s.n_classes; ++c) {
    const std::size_t at = c * s.n_lanes + lane;
    const auto is_target =
        hn::RebindMask(d, hn::Eq(target, hn::Set(di, static_cast<std::int32_t>(c))));
    const V g = hn::Sub(hn::Mul(factor, hn::LoadU(d, s.gradient + at)),
                        hn::IfThenElseZero(is_target, scaled));
    hn::StoreU(g, d, s.gradient + at);
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

HWY_EXPORT(loss_step);

void loss_step(const LossStep& s) noexcept {
  LMRNN_CHECK(is_padded_lanes(s.n_lanes), "a block has 4, 8 or a multiple of 16 lanes");
  LMRNN_CHECK(std::all_of(s.targets, s.targets + s.n_lanes,
                          [&](std::int64_t y) {
                            return y >= 0 && y < static_cast<std::int64_t>(s.n_classes);
                          }),
              "a target is no class");
  LMRNN_DISPATCH(loss_step)(s);
}

}  // namespace lmrnn::kernels
#endif
