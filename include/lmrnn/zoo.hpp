// The zoo: trained networks that come with the program. You can give `zoo:NAME` wherever a run
// directory or a network file is expected.
//
// A network of the zoo is a run directory without the files that only resuming needs. The zoo is
// the first of these folders that holds an index.json: the one given to `use_zoo` (the Python
// package calls it), `../share/lmrnn/zoo` and the Python packages next to the program, the one in
// the source tree that the library was built from, and its place of installation.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lmrnn {

/// Prefix of the names of networks of the zoo, where paths are accepted as well.
inline constexpr std::string_view zoo_prefix = "zoo:";

/// Makes `folder` the first place in which the zoo is searched. Call it before anything uses the
/// zoo, and not while another thread does.
void use_zoo(const std::filesystem::path& folder);

/// The folder of the zoo. Throws UsageError if none of the places has it.
std::filesystem::path zoo_folder();

/// Names of its networks, in alphabetical order. Throws UsageError if there is no zoo.
std::vector<std::string> zoo_names();

/// Whether `path` is "zoo:..."; the network need not exist.
bool is_in_zoo(const std::filesystem::path& path);

/// The run directory of "zoo:NAME"; any other path is returned unchanged. Throws UsageError, which
/// lists the existing names, for a network that does not exist.
std::filesystem::path resolve_zoo(const std::filesystem::path& path);

/// The default folder for results computed about a run: its directory, or, for zoo:NAME, runs/NAME,
/// since nothing is written to the zoo.
std::filesystem::path output_folder(const std::filesystem::path& run);

}  // namespace lmrnn
