// UsageError is a ValueError, RunError a RuntimeError.
#include "bindings.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::python {

void bind_errors(nb::module_& m) {
  nb::exception<UsageError>(m, "UsageError", PyExc_ValueError).doc() =
      "The request cannot be carried out as written; the message says what, where, and the remedy.";
  nb::exception<RunError>(m, "RunError", PyExc_RuntimeError).doc() =
      "The request was sound but the work failed: a full disk, a training that diverged.";
}

}  // namespace lmrnn::python
