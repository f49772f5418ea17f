# What the program says to a command line that makes no sense: exit code, and one line on stderr.
cmake_minimum_required(VERSION 3.24)

function(expect exit_code stdout stderr)
  execute_process(COMMAND ${PROGRAM} ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT status EQUAL exit_code OR NOT output MATCHES "${stdout}" OR NOT error MATCHES "${stderr}")
    message(SEND_ERROR "seq2seq ${ARGN}\nexit code ${status}, expected ${exit_code}\n"
                       "stdout: ${output}\nexpected: ${stdout}\nstderr: ${error}\nexpected: ${stderr}")
  endif()
endfunction()

expect(0 "^seq2seq [0-9.]+ [(]LibTorch [0-9.]+[)]\n$" "^$" --version)
expect(0 "^Trains .*Usage: seq2seq .*evaluate " "^$" --help)
expect(0 "Usage: seq2seq evaluate .*--hypothesis TEXT .*default[ \n]+12345" "^$" evaluate --help-all)
expect(2 "^$" "^Trains .*Usage: ")
expect(2 "^$" "^seq2seq: 'evalute': is not a command; did you mean 'evaluate'[?]\n$" evalute --seed 1)
expect(2 "^$" "^seq2seq: --sede: is not a flag of 'seq2seq evaluate'; did you mean '--seed'[?]\n$" evaluate --sede=1)
expect(2 "^$" "^seq2seq: --hyp: is not a flag of 'seq2seq evaluate'; did you mean '--hypothesis'[?]\n$"
       evaluate --hyp x)
expect(2 "^$" "^seq2seq: 'x': is not expected here; [^\n]*\n$" evaluate x)
expect(2 "^$" "^seq2seq: --seed: needs a value\n$" evaluate --seed)
expect(2 "^$" "^seq2seq: --seed: 'x' is not a whole number\n$" evaluate --seed x)
expect(2 "^$" "^seq2seq: --seed: -1 is out of range; give at least 0\n$" evaluate --seed -1)
expect(2 "^$" "^seq2seq: --seed: 'y' is not a whole number\n$" evaluate --seed x --seed y)
expect(2 "^$" "^--seed changes nothing without --bootstrap or --baseline\nseq2seq: --hypothesis: is missing; [^\n]*\n$"
       evaluate --seed x --seed 2)
expect(2 "^$" "^seq2seq: --stem: 'maybe' is not true or false\n$" evaluate --stem=maybe)
expect(2 "^$" "^seq2seq: --tokenize: '14a' is unknown; did you mean '13a'[?]\n$" evaluate --tokenize 14a)
expect(1 "^$" "^seq2seq: /nowhere: cannot be opened [(]No such file or directory[)][^\n]*\n$"
       evaluate --hypothesis /nowhere --reference /nowhere)

# Devices.
expect(2 "^$" "^seq2seq: --device: 'gpu' is unknown; valid: auto, cpu, cuda, cuda:N\n$" report x --device gpu)
expect(0 "^cpu +[^\n]+ float32[^\n]*\ncuda" "^$" inspect --devices)
expect(0 "^{.*\"cpu\": {.*\"cores\": [0-9]+.*\"gpus\": .*}\n$" "^$" inspect --devices --json)
expect(2 "^$" "^seq2seq: --model: does not go with --devices; [^\n]*\n$" inspect --devices --model x)

# A reader that goes away is no reason for a message.
execute_process(COMMAND bash -c "trap '' PIPE; '${PROGRAM}' --help | true; echo end" ERROR_VARIABLE error
                OUTPUT_VARIABLE output)
if(NOT error STREQUAL "" OR NOT output STREQUAL "end\n")
  message(SEND_ERROR "a closed pipe: ${error}")
endif()

# Results that do not fit are no success.
execute_process(COMMAND bash -c "'${PROGRAM}' --version >/dev/full" RESULT_VARIABLE status ERROR_VARIABLE error)
if(NOT status EQUAL 1 OR NOT error MATCHES "^seq2seq: standard output: cannot be written[^\n]*\n$")
  message(SEND_ERROR "a full disk: exit code ${status}, ${error}")
endif()

# The command that began a run resumes it, also where a preset leaves the precision to a measurement, and with frozen
# vectors, whatever the present folder.
set(run ${FOLDER}/resumed_run)
file(REMOVE_RECURSE ${run})
file(WRITE ${FOLDER}/vectors.txt "cat 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8\n")
set(text --train-source ${ROOT}/data/translation/valid.en --train-target ${ROOT}/data/translation/valid.de)
set(begin train --quiet --config ${ROOT}/models/rnn-attention.json --tokenizer word --no-shared-vocabulary --embedding.size
    8 --encoder.size 8 --decoder.size 8 --embedding.source-file ${FOLDER}/vectors.txt --embedding.freeze ${text}
    --run-directory ${run})
