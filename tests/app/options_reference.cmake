# docs/options.md is what the declarations say.
cmake_minimum_required(VERSION 3.24)
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE generated RESULT_VARIABLE status)
file(READ ${DOCUMENT} committed)
if(NOT status EQUAL 0 OR NOT generated STREQUAL committed)
  message(FATAL_ERROR "docs/options.md differs from the options as declared; make it again:\n  ${PROGRAM} >${DOCUMENT}")
endif()
