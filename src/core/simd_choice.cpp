#include "core/simd_choice.hpp"

namespace lmrnn {
namespace {

thread_local std::int64_t chosen = 0;

}  // namespace

std::int64_t simd_of_thread() noexcept {
  return chosen;
}
void set_simd_of_thread(std::int64_t target) noexcept {
  chosen = target;
}

}  // namespace lmrnn
