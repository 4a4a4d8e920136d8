// The operation that lmrnn.torch and lmrnn.jax hand to their frameworks. Private to the package:
// its arrays must have the right types and be contiguous; the Python package makes sure of it.
#include "lmrnn/operation.hpp"

#include <nanobind/stl/array.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "lmrnn/random.hpp"
#include "network.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

template <class T, int n>
using Given = nb::ndarray<const T, nb::ndim<n>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<nb::numpy, float>;

/// Large arrays that every optimiser step allocates and frees. The system takes memory of this size
/// back at once, and each page then costs a fault on its next use, so some arrays are kept.
class Store {
 public:
  Floats take(Shape shape) {
    std::size_t n = 1;
    for (const std::size_t extent : shape) n *= extent;
    auto held = std::make_unique<Buffer<float>>(find(n));
    float* data = held->data();
    const nb::capsule owner(held.release(), [](void* p) noexcept {
      Store::the().give(std::unique_ptr<Buffer<float>>(static_cast<Buffer<float>*>(p)));
    });
    return Floats(data, shape.size(), shape.begin(), owner);
  }

  /// Never destroyed: when Python exits, arrays may outlive everything else.
  static Store& the() {
    static Store* store = new Store;
    return *store;
  }

 private:
  static constexpr std::size_t most_idle = 4, least_kept = 1 << 16;

  Buffer<float> find(std::size_t n) {
    {
      const std::lock_guard lock(mutex_);
      const auto fits = [n](const Buffer<float>& b) { return b.size() >= n && b.size() <= 2 * n; };
      const auto found = std::ranges::find_if(idle_, fits);
      if (found != idle_.end()) {
        Buffer<float> buffer = std::move(*found);
        idle_.erase(found);
        return buffer;
      }
    }
    return Buffer<float>(n);
  }
  void give(std::unique_ptr<Buffer<float>> buffer) {
    if (buffer->size() < least_kept) return;
    const std::lock_guard lock(mutex_);
    idle_.insert(idle_.begin(), std::move(*buffer));
    if (idle_.size() > most_idle) idle_.pop_back();  // the one that has been idle longest
  }

  std::mutex mutex_;
  std::vector<Buffer<float>> idle_;
};

/// An operation, and the threads of its last call.
struct BoundOperation {
  Operation operation;
  std::unique_ptr<ThreadPool> pool{};
  pid_t process = 0;  ///< the owner of `pool`

  /// With the GIL. After a fork, the threads are the parent's: they must not be joined here.
  std::unique_ptr<ThreadPool> take_pool(int threads) {
    auto taken = std::move(pool);
    if (taken && process != getpid()) static_cast<void>(taken.release());
    if (!taken || taken->n_threads() != threads) taken = std::make_unique<ThreadPool>(threads);
    return taken;
  }
  void give_pool(std::unique_ptr<ThreadPool> used) {
    pool = std::move(used);
    process = getpid();
  }
};

Keep keep_named(const std::string& name) {
  if (name == "nothing") return Keep::nothing;
  if (name == "states") return Keep::states;
  if (name == "segments") return Keep::segments;
  throw UsageError("keep: \"nothing\", \"states\" or \"segments\"");
}

/// recurrent, input, rule, bias, readout, readout_bias
using Weights = std::array<nb::ndarray<const float, nb::c_contig, nb::device::cpu>, 6>;

ParameterGroups<const float> groups_of(const Weights& weights) {
  const auto span = [&](std::size_t i) {
    return std::span<const float>(weights[i].data(), weights[i].size());
  };
  return {span(0), span(1), span(2), span(3), span(4), span(5)};
}

RecurrentNoise noise_of(double sigma, std::uint64_t seed) {
  return {sigma, Key{Seed{seed}, RandomPurpose::recurrent_noise, Split::test}, 0};
}

struct Arguments {
  Given<float, 3> inputs;
  std::optional<Given<std::int32_t, 3>> rules;
  std::optional<Given<std::uint8_t, 2>> resets;
  std::optional<Given<float, 2>> initial;
  double noise = 0;
  std::uint64_t seed = 0;

  OperationInputs view() const {
    OperationInputs in;
    in.inputs = view3(inputs);
    if (rules) in.rules = {rules->data(), rules->shape(0), rules->shape(1), rules->shape(2)};
    if (resets) in.resets = {resets->data(), resets->shape(0), resets->shape(1)};
    if (initial) in.initial = {initial->data(), initial->shape(0), initial->shape(1)};
    in.noise = noise_of(noise, seed);
    return in;
  }
  static View3<const float> view3(const Given<float, 3>& array) {
    return {array.data(), array.shape(0), array.shape(1), array.shape(2)};
  }
};

