// The leaky recurrent network, its gradients, and its file.
//
//   u[t] = W h[t-1] + W_in x[t] + sum_s W_rule[rule[t,s], :] + b + sigma xi[t]
//   h[t] = (1 - alpha) h[t-1] + alpha f(u[t]),           h[-1] = 0
//   logits[t] = W_out h[t] + b_out
//
// alpha = dt / tau. W is non-zero only where the mask is. xi is independent standard normal noise
// (inside f, as in Yang et al. 2019). Source: Khona et al. 2023; Yang et al. 2019.
//
// Other published networks have another state equation (StateEquation):
//
//   voltage:      x[t] = (1 - alpha) x[t-1] + alpha u[t],   h[t] = f(x[t]),   x[-1] = 0
//   leak-inside:  h[t] = f((1 - alpha) h[t-1] + alpha u[t])
//
// u and the logits are as above. The state is h, or x in the voltage form: resets set it to 0, and
// a network can continue from it.
//
// A network sees arrays, never tasks. Trials are handled in blocks (TrialView), whose inputs are
// (time, trial, channel); within a block, states and logits have the trial as their last,
// contiguous index: (time, unit, trial).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/random.hpp"
#include "lmrnn/trials.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

enum class Activation { relu, tanh, softplus };
constexpr std::array<std::pair<std::string_view, Activation>, 3> enum_names(Activation) {
  return {
      {{"relu", Activation::relu}, {"tanh", Activation::tanh}, {"softplus", Activation::softplus}}};
}

/// The order of f and the leak; the equations are at the top of this file.
/// rate: f inside the leak (Yang et al. 2019; Driscoll, Shenoy & Sussillo 2024); the state is a
/// rate. voltage: other units see f of a leaky voltage (Sussillo & Barak 2013; Mante et al. 2013;
/// Song, Yang & Wang 2016). leak_inside: the leak inside f (Masse et al. 2019). Miller & Fumarola
/// (2012) compare the first two. With alpha = 1, rate and leak_inside are one equation.
enum class StateEquation { rate, voltage, leak_inside };
constexpr std::array<std::pair<std::string_view, StateEquation>, 3> enum_names(StateEquation) {
  return {{{"rate", StateEquation::rate},
           {"voltage", StateEquation::voltage},
           {"leak-inside", StateEquation::leak_inside}}};
}

/// f and its derivative at one number.
double apply_activation(Activation activation, double x) noexcept;
double activation_slope(Activation activation, double x) noexcept;

/// How the recurrent weights are stored and multiplied.
enum class Representation { automatic, sparse, dense, diagonal };
constexpr std::array<std::pair<std::string_view, Representation>, 4> enum_names(Representation) {
  return {{{"auto", Representation::automatic},
           {"sparse", Representation::sparse},
           {"dense", Representation::dense},
           {"diagonal", Representation::diagonal}}};
}

/// identity: W = 0.5 I. fan_in: normal with variance 1 / in-degree; autapses alone: uniform [0, 1].
/// spectral_radius: 0.5 I plus fan_in noise, rescaled to spectral radius 0.9 for every wiring. With
/// types of units (Architecture::excitatory), every weight takes the sign of its source. For a unit
/// with both E excitatory and I inhibitory sources, the noise of their weights is multiplied by
/// sqrt(I / E) and sqrt(E / I): the weights then add to 0 on average (the balance of Song, Yang &
/// Wang 2016), and their mean square is the same as without signs. In all three, W_in, W_rule and
/// W_out are uniform +-1/sqrt(fan-in) and the biases 0.
enum class Initialisation { identity, fan_in, spectral_radius };
constexpr std::array<std::pair<std::string_view, Initialisation>, 3> enum_names(Initialisation) {
  return {{{"identity", Initialisation::identity},
           {"fan-in", Initialisation::fan_in},
           {"spectral-radius", Initialisation::spectral_radius}}};
}
constexpr std::array<Renamed, 1> renamed_values(Initialisation) {
  return {{{"radius", "spectral-radius"}}};
}

enum class LossKind { cross_entropy, least_squares };
constexpr std::array<std::pair<std::string_view, LossKind>, 2> enum_names(LossKind) {
  return {{{"cross-entropy", LossKind::cross_entropy}, {"least-squares", LossKind::least_squares}}};
}

/// [network] of a configuration.
struct NetworkConfig {
  Activation activation = Activation::relu;
  double tau = 0;  ///< ms; 0: tau = dt, so alpha = 1
  Initialisation initialisation = Initialisation::fan_in;
  double gain = 1;
  double recurrent_noise = 0;
  Representation storage = Representation::automatic;
  ProjectionConfig input{}, readout{};
  bool readout_excitatory = false;
  StateEquation equation = StateEquation::rate;