expect(0 "^$" "^$" ${begin} --max-updates 2)
expect(0 "^$" "^$" ${begin} --max-updates 3 --resume)
expect(0 "^$" "^$" train --quiet --resume --run-directory ${run} --max-updates 4)
expect(2 "^$" "^seq2seq: --label-smoothing: cannot change when a run is resumed; leave it out, [^\n]*\n$"
       train --resume --run-directory ${run} --label-smoothing 0.3)
expect(2 "^$" "^seq2seq: --clip-norm, --label-smoothing, --seed: cannot change [^\n]*; leave them out, [^\n]*\n$"
       train --resume --run-directory ${run} --label-smoothing 0.3 --seed 5 --clip-norm 9 --log-every 5)
file(WRITE ${FOLDER}/other.json "{\"optimization\": {\"label-smoothing\": 0.3}}")
expect(2 "^$" "^seq2seq: ${FOLDER}/other.json: optimization.label-smoothing: cannot change [^\n]*\n$"
       train --resume --run-directory ${run} --config ${FOLDER}/other.json)
file(WRITE ${FOLDER}/other.json "{\"optimization\": {\"coverage-loss-start\": 3}}")
expect(2 "^$" "^seq2seq: ${FOLDER}/other.json: optimization.coverage-loss-start: would change nothing; add --coverage-loss\n$"
       train ${text} --run-directory ${FOLDER}/none --config ${FOLDER}/other.json)
expect(2 "^$" "^seq2seq: --encoder.size: differs from the model in ${run}; leave it out: --initialize-from decides it\n$"
       train ${text} --run-directory ${FOLDER}/none --initialize-from ${run} --encoder.size 9)

# A run ends with its schedule, which another end may stretch: that is told, and kept with the run. A run that patience
# has ended names the flag.
set(text_of_run ${text} --tokenizer word --no-shared-vocabulary --embedding.size 8 --encoder.size 8 --decoder.size 8
    --threads 1)
set(scheduled --run-directory ${FOLDER}/scheduled_run)
file(REMOVE_RECURSE ${FOLDER}/scheduled_run)
expect(2 "^$" "^seq2seq: --warmup-updates: 2 leaves nothing of the schedule, which ends at update 2; [^\n]*\n$"
       train ${text_of_run} ${scheduled} --schedule cosine --warmup-updates 2 --max-updates 2)
expect(0 "^$" "^$" train --quiet ${text_of_run} ${scheduled} --schedule cosine --max-updates 2 --patience 1)
expect(2 "^$" "^seq2seq: --max-updates: 4 goes beyond update 2, [^\n]*; add --schedule.updates 4, [^\n]*\n$"
       train --resume ${scheduled} --max-updates 4)
expect(2 "^$" "^seq2seq: --max-updates: no limit goes beyond update 2, [^\n]*\n$"
       train --resume ${scheduled} --max-updates 0 --max-epochs 3)
expect(0 "^$" "^warning: the schedule of the learning rate ends at update 6 instead of 2: the rate of update 3 is [^\n]*\n$"
       train --quiet --resume ${scheduled} --max-updates 3 --schedule.updates 6)
expect(0 "^$" "^$" train --quiet --resume ${scheduled} --max-updates 4)
expect(2 "^$" "^seq2seq: --max-updates: 8 goes beyond update 6, [^\n]*\n$" train --resume ${scheduled} --max-updates 8)
set(at_rate_zero "^warning: the schedule of the learning rate ends at update 6, --max-updates is 8: [^\n]*\n")
expect(0 "^$" "${at_rate_zero}$" train --quiet --resume ${scheduled} --max-updates 8 --schedule.updates 6)
expect(0 "^$" "${at_rate_zero}warning: nothing was trained: limit reached; go on with --resume [^\n]* and a higher limit\n$"
       train --quiet --resume ${scheduled} --max-updates 8 --schedule.updates 6)
set(stalled --run-directory ${FOLDER}/stalled_run)
file(REMOVE_RECURSE ${FOLDER}/stalled_run)
expect(0 "^$" "done; go on with --resume [^\n]* a higher --patience than 1\n"
       train ${text_of_run} ${stalled} --learning-rate 0 --valid-every 1 --patience 1)
expect(0 "^$" "^warning: nothing was trained: [^\n]*; go on with --resume [^\n]* and a higher --patience than 1\n$"
       train --quiet --resume ${stalled})
