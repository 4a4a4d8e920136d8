// Networks as other bindings see them.
#pragma once

#include <nanobind/nanobind.h>

#include <shared_mutex>

#include "lmrnn/network.hpp"

namespace lmrnn::python {

/// A network that other threads of Python may change. Whoever computes with it without the GIL
/// holds `turns` shared; whoever writes weights holds it alone, and the GIL. It is never waited for
/// with the GIL, so that neither of the two can wait for the other.
struct SharedNetwork {
  const Network& network;
  std::shared_mutex& turns;
};

SharedNetwork network_of(nanobind::handle object);
nanobind::object wrap_network(Network network, NetworkMetadata metadata);

}  // namespace lmrnn::python
