#include "user_array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "lmrnn/error.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

constexpr double whole_within = 1e-6;

// Whether some entries of an array, or of arrays in a list, are masked: asarray drops the mask.
bool has_masked_entries(nb::handle numpy_ma, nb::handle object) {
  if (nb::isinstance(object, numpy_ma.attr("MaskedArray")))
    return nb::cast<bool>(numpy_ma.attr("is_masked")(object));
  if (!nb::isinstance<nb::list>(object) && !nb::isinstance<nb::tuple>(object)) return false;
  return std::ranges::any_of(object,
                             [&](nb::handle item) { return has_masked_entries(numpy_ma, item); });
}

// The array in the machine's byte order, row-major; float16 and long double become types of C++.
nb::object array_of(nb::handle object, const std::string& name) {
  const nb::module_ numpy = nb::module_::import_("numpy");
  if (has_masked_entries(numpy.attr("ma"), object))
    throw UsageError(fmt::format(
        "{}: some of its entries are masked; give array.filled(0), or with the number that you "
        "mean instead of 0",
        name));
  nb::object array;
  try {
    array = numpy.attr("asarray")(object);
  } catch (nb::python_error& error) {
    throw UsageError(fmt::format("{}: not an array ({})", name, nb::str(error.value()).c_str()));
  }
  const nb::object type = array.attr("dtype");
  const auto kind = nb::cast<std::string>(type.attr("kind"));
  if (std::string_view("biuf").find(kind) == std::string_view::npos)
    throw UsageError(
        fmt::format("{}: {} of dtype {}; give an array of bool, whole numbers or floats", name,
                    nb::str(object.type().attr("__name__")).c_str(), nb::str(type).c_str()));
  nb::object wanted = type.attr("newbyteorder")("=");
  const auto width = nb::cast<std::size_t>(type.attr("itemsize"));
  if (kind == "f" && width != 4 && width != 8) wanted = nb::str(width == 2 ? "float32" : "float64");
  return numpy.attr("asarray")(array, wanted, "C");
}

nb::object shaped(auto flat, const UserArray& like) {
  return nb::cast(flat).attr("reshape")(nb::cast(like.shape()));
}

}  // namespace

UserArray::UserArray(nb::handle object, std::string name)
    : array_(array_of(object, name)), name_(std::move(name)) {
  shape_ = nb::cast<std::vector<std::size_t>>(nb::list(array_.attr("shape")));
  for (const std::size_t n : shape_) size_ *= n;
  const nb::object type = array_.attr("dtype");
  kind_ = nb::cast<std::string>(type.attr("kind"))[0];
  width_ = nb::cast<std::size_t>(type.attr("itemsize"));
  data_ =
      reinterpret_cast<const void*>(nb::cast<std::uintptr_t>(array_.attr("ctypes").attr("data")));
}

void UserArray::read(std::size_t first, std::span<double> out) const {
  visit([&](const auto* values) {
    std::transform(values + first, values + first + out.size(), out.begin(),
                   [](auto x) { return static_cast<double>(x); });
  });
}

std::string UserArray::place(std::size_t index, const std::vector<std::string>& axes) const {
  std::vector<std::size_t> at(shape_.size());
  for (std::size_t axis = shape_.size(); axis-- > 0; index /= shape_[axis])
    at[axis] = index % shape_[axis];
  if (axes.size() != at.size()) return fmt::format("[{}]", fmt::join(at, ", "));
  std::vector<std::string> parts;
  for (std::size_t axis = 0; axis < at.size(); ++axis)
    parts.push_back(fmt::format("{} {}", axes[axis], at[axis]));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<float> finite_numbers(const UserArray& array, const Place& place, double least) {
  std::vector<float> result(array.size());
  array.visit([&](const auto* values) {
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<float>(values[i]);
      if (std::isfinite(result[i]) && static_cast<double>(values[i]) >= least) continue;
      throw UsageError(fmt::format("{} is {} at {}; give finite numbers{}", array.name(), values[i],
                                   place(i), least == 0 ? " that are at least 0" : ""));
    }
  });
  return result;
}

std::vector<std::int32_t> whole_numbers(const UserArray& array, std::int64_t least, std::size_t end,
                                        const Place& place) {
  const auto most = static_cast<std::int64_t>(end) - 1;
  std::vector<std::int32_t> result(array.size());
  array.visit([&]<class T>(const T* values) {
    for (std::size_t i = 0; i < result.size(); ++i) {
      bool fits;
      if constexpr (std::is_floating_point_v<T>) {
        const double whole = std::round(static_cast<double>(values[i]));
        fits = std::abs(static_cast<double>(values[i]) - whole) <= whole_within &&
               whole >= static_cast<double>(least) && whole <= static_cast<double>(most);
        if (fits) result[i] = static_cast<std::int32_t>(whole);
      } else {
        fits = std::cmp_greater_equal(values[i], least) && std::cmp_less_equal(values[i], most);
        if (fits) result[i] = static_cast<std::int32_t>(values[i]);
      }
      if (!fits)
        throw UsageError(fmt::format("{} is {} at {}; give whole numbers from {} to {}",
                                     array.name(), values[i], place(i), least, most));
    }
  });
  return result;
}

void bind_user_arrays(nb::module_& m) {
  using namespace nb::literals;
  m.def(
      "_check_seed", [](const SeedArgument& seed) { return Seed(seed).value; }, "seed"_a,
      "The seed as an int. Raises UsageError for what is none.");
  m.def(
      "_finite_numbers",
      [](const ArrayArgument& given, const std::string& name, const std::vector<std::string>& axes,
         double least) {
        const UserArray array(given.object, name);
        std::vector<float> values = finite_numbers(
            array, [&](std::size_t i) { return array.place(i, axes); }, least);
        return shaped(adopt(std::move(values), {array.size()}), array);
      },
      "array"_a, "name"_a, "axes"_a, "least"_a = -std::numeric_limits<double>::infinity(),
      "The array as float32. Raises UsageError, naming the place, for values that are not finite "
      "or below `least`.");
  m.def(
      "_whole_numbers",
      [](const ArrayArgument& given, const std::string& name, const std::vector<std::string>& axes,
         std::size_t end) {
        const UserArray array(given.object, name);
        std::vector<std::int32_t> values =
            whole_numbers(array, 0, end, [&](std::size_t i) { return array.place(i, axes); });
        return shaped(adopt(std::move(values), {array.size()}), array);
      },
      "array"_a, "name"_a, "axes"_a, "end"_a,
      "The array as int32. Raises UsageError, naming the place, for what is not a whole number "
      "within 1e-6, or not in 0 ... end - 1.");
}

Mask mask_from(const UserArray& array) {
  if (array.n_dimensions() != 2)
    throw UsageError(fmt::format("{}: an array of {} dimensions; give (target, source)",
                                 array.name(), array.n_dimensions()));
  const std::size_t n_targets = array.shape()[0], n_sources = array.shape()[1];
  return mask_from_array(
      n_targets, n_sources, array.name(),
      [&](std::size_t target, std::span<double> row) { array.read(target * n_sources, row); });
}

}  // namespace lmrnn::python