# What is given is counted on the text, by 'check' as by 'train'.
file(WRITE ${FOLDER}/cats.tsv "cat cat dog\tcat cat dog\nmouse\tmouse\n")
file(WRITE ${FOLDER}/cats.vocabulary "<pad>\n<unk>\n<s>\n</s>\ncat\n")
set(cats --train ${FOLDER}/cats.tsv --tokenizer whitespace --source-vocabulary ${FOLDER}/cats.vocabulary)
expect(0 "source, first 2 pairs +4 +50[.]0%\n.*note +50[.]0% of the source's tokens become <unk>" "^$" check ${cats})
expect(1 "error +50[.]0% of the target's tokens become <unk>" "^$" check ${cats} --max-unknown 0.4)
expect(0 "source, first 2 pairs +4 +0[.]0%\n.*Findings\n  none\n" "^$" check ${cats} --copying)
expect(1 "error +100[.]0% of the target's tokens become <unk>" "^$" check --train ${FOLDER}/cats.tsv --initialize-from ${run}
       --max-unknown 0.9)
expect(1 "^$" "^seq2seq: ${FOLDER}/cats.vocabulary: 50[.]0% of the source's tokens become <unk> in the first 2 pairs, such "
       train ${cats} --run-directory ${FOLDER}/none --max-unknown 0.4)
expect(2 "^$" "^seq2seq: --max-unknown: would change nothing; [^\n]*\n$" check --train ${FOLDER}/cats.tsv --max-unknown 0.4)
expect(2 "^$" "^seq2seq: --initialize-from: the model brings its own vocabularies; [^\n]*\n$"
       check --train ${FOLDER}/cats.tsv --source-vocabulary ${FOLDER}/cats.vocabulary --initialize-from ${run})

# Paths in a configuration are taken from the present folder, as those of flags are, and shown as given.
file(WRITE ${FOLDER}/own/own.json "{\"data\": {\"train\": \"own.tsv\"}, \"text\": {\"tokenizer\": {\"model\": \"../joint.model\"}}}")
expect(0 "\"model\": \"../joint.model\"" "^$" train --config ${FOLDER}/own/own.json --dump-config)
expect(0 "\"train\": \"own.tsv\"" "^$" train --config ${FOLDER}/own/own.json --dump-config)
expect(0 "\"train\": \"mine.tsv\"" "^$" train --config ${FOLDER}/own/own.json --train mine.tsv --dump-config)

# Kernels are free on resume, and change no translation; both kinds compared, none is found to be wrong.
set(copying train --quiet --config ${ROOT}/models/pointer-generator-coverage.json --embedding.size 8 --encoder.size 8
    --decoder.size 8 ${text} --run-directory ${FOLDER}/copying_run)
file(REMOVE_RECURSE ${FOLDER}/copying_run)
expect(2 "^$" "^seq2seq: --kernels: 'quick' is unknown; [^\n]*\n$" ${copying} --kernels quick)
expect(2 "^$" "^seq2seq: --precision: (plain kernels compute in float32|bfloat16 cannot be computed)[^\n]*; [^\n]*\n$"
       ${copying} --kernels plain --precision bfloat16)
expect(0 "^$" "^$" ${copying} --max-updates 2 --kernels check)
expect(0 "^$" "^$" ${copying} --max-updates 4 --resume --kernels plain)
foreach(kernels fast plain check)
  foreach(model ${FOLDER}/copying_run ${ROOT}/models/demo-en-de.pt)
    expect(0 "^$" "^$" translate --quiet --model ${model} --input ${ROOT}/data/translation/valid.en --kernels ${kernels}
           --max-length 12 --output ${FOLDER}/${kernels})
  endforeach()
  file(READ ${FOLDER}/${kernels} all_${kernels})  # of the trained model: the other is still full of ties
  expect(0 "^[-.0-9\t\n]+$" "^$" score --quiet --kernels ${kernels} --model ${FOLDER}/copying_run
         --source ${ROOT}/data/translation/test.en --target ${ROOT}/data/translation/test.de)
endforeach()
if(NOT all_fast STREQUAL all_plain OR NOT all_fast STREQUAL all_check)
  message(SEND_ERROR "--kernels: the translations differ")
endif()

# bfloat16 where it cannot be computed: `auto` does without, a run that was begun elsewhere goes on in float32.
set(weak ${CMAKE_COMMAND} -E env ONEDNN_MAX_CPU_ISA=SSE41 ${PROGRAM})
set(strong ${PROGRAM})
set(PROGRAM ${weak})
expect(2 "^$" "^seq2seq: --precision: bfloat16 cannot be computed on this machine; give --precision float32[^\n]*\n$"
       train --precision bfloat16 --train-source /nowhere --train-target /nowhere --run-directory ${FOLDER}/nowhere)
