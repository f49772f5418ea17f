# What make.sh and compatibility_test.sh do alike with an old and a new program, to compare what comes out. To be sourced
# with `program` set; a folder that holds `corpus` is the current one.
# shellcheck shell=bash disable=SC2154
export OMP_WAIT_POLICY=passive
readonly text=(--train corpus/train.jsonl --valid corpus/valid.jsonl)

# Lines with words that the vocabulary lacks: NAME.beam.jsonl and NAME.greedy.jsonl, with all digits of their scores.
translate_lines() { # MODEL NAME
  "$program" translate --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --output "$2.text" \
    --max-length 20 --n-best 2 --details "$2.beam.jsonl" &&
    "$program" translate --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --output "$2.text" \
      --max-length 20 --beam-size 1 --details "$2.greedy.jsonl" &&
    rm "$2.text"
}

# Log-probabilities of given targets, in four decimals.
score_lines() { # MODEL NAME
  "$program" score --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --tokens --output "$2.scores"
}

# What does not depend on time and machine.
figures_of_log() { # RUN
  grep -oE '"(type|update|loss|perplexity|coverage_loss|gradient_norm|learning_rate|accuracy|rougeL)": ?[^,}]*' \
    "$1/train.jsonl"
}

# Three updates and a validation of an archive's weights. SGD: unlike Adam's, its steps are as small as the gradients, also
# where nothing but rounding keeps them from being 0.
train_further() { # MODEL CONFIGURATION NAME
  "$program" train --quiet --config "$2" --initialize-from "$1" "${text[@]}" --run-directory "$3.run" --threads 1 \
    --batch-size 256 --optimizer sgd --learning-rate 0.02 --max-updates 3 --log-every 1 &&
    figures_of_log "$3.run" >"$3.training" &&
    rm -r "$3.run"
}

resume_run() { # RUN NAME
  "$program" train --quiet --resume --run-directory "$1" --max-updates 40 &&
    figures_of_log "$1" >"$2.log"
}

# Where it is trained is no part of what it means.
resolve_configuration() { # CONFIGURATION
  "$program" train --config "$1" --dump-config --device cpu "${text[@]}"
}

# Its figures, without those of time and machine.
run_study() { # OUTPUT NAME
  "$program" study --quiet --config study.json --output "$1" &&
    grep -v -e second -e memory -e seq2seq "$1/report.json" >"$2.figures"
}
