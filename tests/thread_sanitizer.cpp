// Suppressions of the thread sanitizer for libraries that were not built with it. Part of every
// test program of the preset sanitize-thread.

// libzip asks for the local time. The C library protects the time zone with its own lock, which the
// sanitizer does not know, so it reports the reading threads as a race.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libzip.so\n";
}
