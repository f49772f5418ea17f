# Installs the build, then configures, builds and runs examples/, which are only told where it is installed.
cmake_minimum_required(VERSION 3.24)
set(work ${BUILD}/consumer_test)
file(REMOVE_RECURSE ${work})

# run(<regular expression for the output, "" = anything> <command>...)
function(run pattern)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE messages)
  if(NOT status EQUAL 0 OR NOT output MATCHES "${pattern}")
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}${messages}")
  endif()
endfunction()

run("" ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${work}/prefix)
run("" ${work}/prefix/bin/seq2seq --version)

# The headers of seq2seq that an installed header includes are installed too.
file(GLOB_RECURSE headers RELATIVE ${work}/prefix/include ${work}/prefix/include/*.h)
foreach(header ${headers})
  file(STRINGS ${work}/prefix/include/${header} includes REGEX "#include \"seq2seq/")
  foreach(include ${includes})
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" included "${include}")
    if(NOT EXISTS ${work}/prefix/include/${included})
      message(FATAL_ERROR "${header} includes ${included}, which is not installed")
    endif()
  endforeach()
endforeach()

run("" ${CMAKE_COMMAND} -S ${ROOT}/examples -B ${work}/build -G Ninja -DCMAKE_BUILD_TYPE=${CONFIG}
    -DCMAKE_PREFIX_PATH=${work}/prefix)
run("" ${CMAKE_COMMAND} --build ${work}/build)

run("of padding 0, gradient of the states 16\n" ${work}/build/attention)
run("update 60: loss [0-9.]+ per token\n" ${work}/build/train ${ROOT}/data/copying/train.jsonl ${work}/model.pt)
file(WRITE ${work}/text "The small children must not take along the key.\n")
run("^Die kleinen Kinder [^\n]+\n$" sh -c "${work}/build/translate ${ROOT}/models/demo-en-de.pt < ${work}/text")
run("^[^\n]+\n$" sh -c "${work}/build/translate ${work}/model.pt < ${work}/text")

# The README shows the program that was built.
file(READ ${ROOT}/README.md readme)
file(READ ${ROOT}/examples/translate.cpp example)
string(REGEX REPLACE "^//[^\n]*\n" "" example "${example}")
string(FIND "${readme}" "${example}" place)
if(place EQUAL -1)
  message(FATAL_ERROR "README.md does not show examples/translate.cpp as it is")
endif()
file(REMOVE_RECURSE ${work})
