// Masks as users have them.
#pragma once

#include <string>

#include "lmrnn/wiring.hpp"
#include "user_array.hpp"

namespace lmrnn::python {

/// Whatever can be meant by a mask: a Mask, an array, or what lmrnn.wirings.objects makes one of
/// (sparse matrices, tables, graphs, tensors, and so on). `name` stands for it in messages. Throws
/// UsageError.
Mask mask_from_object(const ArrayArgument& given, const std::string& name);

}  // namespace lmrnn::python
