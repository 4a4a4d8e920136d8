// Networks as other bindings see them.
#pragma once

#include <nanobind/nanobind.h>

#include <shared_mutex>

#include "lmrnn/network.hpp"

namespace lmrnn::python {

/// A network that other Python threads may change. A thread that computes with it without the GIL
/// holds `turns` shared; a thread that writes weights holds it alone, and the GIL. No thread waits
/// for `turns` while it holds the GIL, so there is no deadlock.
struct SharedNetwork {
  const Network& network;
  std::shared_mutex& turns;
};

SharedNetwork network_of(nanobind::handle object);
nanobind::object wrap_network(Network network, NetworkMetadata metadata);

}  // namespace lmrnn::python