expect(2 "^$" "^seq2seq: --precision: bfloat16 cannot be computed[^\n]*\n$"
       train --precision bfloat16 --initialize-from /nowhere --run-directory ${FOLDER}/nowhere)
expect(0 "^$" "^$|^warning: products were computed in bfloat16 until here[^\n]*\n$" ${begin} --max-updates 5 --resume)
file(READ ${run}/config.json config)
string(REGEX REPLACE "\"precision\": \"[a-z0-9]+\"" "\"precision\": \"bfloat16\"" config "${config}")
file(WRITE ${run}/config.json "${config}")
expect(2 "^$" "^seq2seq: --precision: bfloat16 cannot be computed[^\n]* --precision float32[^\n]*\n$"
       train --resume --run-directory ${run} --max-updates 6)
expect(0 "^$" "products were computed in bfloat16 until here, from here on in float32: the bits [^\n]*\n"
       train --resume --run-directory ${run} --max-updates 6 --precision float32)
set(PROGRAM ${strong})
expect(0 "^$" "resuming at update 6: " train --resume --run-directory ${run} --max-updates 7)
expect(2 "^$" "^seq2seq: --precision: cannot change when a run is resumed[^\n]*\n$|bfloat16 cannot be computed"
       train --resume --run-directory ${run} --max-updates 7 --precision bfloat16)

# tf32 is refused before anything is read; on a processor, `--deterministic` changes nothing, and stays with its run.
expect(2 "^$" "^seq2seq: --precision: tf32 is a number format of CUDA devices; give --precision float32[^\n]*\n$"
       train --precision tf32 --initialize-from /nowhere --run-directory ${FOLDER}/nowhere)
expect(2 "^$" "^seq2seq: --precision: tf32 is a number format of CUDA devices[^\n]*\n$"
       train --precision tf32 --device cpu --train-source /nowhere --train-target /nowhere --run-directory ${FOLDER}/nowhere)
file(REMOVE_RECURSE ${FOLDER}/copying_run)
expect(0 "^$" "^$" ${copying} --max-updates 2 --deterministic)
expect(0 "^$" "^$" ${copying} --max-updates 3 --resume)
expect(2 "^$" "^seq2seq: --(no-)?deterministic: cannot change when a run is resumed[^\n]*\n$"
       ${copying} --max-updates 4 --resume --no-deterministic)

# An instruction set that is none is told before anything is read.
set(PROGRAM ${CMAKE_COMMAND} -E env SEQ2SEQ_INSTRUCTION_SET=avx3 ${strong})
expect(1 "^$" "^seq2seq: SEQ2SEQ_INSTRUCTION_SET: 'avx3' is unknown; valid: baseline, avx, avx2, avx512, avx512vnni\n$"
       train --train-source /nowhere --train-target /nowhere --run-directory ${FOLDER}/nowhere)
set(PROGRAM ${strong})

