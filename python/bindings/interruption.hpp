// Ctrl-C in calls that have released the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <utility>

namespace lmrnn::python {

/// Asks Python now and then, from the thread that it called, whether Ctrl-C was pressed. What
/// Python's handler raises is kept, so that the work under way can come to an orderly end first.
class Interruption {
 public:
  /// Takes the GIL for a moment.
  bool asked() {
    if (exception_) return true;
    const nanobind::gil_scoped_acquire gil;
    try {
      if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
    } catch (...) {
      exception_ = std::current_exception();
    }
    return exception_ != nullptr;
  }

  /// Any other exception of Python's that is to go the same way.
  void keep(std::exception_ptr exception) { exception_ = std::move(exception); }

  /// With the GIL.
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

 private:
  std::exception_ptr exception_;
};

}  // namespace lmrnn::python
