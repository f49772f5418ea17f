# The packages other than LibTorch. An installed one wins; CLI11, nlohmann/json and GoogleTest are fetched where there
# is none.
include(FetchContent)

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(ZLIB)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR "zlib was not found: run scripts/setup.sh (Debian package zlib1g-dev).")
endif()
include(Seq2seqNativePackages)

FetchContent_Declare(
  nlohmann_json
  URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
  URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d
  FIND_PACKAGE_ARGS 3.10)
FetchContent_Declare(
  CLI11
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz
  URL_HASH SHA256=73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58
  FIND_PACKAGE_ARGS 2.1)
FetchContent_Declare(
  googletest
  URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
  URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7
  FIND_PACKAGE_ARGS NAMES GTest)

set(INSTALL_GTEST OFF)
set(CLI11_INSTALL OFF)
set(CLI11_BUILD_TESTS OFF)
set(CLI11_BUILD_EXAMPLES OFF)
set(CLI11_BUILD_DOCS OFF)
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # so that the packages honour these
set(CMAKE_POLICY_DEFAULT_CMP0135 NEW)  # unpacked files get the time of unpacking
FetchContent_MakeAvailable(nlohmann_json CLI11)
if(SEQ2SEQ_BUILD_TESTS)
  FetchContent_MakeAvailable(googletest)
endif()
