// Arrays and texts as npy, the format of NumPy: a header (npy_header.hpp), then the data.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "lmrnn/files.hpp"

namespace lmrnn {

/// What an npy file holds: numbers, one text, or something that is neither (then both are empty).
struct NpyContent {
  std::optional<ArrayData> numbers;  ///< row-major, even if the file is in Fortran order
  std::optional<std::string> text;   ///< UTF-8, of a 0-dimensional string
  std::string descr;                 ///< the element type as written, e.g. "<f4"
};

/// `where` names file and entry in messages. Throws UsageError if the bytes are not a complete npy.
NpyContent parse_npy(const std::string& where, std::span<const std::byte> bytes);

/// Everything before the data of the array.
std::string npy_header(const ArrayData& data);

/// The one array of an .npy file, named after the file. Throws UsageError.
ArrayFile read_npy(const std::filesystem::path& path);

/// A whole npy of one 0-dimensional unicode string.
std::string npy_of_text(std::string_view utf8);

}  // namespace lmrnn
