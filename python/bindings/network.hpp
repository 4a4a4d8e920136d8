// Networks as other bindings see them.
#pragma once

#include <nanobind/nanobind.h>

#include "lmrnn/network.hpp"

namespace lmrnn::python {

const Network& network_of(nanobind::handle object);
nanobind::object wrap_network(Network network, NetworkMetadata metadata);

}  // namespace lmrnn::python
