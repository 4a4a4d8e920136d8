// Rows to columns.
#pragma once

#include <algorithm>
#include <cstddef>

namespace lmrnn {

/// out[i * out_stride + r] = in[r * in_stride + i] for r < n_rows, i < length.
inline void transpose(const float* in, std::size_t n_rows, std::size_t length,
                      std::size_t in_stride, float* out, std::size_t out_stride) noexcept {
  constexpr std::size_t tile = 8;
  std::size_t r = 0;
  for (; r + tile <= n_rows; r += tile)
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t k = 0; k < tile; ++k)
        out[i * out_stride + r + k] = in[(r + k) * in_stride + i];
  for (; r < n_rows; ++r)
    for (std::size_t i = 0; i < length; ++i) out[i * out_stride + r] = in[r * in_stride + i];
}

}  // namespace lmrnn
