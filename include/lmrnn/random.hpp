// Random numbers as pure functions of where they are used.
//
// There is no generator and no state: a number is Philox4x32-10 (Salmon et al., SC 2011, through
// the Random123 library) of a key that names the place, and an index within that place. So any row
// of any batch can be drawn alone, in any order, by any number of threads, and checkpoints need no
// random state. No two different keys share a single Philox block: the fields below are laid side
// by side in the 64-bit key and the 128-bit counter, never hashed together.
#pragma once

#include <array>
#include <cstdint>

namespace lmrnn {

/// The seed of a run. There is no default seed anywhere in the library.
struct Seed {
  std::uint64_t value;
  friend bool operator==(Seed, Seed) = default;
};

/// What a random number is for. Trials, masks and weights follow from these values: never renumber.
enum class RandomPurpose : std::uint8_t {
  task_choice = 1,      ///< which task comes next in a packed stream
  conditions = 2,       ///< the conditions of a trial (modality, direction, delay, ...)
  input_noise = 3,      ///< noise on the input channels
  recurrent_noise = 4,  ///< noise inside the network
  initialisation = 5,   ///< initial weights
  wiring = 6,           ///< random masks
  ideal_observer = 7,   ///< Monte Carlo of ceilings
  lesion = 8,           ///< random choices of units or synapses to remove
  statistics = 9,       ///< bootstrap and permutation tests
};

/// Parts of the data that share no trial.
enum class Split : std::uint8_t { train = 0, validation = 1, test = 2 };

/// Names the place where random numbers are used.
struct Key {
  Seed seed;
  RandomPurpose purpose;
  Split split = Split::train;
  std::uint32_t batch = 0;  ///< optimiser step or batch number, as the caller chooses
  std::uint32_t row = 0;    ///< row of the batch, trial, unit, ...
};

// None of these functions throws; `index` may be any number.

/// The four 32-bit words of block `index` of `key`.
std::array<std::uint32_t, 4> random_bits(const Key& key, std::uint32_t index) noexcept;

/// Uniform on [0, 1), 53 random bits.
double uniform(const Key& key, std::uint32_t index) noexcept;

/// Uniform on {0, ..., n - 1}, n >= 1 (bias below n / 2^64).
std::uint32_t integer(const Key& key, std::uint32_t index, std::uint32_t n) noexcept;

/// Standard normal, double precision (Box-Muller).
double normal(const Key& key, std::uint32_t index) noexcept;

}  // namespace lmrnn
