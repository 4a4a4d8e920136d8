// Element types in files, and their conversion to those of ArrayData.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lmrnn/files.hpp"

namespace lmrnn {

enum class NumberKind : std::uint8_t { boolean, signed_integer, unsigned_integer, ieee, bfloat };

/// A number in a file: little-endian unless `big_endian`.
struct StoredNumber {
  NumberKind kind;
  std::size_t width;  ///< bytes
  bool big_endian = false;
};

/// The nearest ElementType that holds every value, or nothing if there is none.
std::optional<ElementType> element_type_for(const StoredNumber& stored) noexcept;

/// Product of `shape` and `width`, or nothing if it overflows.
std::optional<std::size_t> bytes_of(std::span<const std::size_t> shape, std::size_t width) noexcept;

/// The array whose elements lie one after another in `raw`. `element_type_for(stored)` must exist
/// and `raw` must have exactly the bytes that the shape needs.
ArrayData convert_elements(const StoredNumber& stored, std::vector<std::size_t> shape,
                           std::span<const std::byte> raw);

/// Throws UsageError, naming `path` and the array, if the bytes of an array do not match its shape,
/// or its name is empty or used twice.
void check_before_writing(const std::filesystem::path& path, const ArrayFile& file);

}  // namespace lmrnn
