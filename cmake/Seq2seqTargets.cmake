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

# seq2seq_unity(<target>)
# With CMAKE_UNITY_BUILD: compiles the sources that the target has so far a folder at a time, those of a large folder in
# several batches of about the same size. Reading headers takes most of a compiler's time. Names that files keep to
# themselves must differ within a folder.
function(seq2seq_unity target)
  if(NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  get_target_property(base ${target} SOURCE_DIR)
  set(folders "")
  foreach(source ${sources})
    get_filename_component(path ${source} ABSOLUTE BASE_DIR ${base})
    if(path MATCHES "([^/]+)/[^/]+[.]cpp$")
      set(folder ${CMAKE_MATCH_1})
      file(SIZE ${path} size)
      list(APPEND folders ${folder})
      list(APPEND files_${folder} "${size}:${path}")
      math(EXPR bytes_${folder} "${bytes_${folder}} + ${size}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder ${folders})
    math(EXPR last "${bytes_${folder}} / 60000")
    foreach(batch RANGE ${last})
      set(filled_${batch} 0)
    endforeach()
    list(SORT files_${folder} COMPARE NATURAL ORDER DESCENDING)
    foreach(entry ${files_${folder}})  # each into the batch that holds least
      string(REGEX MATCH "^([0-9]+):(.*)$" parts "${entry}")
      set(least 0)
      foreach(batch RANGE ${last})
        if(filled_${batch} LESS filled_${least})
          set(least ${batch})
        endif()
      endforeach()
      math(EXPR filled_${least} "${filled_${least}} + ${CMAKE_MATCH_1}")
      set_source_files_properties(${CMAKE_MATCH_2} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP
                                                                                         ${folder}_${least})
    endforeach()
  endforeach()
endfunction()

# seq2seq_test(<name> LIBRARIES seq2seq... SOURCES a_test.cpp...)
# One GoogleTest binary, one ctest entry with the label `unit`.
function(seq2seq_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;SOURCES")
  add_executable(${name} ${arg_SOURCES})
  seq2seq_unity(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} seq2seq_test_paths seq2seq_warnings nlohmann_json::nlohmann_json
                                        GTest::gmock GTest::gtest_main)
  # Compiling tests well takes longer than running them; what GCC guesses of values at -O1 is not worth a look.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>
                                         $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>)
  if("seq2seq" IN_LIST arg_LIBRARIES)
    target_compile_options(${name} PRIVATE ${SEQ2SEQ_PCH_OPTIONS})
    target_precompile_headers(${name} REUSE_FROM seq2seq)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  # Spinning OpenMP threads would make tests crawl on a busy machine.
  set_tests_properties(${name} PROPERTIES LABELS unit ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