# Every preset trains.
file(GLOB presets ${ROOT}/models/*.json)
foreach(preset ${presets})
  get_filename_component(name ${preset} NAME_WE)
  file(REMOVE_RECURSE ${FOLDER}/presets/${name})
  file(READ ${preset} options)
  set(sizes --encoder.size 8 --decoder.size 16)
  if(options MATCHES "transformer")
    set(sizes --encoder.inner-size 8 --decoder.inner-size 8)
  endif()
  expect(0 "^$" "^$" train --quiet --config ${preset} --train ${ROOT}/data/copying/valid.jsonl --valid
         ${ROOT}/data/copying/test.jsonl --embedding.size 8 ${sizes} --max-updates 2
         --run-directory ${FOLDER}/presets/${name})
endforeach()

# What was copied: one JSON object a line, or a page.
set(model ${FOLDER}/presets/summarization)
file(WRITE ${FOLDER}/two.txt "call Kelm now\n\n")
foreach(name explanation.jsonl explanation.html)
  expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${model} --input ${FOLDER}/two.txt --explain ${FOLDER}/${name})
endforeach()
file(READ ${FOLDER}/explanation.jsonl explanation)
file(READ ${FOLDER}/explanation.html page)
if(NOT explanation MATCHES "^{\"line\":0,\"output\":0,[^\n]*\"source\":.\"call\",\"Kelm\",\"now\",\"</s>\".[^\n]*}\n$"
   OR NOT page MATCHES "^<!DOCTYPE html>.*<svg .*</svg>.*</html>\n$")
  message(SEND_ERROR "translate --explain: ${explanation}\n${page}")
endif()
expect(2 "^$" "^seq2seq: --explain: is where --output goes; [^\n]*\n$" translate --model ${model} --explain -)
# Nothing that is read is written, by whatever name.
file(CREATE_LINK ${FOLDER}/two.txt ${FOLDER}/link.txt SYMBOLIC)
foreach(flag output explain)
  expect(2 "^$" "^seq2seq: --${flag}: is the file of --input, [^\n]*\n$"
         translate --model ${model} --input ${FOLDER}/two.txt --${flag} ${FOLDER}/link.txt)
  expect(2 "^$" "^seq2seq: --${flag}: is the file of --model, [^\n]*\n$"
         translate --model ${model} --input ${FOLDER}/two.txt --${flag} ${model}/best/model.pt)
  expect(2 "^$" "^seq2seq: --${flag}: '[^\n]*' would not be packed[^\n]*\n$"
         translate --model ${model} --input ${FOLDER}/two.txt --${flag} ${FOLDER}/x.gz)
endforeach()
expect(2 "^$" "^seq2seq: --explain: is where --output goes; [^\n]*\n$" translate --model ${model} --input
       ${FOLDER}/two.txt --output ${FOLDER}/new.txt --explain ${FOLDER}/./new.txt)
expect(2 "^$" "^seq2seq: --explain: this model has no attention to tell of; [^\n]*\n$"
       translate --model ${FOLDER}/presets/rnn-fixed-context --input ${FOLDER}/two.txt --explain ${FOLDER}/none.jsonl)

# What steers the output, and what else is written of it.
file(WRITE ${FOLDER}/prefixes.txt "at\n\n")
expect(0 "^at [^\n]*\n\n$" "^$" translate --quiet --model ${model} --input ${FOLDER}/two.txt --prefixes
       ${FOLDER}/prefixes.txt --details ${FOLDER}/details.jsonl --alignments ${FOLDER}/alignments.txt --verify)
file(READ ${FOLDER}/details.jsonl details)
file(READ ${FOLDER}/alignments.txt alignments)
if(NOT details MATCHES "^{\"line\":0,\"output\":0,[^\n]*}\n{\"line\":1,[^\n]*\"tokens\":..,[^\n]*}\n$"
   OR NOT alignments MATCHES "^[0-2]-0 [^\n]*\n\n$")
  message(SEND_ERROR "translate --details, --alignments: ${details}\n${alignments}")
endif()
foreach(case "--temperature;0.5;--temperature: would change nothing; add --sample" "--ban;<unk>;--ban: '<unk>' would be text "
        "--beam-groups;2;--beam-groups: 2 does not divide" "--bias;x;--bias: 'x' is not text=number"
        "--tokenizer;char;--tokenizer: would change nothing" "--ensemble;log;--ensemble: would change nothing"
        "--source-vocabulary;x;--target-vocabulary: is missing")
  list(GET case 0 flag)
  list(GET case 1 value)
  list(GET case 2 message)
  expect(2 "^$" "^seq2seq: ${message}[^\n]*\n$" translate --model ${model} --input ${FOLDER}/two.txt ${flag} ${value})
endforeach()

# Keys of JSON lines: guessed and told, remembered by the model, and given.
file(READ ${ROOT}/data/copying/valid.jsonl examples)
string(REPLACE "{\"source\":" "{\"source\": \"news\", \"article\":" examples "${examples}")
string(REPLACE "\"target\":" "\"highlights\":" examples "${examples}")
file(WRITE ${FOLDER}/articles.jsonl "${examples}")
set(sizes --tokenizer word --embedding.size 8 --encoder.size 8 --decoder.size 8 --max-updates 2)
file(REMOVE_RECURSE ${FOLDER}/articles_run)
expect(0 "^$" "articles.jsonl:1: read as source: 'article', as target: 'highlights'\n" train --train ${FOLDER}/articles.jsonl
       ${sizes} --run-directory ${FOLDER}/articles_run)
file(WRITE ${FOLDER}/article.jsonl "{\"source\": \"news\", \"article\": \"\"}\n{\"source\": 1e999}\n{\"source\": \"\"}\n")
expect(1 "^\n\n\n$" "^[^\n]*article.jsonl:2: not valid JSON [(]a number is out of range[)]"
       translate --model ${FOLDER}/articles_run --input ${FOLDER}/article.jsonl)
expect(1 "^[^\n]+\n\n\n$" "could not be used" translate --model ${FOLDER}/articles_run --input ${FOLDER}/article.jsonl
       --source-key source)
expect(2 "^$" "^seq2seq: --source-key: would change nothing; give a .jsonl file\n$" translate --model ${FOLDER}/articles_run
       --input ${FOLDER}/two.txt --source-key article)
expect(0 "These files can be trained on" "^$" check --train ${FOLDER}/articles.jsonl --source-key article --target-key highlights)
# Words that only a copying model can write; what one line asks for in vain is told, and is missing there alone.
set(demo ${ROOT}/models/demo-en-de.pt)
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${model} --input ${FOLDER}/two.txt --ban Kelm Zebra)
expect(2 "^$" "^seq2seq: --ban: 'Zebra': the target vocabulary lacks 'Zebra'; [^\n]*\n$"
       translate --model ${demo} --input ${FOLDER}/two.txt --ban Zebra)
expect(0 "^[^.]*\n\n$" "^$" translate --quiet --model ${demo} --input ${FOLDER}/two.txt --ban . --repeatable "Kinder" ","
       --no-repeat-ngram 2)
file(WRITE ${FOLDER}/required.txt "Zebra\n\n")
expect(1 "^\n\n$" "required.txt:1: the required 'Zebra' has 'Zebra', which [^\n]*\n$" translate --quiet --model ${demo}
       --input ${FOLDER}/two.txt --required ${FOLDER}/required.txt)
file(WRITE ${FOLDER}/required.txt "Kinder\n\n")
expect(1 "^\n\n$" "required.txt:1: the required 'Kinder' is what --ban forbids; [^\n]*\n$" translate --quiet --model ${demo}
       --input ${FOLDER}/two.txt --required ${FOLDER}/required.txt --ban Kinder)
expect(0 "^[^\n]*Kinder[^\n]*\n\n$" "^$" translate --quiet --model ${demo} --input ${FOLDER}/two.txt
       --required ${FOLDER}/required.txt)

# Weights in other formats, and where they are not for.
foreach(format int8 bfloat16)
  expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${demo} --input ${FOLDER}/two.txt --weights ${format})
  expect(2 "^$" "^seq2seq: --weights: ${format} is for the fast kernels, not for plain; leave it or --kernels out\n$"
         translate --model ${demo} --input ${FOLDER}/two.txt --weights ${format} --kernels plain)
endforeach()
expect(2 "^$" "^seq2seq: --weights: would change nothing; leave it out: [^\n]*\n$" translate --model ${demo} --weights int8
       --source-vocabulary a.txt --target-vocabulary b.txt)
expect(2 "^$" "^seq2seq: --weights: would change nothing; add --verify\n$" inspect --model ${demo} --weights int8)

# A model in int8: smaller, used as it is, and for nothing but decoding.
set(small ${FOLDER}/small.pt)
expect(0 "^$" "small.pt: 0[.][0-9] MiB in int8, 1[.]5 MiB before\n.*self-test: [0-3] of [0-9]+ outputs as before, log-probabilities within"
       quantize --model ${demo} --output ${small})
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${small} --input ${FOLDER}/two.txt)
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${small} ${demo} --input ${FOLDER}/two.txt --verify)
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${small} --input ${FOLDER}/two.txt --weights float32 --kernels plain
       --explain ${FOLDER}/explained.jsonl)
expect(0 "output.weight +\\[288, 128\\] +36,864  int8\n.*with weights in int8 +passed.*by both +passed" "^$"
       inspect --model ${small} --verify)
expect(2 "^$" "^seq2seq: --weights: int8, as in the model's file, is for the fast kernels, not for plain; add --weights float32\n$"
       translate --model ${small} --input ${FOLDER}/two.txt --kernels plain)
set(for_decoding "has weights in int8, which are for decoding alone; name the run or model.pt that it was made from\n$")
expect(1 "^$" "small.pt: ${for_decoding}" quantize --model ${small} --output ${FOLDER}/smaller.pt)
expect(1 "^$" "small.pt: ${for_decoding}" average --models ${small} --output ${FOLDER}/smaller.pt)
expect(1 "^$" "small.pt: ${for_decoding}" train ${text} --run-directory ${FOLDER}/smaller --initialize-from ${small})
expect(2 "^$" "^seq2seq: --output: is the file of --model, [^\n]*\n$" quantize --model ${demo} --output ${demo})
expect(2 "^$" "^seq2seq: --model: is missing; [^\n]*\n$" quantize --output ${small})
expect(2 "^$" "^seq2seq: --output: is missing; [^\n]*\n$" quantize --model ${demo})

# Separators of sentences are not words of the text.
file(WRITE ${FOLDER}/separated.txt "a b c <q> d e\n")
file(WRITE ${FOLDER}/whole.txt "a b c d e\n")
expect(0 "\"score\": 100.0" "^$" evaluate --hypothesis ${FOLDER}/separated.txt --reference ${FOLDER}/whole.txt --metric bleu
       --sentence-separator <q>)
expect(0 "\"difference\": 0.0,.*\"p_value\": 1.0" "^$" evaluate --hypothesis ${FOLDER}/whole.txt --reference ${FOLDER}/separated.txt
       --baseline ${FOLDER}/whole.txt --metric bleu)

# Scores of given translations; a shortlist; an average of checkpoints decodes and passes its self-test.
file(WRITE ${FOLDER}/one.txt "call Kelm now\n")
expect(0 "^-[0-9.]+\t4\t-[-0-9. ]+\n$" "^seq2seq: 1 pairs, 4 tokens: log-probability -[^\n]*\n|^1 pairs, 4 tokens: [^\n]*\n$"
       score --model ${model} --source ${FOLDER}/one.txt --target ${FOLDER}/one.txt --tokens)
expect(2 "^$" "^seq2seq: --target: is missing; [^\n]*\n$" score --model ${model} --source ${FOLDER}/one.txt)
expect(0 "^$" "from 200 pairs|from [0-9]+ pairs" shortlist --model ${model} --input ${ROOT}/data/copying/valid.jsonl --output
       ${FOLDER}/short.json)
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${model} --input ${FOLDER}/two.txt --shortlist ${FOLDER}/short.json)
expect(0 "^at [^\n]*\n\n$" "^$" translate --quiet --model ${model} --input ${FOLDER}/two.txt --prefixes ${FOLDER}/prefixes.txt
       --ban Kelm --no-repeat-ngram 3 --shortlist ${FOLDER}/short.json)
foreach(flag --verify --sample)
  expect(2 "^$" "^seq2seq: --shortlist: leaves words out that are needed for ${flag}; [^\n]*\n$"
         translate --model ${model} --input ${FOLDER}/two.txt --shortlist ${FOLDER}/short.json ${flag})
endforeach()
expect(0 "^$" "^$" average --quiet --models ${model}/best ${model}/last --output ${FOLDER}/average.pt)
expect(0 "passed: 3 of 3 outputs equal.*passed: 3 of 3 outputs equal" "^$" inspect --model ${FOLDER}/average.pt --verify)
foreach(format int8 bfloat16)
  expect(0 "self-test with weights in ${format} +passed: [0-3] of 3 outputs equal" "^$" inspect --model ${FOLDER}/average.pt
         --verify --weights ${format})
  expect(0 "^-[0-9.]+\t4\n$" "^$" score --quiet --model ${FOLDER}/average.pt --source ${FOLDER}/one.txt --target ${FOLDER}/one.txt
         --weights ${format})
endforeach()
expect(0 "^[^\n]*\n\n$" "^$" translate --quiet --model ${FOLDER}/average.pt ${model} --input ${FOLDER}/two.txt --verify)
expect(2 "^$" "^seq2seq: --output: is one of the models, [^\n]*\n$" average --models ${model} ${FOLDER}/average.pt --output
       ${FOLDER}/average.pt)
expect(2 "^$" "^seq2seq: --source: is missing[^\n]*\n$" evaluate --hypothesis x --reference y --metric summary --model z)
expect(2 "^$" "^seq2seq: --source: would change nothing; add --metric summary\n$"
       evaluate --hypothesis x --reference y --source z)

# Figures that say less than they seem to are told; the signature says what was compared.
set(russian evaluate --hypothesis ${FOLDER}/russian.txt --reference ${FOLDER}/russian.txt)
file(WRITE ${FOLDER}/russian.txt "снег лежит на крыше\nидёт дождь со снегом\n")
expect(0 "\"rougeL\": {[^}]*\"fmeasure\": 1.0.*nrefs:1[|]tok:unicode[|]stem:no"
       "^warning: ROUGE: [^\n]* keep 0 of 8 words [^\n]* --rouge-tokenize unicode\n$" ${russian} --metric rouge)
expect(0 "tok:rouge-score[|]stem:yes"
       "^warning: rouge1, rouge2, rougeL, rougeLsum: outputs equal [^\n]*; give --rouge-tokenize unicode or char\n$"
       ${russian} --metric rouge --rouge-tokenize rouge-score)
expect(0 "tok:char[|]stem:no" "^$" ${russian} --metric rouge --rouge-tokenize char)
file(WRITE ${FOLDER}/chinese.txt "今天天气很好，我们去公园吧。\n他每天早上六点起床。\n")
set(chinese evaluate --hypothesis ${FOLDER}/chinese.txt --reference ${FOLDER}/chinese.txt --metric bleu)
expect(0 "\"score\": 0.0" "^warning: bleu: outputs equal [^\n]*; give --tokenize zh, char or spm:FILE\n$" ${chinese})
expect(0 "\"score\": (100.0|99.9).*tok:zh" "^$" ${chinese} --tokenize zh)
expect(0 "tok:spm:metrics_pieces.model:[0-9a-f]+[|]" "^$" ${chinese} --tokenize
       spm:${ROOT}/tests/reference/metrics_pieces.model)
expect(1 "^$" "^seq2seq: /nowhere: [^\n]*\n$" ${chinese} --tokenize spm:/nowhere)
expect(2 "^$" "^seq2seq: --rouge-tokenize: would change nothing; add --metric rouge\n$" ${chinese} --rouge-tokenize char)
file(WRITE ${FOLDER}/cased.txt "Der Hund sitzt im Garten von Anna\n")
file(WRITE ${FOLDER}/lower.txt "der hund sitzt im garten von anna\n")
set(lower evaluate --hypothesis ${FOLDER}/lower.txt --reference ${FOLDER}/cased.txt --metric)
expect(0 "case:mixed" "^warning: the outputs are in lower case, the references are not: add --lowercase [^\n]*\n$"
       ${lower} bleu)
expect(0 "case:lc" "^$" ${lower} bleu --lowercase)
expect(0 "rougeL" "^$" ${lower} rouge)

# Gradient flow, of models, configurations and the bare simple RNN side by side.
expect(0 "^steps back +simple RNN +gru +[^ \n]+\n0 +[0-9.e+-]+ +[0-9.e+-]+ +[0-9.e+-]+\n.*\nweights .*\nclipped at 5 " "^$"
       inspect --gradient-flow --model ${model} --fresh ${ROOT}/models/gru.json --simple-rnn 8 --probe-length 6 --sentences 3
       --plot ${FOLDER}/flow.svg)
file(READ ${FOLDER}/flow.svg flow)
if(NOT flow MATCHES "^<svg .*>gru</text>.*</svg>\n$")
  message(SEND_ERROR "flow.svg: ${flow}")
endif()
expect(0 "\"gradient-flow\": .*\"norms\"" "^$" inspect --gradient-flow --model ${model} --json --sentences 3 --input
       ${ROOT}/data/copying/valid.jsonl)
expect(2 "^$" "^seq2seq: --gradient-flow: has nothing to measure; [^\n]*\n$" inspect --gradient-flow)
expect(2 "^$" "^seq2seq: --fresh: would change nothing; add --gradient-flow\n$" inspect --fresh x.json)
expect(2 "^$" "^seq2seq: --probe-distance: 6 lies before the first word; at most 5[^\n]*\n$"
       inspect --gradient-flow --simple-rnn 8 --probe-length 6 --probe-distance 6)
expect(2 "^$" "^seq2seq: --plot: 'x.png' is not an .svg file[^\n]*\n$" inspect --gradient-flow --simple-rnn 8 --plot x.png)
expect(2 "^$" "^seq2seq: --model: names several models; [^\n]*\n$" inspect --model a b)

# The pictures of a run.
expect(0 "^$" "report.html\n.*tensorboard --logdir " report ${model} --tensorboard)
file(READ ${model}/report.html page)
if(NOT page MATCHES "<h2>Examples</h2>.*class=\"heat-map\".*</html>\n$" OR page MATCHES "<script")
  message(SEND_ERROR "report.html: ${page}")
endif()
expect(2 "^$" "^seq2seq: --run-directory: is given beside 'a'; [^\n]*\n$" report a --run-directory b)
expect(1 "^$" "^seq2seq: /nowhere: is not a run directory [^\n]*\n$" report /nowhere)

# Studies that cannot be.
expect(2 "^$" "^seq2seq: --config: is missing; [^\n]*\n$" study --output x)
expect(2 "^$" "^seq2seq: --output: is missing; [^\n]*\n$" study --config x)
expect(1 "^$" "^seq2seq: /nowhere.json: [^\n]*\n$" study --config /nowhere.json --output ${FOLDER}/study)
expect(2 "^$" "^seq2seq: --test: is missing; [^\n]*\n$" study --config ${ROOT}/data/studies/small.json --output
       ${FOLDER}/study --train x.jsonl)
