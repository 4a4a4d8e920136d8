# Writes OUTPUT, a header with a hash of the sources that trials and ceilings are computed by: the
# modules core, kernels and tasks, and the public headers. tests/include_scan.py sees to it that
# tasks includes nothing else, so that no list has to be kept. Run at every build; touches OUTPUT
# only if its content differs.
#   cmake -DSOURCE=... -DOUTPUT=... -P WriteTaskCode.cmake
set(parts src/core src/kernels src/tasks include/lmrnn)
if(NOT EXISTS ${SOURCE}/src/tasks/ceiling.cpp)
  message(FATAL_ERROR "src/tasks/ceiling.cpp has moved: ceilings that were kept are told from new "
                      "ones by a hash of ${parts}; change that list in ${CMAKE_CURRENT_LIST_FILE}")
endif()
set(files)
foreach(part ${parts})
  file(GLOB_RECURSE found RELATIVE ${SOURCE} ${SOURCE}/${part}/*.cpp ${SOURCE}/${part}/*.hpp)
  list(APPEND files ${found})
endforeach()
list(SORT files)
set(text)
foreach(file ${files})
  file(SHA256 ${SOURCE}/${file} hash)
  string(APPEND text "${hash} ${file}\n")
endforeach()
string(SHA256 hash "${text}")
string(SUBSTRING ${hash} 0 16 hash)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n#define LMRNN_TASK_CODE \"${hash}\"\n")
