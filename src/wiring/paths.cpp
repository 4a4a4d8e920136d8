#include "lmrnn/wiring_paths.hpp"

namespace lmrnn {

void find_mask_files(WiringConfig& wiring, const ConfigTable& table) {
  find_file(wiring.path, table, "path");
  if (wiring.excitatory_path) find_file(*wiring.excitatory_path, table, "excitatory_path");
  if (wiring.coordinates_path) find_file(*wiring.coordinates_path, table, "coordinates_path");
  if (wiring.types_path) find_file(*wiring.types_path, table, "types_path");
  if (wiring.weights_path) find_file(*wiring.weights_path, table, "weights_path");
  find_file(wiring.plastic.path, table, "plastic.path");
  find_file(wiring.initial.path, table, "initial.path");
}

}  // namespace lmrnn
