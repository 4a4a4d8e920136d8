#include "analysis/numerics/communities.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "analysis/numerics/numerics.hpp"

namespace lmrnn {
namespace {

// A graph whose nodes may be whole communities.
struct Level {
  std::vector<std::vector<std::pair<std::uint32_t, double>>> neighbours;
  std::vector<double> strength;  // sum of all weights at the node, including those inside it
  double twice_total = 0;
};

Level level_of(const Graph& graph) {
  Level level{graph.neighbours, {}, 0};
  for (const auto& list : graph.neighbours) {
    double s = 0;
    for (const auto& [node, weight] : list) s += weight;
    level.strength.push_back(s);
    level.twice_total += s;
  }
  return level;
}

// Moves each node to the neighbouring community that raises Q most, until no move helps. Returns
// whether anything moved.
bool move_nodes(const Level& level, const std::vector<std::uint32_t>& order,
                std::vector<std::uint32_t>& community) {
  const std::size_t n = level.neighbours.size();
  std::vector<double> total = level.strength;  // strength of each community
  std::vector<double> towards(n, 0);
  bool any = false;
  for (int sweep = 0; sweep < 100; ++sweep) {
    bool moved = false;
    for (const std::uint32_t node : order) {
      const std::uint32_t home = community[node];
      std::vector<std::uint32_t> seen{home};
      for (const auto& [other, weight] : level.neighbours[node]) {
        const std::uint32_t c = community[other];
        if (towards[c] == 0 && c != home) seen.push_back(c);
        towards[c] += weight;
      }
      total[home] -= level.strength[node];
      const double share = level.strength[node] / level.twice_total;
      std::uint32_t best = home;
      double best_gain = towards[home] - total[home] * share;
      for (const std::uint32_t c : seen) {
        const double gain = towards[c] - total[c] * share;
        if (gain > best_gain + 1e-12 * level.twice_total) {
          best = c;
          best_gain = gain;
        }
      }
      total[best] += level.strength[node];
      community[node] = best;
      moved = moved || best != home;
      for (const std::uint32_t c : seen) towards[c] = 0;
    }
    any = any || moved;
    if (!moved) break;
  }
  return any;
}

// Numbers communities 0 ... n - 1 in order of appearance.
std::size_t renumber(std::vector<std::uint32_t>& community) {
  std::map<std::uint32_t, std::uint32_t> names;
  for (std::uint32_t& c : community)
    c = names.emplace(c, static_cast<std::uint32_t>(names.size())).first->second;
  return names.size();
}

Level aggregate(const Level& level, const std::vector<std::uint32_t>& community, std::size_t n) {
  Level up{std::vector<std::vector<std::pair<std::uint32_t, double>>>(n), std::vector<double>(n, 0),
           level.twice_total};
  std::vector<std::map<std::uint32_t, double>> between(n);
  for (std::size_t node = 0; node < community.size(); ++node) {
    const std::uint32_t c = community[node];
    up.strength[c] += level.strength[node];
    for (const auto& [other, weight] : level.neighbours[node])
      if (community[other] != c) between[c][community[other]] += weight;
  }
  for (std::size_t c = 0; c < n; ++c) up.neighbours[c] = {between[c].begin(), between[c].end()};
  return up;
}

std::vector<std::uint32_t> louvain(const Graph& graph, const Key& key) {
  Level level = level_of(graph);
  std::vector<std::uint32_t> result(graph.n_nodes());
  std::iota(result.begin(), result.end(), 0u);
  if (!(level.twice_total > 0)) return result;
  for (std::uint32_t round = 0; round < 50; ++round) {
    std::vector<std::uint32_t> community(level.neighbours.size());
    std::iota(community.begin(), community.end(), 0u);
    Key order = key;
    order.row = key.row * 64 + round;
    const bool moved = move_nodes(level, permutation(community.size(), order), community);
    const std::size_t n = renumber(community);
    for (std::uint32_t& c : result) c = community[c];
    if (!moved || n == community.size()) break;
    level = aggregate(level, community, n);
  }
  return result;
}

}  // namespace

void Graph::connect(std::uint32_t a, std::uint32_t b, double weight) {
  if (weight == 0 || a == b) return;
  neighbours[a].emplace_back(b, weight);
  neighbours[b].emplace_back(a, weight);
}

double Graph::total_weight() const noexcept {
  double sum = 0;
  for (const auto& list : neighbours)
    for (const auto& [node, weight] : list) sum += weight;
  return sum / 2;
}

double modularity_of(const Graph& graph, const std::vector<std::uint32_t>& community) {
  const double m = graph.total_weight();
  if (!(m > 0)) return 0;
  std::map<std::uint32_t, std::pair<double, double>> sums;  // inside (twice), strength
  for (std::size_t a = 0; a < graph.n_nodes(); ++a)
    for (const auto& [b, weight] : graph.neighbours[a]) {
      auto& [inside, strength] = sums[community[a]];
      strength += weight;
      if (community[a] == community[b]) inside += weight;
    }
  double q = 0;
  for (const auto& [c, sum] : sums)
    q += sum.first / (2 * m) - (sum.second / (2 * m)) * (sum.second / (2 * m));
  return q;
}

Communities find_communities(const Graph& graph, std::size_t n_starts, const Key& key) {
  Communities best;
  for (std::size_t s = 0; s < n_starts; ++s) {
    Key start = key;
    start.row = static_cast<std::uint32_t>(s + 1);
    std::vector<std::uint32_t> of = louvain(graph, start);
    const double q = modularity_of(graph, of);
    if (s > 0 && q <= best.modularity + 1e-12) continue;
    best.of = std::move(of);
    best.modularity = q;
  }
  best.n = renumber(best.of);
  std::vector<std::size_t> size(best.n, 0), order(best.n), rank(best.n);
  for (const std::uint32_t c : best.of) ++size[c];
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return size[a] > size[b]; });
  for (std::size_t r = 0; r < order.size(); ++r) rank[order[r]] = r;
  for (std::uint32_t& c : best.of) c = static_cast<std::uint32_t>(rank[c]);
  return best;
}

double adjusted_rand(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  const auto pairs = [](double n) { return n * (n - 1) / 2; };
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> both;
  std::map<std::uint32_t, double> in_a, in_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++both[{a[i], b[i]}];
    ++in_a[a[i]];
    ++in_b[b[i]];
  }
  double together = 0, sum_a = 0, sum_b = 0;
  for (const auto& [key, n] : both) together += pairs(n);
  for (const auto& [key, n] : in_a) sum_a += pairs(n);
  for (const auto& [key, n] : in_b) sum_b += pairs(n);
  const double expected = sum_a * sum_b / pairs(static_cast<double>(a.size()));
  const double most = (sum_a + sum_b) / 2;
  return most == expected ? 1 : (together - expected) / (most - expected);
}

}  // namespace lmrnn
