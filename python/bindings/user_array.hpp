// Arrays as arguments: any dtype, any strides, NumPy arrays or anything that NumPy can convert.
// Every array from Python is converted and checked here, so that no value is silently rounded.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/wiring.hpp"

namespace lmrnn::python {

namespace nb = nanobind;

/// An argument that NumPy converts to an array.
struct ArrayArgument {
  nb::object object;
};

/// The place of an element, from its row-major index: "step 3, channel 2".
using Place = std::function<std::string(std::size_t index)>;

/// A user's array of numbers (bool, integers or floats), row-major. Use it only with the GIL.
class UserArray {
 public:
  /// Messages call it `name`. Throws UsageError if it is not an array of numbers.
  UserArray(nb::handle object, std::string name);

  const std::string& name() const noexcept { return name_; }
  const std::vector<std::size_t>& shape() const noexcept { return shape_; }
  std::size_t n_dimensions() const noexcept { return shape_.size(); }
  std::size_t size() const noexcept { return size_; }

  /// The elements first ... first + out.size() - 1, as doubles.
  void read(std::size_t first, std::span<double> out) const;

  /// Element `index` by its axes: "step 3, channel 2", or "[3, 2]" if `axes` do not name them all.
  std::string place(std::size_t index, const std::vector<std::string>& axes = {}) const;

  /// Calls visit(values) with a pointer of the array's own type.
  template <class Visit>
  void visit(Visit visit) const;

 private:
  nb::object array_;
  std::string name_;
  std::vector<std::size_t> shape_;
  std::size_t size_ = 1;
  char kind_ = 'f';  ///< NumPy's: b, i, u or f
  std::size_t width_ = 0;
  const void* data_ = nullptr;
};

template <class Visit>
void UserArray::visit(Visit visit) const {
  const auto as = [&]<class T>(T) { visit(static_cast<const T*>(data_)); };
  if (kind_ == 'f') return width_ == 4 ? as(float{}) : as(double{});
  if (kind_ == 'b') return as(std::uint8_t{});
  const bool has_sign = kind_ == 'i';
  switch (width_) {
    case 1:
      return has_sign ? as(std::int8_t{}) : as(std::uint8_t{});
    case 2:
      return has_sign ? as(std::int16_t{}) : as(std::uint16_t{});
    case 4:
      return has_sign ? as(std::int32_t{}) : as(std::uint32_t{});
    default:
      return has_sign ? as(std::int64_t{}) : as(std::uint64_t{});
  }
}

/// Finite numbers. Throws UsageError, naming the place, for values that are not, that are too large
/// for float32, or that are below `least`.
std::vector<float> finite_numbers(const UserArray& array, const Place& place,
                                  double least = -std::numeric_limits<double>::infinity());

/// Whole numbers from `least` to `end` - 1: integers, or floats within 1e-6 of one. Throws
/// UsageError, naming the place, for everything else.
std::vector<std::int32_t> whole_numbers(const UserArray& array, std::int64_t least, std::size_t end,
                                        const Place& place);

/// A connectivity mask (target, source). Throws UsageError; see mask_from_array.
Mask mask_from(const UserArray& array);

}  // namespace lmrnn::python

template <>
struct nanobind::detail::type_caster<lmrnn::python::ArrayArgument> {
  NB_TYPE_CASTER(lmrnn::python::ArrayArgument, const_name("numpy.typing.ArrayLike"))

  bool from_python(handle given, std::uint8_t, cleanup_list*) noexcept {
    if (given.is_none()) return false;  // left to std::optional
    value.object = borrow(given);
    return true;
  }
};
