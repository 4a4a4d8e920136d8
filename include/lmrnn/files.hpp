// Array files, and writing files completely or not at all.
//
// safetensors holds weights (torch, JAX and NumPy read it); npz holds data and masks. HDF5 is
// written for recordings and data sets, and read by Python (lmrnn.wirings). Readers check every
// size against the file before they allocate, and throw UsageError naming file, entry and remedy.
// Writers throw RunError if the disk is full or the path cannot be written, and leave an existing
// file as it was. They throw UsageError for a name that is empty or used twice, or if the bytes of
// an array do not match its shape.
//
// Element types that ElementType lacks are converted to the nearest that holds all their values:
// bool -> u8, int8 and int16 -> i32, uint16 -> u32, float16 and bfloat16 -> f32. Entries of npz
// that are not numbers (labels, pickled objects) are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lmrnn {

enum class ElementType : std::uint8_t { u8, i32, i64, u32, u64, f32, f64 };

std::size_t size_of(ElementType type) noexcept;
std::string_view name_of(ElementType type) noexcept;  ///< "float32", "int64", ...

template <class T>
constexpr ElementType element_type();
template <>
constexpr ElementType element_type<std::uint8_t>() {
  return ElementType::u8;
}
template <>
constexpr ElementType element_type<std::int32_t>() {
  return ElementType::i32;
}
template <>
constexpr ElementType element_type<std::int64_t>() {
  return ElementType::i64;
}
template <>
constexpr ElementType element_type<std::uint32_t>() {
  return ElementType::u32;
}
template <>
constexpr ElementType element_type<std::uint64_t>() {
  return ElementType::u64;
}
template <>
constexpr ElementType element_type<float>() {
  return ElementType::f32;
}
template <>
constexpr ElementType element_type<double>() {
  return ElementType::f64;
}

/// A dense row-major array of any element type and shape.
struct ArrayData {
  ElementType type = ElementType::f32;
  std::vector<std::size_t> shape{};
  std::vector<std::byte> bytes{};

  std::size_t n_elements() const noexcept;

  template <class T>
  static ArrayData of(std::span<const T> values, std::vector<std::size_t> shape);

  /// The elements as T. Throws UsageError if the element type is not T.
  template <class T>
  std::span<const T> as() const;

  /// The elements converted to double, whatever their type.
  std::vector<double> to_doubles() const;
};

/// Named arrays in a fixed order, and text that goes with them.
struct ArrayFile {
  std::vector<std::pair<std::string, ArrayData>> arrays{};
  std::map<std::string, std::string> metadata{};

  const ArrayData* find(std::string_view name) const noexcept;
  /// Throws UsageError, which lists the arrays that exist, if `name` is missing.
  const ArrayData& at(std::string_view name, const std::filesystem::path& path) const;
};

/// Writes to a temporary file next to `path`, syncs it, renames it over `path`, and syncs the
/// directory. Throws RunError (disk full, no permission) and leaves an existing `path` as it was.
void write_file(const std::filesystem::path& path, std::string_view content);

/// The whole file. Throws UsageError if it cannot be read.
std::string read_file(const std::filesystem::path& path);

// The same content always gives the same bytes (entries in the given order, no time stamps).
void write_safetensors(const std::filesystem::path& path, const ArrayFile& file);
ArrayFile read_safetensors(const std::filesystem::path& path);

// Metadata are 0-dimensional strings, as numpy.savez(path, key="text") writes them.
void write_npz(const std::filesystem::path& path, const ArrayFile& file);
ArrayFile read_npz(const std::filesystem::path& path);

/// "layer/weights" is a dataset in a group. Metadata become text attributes of the root group, or
/// of an array ("layer/time@units"). `dimension_names` gives each axis of an array a label and a
/// dimension scale: the array of that name and length in its group or a group around it, or a new
/// one, 0, 1, 2, ...
void write_hdf5(const std::filesystem::path& path, const ArrayFile& file,
                const std::map<std::string, std::vector<std::string>>& dimension_names = {});

/// Reads .npz, .npy or .safetensors, by the ending of the name. The one array of an .npy is named
/// after the file, without the ending. Throws UsageError for another ending; the message gives the
/// command that converts the file.
ArrayFile read_arrays(const std::filesystem::path& path);
/// Writes .npz, .h5/.hdf5 or .safetensors by the ending of the name. Throws UsageError for another
/// ending.
void write_arrays(const std::filesystem::path& path, const ArrayFile& file);

// ---------------------------------------------------------------------------------------------

template <class T>
ArrayData ArrayData::of(std::span<const T> values, std::vector<std::size_t> shape) {
  ArrayData data{element_type<T>(), std::move(shape), {}};
  const auto bytes = std::as_bytes(values);
  data.bytes.assign(bytes.begin(), bytes.end());
  return data;
}

void require_element_type(const ArrayData& data, ElementType wanted);

template <class T>
std::span<const T> ArrayData::as() const {
  require_element_type(*this, element_type<T>());
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace lmrnn
