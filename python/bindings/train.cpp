#include "lmrnn/train.hpp"

#include <fmt/core.h>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "bindings.hpp"
#include "configuration.hpp"
#include "interruption.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/zoo.hpp"
#include "network.hpp"
#include "pickling.hpp"
#include "source.hpp"

namespace lmrnn::python {
namespace {

// Progress that Python may keep: the evaluation is a copy.
struct BoundProgress {
  Progress progress;
  std::optional<Evaluation> evaluation;

  explicit BoundProgress(const Progress& p) : progress(p) {
    if (p.evaluation) evaluation = *p.evaluation;
  }
};

// Calls Python from a thread that has released the GIL. An exception there, Ctrl-C included, must
// not break off the current step: it is stored, the trainer saves a checkpoint and returns, and
// then the exception is raised again.
class PythonCallbacks {
 public:
  /// `progress`: None, or called with every Progress; `stop`: None, or asked after every step.
  PythonCallbacks(nb::object progress, nb::object stop)
      : progress_(std::move(progress)), stop_(std::move(stop)) {}

  void report(const Progress& p) {
    if (progress_.is_none() || failed_) return;
    ask([&] { return progress_(BoundProgress(p)); });
  }

  bool stop_requested() {
    if (interruption_.asked() || stops_) return true;
    if (!stop_.is_none()) ask([&] { return stop_(); });
    return stops_ || failed_;
  }

  void rethrow() { interruption_.rethrow(); }

 private:
  template <class Call>
  void ask(Call&& call) {
    const nb::gil_scoped_acquire gil;
    try {
      const nb::object answer = call();
      stops_ = stops_ || answer.ptr() == Py_True;
    } catch (...) {
      interruption_.keep(std::current_exception());
      failed_ = true;
    }
  }

  nb::object progress_, stop_;
  Interruption interruption_;
  bool failed_ = false, stops_ = false;
};

// A trainer that Python threads may share. While `run` trains without the GIL, other threads see
// what it last reported; calls that need the trainer itself are refused.
class BoundTrainer {
 public:
  BoundTrainer(Trainer trainer, std::shared_ptr<const BatchSource> source)
      : directory_(trainer.directory().string()),
        trainer_(std::move(trainer)),
        source_(std::move(source)) {
    remember();
  }
  BoundTrainer(BoundTrainer&&) = default;

  std::string run(nb::object progress, nb::object stop) {
    if (runner_)
      throw UsageError(
          fmt::format("{}: the trainer is running already; `run` is called once", directory_));
    require_kept();
    PythonCallbacks python(std::move(progress), std::move(stop));
    const TrainerCallbacks callbacks{.progress =
                                         [&](const Progress& p) {
                                           remember(p);
                                           python.report(p);
                                         },
                                     .stop_requested = [&] { return python.stop_requested(); }};
    const Running running(*this);
    Outcome outcome{};
    {
      const nb::gil_scoped_release release;
      outcome = trainer_->run(callbacks);
    }
    remember();
    python.rethrow();
    return std::string(to_name(outcome));
  }

  /// Releases the lock of the directory, and everything else. Python may keep the object alive for
  /// long, for example in the traceback that a notebook stores for an interrupted cell.
  void release() {
    if (runner_)
      throw UsageError(fmt::format("{}: the trainer is running; stop it first", directory_));
    trainer_.reset();
    source_.reset();
  }
  bool released() const noexcept { return !trainer_; }
  const std::string& directory() const noexcept { return directory_; }

  // Set once, when the trainer was made.
  const Trainer& fixed() const {
    require_kept();
    return *trainer_;
  }

  /// What `run` changes. The training thread may use it between steps, other threads only while
  /// nothing trains.
  const Trainer& now(const char* what) const {
    if (runner_ && *runner_ != std::this_thread::get_id())
      throw UsageError(
          fmt::format("Trainer.{}: the trainer is running in another thread; ask in a "
                      "callback, or read the newest checkpoint of {}",
                      what, directory_));
    return fixed();
  }

  std::int64_t step() const {
    require_kept();
    const std::scoped_lock lock(*reporting_);
    return step_;
  }
  std::optional<Evaluation> evaluation() const {
    require_kept();
    const std::scoped_lock lock(*reporting_);
    return evaluation_;
  }

