// Training data written in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "lmrnn/batches.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn::python {

/// The Python object `data` (lmrnn.data.BatchSource) as a source; nullptr for None.
std::shared_ptr<const BatchSource> source_from(nanobind::object data, const StreamConfig& stream);

}  // namespace lmrnn::python
