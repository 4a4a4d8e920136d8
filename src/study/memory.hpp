// How much memory there is to use.
#pragma once

namespace lmrnn {

/// Bytes available to new processes: what the kernel reports as available, at most what the limit
/// of this process's control group leaves.
double available_memory();

}  // namespace lmrnn
