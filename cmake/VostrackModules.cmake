# vostrack_add_module(<name> SOURCES <files under src/> [DEPENDS <modules>] [LIBRARIES <targets>]
#                     [FOLDER <folder of src/, where it is not the name>] [TORCH])
#
# One static library per folder of src/, or several where a part of one stands on its own. A module's headers are reached through a link that only
# its dependants see, so `#include "memory/bank.hpp"` compiles only where the module is a declared
# dependency: an arrow that points the wrong way is a build error, not a convention.
function(vostrack_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "FOLDER" "SOURCES;DEPENDS;LIBRARIES")
  if(NOT arg_FOLDER)
    set(arg_FOLDER ${name})
  endif()
  set(target vostrack_${name})
  set(layer "${PROJECT_BINARY_DIR}/layers/${name}")
  file(MAKE_DIRECTORY "${layer}")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/src/${arg_FOLDER}" "${layer}/${arg_FOLDER}" SYMBOLIC)

  list(TRANSFORM arg_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/src/${arg_FOLDER}/")
  add_library(${target} STATIC ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${layer}>")
  foreach(dependency IN LISTS arg_DEPENDS)
    target_link_libraries(${target} PUBLIC vostrack_${dependency})
  endforeach()
  target_link_libraries(${target} PUBLIC vostrack_headers PRIVATE ${arg_LIBRARIES})
  target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:vostrack_warnings>")
  if(arg_TORCH)
    target_link_libraries(${target} PUBLIC LibTorch::LibTorch)
    vostrack_use_torch_pch(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY VOSTRACK_MODULES ${target})
endfunction()

# Compiles LibTorch's headers once for every target that uses them.
function(vostrack_use_torch_pch target)
  if(VOSTRACK_PCH)
    target_precompile_headers(${target} REUSE_FROM vostrack_torch_pch)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      # The header was compiled with -fPIC, which -fPIE would not match.
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
  endif()
endfunction()
