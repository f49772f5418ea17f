# Language level, build type, warnings, sanitizers and ccache for this project's own targets.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The installed binary finds LibTorch where the built one did.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

add_library(seq2seq_warnings INTERFACE)
target_compile_options(seq2seq_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(CMAKE_UNITY_BUILD)
  # Names of one file are not those of the next, though a compiler sees both; the debug preset sees each alone.
  target_compile_options(seq2seq_warnings INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms in std::string (GCC bug 105651).
  target_compile_options(seq2seq_warnings INTERFACE -Wno-restrict
                                                    $<$<BOOL:${CMAKE_UNITY_BUILD}>:-Wno-stringop-overflow>)
endif()

if(SEQ2SEQ_SANITIZE)
  # Every target must carry the flags, so they are global.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(SEQ2SEQ_FUZZ)
  # The check of virtual tables wants types that LibTorch keeps to itself.
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize=vptr)
  add_link_options(-fno-sanitize=vptr)
endif()

# Messages of a release name its files as they lie in the tree, not where the tree was; so do ccache's keys.
add_compile_options($<$<CONFIG:Release>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>)

find_program(SEQ2SEQ_CCACHE ccache)
mark_as_advanced(SEQ2SEQ_CCACHE)
if(SEQ2SEQ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache keeps results made with a precompiled header only under these settings; what was compiled for a clone that
  # lies elsewhere serves as well.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${SEQ2SEQ_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    set(SEQ2SEQ_PCH_OPTIONS -fpch-preprocess)
  endif()
endif()