  const BatchSource* source() const noexcept { return source_.get(); }

 private:
  /// Called and left with the GIL.
  struct Running {
    BoundTrainer& trainer;
    explicit Running(BoundTrainer& t) : trainer(t) { trainer.runner_ = std::this_thread::get_id(); }
    ~Running() { trainer.runner_.reset(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
  };

  void require_kept() const {
    if (!trainer_)
      throw UsageError(
          fmt::format("{}: this Trainer was given up when another one took over its directory; use "
                      "that one, or read the run with lmrnn.Run",
                      directory_));
  }

  void remember(const Progress& p) {
    const std::scoped_lock lock(*reporting_);
    step_ = p.step;
    if (p.evaluated_now) evaluation_ = *p.evaluation;
  }
  void remember() {
    const std::scoped_lock lock(*reporting_);
    step_ = trainer_->step();
    evaluation_ = trainer_->last_evaluation();
  }

  std::string directory_;
  std::optional<Trainer> trainer_;  // guarded by the GIL, like source_; empty: released
  std::shared_ptr<const BatchSource> source_;
  std::optional<std::thread::id> runner_;  // guarded by the GIL
  std::unique_ptr<std::mutex> reporting_ = std::make_unique<std::mutex>();
  std::int64_t step_ = 0;
  std::optional<Evaluation> evaluation_;
};

nb::object network_now(const BoundTrainer& self) {
  const Trainer& trainer = self.now("network");
  return wrap_network(trainer.network().copy(),
                      describe_training(trainer.battery(), trainer.config().wiring,
                                        trainer.config().run_seed(), trainer.sheet()));
}

// Custom data that refers to its trainer (through a class that holds it, or through the module that
// names both) makes a reference cycle, which only the garbage collector can break.
int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  Py_VISIT(data_of(nb::inst_ptr<BoundTrainer>(self)->source()).ptr());
  return 0;
}
int clear(PyObject* self) {
  if (nb::inst_ready(self)) clear_data(nb::inst_ptr<BoundTrainer>(self)->source());
  return 0;
}
PyType_Slot trainer_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(&clear)},
                               {0, nullptr}};

/// From the network, which has the coordinates of its units; before there is one, from their file.
Sheet sheet_of_run(const std::filesystem::path& directory) {
  const RunRecord record = open_run(directory);
  const WiringConfig& wiring = record.config.wiring;
  if (!wiring.coordinates_path) return wiring.sheet();
  if (record.checkpoints.empty()) return make_sheet(config_with_files(record).wiring);
  const std::filesystem::path file = find_network(directory);
  return sheet_of(wiring, load_network(file).metadata, file);
}

nb::dict open(const std::filesystem::path& directory) {
  const RunRecord record = open_run(directory);
  nb::dict d;
  d["config"] = to_dict(write_config(record.config));
  d["checkpoints"] = record.checkpoints;
  d["done"] = record.done;
  d["battery"] = Battery(record.config.battery, record.config.run_seed());
  return d;
}

nb::object untrained_network(const std::filesystem::path& directory) {
  const RunConfig config = config_with_files(open_run(directory));
  if (!config.source.empty())
    throw UsageError(
        fmt::format("{}: trained on \"{}\", not on a battery", directory.string(), config.source));
  const Battery battery(config.battery, config.run_seed());
  return wrap_network(
      make_network(config, battery),
      describe_training(battery, config.wiring, config.run_seed(), make_sheet(config.wiring)));
}

nb::tuple state_of(const BoundProgress& p) {
  const Progress& now = p.progress;
  return nb::make_tuple(now.step, now.n_steps, now.loss, now.seconds_per_step, now.seconds_left,
                        now.evaluated_now, p.evaluation);
}
BoundProgress progress_from(const nb::tuple& state) {
  Progress now;
  from_state(state[0], now.step);
  from_state(state[1], now.n_steps);
  from_state(state[2], now.loss);
  from_state(state[3], now.seconds_per_step);
  from_state(state[4], now.seconds_left);
  from_state(state[5], now.evaluated_now);
  BoundProgress p(now);
  p.evaluation = nb::cast<std::optional<Evaluation>>(state[6]);
  return p;
}

}  // namespace

