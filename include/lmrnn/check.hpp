// Development checks: assertions about the library's own indices, sizes and shapes.
//
// Presets `dev`, `sanitize` and `sanitize-thread` turn them on (CMake: -DLMRNN_CHECKS=ON). A failed
// check is a bug in the library, or in a program that indexes a view. It prints the condition, its
// file and line and the numbers to stderr and calls abort(). In other builds checks are not
// evaluated and generate no code. Values that users pass in are checked in every build, and throw.
//
// Compile a program with the same setting as the library; otherwise View2 and View3 would have two
// definitions. The CMake target lmrnn::lmrnn sets LMRNN_CHECKS for you. If you set it by hand and
// it differs, the program does not link, because types with checks have other linker names
// (LMRNN_CHECKED_TYPE).
#pragma once

#include <cstddef>

#ifdef LMRNN_CHECKS

namespace lmrnn {

/// Prints what failed and aborts. `a` and `b`: the index and its bound, or 0 and 0 for none.
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file,
                               int line, std::size_t a = 0, std::size_t b = 0) noexcept;

}  // namespace lmrnn

/// Aborts unless `condition` holds, and prints `message`.
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
/// Marks a type whose inline members contain checks.
#define LMRNN_CHECKED_TYPE [[gnu::abi_tag("checks")]]

#else

// `sizeof`: the operands count as used but are not evaluated.
#define LMRNN_CHECK(condition, message) static_cast<void>(sizeof((condition) ? 1 : 0))
#define LMRNN_CHECK_INDEX(index, bound, message) static_cast<void>(sizeof((index) < (bound)))
#define LMRNN_CHECK_FITS(size, room, message) static_cast<void>(sizeof((size) <= (room)))
#define LMRNN_CHECKED_TYPE

#endif
