// How much memory there is to use.
#pragma once

namespace lmrnn {

/// Bytes that new processes can have: what the kernel calls available, within the limit of this
/// process's control group.
double available_memory();

}  // namespace lmrnn
