// Pools of uncoupled units built by hand: no training, no synapse between two units.
#pragma once

#include <cstddef>

#include "lmrnn/network.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// A network of relu units with alpha = 1 and autapses only that does task `task` of `battery`.
/// Reach: one integrator (w = 1) per direction. Decision, delayed decision: integrators of the
/// modality that counts, the readout is a Wiener filter that separates the two bumps. Match: leaky
/// units (w = 0.9) remember where the last stimulus was, and pairs of rectified integrators of
/// opposite templates add up to twice as much on match as on non-match. Reach with a memory and
/// int, seq, or both in the same direction: integrators charged by the stimulus are drained at
/// different rates while time counts, and the pattern of those still above zero encodes the elapsed
/// time. Throws UsageError for tasks that no construction covers.
Network hand_made_pool(const Battery& battery, std::size_t task);

/// Whether hand_made_pool has a construction.
bool has_hand_made_pool(const Task& task);

}  // namespace lmrnn
