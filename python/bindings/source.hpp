// Training data written in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "lmrnn/train.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn::python {

/// The Python object `data` (lmrnn.data.BatchSource) as a source; nullptr for None.
std::shared_ptr<const BatchSource> source_from(nanobind::object data, const StreamConfig& stream);

/// The Python object behind a source that `source_from` made; null for nullptr, or once cleared.
nanobind::handle data_of(const BatchSource* source);
/// Drops that object, for the garbage collector; the source can no longer be used.
void clear_data(const BatchSource* source);

}  // namespace lmrnn::python
