// The control for locality itself: same degrees, same reciprocal pairs, random places.
//
// Edges are switched as in Maslov & Sneppen, Science 296 (2002): two edges exchange their ends
// unless that would make an autapse or touch an existing synapse. Mutual pairs are switched among
// themselves as undirected edges and one-way synapses among themselves, and no new edge may lie
// between units that are connected in either direction, so that every unit keeps its numbers of
// reciprocal, incoming and outgoing partners. Proposals are symmetric, so the chain converges to
// the uniform distribution over the masks that it can reach, if both kinds move in one chain and
// the number of proposals is fixed beforehand: stopping after a number of accepted ones would
// favour masks that are easy to leave. Length: Milo et al., arXiv cond-mat/0312028, who find 100
// proposals per edge "more than adequate"; we use as many as should move every edge 20 times, and
// at most 100 per edge.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lmrnn/error.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;
using Edge = std::pair<Index, Index>;  // one-way: (target, source); mutual: either order

/// A proposal is accepted if two random places are free; it then moves two edges.
std::uint64_t n_proposals(std::size_t n_units, std::size_t n_edges) noexcept {
  const double n_places = 0.5 * static_cast<double>(n_units) * static_cast<double>(n_units - 1);
  if (static_cast<double>(n_edges) == n_places) return 0;  // nothing can move
  const double free = 1 - static_cast<double>(n_edges) / n_places;
  constexpr double accepted_per_edge = 10, most_per_edge = 100;
  const double per_edge = std::min(most_per_edge, std::ceil(accepted_per_edge / (free * free)));
  return static_cast<std::uint64_t>(per_edge) * n_edges;
}

constexpr std::size_t most_units = 1 << 16;  // 512 MiB of bits

/// Which units are connected, in one direction or both: a symmetric matrix of bits.
class Connected {
 public:
  explicit Connected(const Mask& mask) : n_(mask.n_targets()), bits_((n_ * n_ + 63) / 64, 0) {
    for (std::size_t target = 0; target < n_; ++target)
      for (const Index source : mask.sources_of(target)) {
        set(target, source);
        set(source, target);
      }
  }
  bool operator()(std::size_t a, std::size_t b) const noexcept {
    return (bits_[(a * n_ + b) / 64] >> ((a * n_ + b) % 64)) & 1;
  }
  /// Connects two units that are not connected, or separates two that are.
  void toggle(std::size_t a, std::size_t b) noexcept {
    bits_[(a * n_ + b) / 64] ^= bit(a, b);
    bits_[(b * n_ + a) / 64] ^= bit(b, a);
  }

 private:
  std::uint64_t bit(std::size_t a, std::size_t b) const noexcept {
    return std::uint64_t{1} << ((a * n_ + b) % 64);
  }
  void set(std::size_t a, std::size_t b) noexcept { bits_[(a * n_ + b) / 64] |= bit(a, b); }

  std::size_t n_;
  std::vector<std::uint64_t> bits_;
};

Index scaled(std::uint32_t bits, std::size_t n) noexcept {
  return static_cast<Index>((std::uint64_t{bits} * n) >> 32);
}

/// Exchanges the ends of two edges, if that is allowed.
void try_switch(Edge& first, Edge& second, Connected& connected) {
  const auto [a, b] = first;
  const auto [c, d] = second;
  if (&first == &second || a == d || c == b || connected(a, d) || connected(c, b)) return;
  connected.toggle(a, b);
  connected.toggle(c, d);
  connected.toggle(a, d);
  connected.toggle(c, b);
  std::swap(first.second, second.second);
}

void mix(std::vector<Edge>& mutual, std::vector<Edge>& one_way, std::size_t n_units,
         Connected& connected, Seed seed) {
  const std::size_t n_edges = mutual.size() + one_way.size();
  const std::uint64_t n = n_proposals(n_units, n_edges);
  for (std::uint64_t proposal = 0; proposal < n; ++proposal) {
    const auto bits = random_bits(wiring_key(seed, WiringDraw::shuffle, proposal >> 32),
                                  static_cast<std::uint32_t>(proposal));
    const std::size_t chosen = scaled(bits[0], n_edges);
    const bool is_mutual = chosen < mutual.size();
    std::vector<Edge>& edges = is_mutual ? mutual : one_way;
    Edge& first = edges[is_mutual ? chosen : chosen - mutual.size()];
    Edge& second = edges[scaled(bits[1], edges.size())];
    // A mutual pair has no direction, so either end may come first.
    if (is_mutual && (bits[2] >> 31)) std::swap(second.first, second.second);
    try_switch(first, second, connected);
  }
}

}  // namespace

Mask shuffled_mask(const Mask& mask, Seed seed) {
  if (mask.n_targets() != mask.n_sources())
    throw UsageError(fmt::format("a mask of {} x {} units cannot be shuffled; give a square one",
                                 mask.n_targets(), mask.n_sources()));
  if (mask.n_targets() > most_units)
    throw UsageError(
        fmt::format("a mask of {} units is too large to be shuffled; at most {} can be",
                    mask.n_targets(), most_units));
  std::vector<Edge> mutual, one_way, all;
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (const Index source : mask.sources_of(i)) {
      const auto target = static_cast<Index>(i);
      if (target == source)
        all.emplace_back(target, source);
      else if (!mask.has(source, target))
        one_way.emplace_back(target, source);
      else if (target < source)
        mutual.emplace_back(target, source);
    }
  Connected connected(mask);
  mix(mutual, one_way, mask.n_targets(), connected, seed);

  all.insert(all.end(), one_way.begin(), one_way.end());
  for (const auto& [a, b] : mutual) {
    all.emplace_back(a, b);
    all.emplace_back(b, a);
  }
  return {mask.n_targets(), mask.n_sources(), std::move(all)};
}

Mask make_random(const WiringConfig& config, Seed seed) {
  return shuffled_mask(make_local(config, seed), seed);
}

}  // namespace lmrnn
