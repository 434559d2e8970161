# What the scripts here share: `run(<command>...)` and a fresh installation in ${PREFIX}.

# Runs a command that must succeed; what it printed is in OUTPUT.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(OUTPUT "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(component)
if(COMPONENT)
  set(component --component "${COMPONENT}")
endif()
set(configuration)
if(CONFIG)
  set(configuration --config "${CONFIG}")
endif()
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/installed" ${component}
    ${configuration})
# Moved, since nothing installed may remember where it was put.
set(PREFIX "${SCRATCH}/moved")
file(RENAME "${SCRATCH}/installed" "${PREFIX}")
