# Every installed header compiles alone as C++17 without a warning, and names no library inside. The
# one for users of OpenCV has a test of its own.
include("${CMAKE_CURRENT_LIST_DIR}/install.cmake")

file(GLOB headers RELATIVE "${PREFIX}/include" "${PREFIX}/include/vostrack/*.hpp")
list(REMOVE_ITEM headers vostrack/opencv.hpp)
list(LENGTH headers number)
if(number LESS 8)
  message(FATAL_ERROR "only these headers are installed: ${headers}")
endif()
file(WRITE "${SCRATCH}/empty.cpp" "")
foreach(header IN LISTS headers)
  run("${COMPILER}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "-I${PREFIX}/include"
      -include "${header}" "${SCRATCH}/empty.cpp")
  file(STRINGS "${PREFIX}/include/${header}" lines)
  string(TOLOWER "${lines}" lines)
  foreach(word torch ffmpeg libav opencv "cv::" nlohmann "fmt" eigen boost)
    if(lines MATCHES "${word}")
      message(FATAL_ERROR "${header} mentions ${word}")
    endif()
  endforeach()
endforeach()
file(REMOVE_RECURSE "${SCRATCH}")
