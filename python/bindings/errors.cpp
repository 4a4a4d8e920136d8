// UsageError is a ValueError, RunError a RuntimeError.
#include "bindings.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::python {

void bind_errors(nb::module_& m) {
  nb::exception<UsageError>(m, "UsageError", PyExc_ValueError).doc() =
      "An invalid request. The message says what is wrong, where, and how to fix it.";
  nb::exception<RunError>(m, "RunError", PyExc_RuntimeError).doc() =
      "A valid request whose work failed: a full disk, a training that diverged.";
}

}  // namespace lmrnn::python