void bind_train(nb::module_& m) {
  nb::class_<BoundProgress> progress(m, "Progress", "Where a training stands, after a step.");
  progress
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
  bind_pickling(progress, &state_of, &progress_from);

  nb::class_<BoundTrainer>(m, "Trainer", nb::type_slots(trainer_slots),
                           "Trains a network in a run directory; see lmrnn.Trainer.")
      .def_static(
          "start",
          [](const nb::dict& config, const std::filesystem::path& directory, int threads,
             nb::object data) {
            const RunConfig resolved = resolve_config(to_table(config, "config"));
            auto source = source_from(std::move(data), resolved.stream);
            const nb::gil_scoped_release release;
            return BoundTrainer(
                Trainer::start(resolved, directory, {.n_threads = threads, .source = source}),
                source);
          },
          "config"_a, "directory"_a, "threads"_a, "data"_a = nb::none())
      .def_static(
          "resume",
          [](const std::filesystem::path& directory, int threads, nb::object data) {
            auto source = source_from(std::move(data), open_run(directory).config.stream);
            const nb::gil_scoped_release release;
            return BoundTrainer(
                Trainer::resume(directory, {.n_threads = threads, .source = source}), source);
          },
          "directory"_a, "threads"_a, "data"_a = nb::none())
      .def("__reduce__",
           [](const BoundTrainer&) -> nb::tuple {
             throw nb::type_error(
                 "a Trainer cannot be pickled or copied: it holds the lock of its run directory; "
                 "pass its directory on and use Trainer.resume there");
           })
      .def("run", &BoundTrainer::run, "progress"_a.none(), "stop"_a.none() = nb::none(),
           "Trains; returns finished, criterion or interrupted. `stop` is asked after every step.")
      .def_prop_ro("step", &BoundTrainer::step)
      .def_prop_ro("config",
                   [](const BoundTrainer& t) { return to_dict(write_config(t.fixed().config())); })
      .def_prop_ro("battery", [](const BoundTrainer& t) { return t.fixed().battery(); })
      .def_prop_ro("directory", &BoundTrainer::directory)
      .def_prop_ro("last_evaluation", &BoundTrainer::evaluation)
      .def_prop_ro("notices", [](const BoundTrainer& t) { return t.fixed().notices(); })
      .def("network", &network_now)
      .def("release", &BoundTrainer::release,
           "Gives up the lock of the run directory; nothing but `directory` works afterwards.")
      .def_prop_ro("released", &BoundTrainer::released);
  m.def("open_run", &open, "directory"_a);
  m.def(
      "require_same_inputs",
      [](const std::filesystem::path& directory, nb::object data) {
        const RunRecord run = open_run(directory);
        auto source = source_from(std::move(data), run.config.stream);
        const nb::gil_scoped_release release;
        require_same_inputs(run, std::move(source));
      },
      "directory"_a, "data"_a = nb::none(),
      "Raises UsageError unless the run began with these data, and its files have not changed.");
  m.def(
      "require_same_files",
      [](const std::filesystem::path& directory, const nb::dict& config) {
        require_same_files(open_run(directory), resolve_config(to_table(config, "config")));
      },
      "directory"_a, "config"_a,
      "Raises UsageError if a file that this configuration names here is not what the run read.");
  m.def("sheet_of_run", &sheet_of_run, "directory"_a);
  m.def("untrained_network", &untrained_network, "directory"_a,
        "The network that a run on a battery started from.");
  m.def("use_zoo", &use_zoo, "folder"_a, "Looks for the zoo in this folder first.");
  m.def("zoo_names", &zoo_names, "Names of the networks of the zoo.");
  m.def("is_in_zoo", &is_in_zoo, "path"_a, "Whether it begins with zoo:.");
  m.def("resolve_zoo", &resolve_zoo, "path"_a,
        "The run directory that \"zoo:NAME\" stands for; any other path as it is.");
  m.def("output_folder", &output_folder, "run"_a,
        "Where what is computed about a run is written: the run, or runs/NAME for \"zoo:NAME\".");
}

}  // namespace lmrnn::python
