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
