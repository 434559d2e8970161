# Builds program/ against the installed package and runs it from where it installs itself.
include("${CMAKE_CURRENT_LIST_DIR}/install.cmake")

set(options)
if(KIND STREQUAL "SHARED")
  # A shared library's user needs nothing of what is inside.
  foreach(package LibTorch ZLIB fmt nlohmann_json OpenCV PkgConfig)
    list(APPEND options "-DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON")
  endforeach()
endif()
run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/program" -B "${SCRATCH}/build" -G
    "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}"
    "-DCMAKE_BUILD_TYPE=Release" "-DCMAKE_PREFIX_PATH=${PREFIX}"
    "-DCMAKE_INSTALL_PREFIX=${PREFIX}" "-DWANTED_VERSION=${VERSION}" ${options})
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build" --config Release)
run("${CMAKE_COMMAND}" --install "${SCRATCH}/build" --config Release)
run("${CMAKE_COMMAND}" -E env --unset=VOSTRACK_MODEL --unset=LD_LIBRARY_PATH
    "${PREFIX}/bin/consumer" "${PREFIX}")
message(STATUS "${OUTPUT}")
if(EXISTS "${PREFIX}/bin/vostrack")
  run("${CMAKE_COMMAND}" -E env --unset=VOSTRACK_MODEL --unset=LD_LIBRARY_PATH
      "${PREFIX}/bin/vostrack" info)
  string(FIND "${OUTPUT}" "${PREFIX}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "the installed command uses another model than the installed:\n${OUTPUT}")
  endif()
endif()
file(REMOVE_RECURSE "${SCRATCH}")
