#include "kernels/noise.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/noise.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/dispatch.hpp"
#include "kernels/noise_constants.hpp"

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace bm = box_muller;

// At most 16 lanes: a group is 16 blocks.
using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Floats>;
using Integers = hn::RebindToSigned<Floats>;
using Wide = hn::RepartitionToWide<Words>;
using FloatV = hn::Vec<Floats>;
using WordV = hn::Vec<Words>;
using WideV = hn::Vec<Wide>;

/// Four words of as many Philox blocks as there are wide lanes. Each word is in the low half of its
/// lane; the multiplication ignores the high half.
struct Blocks {
  WideV c0, c1, c2, c3;

  HWY_INLINE void round(WideV key_0, WideV key_1) {
    const Words words;
    const WideV product_0 =
        hn::MulEven(hn::BitCast(words, c0), hn::Set(words, philox::multiplier_0));
    const WideV product_1 =
        hn::MulEven(hn::BitCast(words, c2), hn::Set(words, philox::multiplier_1));
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product_1), c1), key_0);
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product_0), c3), key_1);
    c1 = product_1;
    c3 = product_0;
  }
};

/// Word j of blocks first, first + 1, ..., one per lane.
struct FourWords {
  WordV word[4];
};

HWY_INLINE WordV interleave(WideV even, WideV odd) {
  const Words words;
  return hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(odd)), hn::BitCast(words, even));
}

/// The common part of all blocks of a key, broadcast to vectors once.
struct Place {
  HWY_ALIGN std::uint64_t key_0[philox::n_rounds][8];
  HWY_ALIGN std::uint64_t key_1[philox::n_rounds][8];
  WideV c1, c2, c3;

  HWY_INLINE Place(const std::uint32_t* counter, const std::uint32_t* key)
      : c1(hn::Set(Wide(), counter[0])),
        c2(hn::Set(Wide(), counter[1])),
        c3(hn::Set(Wide(), counter[2])) {
    std::uint32_t k0 = key[0], k1 = key[1];
    for (int r = 0; r < philox::n_rounds; ++r) {
      hn::Store(hn::Set(Wide(), k0), Wide(), key_0[r]);
      hn::Store(hn::Set(Wide(), k1), Wide(), key_1[r]);
      k0 += philox::weyl_0;
      k1 += philox::weyl_1;
    }
  }
};

HWY_INLINE FourWords philox_words(std::uint32_t first, const Place& place) {
  const Wide wide;
  const WideV lanes = hn::Iota(wide, 0);
  const WideV even_index = hn::Add(hn::Set(wide, first), hn::Add(lanes, lanes));
  Blocks even{even_index, place.c1, place.c2, place.c3};
  Blocks odd{hn::Add(even_index, hn::Set(wide, 1)), place.c1, place.c2, place.c3};
  for (int r = 0; r < philox::n_rounds; ++r) {
    const WideV k0 = hn::Load(wide, place.key_0[r]), k1 = hn::Load(wide, place.key_1[r]);
    even.round(k0, k1);
    odd.round(k0, k1);
  }
  return {{interleave(even.c0, odd.c0), interleave(even.c1, odd.c1), interleave(even.c2, odd.c2),
           interleave(even.c3, odd.c3)}};
}

/// Two roundings per term, as in the readable twin, so no fused multiply-add.
template <std::size_t n>
HWY_INLINE FloatV polynomial(const std::array<float, n>& terms, FloatV x) {
  const Floats floats;
  FloatV value = hn::Set(floats, terms[n - 1]);
  for (std::size_t k = n - 1; k-- > 0;)
    value = hn::Add(hn::Mul(value, x), hn::Set(floats, terms[k]));
  return value;
}

HWY_INLINE FloatV to_float(WordV word) {
  return hn::ConvertTo(Floats(), hn::BitCast(Integers(), word));
}

HWY_INLINE FloatV radius(WordV word) {
  const Floats floats;
  const Words words;
  const Integers integers;
  const FloatV v = hn::Add(to_float(hn::ShiftRight<1>(word)), hn::Set(floats, 0.5f));
  const WordV bits = hn::Sub(hn::BitCast(words, v), hn::Set(words, bm::sqrt_half_bits));
  const auto exponent = hn::Sub(hn::ShiftRight<23>(hn::BitCast(integers, bits)),
                                hn::Set(integers, bm::scale_exponent));
  const WordV mantissa =
      hn::Add(hn::And(bits, hn::Set(words, bm::mantissa_bits)), hn::Set(words, bm::sqrt_half_bits));
  const FloatV f = hn::Sub(hn::BitCast(floats, mantissa), hn::Set(floats, 1.0f));
  const FloatV whole =
      hn::Mul(hn::ConvertTo(floats, exponent), hn::Set(floats, bm::minus_two_log_two));
  return hn::Sqrt(hn::Add(whole, hn::Mul(f, polynomial(bm::log_terms, f))));
}

