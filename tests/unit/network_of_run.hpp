#pragma once
// The network that a run starts from, and the one that it ends with.
#include <filesystem>
#include <span>
#include <utility>

#include "lmrnn/evaluate.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {

inline std::span<const float> recurrent_weights(const Network& network) {
  return network.parameters().subspan(network.layout().recurrent, network.layout().n_recurrent);
}

inline Network initial_network(const RunConfig& config) {
  return make_network(config, Battery(config.battery, config.run_seed()));
}

inline Network final_network(const std::filesystem::path& run) {
  return std::move(load_network(find_network(run)).network);
}

}  // namespace lmrnn
