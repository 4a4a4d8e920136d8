// What happens to arguments that no overload takes.
#pragma once

#include <nanobind/nanobind.h>

namespace lmrnn::python {

namespace nb = nanobind;

/// Adds the last overload of `__init__`: it takes anything, and raises the TypeError of
/// lmrnn.calls.refuse, which says what is wrong in the words of the documentation. (Methods are
/// wrapped in Python; a constructor cannot be, since nanobind calls it without looking it up.)
template <class Class>
void refuse_other_arguments(Class& bound, const char* name) {
  bound.def("__init__",
            [name](typename Class::Type*, const nb::args& arguments, const nb::kwargs& keywords) {
              nb::module_::import_("lmrnn.calls").attr("refuse")(name, arguments, keywords);
            });
}

}  // namespace lmrnn::python
