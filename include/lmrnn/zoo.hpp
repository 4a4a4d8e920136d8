// The zoo: trained networks that come with the program. `zoo:NAME` stands for one of them wherever
// a run directory or a network file is taken.
//
// A network of the zoo is a run directory without what only resuming needs, in a folder with an
// index.json. The folder is found in the first of these places that has one: what `use_zoo` named
// (the Python package does), `../share/lmrnn/zoo` and the Python packages next to the program, the
// folder of the source tree that the library was built from, and where it was to be installed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lmrnn {

/// What names of networks of the zoo begin with, where a path is taken as well.
inline constexpr std::string_view zoo_prefix = "zoo:";

/// Looks for the zoo in `folder` first. Before anything asks for a network of it; not while another
/// thread does.
void use_zoo(const std::filesystem::path& folder);

/// The folder of the zoo. Throws UsageError if it is in none of the places.
std::filesystem::path zoo_folder();

/// Names of its networks, in alphabetical order. Throws UsageError if there is no zoo.
std::vector<std::string> zoo_names();

/// Whether `path` names a network of the zoo, existing or not: "zoo:...".
bool is_in_zoo(const std::filesystem::path& path);

/// The run directory that "zoo:NAME" stands for; any other path as it is. Throws UsageError, with
/// the names that there are, for one that does not exist.
std::filesystem::path resolve_zoo(const std::filesystem::path& path);

/// Where what is computed about a run is written by default: in its directory, or, since the zoo is
/// not to be written to, in runs/NAME for zoo:NAME.
std::filesystem::path output_folder(const std::filesystem::path& run);

}  // namespace lmrnn
