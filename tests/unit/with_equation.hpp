#pragma once
// The same weights under another state equation.
#include <array>
#include <utility>

#include "lmrnn/network.hpp"

namespace lmrnn {

inline constexpr std::array equations{StateEquation::rate, StateEquation::voltage,
                                      StateEquation::leak_inside};

inline Network with_equation(const Network& network, StateEquation equation) {
  Architecture a = network.architecture();
  a.equation = equation;
  Network made(std::move(a));
  made.set_weights(network.parameters());
  return made;
}

}  // namespace lmrnn
