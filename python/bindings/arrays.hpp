// NumPy arrays from the library's containers, without copies.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace lmrnn::python {

namespace nb = nanobind;

using Shape = std::initializer_list<std::size_t>;

/// An array that owns `values` (a std::vector or Buffer), row-major. T: bool for bytes that are 0
/// or 1, else the type of the values.
template <class T, class Container>
auto adopt_as(Container&& values, Shape shape) {
  auto* owner = new Container(std::move(values));
  const nb::capsule capsule(owner, [](void* p) noexcept { delete static_cast<Container*>(p); });
  return nb::ndarray<nb::numpy, T>(reinterpret_cast<T*>(owner->data()), shape.size(), shape.begin(),
                                   capsule);
}
template <class Container>
auto adopt(Container&& values, Shape shape) {
  return adopt_as<typename Container::value_type>(std::move(values), shape);
}

/// A read-only view of memory that belongs to `owner`, which it keeps alive.
template <class T>
auto view_of(const T* data, Shape shape, nb::handle owner,
             std::initializer_list<std::int64_t> strides = {}) {
  return nb::ndarray<nb::numpy, const T>(data, shape.size(), shape.begin(), owner,
                                         strides.size() ? strides.begin() : nullptr);
}

}  // namespace lmrnn::python
