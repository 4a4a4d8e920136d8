// The message for arguments that no overload accepts.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

namespace lmrnn::python {

namespace nb = nanobind;

/// An argument that only the second pass over the overloads accepts, the one that converts.
struct SecondPass {};

/// Adds the last overload of `__init__`: it takes anything, and raises the TypeError of
/// lmrnn.calls.refuse, which says what is wrong in the words of the documentation. (Methods are
/// wrapped in Python; a constructor cannot be, since nanobind calls it without looking it up.) It
/// waits for the second pass; in the first, it would take calls whose arguments need converting,
/// such as an int where a float is expected, before the overload that converts them.
template <class Class>
void refuse_other_arguments(Class& bound, const char* name) {
  bound.def(
      "__init__",
      [name](typename Class::Type*, const nb::args& arguments, SecondPass,
             const nb::kwargs& keywords) {
        nb::module_::import_("lmrnn.calls").attr("refuse")(name, arguments, keywords);
      },
      nb::arg("arguments"), nb::arg("_second_pass") = 0, nb::arg("keywords"));
}

}  // namespace lmrnn::python

namespace nanobind::detail {

template <>
struct type_caster<lmrnn::python::SecondPass> {
  NB_TYPE_CASTER(lmrnn::python::SecondPass, const_name("int"))

  bool from_python(handle, std::uint32_t flags, cleanup_list*) noexcept {
    return (flags & static_cast<std::uint32_t>(cast_flags::convert)) != 0;
  }
};

}  // namespace nanobind::detail
