// UsageError is a ValueError, RunError a RuntimeError.
#include "bindings.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::python {
namespace {

using Part = std::string_view (UsageError::*)() const noexcept;

// Reads the part from the message, so that errors raised in Python have it as well.
void add_part(nb::handle error_type, const char* name, Part part, const char* doc) {
  const nb::object getter = nb::cpp_function(
      [part](nb::handle self) {
        const UsageError error(nb::cast<std::string>(nb::str(self)));
        return std::string((error.*part)());
      },
      nb::name(name), nb::scope(error_type), nb::is_method(), doc);
  const nb::object property = nb::module_::import_("builtins").attr("property");
  nb::setattr(error_type, name, property(getter, nb::none(), nb::none(), doc));
}

}  // namespace

void bind_errors(nb::module_& m) {
  const nb::exception<UsageError> usage_error(m, "UsageError", PyExc_ValueError);
  usage_error.doc() =
      "An invalid request. The message says what is wrong, where, and how to fix it.";
  add_part(usage_error, "where", &UsageError::where, "File and line, key, argument, or empty.");
  add_part(usage_error, "problem", &UsageError::problem, "What is wrong.");
  add_part(usage_error, "remedy", &UsageError::remedy, "What to do about it, or empty.");
  nb::exception<RunError>(m, "RunError", PyExc_RuntimeError).doc() =
      "A valid request whose work failed: a full disk, a training that diverged.";
}

}  // namespace lmrnn::python
