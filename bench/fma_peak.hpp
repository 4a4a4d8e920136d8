// The machine's single-precision peak, measured; "fractions of peak" refer to it.
#pragma once

namespace lmrnn::bench {

/// Floating-point operations per second (a fused multiply-add is two) of one core with the SIMD
/// target in use: independent multiply-adds on registers, no memory. The best of several runs that
/// take `seconds` together.
double fma_peak(double seconds);

}  // namespace lmrnn::bench
