// Masks as arguments.
#pragma once

#include <string>

#include "lmrnn/wiring.hpp"
#include "user_array.hpp"

namespace lmrnn::python {

/// A mask from a Mask, an array, or anything that lmrnn.wirings.objects converts (sparse matrices,
/// tables, graphs, tensors, and so on). Messages call it `name`. Throws UsageError.
Mask mask_from_object(const ArrayArgument& given, const std::string& name);

}  // namespace lmrnn::python
