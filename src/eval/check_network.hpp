#pragma once

#include "lmrnn/network.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// Throws UsageError if the network's channels, rules or classes are not the battery's.
void check_network_fits(const Network& network, const Battery& battery);

}  // namespace lmrnn
