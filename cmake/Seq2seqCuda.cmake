# The kernels for NVIDIA's GPUs (lib/seq2seq/nn/cuda), where there is a compiler for them: a library that the program opens
# when it first needs it. CMake's own CUDA language would be tried out at every first configuration, and asks for more.

option(SEQ2SEQ_CUDA "Build the kernels for NVIDIA's GPUs where nvcc is found" ON)
find_program(SEQ2SEQ_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
mark_as_advanced(SEQ2SEQ_NVCC)

# seq2seq_cuda_code(<result>): nvcc's flags for every architecture that it knows of, and for newer ones.
function(seq2seq_cuda_code result)
  execute_process(COMMAND ${SEQ2SEQ_NVCC} --list-gpu-arch OUTPUT_VARIABLE known ERROR_QUIET)
  set(flags "")
  foreach(architecture 75 80 86 90 100 120)
    if("${known}" MATCHES "compute_${architecture}\n")
      list(APPEND flags -gencode=arch=compute_${architecture},code=sm_${architecture})
      set(newest compute_${architecture})
    endif()
  endforeach()
  if(flags)
    list(APPEND flags -gencode=arch=${newest},code=${newest})
  endif()
  set(${result} ${flags} PARENT_SCOPE)
endfunction()

if(SEQ2SEQ_CUDA AND SEQ2SEQ_NVCC)
  seq2seq_cuda_code(code)
  if(NOT code)
    message(STATUS "CUDA: ${SEQ2SEQ_NVCC} is too old or does not run; the kernels for GPUs are left out")
  endif()
endif()
if(SEQ2SEQ_CUDA AND SEQ2SEQ_NVCC AND code)
  set(folder ${PROJECT_SOURCE_DIR}/lib/seq2seq/nn)
  set(library ${PROJECT_BINARY_DIR}/libseq2seq_cuda.so)  # beside the program
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/cuda/*.h)
  add_custom_command(
    OUTPUT ${library}
    COMMAND ${SEQ2SEQ_NVCC} -shared -std=c++17 -O3 --expt-relaxed-constexpr --cudart static --threads 2 ${code}
            -Xcompiler=-fPIC,-fvisibility=hidden -I ${PROJECT_SOURCE_DIR}/lib -o ${library} ${folder}/cuda/kernels.cu
    DEPENDS ${folder}/cuda/kernels.cu ${folder}/adjustment.h ${folder}/cpu/loops.h ${headers}
    COMMENT "Compiling the kernels for GPUs" VERBATIM)
  add_custom_target(seq2seq_cuda ALL DEPENDS ${library})
  install(PROGRAMS ${library} DESTINATION ${CMAKE_INSTALL_LIBDIR} OPTIONAL)
  # Where programs look for it.
  set(CMAKE_BUILD_RPATH ${PROJECT_BINARY_DIR})
  file(RELATIVE_PATH from_program ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set(CMAKE_INSTALL_RPATH $ORIGIN/${from_program})
endif()
