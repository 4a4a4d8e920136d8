// Conditions against the distributions that docs/concepts/battery.md states, with a fixed seed: a
// chi-square test of every condition of every family, of pairs of conditions, and of neighbouring
// trials and rows. By chance, one test in a hundred thousand fails; with this seed none does.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "battery_cases.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn {
namespace {

constexpr Seed seed{90125};
constexpr std::uint32_t n_draws = 20000;
constexpr double sigmas = 4.3;  // one-sided 1e-5

/// How many standard deviations chi-square lies above its mean, by Wilson & Hilferty (1931).
double excess(double chi_square, double freedom) {
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(chi_square / freedom) - (1 - spread)) / std::sqrt(spread);
}

/// All cells equally likely.
void expect_uniform(const std::vector<std::uint32_t>& counts, const std::string& what) {
  ASSERT_GE(counts.size(), 2u) << what;
  double n = 0, chi_square = 0;
  for (const auto count : counts) n += count;
  const double expected = n / static_cast<double>(counts.size());
  ASSERT_GE(expected, 5) << what;
  for (const auto count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(excess(chi_square, static_cast<double>(counts.size()) - 1), sigmas) << what;
}

std::size_t direction_of(double angle, std::size_t n_ring = 16) {
  const double k = angle / (2 * std::numbers::pi) * static_cast<double>(n_ring);
  return static_cast<std::size_t>(std::lround(k) + 4 * static_cast<long>(n_ring)) % n_ring;
}

/// Everything about a trial that is drawn from a finite set, as number and size of the set.
struct Drawn {
  std::string name;
  std::size_t value, n;
};

std::vector<Drawn> drawn(const BaseTask& base, const Conditions& c) {
  std::vector<Drawn> all;
  if (base.family == Family::reach) {
    all.push_back({"modality", static_cast<std::size_t>(c.modality), 2});
    all.push_back({"direction", direction_of(c.direction), 16});
  } else if (base.family == Family::match) {
    all.push_back({"modality", static_cast<std::size_t>(c.modality), 2});
    all.push_back({"match", c.match ? 1u : 0u, 2});
    all.push_back({"sample", direction_of(c.sample), 16});
    all.push_back({"test", direction_of(c.test), 16});
  } else {
    const std::size_t first = direction_of(c.directions[0]), second = direction_of(c.directions[1]);
    all.push_back({"first direction", first, 16});
    all.push_back({"second from first", (second + 16 - first) % 16 - 1, 15});
    all.push_back({"choice", static_cast<std::size_t>(c.choice), 2});
  }
  return all;
}

TEST(Statistics, EveryConditionHasItsStatedDistribution) {
  const Battery battery(config_of("cog20"), seed);
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const BaseTask& base = battery.tasks()[task].base_task();
    std::map<std::string, std::vector<std::uint32_t>> counts;
    for (std::uint32_t row = 0; row < n_draws; ++row) {
      const Conditions c =
          battery.draw(task, {seed, RandomPurpose::conditions, Split::train, 0, row});
      const std::vector<Drawn> values = drawn(base, c);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const Drawn& a = values[i];
        counts[a.name].resize(a.n);
        ++counts[a.name].at(a.value);
        // Sample and test depend on each other by the rule of the task; other pairs are
        // independent.
        for (std::size_t j = i + 1; j < values.size(); ++j)
          if (const Drawn& b = values[j]; b.name != "test") {
            auto& pairs = counts[a.name + " x " + b.name];
            pairs.resize(a.n * b.n);
            ++pairs.at(a.value * b.n + b.value);
          }
      }
    }
    for (const auto& [name, count] : counts)
      expect_uniform(count, battery.tasks()[task].name() + ": " + name);
  }
}

