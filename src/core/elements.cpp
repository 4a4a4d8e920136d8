#include "core/elements.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

static_assert(std::endian::native == std::endian::little,
              "array files are read and written as little-endian memory");

float from_half(std::uint16_t bits) noexcept {
  const bool negative = bits >> 15;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  float value;
  if (exponent == 31)
    value =
        fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(fraction), -24);
  else
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return negative ? -value : value;
}

float from_bfloat(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

template <class From, class To, class Convert>
void convert_each(std::span<const std::byte> raw, std::vector<std::byte>& out, Convert convert) {
  const std::size_t n = raw.size() / sizeof(From);
  out.resize(n * sizeof(To));
  for (std::size_t i = 0; i < n; ++i) {
    From from;
    std::memcpy(&from, raw.data() + i * sizeof(From), sizeof(From));
    const To to = convert(from);
    std::memcpy(out.data() + i * sizeof(To), &to, sizeof(To));
  }
}

template <class From, class To>
void widen(std::span<const std::byte> raw, std::vector<std::byte>& out) {
  convert_each<From, To>(raw, out, [](From x) { return static_cast<To>(x); });
}

template <class T>
void append_as_doubles(const ArrayData& data, std::vector<double>& out) {
  for (const T x : data.as<T>()) out.push_back(static_cast<double>(x));
}

}  // namespace

std::size_t size_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::u8:
      return 1;
    case ElementType::i32:
    case ElementType::u32:
    case ElementType::f32:
      return 4;
    default:
      return 8;
  }
}

std::string_view name_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::u8:
      return "uint8";
    case ElementType::i32:
      return "int32";
    case ElementType::i64:
      return "int64";
    case ElementType::u32:
      return "uint32";
    case ElementType::u64:
      return "uint64";
    case ElementType::f32:
      return "float32";
    case ElementType::f64:
      return "float64";
  }
  return "?";
}

std::size_t ArrayData::n_elements() const noexcept {
  return bytes.size() / size_of(type);
}

void require_element_type(const ArrayData& data, ElementType wanted) {
  if (data.type != wanted)
    throw UsageError("array of " + std::string(name_of(data.type)) + " where " +
                     std::string(name_of(wanted)) + " is needed; convert it before saving");
}

std::vector<double> ArrayData::to_doubles() const {
  std::vector<double> out;
  out.reserve(n_elements());
  switch (type) {
    case ElementType::u8:
      append_as_doubles<std::uint8_t>(*this, out);
      break;
    case ElementType::i32:
      append_as_doubles<std::int32_t>(*this, out);
      break;
    case ElementType::i64:
      append_as_doubles<std::int64_t>(*this, out);
      break;
    case ElementType::u32:
      append_as_doubles<std::uint32_t>(*this, out);
      break;
    case ElementType::u64:
      append_as_doubles<std::uint64_t>(*this, out);
      break;
    case ElementType::f32:
      append_as_doubles<float>(*this, out);
      break;
    case ElementType::f64:
      append_as_doubles<double>(*this, out);
      break;
  }
  return out;
}

std::optional<ElementType> element_type_for(const StoredNumber& stored) noexcept {
  const std::size_t width = stored.width;
  switch (stored.kind) {
    case NumberKind::boolean:
      if (width == 1) return ElementType::u8;
      break;
    case NumberKind::signed_integer:
      if (width == 1 || width == 2 || width == 4) return ElementType::i32;
      if (width == 8) return ElementType::i64;
      break;
    case NumberKind::unsigned_integer:
      if (width == 1) return ElementType::u8;
      if (width == 2 || width == 4) return ElementType::u32;
      if (width == 8) return ElementType::u64;
      break;
    case NumberKind::ieee:
      if (width == 2 || width == 4) return ElementType::f32;
      if (width == 8) return ElementType::f64;
      break;
    case NumberKind::bfloat:
      if (width == 2) return ElementType::f32;
      break;
  }
  return std::nullopt;
}

std::optional<std::size_t> bytes_of(std::span<const std::size_t> shape,
                                    std::size_t width) noexcept {
  // A zero anywhere makes the product zero, even if the others overflow.
  if (std::ranges::find(shape, 0u) != shape.end()) return 0;
  std::size_t bytes = width;
  for (const std::size_t n : shape)
    if (__builtin_mul_overflow(bytes, n, &bytes)) return std::nullopt;
  return bytes;
}

ArrayData convert_elements(const StoredNumber& stored, std::vector<std::size_t> shape,
                           std::span<const std::byte> raw) {
  ArrayData data{*element_type_for(stored), std::move(shape), {}};
  std::vector<std::byte> swapped;
  if (stored.big_endian && stored.width > 1) {
    swapped.assign(raw.begin(), raw.end());
    for (std::size_t i = 0; i + stored.width <= swapped.size(); i += stored.width)
      std::reverse(swapped.begin() + static_cast<std::ptrdiff_t>(i),
                   swapped.begin() + static_cast<std::ptrdiff_t>(i + stored.width));
    raw = swapped;
  }
  const bool is_signed = stored.kind == NumberKind::signed_integer;
  if (stored.width == size_of(data.type))
    data.bytes.assign(raw.begin(), raw.end());
  else if (stored.kind == NumberKind::ieee)
    convert_each<std::uint16_t, float>(raw, data.bytes, from_half);
  else if (stored.kind == NumberKind::bfloat)
    convert_each<std::uint16_t, float>(raw, data.bytes, from_bfloat);
  else if (is_signed && stored.width == 1)
    widen<std::int8_t, std::int32_t>(raw, data.bytes);
  else if (is_signed)
    widen<std::int16_t, std::int32_t>(raw, data.bytes);
  else
    widen<std::uint16_t, std::uint32_t>(raw, data.bytes);
  return data;
}

void check_before_writing(const std::filesystem::path& path, const ArrayFile& file) {
  std::set<std::string_view> names;
  for (const auto& [name, data] : file.arrays) {
    if (name.empty() || !names.insert(name).second)
      throw UsageError(path.string() + ": array name \"" + name +
                       "\" is empty or used twice; give every array its own name");
    const auto needed = bytes_of(data.shape, size_of(data.type));
    if (needed != data.bytes.size())
      throw UsageError(path.string() + ": array \"" + name + "\" has " +
                       std::to_string(data.bytes.size()) + " bytes, but its shape needs " +
                       (needed ? std::to_string(*needed) : "more than there can be") +
                       "; fix the shape");
  }
}

}  // namespace lmrnn
