# The shared library exports its own interface and nothing else: no part of the inside, and nothing
# that came in with LibTorch's or other libraries' headers.
include("${CMAKE_CURRENT_LIST_DIR}/install.cmake")

run("${NM}" --dynamic --defined-only --demangle --format=posix
    "${PREFIX}/${LIBDIR}/libvostrack.so")
string(REPLACE ";" "," OUTPUT "${OUTPUT}")
string(REGEX MATCHALL "[^\n]+" lines "${OUTPUT}")
set(number 0)
foreach(line IN LISTS lines)
  math(EXPR number "${number} + 1")
  # Our classes are in capitals; a small letter is a function of the interface or a namespace inside.
  if(NOT line MATCHES
     "^((typeinfo|typeinfo name|vtable|VTT) for )?vostrack::([A-Z]|[a-z_]+(\\[abi:[a-z0-9]+\\])?\\()")
    list(APPEND strangers "${line}")
  endif()
endforeach()
if(strangers)
  list(JOIN strangers "\n" strangers)
  message(FATAL_ERROR "exported, but no part of the interface:\n${strangers}")
endif()
if(number LESS 20)
  message(FATAL_ERROR "only ${number} symbols are exported:\n${OUTPUT}")
endif()
file(REMOVE_RECURSE "${SCRATCH}")