nb::tuple forward(BoundOperation& self, const Weights& weights, const Arguments& arguments,
                  int threads, const std::string& keep_name, bool with_states) {
  const Operation& operation = self.operation;
  const Architecture& a = operation.architecture();
  const OperationInputs in = arguments.view();
  const Keep keep = keep_named(keep_name);
  const std::size_t T = in.n_steps(), B = in.n_rows(), N = a.n_units();
  const std::size_t n_kept = operation.kept_size(T, B, keep);
  Floats logits = Store::the().take({T, B, a.n_classes});
  Floats kept = Store::the().take({n_kept});
  std::optional<Floats> states;
  if (with_states) states = Store::the().take({T, B, N});
  auto pool = self.take_pool(threads);
  {
    const nb::gil_scoped_release release;
    const View3<float> states_view =
        states ? View3<float>{states->data(), T, B, N} : View3<float>{};
    operation.forward(groups_of(weights), in, keep, {kept.data(), n_kept}, states_view,
                      {logits.data(), T, B, a.n_classes}, *pool);
  }
  self.give_pool(std::move(pool));
  return nb::make_tuple(logits, states, kept);
}

nb::tuple backward(BoundOperation& self, const Weights& weights, const Arguments& arguments,
                   int threads, const std::string& keep_name, const Given<float, 1>& kept,
                   const std::optional<Given<float, 3>>& of_logits,
                   const std::optional<Given<float, 3>>& of_states, bool with_inputs,
                   bool with_initial) {
  const Operation& operation = self.operation;
  const Architecture& a = operation.architecture();
  const OperationInputs in = arguments.view();
  const Keep keep = keep_named(keep_name);
  const std::size_t T = in.n_steps(), B = in.n_rows(), N = a.n_units();
  std::array<Floats, 6> parts{Store::the().take({a.recurrent.n_synapses()}),
                              Store::the().take({N, a.n_channels}),
                              Store::the().take({a.n_rules, N}),
                              Store::the().take({N}),
                              Store::the().take({a.n_classes, N}),
                              Store::the().take({a.n_classes})};
  const auto span = [&](std::size_t i) { return std::span(parts[i].data(), parts[i].size()); };
  std::optional<Floats> inputs, initial;
  OperationGradients gradients;
  if (of_logits) gradients.logits = Arguments::view3(*of_logits);
  if (of_states) gradients.states = Arguments::view3(*of_states);
  gradients.parameters = {span(0), span(1), span(2), span(3), span(4), span(5)};
  if (with_inputs) {
    inputs = Store::the().take({T, B, a.n_channels});
    gradients.inputs = {inputs->data(), T, B, a.n_channels};
  }
  if (with_initial) {
    initial = Store::the().take({B, N});
    gradients.initial = {initial->data(), B, N};
  }
  auto pool = self.take_pool(threads);
  {
    const nb::gil_scoped_release release;
    operation.backward(groups_of(weights), in, keep, {kept.data(), kept.size()}, gradients, *pool);
  }
  self.give_pool(std::move(pool));
  return nb::make_tuple(parts, inputs, initial);
}

Floats noise_array(double sigma, std::uint64_t seed, std::size_t n_steps, std::size_t n_rows,
                   std::size_t n_units) {
  Floats out = Store::the().take({n_steps, n_rows, n_units});
  const nb::gil_scoped_release release;
  recurrent_noise(noise_of(sigma, seed), {out.data(), n_steps, n_rows, n_units});
  return out;
}

}  // namespace

void bind_operation(nb::module_& m) {
  nb::class_<Arguments>(m, "_OperationInputs")
      .def(
          "__init__",
          [](Arguments* self, Given<float, 3> inputs, std::optional<Given<std::int32_t, 3>> rules,
             std::optional<Given<std::uint8_t, 2>> resets, std::optional<Given<float, 2>> initial,
             double noise, std::uint64_t seed) {
            new (self) Arguments{std::move(inputs),
                                 std::move(rules),
                                 std::move(resets),
                                 std::move(initial),
                                 noise,
                                 seed};
          },
          "inputs"_a.noconvert(), "rules"_a.noconvert().none(), "resets"_a.noconvert().none(),
          "initial"_a.noconvert().none(), "noise"_a, "seed"_a);
  nb::class_<BoundOperation>(m, "_Operation", "A network as one differentiable operation.")
      .def(
          "__init__",
          [](BoundOperation* self, nb::handle network) {
            new (self) BoundOperation{Operation(network_of(network).network)};
          },
          "network"_a, "With the architecture of a Network.")
      .def(
          "kept_size",
          [](const BoundOperation& self, std::size_t n_steps, std::size_t n_rows,
             const std::string& keep) {
            return self.operation.kept_size(n_steps, n_rows, keep_named(keep));
          },
          "n_steps"_a, "n_rows"_a, "keep"_a)
      .def("forward", &forward, "weights"_a, "inputs"_a, "threads"_a, "keep"_a, "states"_a,
           "Logits, states or None, and what backward needs.")
      .def("backward", &backward, "weights"_a, "inputs"_a, "threads"_a, "keep"_a,
           "kept"_a.noconvert(), "of_logits"_a.noconvert().none(), "of_states"_a.noconvert().none(),
           "with_inputs"_a, "with_initial"_a,
           "Gradients of the weights, and of inputs and initial states or None.");
  m.def("_recurrent_noise", &noise_array, "sigma"_a, "seed"_a, "n_steps"_a, "n_rows"_a,
        "n_units"_a);
}

}  // namespace lmrnn::python
