# How the folders of lib/ and tests/ declare what they hold.

# seq2seq_sources(<library> SOURCES a.cpp... HEADERS a.h... PRIVATE_HEADERS private.h...)
# HEADERS are installed, PRIVATE_HEADERS are not.
function(seq2seq_sources library)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PRIVATE_HEADERS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "seq2seq_sources: write SOURCES, HEADERS or PRIVATE_HEADERS before ${arg_UNPARSED_ARGUMENTS}")
  endif()
  target_sources(${library} PRIVATE ${arg_SOURCES} ${arg_PRIVATE_HEADERS})
  if(arg_HEADERS)
    target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/lib FILES ${arg_HEADERS})
  endif()
endfunction()

# seq2seq_test(<name> LIBRARIES seq2seq... SOURCES a_test.cpp...)
# One GoogleTest binary, one ctest entry with the label `unit`.
function(seq2seq_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;SOURCES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} seq2seq_warnings nlohmann_json::nlohmann_json
                                        GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE SEQ2SEQ_TEST_DATA="${PROJECT_SOURCE_DIR}/tests")
  if("seq2seq" IN_LIST arg_LIBRARIES)
    target_compile_options(${name} PRIVATE ${SEQ2SEQ_PCH_OPTIONS})
    target_precompile_headers(${name} REUSE_FROM seq2seq)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  # Spinning OpenMP threads would make tests crawl on a busy machine.
  set_tests_properties(${name} PROPERTIES LABELS unit ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