TEST(Statistics, EveryCombinationOfStrengthsIsEquallyLikely) {
  const Battery battery(config_of("dm1,dm2,ctxdm1,ctxdm2,multidm,dlydm1,ctxdlydm2,multidlydm"),
                        seed);
  // Corrected multi tasks leave out ties: 8 of the 64 pairs of coherences, 6 of the 36 of
  // strengths.
  const std::map<std::string, std::size_t> n_cells{
      {"dm1", 8},      {"dm2", 8},    {"ctxdm1", 64},    {"ctxdm2", 64},
      {"multidm", 56}, {"dlydm1", 6}, {"ctxdlydm2", 36}, {"multidlydm", 30}};
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    std::map<std::array<std::array<double, 2>, 2>, std::uint32_t> seen;
    for (std::uint32_t row = 0; row < n_draws; ++row)
      ++seen[battery.draw(task, {seed, RandomPurpose::conditions, Split::train, 1, row}).strength];
    std::vector<std::uint32_t> counts;
    for (const auto& [strength, count] : seen) counts.push_back(count);
    const std::string name = battery.tasks()[task].name();
    EXPECT_EQ(counts.size(), n_cells.at(name)) << name;
    expect_uniform(counts, name + ": strengths");
  }
}

/// Of uniform durations: ten bins of equal width. Of choices: the values.
TEST(Statistics, DurationsAreDrawnUniformly) {
  const Battery battery(config_of("modcog132"), seed);
  std::size_t n_checked = 0;
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const auto durations = battery.durations(task);
    for (std::size_t p = 0; p < n_periods; ++p) {
      const Duration& d = durations[p];
      if (d.kind == Duration::Kind::fixed) continue;
      const bool uniform_range = d.kind == Duration::Kind::uniform;
      std::vector<std::uint32_t> counts(uniform_range ? 10 : d.values.size());
      for (std::uint32_t row = 0; row < 3000; ++row) {
        const double ms =
            battery.draw(task, {seed, RandomPurpose::conditions, Split::train, 2, row}).duration[p];
        const std::size_t cell =
            uniform_range
                ? static_cast<std::size_t>(10 * (ms - d.values[0]) / (d.values[1] - d.values[0]))
                : static_cast<std::size_t>(std::ranges::find(d.values, ms) - d.values.begin());
        ++counts.at(std::min<std::size_t>(cell, counts.size() - (uniform_range && cell == 10)));
      }
      ++n_checked;
      expect_uniform(counts, battery.tasks()[task].name() + ": " + std::to_string(p));
    }
  }
  EXPECT_GE(n_checked, 60u);
}

/// Neighbours of every kind: the next trial, row, batch and split, and the next seed.
TEST(Statistics, NeighbouringTrialsAreIndependent) {
  const Battery battery(config_of("dlygo"), seed);
  const auto at = [&](Seed s, Split split, std::uint32_t batch, std::uint32_t row,
                      std::uint32_t trial) {
    const Key key{s, RandomPurpose::conditions, split, batch, row};
    return direction_of(battery.draw(0, key, trial).direction);
  };
  std::map<std::string, std::vector<std::uint32_t>> counts;
  const auto count = [&](const std::string& what, std::size_t a, std::size_t b) {
    counts[what].resize(256);
    ++counts[what].at(a * 16 + b);
  };
  for (std::uint32_t i = 0; i < n_draws; ++i) {
    const std::size_t one = at(seed, Split::train, 3, i, 0);
    count("next trial", one, at(seed, Split::train, 3, i, 1));
    count("next row", one, at(seed, Split::train, 3, i + 1, 0));
    count("next batch", one, at(seed, Split::train, 4, i, 0));
    count("validation", one, at(seed, Split::validation, 3, i, 0));
    count("test", one, at(seed, Split::test, 3, i, 0));
    count("next seed", one, at(Seed{seed.value + 1}, Split::train, 3, i, 0));
  }
  for (const auto& [what, cells] : counts) expect_uniform(cells, what);
}

