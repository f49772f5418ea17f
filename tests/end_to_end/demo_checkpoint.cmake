# The committed model translates the test set of its grammar, right after the build.
cmake_minimum_required(VERSION 3.24)
set(output ${FOLDER}/demo_checkpoint.de)
execute_process(COMMAND ${PROGRAM} translate --quiet --model ${MODEL} --input ${DATA}/test.en --output ${output}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} evaluate --hypothesis ${output} --reference ${DATA}/test.de --metric bleu
                OUTPUT_VARIABLE scores COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "\"score\": ([0-9.]+)" found "${scores}")
if(NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 LESS 95)
  message(FATAL_ERROR "models/demo-en-de.pt reaches ${CMAKE_MATCH_1} BLEU, less than 95:\n${scores}")
endif()

# However its white space is written, the text is the same.
file(STRINGS ${DATA}/test.en sources LIMIT_COUNT 40)
list(JOIN sources "\n" plain)
string(REPLACE " " "\t " tabs "${plain}")
string(ASCII 194 160 no_break_space)
string(REPLACE " " "${no_break_space}" unbroken "${plain}")
list(JOIN sources " \n  " ends)
foreach(form plain tabs unbroken ends)
  file(WRITE ${output}.${form}.en "${${form}}\n")
  execute_process(COMMAND ${PROGRAM} translate --quiet --model ${MODEL} --input ${output}.${form}.en
                  OUTPUT_VARIABLE translated_${form} COMMAND_ERROR_IS_FATAL ANY)
  if(NOT translated_${form} STREQUAL translated_plain)
    message(FATAL_ERROR "${form}: other translations than with single spaces")
  endif()
endforeach()
