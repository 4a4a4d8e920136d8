# Writes OUTPUT, a header with the commit that is being built. Run at every build: the commit can
# change without any source file changing. Touches OUTPUT only if its content differs.
#   cmake -DSOURCE=... -DOUTPUT=... -P WriteCommit.cmake
set(commit unknown)
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  # --git-dir: a tarball unpacked inside somebody else's repository must not report its commit.
  execute_process(COMMAND ${GIT} --git-dir=${SOURCE}/.git --work-tree=${SOURCE} describe --always
                          --exclude=* --abbrev=40 --dirty=+changes
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                  RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(commit ${described})
  endif()
else()
  file(READ ${SOURCE}/cmake/archive_commit.txt archived)  # `git archive` fills this in
  if(archived MATCHES "^([0-9a-f]+)")
    set(commit ${CMAKE_MATCH_1})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n#define LMRNN_COMMIT \"${commit}\"\n")
