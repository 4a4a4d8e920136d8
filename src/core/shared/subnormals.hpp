// Avoids arithmetic with subnormal numbers, which is slow.
#pragma once

#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace lmrnn {

/// While it exists, this thread takes numbers below 1.2e-38 as 0. States and errors that decay
/// (mostly in networks of autapses) pass through that range, where arithmetic is many times slower.
class FlushSubnormals {
 public:
  FlushSubnormals() noexcept : before_(read()) { write(before_ | flush_bits); }
  ~FlushSubnormals() { write(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__SSE__)
  static constexpr std::uint64_t flush_bits = 0x8040;  // flush to zero, denormals are zero
  static std::uint64_t read() noexcept {
    return _mm_getcsr();
  }
  static void write(std::uint64_t value) noexcept {
    _mm_setcsr(static_cast<std::uint32_t>(value));
  }
#elif defined(__aarch64__)
  static constexpr std::uint64_t flush_bits = 1u << 24;
  static std::uint64_t read() noexcept {
    std::uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(std::uint64_t value) noexcept {
    asm volatile("msr fpcr, %0" ::"r"(value));
  }
#else
  static constexpr std::uint64_t flush_bits = 0;
  static std::uint64_t read() noexcept {
    return 0;
  }
  static void write(std::uint64_t) noexcept {}
#endif
  std::uint64_t before_;
};

}  // namespace lmrnn