  static constexpr std::array<Renamed, 1> renamed_keys{{{"representation", "storage"}}};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("activation", self.activation, "f");
    field("tau", self.tau, "time constant of a unit in ms, at least dt; 0 means dt (alpha = 1)",
          at_least(0));
    field("initialisation", self.initialisation, "initial recurrent weights");
    field("gain", self.gain,
          "factor of the initial recurrent weights; fan-in: 1.4142 is He's 2/k; identity: 2 is the "
          "unit matrix",
          at_least(0));
    field("recurrent_noise", self.recurrent_noise,
          "standard deviation of the noise inside f, while training", at_least(0));
    field("storage", self.storage, "how W is stored; auto takes the one that measures fastest");
    field("input", self.input, "which input synapses exist");
    field("readout", self.readout, "which readout synapses exist");
    field("readout_excitatory", self.readout_excitatory,
          "true: only excitatory units (wiring.excitatory) have readout synapses");
    field("equation", self.equation,
          "state equation: f inside the leak, f of a leaky voltage, or the leak inside f");
  }
};

/// What the network computes with, apart from the values of its weights.
struct Architecture {
  std::size_t n_channels = 0;  ///< columns of W_in
  std::size_t n_rules = 0;     ///< rows of W_rule; may be 0
  std::size_t n_classes = 0;   ///< rows of W_out
  double alpha = 1;            ///< dt / tau, in (0, 1]
  Activation activation = Activation::relu;
  Representation representation = Representation::automatic;
  Mask recurrent{};  ///< (unit, unit)
  Mask input{};      ///< (unit, channel)
  Mask readout{};    ///< (class, unit)
  /// (unit) 1: excitatory, 0: inhibitory. Training keeps the recurrent weights of the former at
  /// least 0 and those of the latter at most 0. Empty: units have no type, and signs are free.
  std::vector<std::uint8_t> excitatory{};
  StateEquation equation = StateEquation::rate;

  std::size_t n_units() const noexcept { return recurrent.n_targets(); }
};

/// Where each group of parameters lies in the flat array of all parameters. Only synapses that
/// exist are stored for `recurrent` (order of the mask: by target, then source). `input` and
/// `readout` are stored as dense arrays; entries outside their masks are always zero.
struct ParameterLayout {
  std::size_t recurrent, n_recurrent;  ///< (synapse)
  std::size_t input, n_input;          ///< (unit, channel)
  std::size_t rule, n_rule;            ///< (rule, unit)
  std::size_t bias, n_bias;            ///< (unit)
  std::size_t readout, n_readout;      ///< (class, unit)
  std::size_t readout_bias, n_readout_bias;
  std::size_t total;
};
ParameterLayout parameter_layout(const Architecture& architecture);

/// Recurrent noise of a block: xi[t, i, trial k] is a function of (key, row first_row + k, index
/// t * n_units + i), so it does not depend on how trials are grouped.
struct RecurrentNoise {
  double sigma = 0;
  Key key{};
  std::uint32_t first_row = 0;
};

/// Throws UsageError unless `sigma` is finite and at least 0.
void require_recurrent_noise(double sigma);

struct LossOptions {
  LossKind kind = LossKind::cross_entropy;
  /// Gradients are of scale * sum of weighted losses; use 1 / (sum of weights over the whole batch)
  /// for a mean.
  double scale = 1;
  /// Adds rate_penalty * sum over (time, unit, trial) of h^2 (in the voltage form, of f(x)^2). For
  /// a mean, divide the penalty by the size of the whole batch.
  double rate_penalty = 0;
  /// Keeps only about sqrt(n_steps) of the states and recomputes the others in the backward pass: a
  /// fraction of the memory and the same bits, for about a quarter more time.
  bool recompute = false;
};

struct LossResult {
  double weighted_loss = 0;  ///< sum of weight * loss over the block
  double weight = 0;         ///< sum of weights over the block
  double rate_square = 0;    ///< sum of h^2 over (time, unit, trial), if rate_penalty > 0
};

/// Scratch memory of one block; reuse it between calls, for blocks and networks of any size.
///
/// Threads: must not be shared; give each thread its own.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

 private:
  friend class Network;
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

/// A network: architecture and weights (single precision).
///
/// Threads: may be shared for reading; every const function may be called by any number of threads
/// at once, each with its own Workspace. Nothing else may be called, and no weight written, while
/// another thread uses the network.
class Network {
  struct Implementation;

