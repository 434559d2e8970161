# Five frames in order with their times, then the corrected half again.
include("${CMAKE_CURRENT_LIST_DIR}/run_sample.cmake")
run_sample("${SAMPLES}/dog.mp4" 458 296 5)
read_frames()
if(NOT names STREQUAL "00000;00001;00002;00003;00004;00002;00003;00004")
  message(FATAL_ERROR "want frames 0 to 4 and 2 to 4, got:\n${output}")
endif()
execute_process(COMMAND "${PROGRAM}" "${SAMPLES}/nothing.mp4" 1 1 ERROR_VARIABLE errors
                OUTPUT_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 1 OR NOT errors MATCHES "nothing.mp4")
  message(FATAL_ERROR "a clip that is not there ended with ${status}: ${errors}")
endif()
