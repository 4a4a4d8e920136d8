#include "battery_options.hpp"

#include <fmt/format.h>

#include <random>

namespace lmrnn::cli {

void BatteryOptions::add_to(CLI::App& verb, bool with_tasks) {
  if (with_tasks)
    verb.add_option("--tasks", tasks_, "names, collections, globs, !exclusions, comma-separated")
        ->type_name("EXPRESSION");
  verb.add_option("--semantics", semantics_, "corrected (default) or published, for all switches")
      ->type_name("NAME");
  verb.add_option("--timing", timing_, "table of durations: modcog (default) or neurogym")
      ->type_name("NAME");
  verb.add_option("--n-ring", n_ring_, "directions on the ring (default 16)");
  verb.add_option("--dt", dt_, "time step in ms (default 100)");
  config_.add_to(verb);
}

BatteryConfig BatteryOptions::battery() const {
  ConfigTable table = config_.file();
  const auto set = [&]<class T>(const char* key, const std::optional<T>& value,
                                const char* option) {
    if (value) assign_key(table, key, {*value, option});
  };
  set("battery.tasks", tasks_, "--tasks");
  set("battery.timing", timing_, "--timing");
  set("battery.n_ring", n_ring_, "--n-ring");
  set("battery.dt", dt_, "--dt");
  // --semantics replaces the whole table, including single switches that the file sets. --set still
  // overrides it.
  if (semantics_)
    assign_key(table, "battery.semantics",
               {ConfigTable{{"base", {*semantics_, "--semantics"}}}, "--semantics"});
  return config_.section<BatteryConfig>("battery", table);
}

void SeedOption::add_to(CLI::App& verb) {
  add_seed(verb, seed_, "seed of everything random; without it, a new one");
}

Seed SeedOption::seed() const {
  if (seed_) return *seed_;
  const std::uint64_t fresh = std::random_device()();
  fmt::print(stderr, "seed {} (--seed {} repeats it)\n", fresh, fresh);
  return Seed{fresh};
}

}  // namespace lmrnn::cli
