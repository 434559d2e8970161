# run_sample(<arguments>...) runs PROGRAM, which must succeed, and sets `output` and its `lines`.
function(run_sample)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE errors
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "ended with ${status}: ${errors}")
  endif()
  string(REGEX MATCHALL "[^\n]+" lines "${output}")
  set(output "${output}" PARENT_SCOPE)
  set(lines "${lines}" PARENT_SCOPE)
endfunction()

# The dog has 11,106 pixels on the first frame.
function(check_dog pixels line)
  if(pixels LESS 500 OR pixels GREATER 100000)
    message(FATAL_ERROR "not the dog: ${line}")
  endif()
endfunction()

# Sets `names` to the frames that `lines` list, each with the dog as a result line of a sample.
function(read_frames)
  set(names)
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^(0000[0-9]) 0\\.[0-9]+ s object 1: visible, ([0-9]+) pixels$")
      message(FATAL_ERROR "unexpected line: ${line}")
    endif()
    list(APPEND names "${CMAKE_MATCH_1}")
    check_dog("${CMAKE_MATCH_2}" "${line}")
  endforeach()
  set(names "${names}" PARENT_SCOPE)
endfunction()
