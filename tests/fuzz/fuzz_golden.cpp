// Reference trials, one JSON object per line; a bad line is a mismatch, never a failure.
#include "lmrnn/golden.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::file_of("fuzz.jsonl", fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const SemanticsConfig published{SemanticsBase::published, {}};
    const VerifyResult result = verify_golden(path, published);
    if (result.n_mismatches != result.messages.size() || result.n_mismatches > result.n_trials)
      fuzz::broken("one message per mismatch");
  });
  return 0;
}
