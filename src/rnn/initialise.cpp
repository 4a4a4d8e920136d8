// Initial weights; lmrnn/network.hpp describes each scheme.
#include <Spectra/GenEigsSolver.h>
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <exception>
#include <optional>
#include <vector>

#include "lmrnn/error.hpp"
#include "lmrnn/network.hpp"

namespace lmrnn {
namespace {

/// W in the form that Spectra needs: a matrix-vector product over the existing synapses.
class RecurrentProduct {
 public:
  using Scalar = double;
  RecurrentProduct(const Mask& mask, std::span<const float> weights)
      : mask_(mask), weights_(weights) {}
  Eigen::Index rows() const { return static_cast<Eigen::Index>(mask_.n_targets()); }
  Eigen::Index cols() const { return rows(); }
  void perform_op(const double* x, double* y) const {
    std::size_t k = 0;
    for (std::size_t i = 0; i < mask_.n_targets(); ++i) {
      y[i] = 0;
      for (const std::uint32_t j : mask_.sources_of(i)) y[i] += double{weights_[k++]} * x[j];
    }
  }

 private:
  const Mask& mask_;
  std::span<const float> weights_;
};

double largest_modulus(const auto& eigenvalues) {
  double largest = 0;
  for (const std::complex<double> z : eigenvalues) largest = std::max(largest, std::abs(z));
  return largest;
}

/// Whether some path of synapses leads from a unit back to it. If none does, every eigenvalue is 0,
/// but because of rounding, solvers find others or fail.
bool has_cycle(const Mask& mask) {
  const std::size_t n = mask.n_targets();
  std::vector<std::size_t> n_targets_left(n, 0);  // synapses of a unit onto units not yet taken out
  for (const std::uint32_t source : mask.sources()) ++n_targets_left[source];
  std::vector<std::uint32_t> taken_out;
  for (std::uint32_t i = 0; i < n; ++i)
    if (n_targets_left[i] == 0) taken_out.push_back(i);
  for (std::size_t k = 0; k < taken_out.size(); ++k)
    for (const std::uint32_t source : mask.sources_of(taken_out[k]))
      if (--n_targets_left[source] == 0) taken_out.push_back(source);
  return taken_out.size() < n;
}

/// The radius by iteration; nothing if it does not converge, e.g. if too many eigenvalues lie near
/// the edge of the spectrum.
std::optional<double> radius_by_iteration(const Mask& mask, std::span<const float> weights) {
  RecurrentProduct product(mask, weights);
  Spectra::GenEigsSolver<RecurrentProduct> solver(product, 6, 60);
  // A fixed start, so that the same seed gives the same bits.
  const Eigen::VectorXd start = Eigen::VectorXd::LinSpaced(product.rows(), 0.5, 1.5);
  try {
    solver.init(start.data());
    solver.compute(Spectra::SortRule::LargestMagn, 2000, 1e-8);
  } catch (const std::exception&) {
    return std::nullopt;  // the Krylov space has too few dimensions, e.g. with few synapses
  }
  if (solver.info() != Spectra::CompInfo::Successful) return std::nullopt;
  return largest_modulus(solver.eigenvalues());
}

double spectral_radius(const Mask& mask, std::span<const float> weights) {
  const auto n = static_cast<Eigen::Index>(mask.n_targets());
  if (mask.is_diagonal()) {
    double largest = 0;
    for (const float w : weights) largest = std::max(largest, std::abs(double{w}));
    return largest;
  }
  if (n > 256)
    if (const auto radius = radius_by_iteration(mask, weights)) return *radius;
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(n, n);
  std::size_t k = 0;
  for (Eigen::Index i = 0; i < n; ++i)
    for (const std::uint32_t j : mask.sources_of(static_cast<std::size_t>(i)))
      dense(i, j) = weights[k++];
  return largest_modulus(Eigen::EigenSolver<Eigen::MatrixXd>(dense, false).eigenvalues());
}

enum class Group : std::uint32_t { recurrent = 1, input = 2, rule = 3, readout = 4 };

/// The key of a weight's random numbers: its row (unit or class); the column is the index. A pair
/// of units draws the same number under every mask.
Key place(Seed seed, Group group, std::size_t row) {
  return {seed, RandomPurpose::initialisation, Split::train, static_cast<std::uint32_t>(group),
          static_cast<std::uint32_t>(row)};
}

/// Factors that balance a unit's weights by the type of their sources: on average, excitatory and
/// inhibitory weights add to 0, with the mean square that they would have without signs.
struct Balance {
  double excitatory = 1, inhibitory = 1;

