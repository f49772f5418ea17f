# Finds LibTorch and defines the imported target seq2seq::torch. Installed beside the package config too.
#
# Looked for in this order:
#   1. SEQ2SEQ_TORCH, Torch_DIR, CMAKE_PREFIX_PATH (as variables or in the environment): an unpacked LibTorch or
#      the `torch` folder of a Python installation;
#   2. the `torch` of the active Python;
#   3. what scripts/setup.sh unpacked below ${SEQ2SEQ_CACHE}.
#
# The libraries are linked by name rather than through TorchConfig.cmake, which demands the CUDA toolkit of
# whoever uses a LibTorch built with CUDA.

set(SEQ2SEQ_TORCH "" CACHE PATH "LibTorch to use: the folder that holds include/torch and lib/libtorch_cpu.so")
set(_seq2seq_torch_minimum 2.6)
set(_seq2seq_torch_pinned 2.15.0)

# Empty when `root` holds no LibTorch.
function(_seq2seq_torch_version root result)
  set(${result} "" PARENT_SCOPE)
  if(NOT EXISTS ${root}/lib/libtorch_cpu.so)
    return()
  endif()
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${root}/include/${header})
      file(STRINGS ${root}/include/${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
      list(JOIN numbers . version)
      if(version)
        set(${result} ${version} PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# Folders the user names, most specific first.
function(_seq2seq_torch_named result)
  set(roots "")
  foreach(value ${SEQ2SEQ_TORCH} $ENV{SEQ2SEQ_TORCH})
    list(APPEND roots ${value} ${value}/torch ${value}/libtorch)
  endforeach()
  foreach(value ${Torch_DIR} $ENV{Torch_DIR})
    get_filename_component(root ${value}/../../.. ABSOLUTE)  # .../share/cmake/Torch
    list(APPEND roots ${root})
  endforeach()
  set(${result}_strict ${roots} PARENT_SCOPE)
  string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
  foreach(value ${CMAKE_PREFIX_PATH} ${prefixes})
    list(APPEND roots ${value} ${value}/libtorch)
    get_filename_component(root ${value}/../.. ABSOLUTE)  # torch.utils.cmake_prefix_path is torch/share/cmake
    list(APPEND roots ${root})
  endforeach()
  set(${result} ${roots} PARENT_SCOPE)
endfunction()

function(_seq2seq_torch_of_python result)
  set(${result} "" PARENT_SCOPE)
  find_program(SEQ2SEQ_PYTHON NAMES python3 python)
  mark_as_advanced(SEQ2SEQ_PYTHON)
  if(SEQ2SEQ_PYTHON)
    execute_process(
      COMMAND ${SEQ2SEQ_PYTHON} -c
              "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(${result} "${root}" PARENT_SCOPE)
  endif()
endfunction()

function(_seq2seq_torch_cache result)
  if(DEFINED ENV{SEQ2SEQ_CACHE})
    set(cache $ENV{SEQ2SEQ_CACHE})
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME}/seq2seq)
  else()
    set(home "$ENV{HOME}")
    if(NOT home)  # as the shell finds it
      execute_process(COMMAND bash -c "unset HOME; printf %s ~" OUTPUT_VARIABLE home ERROR_QUIET)
    endif()
    set(cache ${home}/.cache/seq2seq)
  endif()
  set(${result} ${cache}/libtorch-${_seq2seq_torch_pinned}/torch PARENT_SCOPE)
endfunction()

function(_seq2seq_find_torch)
  set(too_old "needs LibTorch ${_seq2seq_torch_minimum} or newer")
  _seq2seq_torch_named(named)
  foreach(root ${named})
    _seq2seq_torch_version(${root} version)
    if(version AND version VERSION_LESS _seq2seq_torch_minimum)
      message(FATAL_ERROR "seq2seq ${too_old}, but ${root} is LibTorch ${version}. Point SEQ2SEQ_TORCH to a newer "
                          "one, or unset it and run scripts/setup.sh.")
    elseif(version)
      set(SEQ2SEQ_TORCH_ROOT ${root} CACHE INTERNAL "LibTorch in use")
      return()
    endif()
  endforeach()
  if(named_strict)
    message(FATAL_ERROR "No LibTorch in ${named_strict} (looked for lib/libtorch_cpu.so and include/torch): "
                        "correct SEQ2SEQ_TORCH or Torch_DIR, or unset it and run scripts/setup.sh.")
  endif()
  _seq2seq_torch_version("${SEQ2SEQ_TORCH_ROOT}" version)
  if(version)
    return()  # the one of the last configuration, so that another active Python does not rebuild everything
  endif()
  set(hint "")
  _seq2seq_torch_of_python(python_root)
  _seq2seq_torch_cache(cache_root)
  foreach(root IN LISTS python_root cache_root)
    _seq2seq_torch_version("${root}" version)
    if(version AND version VERSION_GREATER_EQUAL _seq2seq_torch_minimum)
      set(SEQ2SEQ_TORCH_ROOT ${root} CACHE INTERNAL "LibTorch in use")
      return()
    elseif(version)
      set(hint " (${root} is LibTorch ${version}, too old)")
    endif()
  endforeach()
  message(FATAL_ERROR "seq2seq ${too_old}; none was found${hint}. Run scripts/setup.sh, or point SEQ2SEQ_TORCH to one.")
endfunction()

function(_seq2seq_define_torch root)
  set(lib ${root}/lib)
  # LibTorch before 2.7 exists with two incompatible string layouts.
  file(STRINGS ${lib}/libc10.so new_strings REGEX "__cxx11" LIMIT_COUNT 1)
  if(NOT new_strings)
    message(FATAL_ERROR "${root} was built with the old C++ ABI: take the build named 'cxx11 ABI', or 2.7 or newer.")
  endif()
  set(libraries ${lib}/libtorch_cpu.so ${lib}/libc10.so)
  # Our loops run on the very OpenMP runtime that LibTorch loads; that of a LibTorch without one beside it is the system's.
  file(GLOB openmp ${lib}/libgomp*.so*)
  list(APPEND openmp gomp)
  list(GET openmp 0 openmp)
  list(APPEND libraries ${openmp})
  # A wheel built for CUDA needs these two even on a CPU; they are beside it. The rest is loaded where a GPU is asked for
  # (model/cuda.h): the same program runs with and without.
  file(GLOB cuda_runtime ${root}/../nvidia/*/lib/libcudart.so.* ${root}/../nvidia/*/lib/libcupti.so.*)
  list(APPEND libraries ${cuda_runtime})
  if(NOT cuda_runtime)
    list(APPEND libraries -Wl,--allow-shlib-undefined)  # a wheel on its own: they are found when the program runs
  endif()
  add_library(seq2seq::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(seq2seq::torch SYSTEM INTERFACE
                             ${root}/include ${root}/include/torch/csrc/api/include)
  target_compile_definitions(seq2seq::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_compile_features(seq2seq::torch INTERFACE cxx_std_20)
  target_link_libraries(seq2seq::torch INTERFACE ${libraries} ${CMAKE_DL_LIBS})
endfunction()

if(NOT TARGET seq2seq::torch)
  _seq2seq_find_torch()
  _seq2seq_torch_version(${SEQ2SEQ_TORCH_ROOT} SEQ2SEQ_TORCH_VERSION)
  if(NOT CMAKE_FIND_QUIETLY)
    message(STATUS "LibTorch ${SEQ2SEQ_TORCH_VERSION}: ${SEQ2SEQ_TORCH_ROOT}")
  endif()
  _seq2seq_define_torch(${SEQ2SEQ_TORCH_ROOT})
endif()
