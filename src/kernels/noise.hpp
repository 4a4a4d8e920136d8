// Standard normal numbers in bulk, each a pure function of a key and its index.
//
// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) gives four 32-bit words per block; two
// words give two normals (Box & Muller 1958):
//   u = (w0 / 2 + 1/2) / 2^31,  r = sqrt(-2 log u),  a = (w1 mod 2^29 + 1/2) pi/4 / 2^29,
//   z0 = +-r cos a, z1 = +-r sin a, exchanged or not: the three top bits of w1 choose one of the
//   eight octants of the circle.
// The code uses only operations that IEEE 754 rounds one by one (add, subtract, multiply, square
// root, conversion), never a fused multiply-add, so every SIMD target and the readable twin give
// the same bits. |z| <= 6.7.
//
// The numbers of 16 consecutive blocks are stored word by word, so that vectors of any width up to
// 16 store without shuffling: number 64 g + 16 j + l is normal j of block 16 g + l.
#pragma once

#include <cstdint>
#include <span>

#include "lmrnn/random.hpp"

namespace lmrnn::kernels {

/// Numbers that are computed together; ranges that begin and end at multiples of it are fastest.
constexpr std::uint64_t normals_per_group = 64;

/// out[i] = normal number `first_index + i` of `key`; indices are below 2^34.
void fill_normal(const Key& key, std::uint64_t first_index, std::span<float> out) noexcept;

/// The readable twin: returns the same bits.
void fill_normal_reference(const Key& key, std::uint64_t first_index,
                           std::span<float> out) noexcept;

}  // namespace lmrnn::kernels
