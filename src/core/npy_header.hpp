// The header of an npy file (numpy.lib.format, versions 1 to 3): magic, version, and a dictionary
// as a Python literal.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmrnn {

/// What the header says about the array.
struct NpyHeader {
  std::string descr;        ///< the element type as written, e.g. "<f4"
  bool structured = false;  ///< descr is a list of fields
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t size = 0;  ///< bytes before the data
};

/// Throws UsageError: "WHERE: not a whole npy array: WHAT; copy or save it again".
[[noreturn]] void refuse_npy(const std::string& where, const std::string& what);

/// `where` names file and entry in messages. Throws UsageError if the bytes do not begin with a
/// header.
NpyHeader read_npy_header(const std::string& where, std::span<const std::byte> bytes);

/// The header of a row-major array, version 1.0.
std::string npy_header(std::string_view descr, std::span<const std::size_t> shape);

}  // namespace lmrnn
