# Finds LibTorch without demanding a CUDA toolkit: the package's own TorchConfig looks for one
# whenever the build has CUDA, which a program that only links the shared libraries never needs.
#
# Looks in VOSTRACK_TORCH (CMake or environment variable), Torch_DIR (…/share/cmake/Torch) and the
# project's own .deps/libtorch, which scripts/setup.sh fills. Defines the target LibTorch::LibTorch
# and LibTorch_VERSION, LibTorch_CUDA.

set(_roots)
if(VOSTRACK_TORCH)
  list(APPEND _roots "${VOSTRACK_TORCH}")
endif()
if(DEFINED ENV{VOSTRACK_TORCH})
  list(APPEND _roots "$ENV{VOSTRACK_TORCH}")
endif()
if(Torch_DIR)
  list(APPEND _roots "${Torch_DIR}/../../..")
endif()
list(APPEND _roots "${CMAKE_CURRENT_LIST_DIR}/../.deps/libtorch")

find_path(LibTorch_ROOT_DIR NAMES include/torch/csrc/api/include/torch/torch.h
          PATHS ${_roots} NO_DEFAULT_PATH NO_CACHE)
find_path(LibTorch_ROOT_DIR NAMES include/torch/csrc/api/include/torch/torch.h NO_CACHE)

if(LibTorch_ROOT_DIR)
  get_filename_component(LibTorch_ROOT_DIR "${LibTorch_ROOT_DIR}" ABSOLUTE)
  foreach(_header include/torch/headeronly/version.h
                  include/torch/csrc/api/include/torch/version.h)
    if(EXISTS "${LibTorch_ROOT_DIR}/${_header}")
      file(STRINGS "${LibTorch_ROOT_DIR}/${_header}" _lines
           REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      if(_lines)
        string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
        list(JOIN _numbers "." LibTorch_VERSION)
        break()
      endif()
    endif()
  endforeach()
  foreach(_name torch torch_cpu c10)
    find_library(LibTorch_${_name} ${_name} PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH
                 NO_CACHE)
    list(APPEND _libraries "${LibTorch_${_name}}")
  endforeach()
  # The OpenMP runtime that it was built with, for loops of at::parallel_for in other programs: a
  # second one would start threads of its own.
  file(GLOB _openmp "${LibTorch_ROOT_DIR}/lib/libgomp*.so*")
  if(_openmp)
    list(GET _openmp 0 _openmp)
    list(APPEND _libraries "${_openmp}")
  else()
    list(APPEND _libraries gomp)
  endif()
  find_library(LibTorch_torch_cuda torch_cuda PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH
               NO_CACHE)
  set(LibTorch_CUDA OFF)
  if(LibTorch_torch_cuda)
    set(LibTorch_CUDA ON)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch REQUIRED_VARS LibTorch_torch LibTorch_torch_cpu LibTorch_c10 LibTorch_ROOT_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE
    "run scripts/setup.sh, or name an existing one with -DTorch_DIR=<root>/share/cmake/Torch or VOSTRACK_TORCH=<root>")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(
    LibTorch::LibTorch SYSTEM INTERFACE "${LibTorch_ROOT_DIR}/include"
    "${LibTorch_ROOT_DIR}/include/torch/csrc/api/include")
  target_link_libraries(LibTorch::LibTorch INTERFACE ${_libraries})
  if(LibTorch_CUDA)
    # Nothing refers to a symbol of it; it registers its kernels when loaded.
    target_link_libraries(
      LibTorch::LibTorch
      INTERFACE "-Wl,--push-state,--no-as-needed,${LibTorch_torch_cuda},--pop-state")
    target_link_options(LibTorch::LibTorch INTERFACE "-Wl,-rpath,${LibTorch_ROOT_DIR}/lib")
  endif()
endif()
