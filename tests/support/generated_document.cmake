# A document in docs/ equals the output of the program that generates it.
cmake_minimum_required(VERSION 3.24)
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE generated RESULT_VARIABLE status)
file(READ ${DOCUMENT} committed)
if(NOT status EQUAL 0 OR NOT generated STREQUAL committed)
  message(FATAL_ERROR "a document differs from the code; make it again:\n  ${PROGRAM} >${DOCUMENT}")
endif()