 public:
  /// All weights zero. Throws UsageError for shapes that contradict each other, an alpha outside
  /// (0, 1], or a representation that cannot hold the mask (diagonal for anything but autapses).
  explicit Network(Architecture architecture);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// Draws all weights; recurrent ones are multiplied by `gain`. With `initial`, only its synapses
  /// start with a weight other than 0, drawn as if there were no others; without it, all do. Units
  /// with a type get weights of their sign. Throws UsageError if `initial` has synapses that this
  /// network lacks, for `spectral_radius` if the mask has no cycle, or for a gain that is not
  /// finite or below 0.
  void initialise(Initialisation initialisation, Seed seed, double gain = 1,
                  const Mask* initial = nullptr);

  const Architecture& architecture() const noexcept;
  const ParameterLayout& layout() const noexcept;
  Representation representation() const noexcept;  ///< never `automatic`

  /// All weights and biases, in the order of `layout`.
  std::span<const float> parameters() const noexcept;

  /// Write access to all weights and biases. Its destructor prepares the written weights for the
  /// kernels. Keep it in a scope of its own, or within one expression:
  ///
  ///   network.write_weights()[network.layout().bias] = 0.5f;
  ///
  /// Threads: must not be shared, and nothing may compute with the network while it exists; several
  /// threads may write to different elements.
  class WeightWriter {
   public:
    ~WeightWriter();
    WeightWriter(WeightWriter&& other) noexcept;
    WeightWriter& operator=(WeightWriter&&) = delete;

    std::span<float> all() const noexcept { return all_; }  ///< valid as long as the writer
    float* data() const noexcept { return all_.data(); }
    float& operator[](std::size_t i) const noexcept { return all_[i]; }

   private:
    friend class Network;
    explicit WeightWriter(Implementation& network);
    Implementation* network_;  ///< nullptr: moved from
    std::span<float> all_;
  };
  /// Throws std::logic_error if another writer of this network exists.
  WeightWriter write_weights();
  /// Throws UsageError unless `parameters` are layout().total finite numbers, and like
  /// write_weights.
  void set_weights(std::span<const float> parameters);
  /// An independent network with the same architecture and weights.
  Network copy() const;

  /// Runs the network from state 0, with the inputs, rules and resets of `block`. Fills `states`
  /// (time, unit, trial), h or the voltage x, and `logits` (time, class, trial), if they are not
  /// empty. Throws UsageError if the shapes of the arrays differ from the network's or from each
  /// other, or for a rule that the network does not have; std::logic_error while a WeightWriter of
  /// the network exists.
  void forward(const TrialView& block, const RecurrentNoise& noise, View3<float> states,
               View3<float> logits, Workspace& workspace) const;

  /// Loss of a block. Its gradient, by backpropagation through time, is written to `gradient`
  /// (flat, like the parameters; overwritten, so the caller must add up blocks, in a fixed order).
  /// Throws like `forward`, and UsageError for a class that the network does not have or a gradient
  /// of another size.
  LossResult loss_and_gradient(const TrialView& block, const RecurrentNoise& noise,
                               const LossOptions& loss, std::span<float> gradient,
                               Workspace& workspace) const;

 private:
  std::unique_ptr<Implementation> implementation_;
};

/// What a network file says in text, besides its weights and masks.
using NetworkMetadata = std::map<std::string, std::string>;

/// Writes a .safetensors file: recurrent.weight by synapse with its mask as compressed rows
/// (recurrent.row_offsets, recurrent.sources), input.weight, input.mask, rule.weight, bias,
/// readout.weight, readout.mask, readout.bias; excitatory, if units have a type; and as text
/// metadata alpha, activation, format version, and what the caller gives (names of tasks, ...).
/// The state equation is in the metadata (`equation`) if it is not `rate`. Such files have format
/// version 2, because versions of lmrnn that do not know the key would compute something else.
/// Throws RunError (disk full, no permission) and leaves an existing file as it was.
void save_network(const std::filesystem::path& path, const Network& network,
                  const NetworkMetadata& metadata);

struct LoadedNetwork {
  Network network;
  NetworkMetadata metadata;
};
/// Throws UsageError (not a network, another format version, shapes that do not match, NaN).
LoadedNetwork load_network(const std::filesystem::path& path);

struct RepresentationChoice {
  Representation representation;  ///< never `automatic`
  std::string reason;             ///< for messages; not a whole sentence
};
/// How W is stored and multiplied: as asked for, or, for `automatic`: diagonal if there are only
/// autapses, dense from the density at which that is faster (bench/NOTES.md), and sparse below it.
RepresentationChoice choose_representation(const Architecture& architecture);

/// One row of the table of parameters and arithmetic.
struct CostRow {
  std::string part;                   ///< recurrent, input, rule, readout, bias
  std::size_t n_parameters = 0;       ///< that exist
  double multiply_adds_forward = 0;   ///< per trial and time step
  double multiply_adds_backward = 0;  ///< per trial and time step
};
std::vector<CostRow> cost_table(const Architecture& architecture);

}  // namespace lmrnn
