// f and f' on vectors. Included once per SIMD target, after hwy/foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/steps.hpp"

#if defined(LMRNN_KERNELS_NONLINEARITY_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef LMRNN_KERNELS_NONLINEARITY_INL_HPP
#undef LMRNN_KERNELS_NONLINEARITY_INL_HPP
#else
#define LMRNN_KERNELS_NONLINEARITY_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// max(u, 0), or NaN for NaN, because diverged weights must show in the loss. On some targets, a
// maximum would return its other argument.
template <class D, class V>
HWY_INLINE V relu(D d, V u) {
  return hn::IfThenZeroElse(hn::Lt(u, hn::Zero(d)), u);
}

template <class D, class V>
HWY_INLINE V softplus(D d, V u) {
  // log(1 + e^u) = max(u, 0) + log1p(e^-|u|), which cannot overflow. Exp turns NaN into 0; the
  // other summand keeps it.
  return hn::Add(relu(d, u), hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(u)))));
}

// The nonlinearity is a branch (it always goes the same way) and not a template parameter, because
// the loops around it are large and one copy of them is enough.
template <class D, class V>
HWY_INLINE V rate(Nonlinearity nonlinearity, D d, V u) {
  switch (nonlinearity) {
    case Nonlinearity::relu:
      return relu(d, u);
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

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
