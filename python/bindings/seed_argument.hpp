// Seeds as arguments, with the range and the message of lmrnn/seed.hpp. The casters of nanobind
// would say "incompatible function arguments" and list types.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <string>

#include "lmrnn/error.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn::python {

/// Converts to a Seed, also without the GIL. Throws UsageError for an argument that is no seed.
struct SeedArgument {
  std::int64_t value = -1;
  std::string given;

  operator Seed() const {  // NOLINT: implicit, so that functions can take a Seed
    if (value < 0) refuse_seed("seed", given);
    return {static_cast<std::uint64_t>(value)};
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
    if (given.is_none()) return false;               // left to std::optional
    PyObject* number = PyNumber_Index(given.ptr());  // also accepts NumPy's integers
    if (number != nullptr) {
      value.value = PyLong_AsLongLong(number);  // -1 if it does not fit
      Py_DECREF(number);
    }
    PyErr_Clear();
    if (value.value < 0) value.given = repr(given).c_str();
    return true;
  }
};
