// Seeds as arguments: any whole number that is at least 0, and one message for everything else. The
// casters of nanobind would say "incompatible function arguments" and list types.
#pragma once

#include <fmt/core.h>
#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <string>

#include "lmrnn/error.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn::python {

/// Converts to a Seed, without the GIL if need be; throws UsageError if what was given is none.
struct SeedArgument {
  std::uint64_t value = 0;
  std::string error;

  operator Seed() const {  // NOLINT: an argument is what it stands for
    if (!error.empty()) throw UsageError(error);
    return {value};
  }
};

inline Seed seed_or_zero(const std::optional<SeedArgument>& seed) {
  return seed ? Seed(*seed) : Seed{0};
}

}  // namespace lmrnn::python

template <>
struct nanobind::detail::type_caster<lmrnn::python::SeedArgument> {
  NB_TYPE_CASTER(lmrnn::python::SeedArgument, const_name("int"))

  bool from_python(handle given, std::uint8_t, cleanup_list*) noexcept {
    if (given.is_none()) return false;               // std::optional's business
    PyObject* number = PyNumber_Index(given.ptr());  // NumPy's integers have one, too
    if (number != nullptr) {
      value.value = PyLong_AsUnsignedLongLong(number);
      Py_DECREF(number);
    }
    if (PyErr_Occurred()) {
      PyErr_Clear();
      const char* expected =
          number ? "it must be at least 0 and below 2**64" : "expected a whole number";
      value.error = fmt::format("seed = {}; {}", repr(given).c_str(), expected);
    }
    return true;
  }
};
