// Communities in weighted undirected graphs.
//
// We do not use igraph: its licence is the GPL, which a wheel of an MIT project cannot include, and
// it has a single global random number generator.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// Symmetric weights >= 0 without self-loops, as neighbour lists; every edge is in two lists.
struct Graph {
  std::vector<std::vector<std::pair<std::uint32_t, double>>> neighbours;

  explicit Graph(std::size_t n) : neighbours(n) {}
  std::size_t n_nodes() const noexcept { return neighbours.size(); }
  /// Adds an undirected edge once; a weight of 0 is no edge.
  void connect(std::uint32_t a, std::uint32_t b, double weight);
  double total_weight() const noexcept;  ///< each edge counted once
};

/// Newman's Q = sum over communities of (w_in / m - (strength / 2m)^2), m the total weight
/// (Newman, PRE 70:056131, 2004). 0 for a graph without edges.
double modularity_of(const Graph& graph, const std::vector<std::uint32_t>& community);

struct Communities {
  std::vector<std::uint32_t> of;  ///< by node, 0 ... n - 1, largest community first
  std::size_t n = 0;
  double modularity = 0;
};

/// Louvain method (Blondel et al., J. Stat. Mech. P10008, 2008): the best result over `n_starts`
/// orders of the nodes.
Communities find_communities(const Graph& graph, std::size_t n_starts, const Key& key);

/// Agreement of two partitions: 1 if equal, about 0 if independent (Hubert & Arabie 1985).
double adjusted_rand(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b);

}  // namespace lmrnn
