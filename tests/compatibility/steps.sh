# Steps that make.sh runs with an old program and compatibility_test.sh with a new one, to compare the
# results. To be sourced with `program` set, in a folder that contains `corpus`.
# shellcheck shell=bash disable=SC2154
export OMP_WAIT_POLICY=passive
readonly text=(--train corpus/train.jsonl --valid corpus/valid.jsonl)

# Translates lines with words outside the vocabulary to NAME.{beam,greedy}.jsonl, scores with all digits.
translate_lines() { # MODEL NAME
  "$program" translate --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --output "$2.text" \
    --max-length 20 --n-best 2 --details "$2.beam.jsonl" &&
    "$program" translate --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --output "$2.text" \
      --max-length 20 --beam-size 1 --details "$2.greedy.jsonl" &&
    rm "$2.text"
}

# Log-probabilities of given targets, with four decimals.
score_lines() { # MODEL NAME
  "$program" score --quiet --threads 1 --model "$1" --input corpus/lines.jsonl --tokens --output "$2.scores"
}

# The values that do not depend on time and machine. The earlier version wrote no line about pairs.
figures_of_log() { # RUN
  grep -v '"type": *"pairs"' "$1/train.jsonl" |
    grep -oE '"(type|update|loss|perplexity|coverage_loss|gradient_norm|learning_rate|accuracy|rougeL)": ?[^,}]*'
}

# Three updates and a validation with an archive's weights. SGD, whose steps are proportional to the
# gradients: Adam's steps are large even where a gradient differs from 0 only by rounding.
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

# Runs a study and extracts its values, without those of time and machine.
run_study() { # OUTPUT NAME
  "$program" study --quiet --config study.json --output "$1" &&
    grep -v -e second -e memory -e seq2seq "$1/report.json" >"$2.figures"
}