  Balance(std::span<const std::uint32_t> sources, std::span<const std::uint8_t> types) {
    if (types.empty()) return;
    const auto n = static_cast<double>(
        std::ranges::count_if(sources, [&](std::uint32_t j) { return types[j] != 0; }));
    const double n_others = static_cast<double>(sources.size()) - n;
    if (n == 0 || n_others == 0) return;
    excitatory = std::sqrt(n_others / n);
    inhibitory = std::sqrt(n / n_others);
  }
};

/// `types`: like Architecture::excitatory.
void initialise_recurrent(const Mask& mask, Initialisation scheme, Seed seed,
                          std::span<const std::uint8_t> types, std::span<float> w) {
  const bool alone = mask.is_diagonal();
  std::size_t k = 0;
  for (std::size_t i = 0; i < mask.n_targets(); ++i) {
    const auto sources = mask.sources_of(i);
    const double deviation =
        1.0 / std::sqrt(static_cast<double>(std::max<std::size_t>(1, sources.size())));
    const Key key = place(seed, Group::recurrent, i);
    const Balance balance(sources, types);
    const auto noise = [&](std::uint32_t j) {
      const double x = deviation * normal(key, j);
      if (types.empty()) return x;
      return std::abs(x) * (types[j] != 0 ? balance.excitatory : balance.inhibitory);
    };
    for (const std::uint32_t j : sources) {
      const double identity = i == j ? 0.5 : 0.0;
      double value = identity;
      if (scheme == Initialisation::fan_in) value = alone ? uniform(key, j) : noise(j);
      if (scheme == Initialisation::spectral_radius) value = identity + noise(j);
      const bool inhibitory = !types.empty() && types[j] == 0;
      w[k++] = static_cast<float>(inhibitory ? -value : value);
    }
  }
  if (scheme != Initialisation::spectral_radius) return;
  if (!has_cycle(mask))
    throw UsageError(
        "initialisation \"spectral-radius\": this mask has no cycles, so its spectral radius is 0 "
        "and "
        "cannot be scaled; use \"fan-in\"");
  const double radius = spectral_radius(mask, w);
  for (float& x : w) x = static_cast<float>(0.9 / radius * double{x});
}

/// Copies the weights of the synapses of `part` to their places in `whole`, which has all of these
/// synapses.
void place_weights(const Mask& part, std::span<const float> weights, const Mask& whole,
                   std::span<float> w) {
  if (part.n_targets() != whole.n_targets())
    throw UsageError("the synapses that begin with a weight are of another number of units");
  std::size_t k = 0;
  for (std::size_t i = 0; i < part.n_targets(); ++i) {
    const auto sources = whole.sources_of(i);
    for (const std::uint32_t j : part.sources_of(i)) {
      const auto found = std::ranges::lower_bound(sources, j);
      if (found == sources.end() || *found != j)
        throw UsageError("a synapse that begins with a weight does not exist in the network");
      w[whole.row_offsets()[i] + static_cast<std::size_t>(found - sources.begin())] = weights[k++];
    }
  }
}

/// Uniform +-1 / sqrt(fan-in) on the entries of a mask; `w` holds the whole (row, column) array.
void initialise_projection(const Mask& mask, Group group, Seed seed, std::span<float> w) {
  std::fill(w.begin(), w.end(), 0.0f);
  for (std::size_t i = 0; i < mask.n_targets(); ++i) {
    const auto sources = mask.sources_of(i);
    const double bound =
        1.0 / std::sqrt(static_cast<double>(std::max<std::size_t>(1, sources.size())));
    for (const std::uint32_t j : sources)
      w[i * mask.n_sources() + j] =
          static_cast<float>(bound * (2 * uniform(place(seed, group, i), j) - 1));
  }
}

/// `w` is (rule, unit); the fan-in of a unit is the number of rules.
void initialise_rules(std::size_t n_rules, std::size_t n_units, Seed seed, std::span<float> w) {
  for (std::size_t r = 0; r < n_rules; ++r) {
    const Key key = place(seed, Group::rule, r);
    const double bound = 1.0 / std::sqrt(static_cast<double>(n_rules));
    for (std::size_t i = 0; i < n_units; ++i)
      w[r * n_units + i] =
          static_cast<float>(bound * (2 * uniform(key, static_cast<std::uint32_t>(i)) - 1));
  }
}

}  // namespace

void Network::initialise(Initialisation scheme, Seed seed, double gain, const Mask* initial) {
  if (!std::isfinite(gain) || gain < 0)
    throw UsageError(
        fmt::format("initialise: gain = {}; give a finite number that is at least 0", gain));
  const Architecture& a = architecture();
  const ParameterLayout& l = layout();
  const WeightWriter writer = write_weights();
  const std::span<float> all = writer.all();
  std::fill(all.begin(), all.end(), 0.0f);
  const std::span<float> recurrent = all.subspan(l.recurrent, l.n_recurrent);
  if (initial == nullptr) {
    initialise_recurrent(a.recurrent, scheme, seed, a.excitatory, recurrent);
  } else {
    std::vector<float> weights(initial->n_synapses());
    initialise_recurrent(*initial, scheme, seed, a.excitatory, weights);
    place_weights(*initial, weights, a.recurrent, recurrent);
  }
  if (gain != 1)
    for (float& w : recurrent) w = static_cast<float>(gain * double{w});
  initialise_projection(a.input, Group::input, seed, all.subspan(l.input, l.n_input));
  initialise_projection(a.readout, Group::readout, seed, all.subspan(l.readout, l.n_readout));
  initialise_rules(a.n_rules, a.n_units(), seed, all.subspan(l.rule, l.n_rule));
}

}  // namespace lmrnn
