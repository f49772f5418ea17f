# The other packages. An installed one wins; header-only ones and GoogleTest are fetched where there is none.
include(FetchContent)
include(Seq2seqNativePackages)

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
if(SEQ2SEQ_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