TEST(Statistics, TasksOfAStreamAreDrawnIndependently) {
  const Battery battery(config_of("go,dm1,dms,dlydm1"), seed);
  StreamConfig config;
  config.steps = 400;
  config.batch = 64;
  const PackedStream stream(battery, config, seed, Split::train);
  std::vector<std::uint32_t> single(4), pairs(16);
  std::vector<std::int32_t> tasks(400 * 64);
  std::vector<std::uint8_t> starts(tasks.size());
  for (std::uint32_t batch = 0; batch < 12; ++batch) {
    stream.fill(batch, 0,  // (row, time)
                {.trial_starts = {starts.data(), 400, 64, 1, 1, 400},
                 .tasks = {tasks.data(), 400, 64, 1, 1, 400}});
    // The first eight trials of each row: where a row is cut depends on the tasks in it.
    for (std::size_t row = 0; row < 64; ++row) {
      std::size_t n = 0, before = 0;
      for (std::size_t t = row * 400; t < (row + 1) * 400 && n < 8; ++t) {
        if (!starts[t]) continue;
        const auto task = static_cast<std::size_t>(tasks[t]);
        ++single[task];
        if (n++ > 0) ++pairs[before * 4 + task];
        before = task;
      }
      ASSERT_EQ(n, 8u);
    }
  }
  expect_uniform(single, "tasks");
  expect_uniform(pairs, "tasks in a row");
}

/// Mean, variance, skewness and excess kurtosis of input noise, and its correlation between
/// neighbouring channels, steps and trials, each within 4.3 of its standard deviations.
TEST(Statistics, InputNoiseIsNormalAndWhite) {
  BatteryConfig config = config_of("dm1");
  const Battery noisy(config, seed);
  config.input_noise = 0;
  const Battery clean(config, seed);
  constexpr std::size_t n_trials = 200;
  const TrialBatch with = draw_trials(noisy, 0, n_trials, seed, Split::train);
  const TrialBatch without = draw_trials(clean, 0, n_trials, seed, Split::train);
  ASSERT_EQ(with.inputs.size(), without.inputs.size());
  const auto at = [&](std::size_t t, std::size_t c, std::size_t k) {
    const std::size_t i = (t * n_trials + k) * with.n_channels + c;
    return (static_cast<double>(with.inputs[i]) - static_cast<double>(without.inputs[i])) * 10;
  };
  double n = 0, moments[5] = {}, along[3] = {};
  for (std::size_t t = 0; t + 1 < with.n_steps; ++t)
    for (std::size_t c = 1; c < 16; ++c)
      for (std::size_t k = 0; k + 1 < n_trials; ++k) {
        if (at(t, c, k) == 0 || at(t + 1, c, k) == 0 || at(t, c, k + 1) == 0) continue;
        const double x = at(t, c, k);
        ++n;
        double power = 1;
        for (double& moment : moments) moment += power, power *= x;
        along[0] += x * at(t + 1, c, k);
        along[1] += x * at(t, c + 1, k);
        along[2] += x * at(t, c, k + 1);
      }
  ASSERT_GT(n, 10000);
  const double root = sigmas / std::sqrt(n);
  EXPECT_NEAR(moments[1] / n, 0, root);
  EXPECT_NEAR(moments[2] / n, 1, root * std::sqrt(2.0));
  EXPECT_NEAR(moments[3] / n, 0, root * std::sqrt(15.0));
  EXPECT_NEAR(moments[4] / n, 3, root * std::sqrt(96.0));
  for (const double sum : along) EXPECT_NEAR(sum / n, 0, root);
}

TEST(Statistics, SplitsNeverShareATrial) {
  const Battery battery(config_of("dm1"), seed);
  std::set<std::array<float, 8>> seen;  // noisy channels of a step within every stimulus
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const TrialBatch trials = draw_trials(battery, 0, 2000, seed, split);
    for (std::size_t k = 0; k < 2000; ++k) {
      std::array<float, 8> noise;
      for (std::size_t c = 0; c < noise.size(); ++c)
        noise[c] = trials.inputs[(5 * 2000 + k) * trials.n_channels + 1 + c];
      EXPECT_TRUE(seen.insert(noise).second) << k;
    }
  }
}

}  // namespace
}  // namespace lmrnn
