#include "lmrnn/train.hpp"

#include <fmt/core.h>

#include <exception>
#include <utility>

#include "bindings.hpp"
#include "configuration.hpp"
#include "interruption.hpp"
#include "lmrnn/run.hpp"
#include "network.hpp"
#include "source.hpp"

namespace lmrnn::python {
namespace {

// Progress as Python may keep it: the evaluation is a copy.
struct BoundProgress {
  Progress progress;
  std::optional<Evaluation> evaluation;

  explicit BoundProgress(const Progress& p) : progress(p) {
    if (p.evaluation) evaluation = *p.evaluation;
  }
};

// Calls back into Python from a thread that has released the GIL. An exception there, Ctrl-C
// included, must not tear down the step that is under way: it is kept, the trainer is asked to save
// a checkpoint and return, and then it goes on.
class PythonCallbacks {
 public:
  explicit PythonCallbacks(nb::object progress) : progress_(std::move(progress)) {}

  TrainerCallbacks callbacks() {
    return {.progress = [this](const Progress& p) { report(p); },
            .stop_requested = [this] { return stop_requested(); }};
  }

  void rethrow() { interruption_.rethrow(); }

 private:
  void report(const Progress& p) {
    if (progress_.is_none() || failed_) return;
    const nb::gil_scoped_acquire gil;
    try {
      const nb::object answer = progress_(BoundProgress(p));
      stop_ = stop_ || answer.ptr() == Py_True;
    } catch (...) {
      interruption_.keep(std::current_exception());
      failed_ = true;
    }
  }

  bool stop_requested() { return interruption_.asked() || stop_; }

  nb::object progress_;
  Interruption interruption_;
  bool failed_ = false, stop_ = false;
};

std::string run(Trainer& trainer, nb::object progress) {
  PythonCallbacks python(std::move(progress));
  Outcome outcome{};
  {
    const nb::gil_scoped_release release;
    outcome = trainer.run(python.callbacks());
  }
  python.rethrow();
  return std::string(to_name(outcome));
}

nb::object network_now(const Trainer& trainer) {
  const Network& from = trainer.network();
  Network copy(from.architecture());
  std::ranges::copy(from.parameters(), copy.parameters().begin());
  copy.weights_changed();
  return wrap_network(std::move(copy), describe_training(trainer.battery(), trainer.config().wiring,
                                                         trainer.config().run_seed()));
}

nb::dict open(const std::filesystem::path& directory) {
  const RunRecord record = open_run(directory);
  nb::dict d;
  d["config"] = to_dict(write_config(record.config));
  d["checkpoints"] = record.checkpoints;
  d["done"] = record.done;
  d["battery"] = Battery(record.config.battery, record.config.run_seed());
  d["sheet"] = record.config.wiring.sheet();
  return d;
}

}  // namespace

void bind_train(nb::module_& m) {
  nb::class_<BoundProgress>(m, "Progress", "Where a training stands, after a step.")
      .def_prop_ro(
          "step", [](const BoundProgress& p) { return p.progress.step; }, "Steps done.")
      .def_prop_ro(
          "n_steps", [](const BoundProgress& p) { return p.progress.n_steps; }, "Steps to do.")
      .def_prop_ro(
          "loss", [](const BoundProgress& p) { return p.progress.loss; }, "Loss of this step.")
      .def_prop_ro(
          "seconds_per_step", [](const BoundProgress& p) { return p.progress.seconds_per_step; },
          "Running mean, without evaluations.")
      .def_prop_ro(
          "seconds_left", [](const BoundProgress& p) { return p.progress.seconds_left; },
          "Expected, evaluations included; 0 if not known yet.")
      .def_ro("evaluation", &BoundProgress::evaluation, "The last evaluation, or None.")
      .def_prop_ro(
          "evaluated_now", [](const BoundProgress& p) { return p.progress.evaluated_now; },
          "Whether `evaluation` belongs to this step.");

  nb::class_<Trainer>(m, "Trainer", "Trains a network in a run directory; see lmrnn.Trainer.")
      .def_static(
          "start",
          [](const nb::dict& config, const std::filesystem::path& directory, int threads,
             nb::object data) {
            const RunConfig resolved = resolve_config(to_table(config, "config"));
            auto source = source_from(std::move(data), resolved.stream);
            const nb::gil_scoped_release release;
            return Trainer::start(resolved, directory, threads, std::move(source));
          },
          "config"_a, "directory"_a, "threads"_a, "data"_a = nb::none())
      .def_static(
          "resume",
          [](const std::filesystem::path& directory, int threads, nb::object data) {
            auto source = source_from(std::move(data), open_run(directory).config.stream);
            const nb::gil_scoped_release release;
            return Trainer::resume(directory, threads, std::move(source));
          },
          "directory"_a, "threads"_a, "data"_a = nb::none())
      .def("run", &run, "progress"_a.none(), "Trains; returns finished, criterion or interrupted.")
      .def_prop_ro("step", &Trainer::step)
      .def_prop_ro("config", [](const Trainer& t) { return to_dict(write_config(t.config())); })
      .def_prop_ro("battery", [](const Trainer& t) { return t.battery(); })
      .def_prop_ro("directory", [](const Trainer& t) { return t.directory().string(); })
      .def_prop_ro("last_evaluation", [](const Trainer& t) { return t.last_evaluation(); })
      .def_prop_ro("notices", [](const Trainer& t) { return t.notices(); })
      .def("network", &network_now);
  m.def("open_run", &open, "directory"_a);
}

}  // namespace lmrnn::python
