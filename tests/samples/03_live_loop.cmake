# Every frame after the first, on which the click comes, once and in order.
include("${CMAKE_CURRENT_LIST_DIR}/run_sample.cmake")
run_sample("${SAMPLES}/dog.mp4" 458 296 7)
read_frames()
if(NOT names STREQUAL "00001;00002;00003;00004;00005;00006")
  message(FATAL_ERROR "want frames 1 to 6, got:\n${output}")
endif()
