// Development checks: what the library takes for granted about its own indices, sizes and shapes.
//
// Presets `dev`, `sanitize` and `sanitize-thread` turn them on (CMake: -DLMRNN_CHECKS=ON). A check
// that fails is a bug in the library, or in a program that indexes a view: it prints the condition,
// its place and the numbers to stderr and calls abort(). In other builds a check is not evaluated
// and leaves no code behind. What users pass in is checked in every build, and throws.
//
// A program must be compiled as the library was, or View2 and View3 would have two definitions.
// The CMake target lmrnn::lmrnn passes LMRNN_CHECKS on by itself. Where it is set by hand and
// wrongly, the program does not link, since types with checks have other names for the linker
// (LMRNN_CHECKED_TYPE).
#pragma once

#include <cstddef>

#ifdef LMRNN_CHECKS

namespace lmrnn {

/// Prints what failed and aborts. `a` and `b`: the index and its bound, or {0, 0} for none.
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file,
                               int line, std::size_t a = 0, std::size_t b = 0) noexcept;

}  // namespace lmrnn

/// Aborts unless `condition` holds; `message` says what must.
#define LMRNN_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0)   \
               : ::lmrnn::check_failed(#condition, message, __FILE__, __LINE__))
/// Aborts unless index < bound, and prints both.
#define LMRNN_CHECK_INDEX(index, bound, message)                                 \
  ((index) < (bound)                                                             \
       ? static_cast<void>(0)                                                    \
       : ::lmrnn::check_failed(#index " < " #bound, message, __FILE__, __LINE__, \
                               static_cast<std::size_t>(index), static_cast<std::size_t>(bound)))
/// Aborts unless `size` elements fit into `room`, and prints both.
#define LMRNN_CHECK_FITS(size, room, message)                                   \
  ((size) <= (room)                                                             \
       ? static_cast<void>(0)                                                   \
       : ::lmrnn::check_failed(#size " <= " #room, message, __FILE__, __LINE__, \
                               static_cast<std::size_t>(size), static_cast<std::size_t>(room)))
/// Marks a type whose inline members check.
#define LMRNN_CHECKED_TYPE [[gnu::abi_tag("checks")]]

#else

// `sizeof`: the operands count as used and are not evaluated.
#define LMRNN_CHECK(condition, message) static_cast<void>(sizeof((condition) ? 1 : 0))
#define LMRNN_CHECK_INDEX(index, bound, message) static_cast<void>(sizeof((index) < (bound)))
#define LMRNN_CHECK_FITS(size, room, message) static_cast<void>(sizeof((size) <= (room)))
#define LMRNN_CHECKED_TYPE

#endif