/// x with its sign flipped where the top bit of `sign` is set.
HWY_INLINE FloatV with_sign(FloatV x, WordV sign) {
  const Floats floats;
  const Words words;
  return hn::Xor(x, hn::BitCast(floats, hn::And(sign, hn::Set(words, bm::sign_bit))));
}

/// Stores two vectors of normals from one word for the radius and one for the angle.
HWY_INLINE void store_pair(WordV radius_word, WordV angle_word, float* HWY_RESTRICT out_0,
                           float* HWY_RESTRICT out_1) {
  const Floats floats;
  const Words words;
  const Integers integers;
  const FloatV r = radius(radius_word);
  const FloatV a = hn::Mul(
      hn::Add(to_float(hn::And(angle_word, hn::Set(words, bm::angle_bits))), hn::Set(floats, 0.5f)),
      hn::Set(floats, bm::angle_unit));
  const FloatV a2 = hn::Mul(a, a);
  const FloatV sine = hn::Add(a, hn::Mul(hn::Mul(a, a2), polynomial(bm::sine_terms, a2)));
  const FloatV cosine =
      hn::Add(hn::Set(floats, 1.0f), hn::Mul(a2, polynomial(bm::cosine_terms, a2)));
  // Bit 29, spread over the lane: as a mask, the lane need not be a valid float.
  const auto exchange = hn::MaskFromVec(
      hn::BitCast(floats, hn::ShiftRight<31>(hn::BitCast(integers, hn::ShiftLeft<2>(angle_word)))));
  const FloatV first = hn::IfThenElse(exchange, sine, cosine);
  const FloatV second = hn::IfThenElse(exchange, cosine, sine);
  hn::Store(hn::Mul(r, with_sign(first, angle_word)), floats, out_0);
  hn::Store(hn::Mul(r, with_sign(second, hn::ShiftLeft<1>(angle_word))), floats, out_1);
}

/// Fills whole groups of 64 numbers from group `first_group` on; `out` is aligned to a vector.
void FillGroups(const std::uint32_t* counter, const std::uint32_t* key, std::uint64_t first_group,
                std::size_t n_groups, float* out) {
  const std::size_t width = hn::Lanes(Floats());
  const Place place(counter, key);
  for (std::size_t g = 0; g < n_groups; ++g, out += normals_per_group) {
    const auto first_block = static_cast<std::uint32_t>(16 * (first_group + g));
    for (std::size_t lane = 0; lane < 16; lane += width) {
      const FourWords w = philox_words(first_block + static_cast<std::uint32_t>(lane), place);
      store_pair(w.word[0], w.word[1], out + lane, out + 16 + lane);
      store_pair(w.word[2], w.word[3], out + 32 + lane, out + 48 + lane);
    }
  }
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::kernels {
namespace {

HWY_EXPORT(FillGroups);

/// The words of a key, in the layout of random_bits (src/core/random.cpp).
struct PhiloxPlace {
  std::array<std::uint32_t, 3> counter;  ///< words 1 to 3; word 0 is the block
  std::array<std::uint32_t, 2> key;

  explicit PhiloxPlace(const Key& k)
      : counter{k.row, k.batch,
                (static_cast<std::uint32_t>(k.purpose) << 8) | static_cast<std::uint32_t>(k.split)},
        key{static_cast<std::uint32_t>(k.seed.value),
            static_cast<std::uint32_t>(k.seed.value >> 32)} {}
};

bool is_aligned(const float* p) {
  return reinterpret_cast<std::uintptr_t>(p) % 64 == 0;
}

}  // namespace

void fill_normal(const Key& key, std::uint64_t first_index, std::span<float> out) noexcept {
  const PhiloxPlace place(key);
  alignas(64) std::array<float, normals_per_group> group;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t index = first_index + done;
    const std::size_t left = out.size() - done;
    const std::size_t offset = index % normals_per_group;
    if (offset == 0 && left >= normals_per_group && is_aligned(out.data() + done)) {
      const std::size_t n_groups = left / normals_per_group;
      LMRNN_DISPATCH(FillGroups)
      (place.counter.data(), place.key.data(), index / normals_per_group, n_groups,
       out.data() + done);
      done += n_groups * normals_per_group;
    } else {
      LMRNN_DISPATCH(FillGroups)
      (place.counter.data(), place.key.data(), index / normals_per_group, 1, group.data());
      const std::size_t n = std::min(left, normals_per_group - offset);
      std::copy_n(group.data() + offset, n, out.data() + done);
      done += n;
    }
  }
}

}  // namespace lmrnn::kernels
#endif  // HWY_ONCE
