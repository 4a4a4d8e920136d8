// Owning aligned buffers and plain views of them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "lmrnn/check.hpp"

namespace lmrnn {

/// Allocates memory aligned to cache lines (and to the widest vector registers).
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, alignment); }
  friend bool operator==(AlignedAllocator, AlignedAllocator) noexcept { return true; }
};

/// A contiguous array whose first element is 64-byte aligned.
template <class T>
using Buffer = std::vector<T, AlignedAllocator<T>>;

/// A row-major view of a contiguous two-dimensional array; does not own the data. Development
/// builds check the indices (lmrnn/check.hpp), here and in View3.
template <class T>
struct LMRNN_CHECKED_TYPE View2 {
  T* data = nullptr;
  std::size_t n0 = 0, n1 = 0;

  T& operator()(std::size_t i, std::size_t j) const noexcept {
    LMRNN_CHECK_INDEX(i, n0, "the first index of a View2 lies outside it");
    LMRNN_CHECK_INDEX(j, n1, "the second index of a View2 lies outside it");
    return data[i * n1 + j];
  }
  T* row(std::size_t i) const noexcept {
    LMRNN_CHECK_INDEX(i, n0, "the row of a View2 lies outside it");
    return data + i * n1;
  }
  std::size_t size() const noexcept { return n0 * n1; }
  bool empty() const noexcept { return data == nullptr; }
};

/// A row-major view of a contiguous three-dimensional array, e.g. (time, unit, trial); does not own
/// the data.
template <class T>
struct LMRNN_CHECKED_TYPE View3 {
  T* data = nullptr;
  std::size_t n0 = 0, n1 = 0, n2 = 0;

  T& operator()(std::size_t i, std::size_t j, std::size_t k) const noexcept {
    LMRNN_CHECK_INDEX(i, n0, "the first index of a View3 lies outside it");
    LMRNN_CHECK_INDEX(j, n1, "the second index of a View3 lies outside it");
    LMRNN_CHECK_INDEX(k, n2, "the third index of a View3 lies outside it");
    return data[(i * n1 + j) * n2 + k];
  }
  T* row(std::size_t i, std::size_t j) const noexcept {
    LMRNN_CHECK_INDEX(i, n0, "the plane of a View3 lies outside it");
    LMRNN_CHECK_INDEX(j, n1, "the row of a View3 lies outside it");
    return data + (i * n1 + j) * n2;
  }
  T* plane(std::size_t i) const noexcept {
    LMRNN_CHECK_INDEX(i, n0, "the plane of a View3 lies outside it");
    return data + i * n1 * n2;
  }
  std::size_t size() const noexcept { return n0 * n1 * n2; }
  bool empty() const noexcept { return data == nullptr; }
};

}  // namespace lmrnn
