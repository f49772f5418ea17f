// Every command of the program and every flag of it, within this process.

#include "commands.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <sstream>

#include "../data/temporary_folder.h"
#include "command_line.h"
#include "help_formatter.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "stop_signal.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The program, with nothing run yet.
struct Program {
  Program() {
    app.formatter(std::make_shared<HelpFormatter>());
    app.require_subcommand(0, 1);
    runs = add_commands(app, commands());
  }
  CLI::App app{"", "seq2seq"};
  CommandRuns runs;
};

/// Those that run something: "bench train".
std::vector<std::string> command_names(const CLI::App& app, const std::string& above = {}) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string name = above + command->get_name();
    const auto parts = command_names(*command, name + " ");
    if (parts.empty()) names.push_back(name);
    names.insert(names.end(), parts.begin(), parts.end());
  }
  return names;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

CLI::App& command_called(CLI::App& app, const std::string& name) {
  CLI::App* found = &app;
  for (const std::string& word : words_of(name)) found = found->get_subcommand(word);
  return *found;
}

struct Outcome {
  int exit_code;
  std::string output, error;
};

Outcome run(const std::string& command, const std::vector<std::string>& arguments) {
  Program program;
  std::vector<std::string> words = words_of("seq2seq " + command);
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  std::ostringstream output, error;
  auto* const usual_output = std::cout.rdbuf(output.rdbuf());
  auto* const usual_error = std::cerr.rdbuf(error.rdbuf());
  const int exit_code =
      run_command_line(program.app, program.runs, static_cast<int>(pointers.size()), pointers.data());
  std::cout.rdbuf(usual_output);
  std::cerr.rdbuf(usual_error);
  return {exit_code, output.str(), error.str()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Commands, HelpIsAScreenful) {
  Program program;
  for (const std::string& name : command_names(program.app)) {
    const std::string help = run(name, {"--help"}).output;
    const auto lines = lines_of(help);
    EXPECT_LE(lines.size(), 40U) << help;
    for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
    EXPECT_THAT(help, HasSubstr("\nUsage: seq2seq " + name));
    if (command_called(program.app, name).get_help_all_ptr() != nullptr) {
      EXPECT_EQ(lines.back(), "All options: seq2seq " + name + " --help-all");
    }
  }
  EXPECT_LE(lines_of(program.app.help()).size(), 40U);
}

TEST(Commands, HelpAllShowsEveryFlag) {
  Program program;
  for (const std::string& name : command_names(program.app)) {
    const CLI::App& command = command_called(program.app, name);
    const bool has_more = command.get_help_all_ptr() != nullptr;
    const Outcome all = run(name, {has_more ? "--help-all" : "--help"});
    EXPECT_EQ(all.exit_code, 0);
    EXPECT_THAT(all.output, Not(HasSubstr("All options:")));
    for (const std::string& line : lines_of(all.output)) EXPECT_LE(line.size(), 80U) << line;
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_lnames().empty()) continue;
      const std::string flag = option->get_lnames().front();
      EXPECT_THAT(all.output, AnyOf(HasSubstr("--" + flag + " "), HasSubstr("--[no-]" + flag + " "),
                                    HasSubstr("--" + flag + "\n"), HasSubstr("--[no-]" + flag + "\n")))
          << name;
    }
  }
}

// Whatever is wrong with a value is told of the flag as it was typed.
TEST(Commands, ErrorsNameEveryFlagAsItIsTyped) {
  Program program;
  int flags = 0;
  for (const std::string& name : command_names(program.app))
    for (const CLI::Option* option : command_called(program.app, name).get_options()) {
      if (option->get_lnames().empty() || option->get_type_name() == "TEXT" ||
          option->get_type_name() == "TEXT..." || option->get_type_name() == "FILE" ||
          option->check_lname("help") || option->check_lname("help-all"))
        continue;
      const std::string flag = "--" + option->get_lnames().front();
      const Outcome outcome = run(name, {flag + "=maybe"});
      EXPECT_EQ(outcome.exit_code, 2) << name << " " << flag;
      EXPECT_THAT(outcome.error, StartsWith("seq2seq: " + flag + ": ")) << name;
      EXPECT_THAT(outcome.error, EndsWith("\n"));
      ++flags;
    }
  EXPECT_GT(flags, 200);
}

TEST(Commands, WhatWouldChangeNothingIsRefused) {
  const auto refused = [](const std::string& command, const std::string& words, const std::string& error) {
    const Outcome outcome = run(command, words_of(words));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.error, "seq2seq: " + error + "\n");
  };
  refused("translate", "--model x --temperature 0.5", "--temperature: would change nothing; add --sample");
  refused("translate", "--model x --patience 2 --stopping first",
          "--patience: would change nothing; add --stopping patience");
  refused("translate", "--model x --sample --stopping first",
          "--stopping: would change nothing; leave it or --sample out: each draw ends by itself");
  refused("translate", "--model x --sample --patience 2",
          "--patience: would change nothing; leave it or --sample out: each draw ends by itself");
  refused("translate", "--model x --repeatable Haus",
          "--repeatable: would change nothing; add --no-repeat-ngram or --repetition-penalty");
  refused("translate", "--model x --source-key a", "--source-key: would change nothing; give a .jsonl file");
  refused("score", "--model x --source a --target b --target-key c",
          "--target-key: would change nothing; give a .jsonl file");
  refused("bench train", "--train x.tsv --initialize-from y",
          "--initialize-from: would change nothing; leave it out: a new model is measured");
  refused("translate", "--model x --scores --n-best 2",
          "--scores: would change nothing; leave it out: n-best lists have scores anyway");
  refused("translate", "--model x --ensemble log",
          "--ensemble: would change nothing; name several models, or leave it out");
  refused("evaluate", "--hypothesis x --reference y --no-stem",
          "--no-stem: would change nothing; add --metric rouge");
  refused("vocab", "--input x --output y --minimum-frequency 2",
          "--minimum-frequency: would change nothing; set --size instead");
  refused("vocab", "--input x.en y.gz --output y --side source",
          "--side: would change nothing; name .tsv or .jsonl files with --input");
  refused("vocab", "--input x.tsv --output y --source-key a",
          "--source-key: would change nothing; give a .jsonl file");
  refused("inspect", "--model x --verify-input y", "--verify-input: would change nothing; add --verify");
  refused("inspect", "--model x --sentences 5", "--sentences: would change nothing; add --gradient-flow");
  refused("report", "run --device cuda --examples 0",
          "--device: would change nothing; leave out --examples 0");
  refused("generate", "--grammar x --count 5 --output y.tsv --extensions tsv",
          "--extensions: would change nothing; add --splits");
  refused("train", "--train x.tsv --run-directory y --coverage-loss-start 9",
          "--coverage-loss-start: would change nothing; add --coverage-loss");
  refused("train", "--train x.tsv --run-directory y --sentence-separator |",
          "--sentence-separator: would change nothing; add --encoder hierarchical, or leave it out");
  refused("train", "--train x.tsv --run-directory y --accept-changed-text",
          "--accept-changed-text: would change nothing; add --resume");
  refused("bench train", "--train x.tsv --valid-beam-size 9",
          "--valid-beam-size: would change nothing; add --valid-metrics bleu, or leave it out");
}

TEST(Commands, WhatChangesNothingWithoutHarmIsNoted) {
  const TemporaryFolder folder;
  const std::string input = folder.write("in.txt", "a\n");
  const auto noted = [](const std::string& command, const std::string& words, const std::string& note) {
    testing::internal::CaptureStderr();  // where the log goes
    const Outcome outcome = run(command, words_of(words));
    EXPECT_THAT(lines_of(testing::internal::GetCapturedStderr()), Contains(note));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.error;  // no such files
  };
  noted("translate", "--model /none --seed 5", "--seed changes nothing without --sample");
  noted("translate", "--model /none --beam-size 1 --patience 3 --max-wait-ms 9 --input " + input,
        "--patience changes nothing with one beam");
  noted("translate", "--model /none --max-wait-ms 9 --input " + input,
        "--max-wait-ms changes nothing for a file");
  noted("translate", "--model /none --beam-size 1 --stopping first",
        "--stopping changes nothing with one beam");
  noted("bench decode", "--model /none --input /none --one-by-one --batch-size 8",
        "--batch-size changes nothing with --one-by-one");
  noted("bench decode", "--model /none --input /none --one-by-one --max-batch-tokens 80",
        "--max-batch-tokens changes nothing with --one-by-one");
  noted("vocab", "--input /none --output y --type word --seed 2",
        "--seed changes nothing without --type sentencepiece");
  noted("evaluate", "--hypothesis /none --reference /none --seed 2",
        "--seed changes nothing without --bootstrap or --baseline");
  noted("train",
        "--train /none.tsv --run-directory " + folder.path("run") + " --minimum-learning-rate 0.00001",
        "--minimum-learning-rate changes nothing with --schedule constant");
  noted("train", "--train /none.tsv --run-directory " + folder.path("run") + " --source-key a --target-key b",
        "--source-key, --target-key change nothing without a .jsonl file");
  noted("train", "--train /none.tsv --run-directory " + folder.path("run") + " --max-unknown 0.2",
        "--max-unknown changes nothing without a vocabulary, subword model or model that is given");
  noted("bench train", "--train /none.tsv --max-updates 3 --valid-every 2",
        "--max-updates, --valid-every change nothing in bench train");
}

TEST(Commands, VocabularyOfExamplesIsThatOfTheirTexts) {
  const TemporaryFolder folder;
  const auto vocabulary = [&](const std::vector<std::string>& files, const std::string& side,
                              const std::string& type = "word") {
    std::vector<std::string> words{"--type", type, "--output", folder.path("out")};
    if (!side.empty()) words.insert(words.end(), {"--side", side});
    words.emplace_back("--input");
    words.insert(words.end(), files.begin(), files.end());
    const Outcome outcome = run("vocab", words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return read_file(folder.path("out"));
  };
  const std::string source = folder.write("t.en", "a big house\na house\n"),
                    target = folder.write("t.de", "ein Haus\nein großes Haus\n");
  const std::string tsv = "a big house\tein Haus\na house\tein großes Haus\n",
                    json = R"({"source": "a big house", "target": "ein Haus", "id": 1})"
                           "\n"
                           R"({"source": ["a", "house"], "target": "ein großes Haus"})"
                           "\n";
  const std::vector<std::string> files{folder.write("t.tsv", "\uFEFF" + tsv),
                                       folder.write_gz("t.tsv.gz", tsv), folder.write("t.jsonl", json),
                                       folder.write_gz("t.jsonl.gz", json)};
  for (const std::string& file : files) {
    EXPECT_EQ(vocabulary({file}, ""), vocabulary({source, target}, "")) << file;
    EXPECT_EQ(vocabulary({file}, "source"), vocabulary({source}, "")) << file;
    EXPECT_EQ(vocabulary({file}, "target"), vocabulary({target}, "")) << file;
    EXPECT_EQ(vocabulary({file}, "", "char"), vocabulary({source, target}, "", "char")) << file;
    EXPECT_EQ(vocabulary({file}, "", "sentencepiece"), vocabulary({source, target}, "", "sentencepiece"))
        << file;
    EXPECT_EQ(vocabulary({source, file}, "target"), vocabulary({source, target}, "")) << file;
  }
  EXPECT_EQ(vocabulary({files[0], files[2]}, ""), vocabulary({source, target, source, target}, ""));
  EXPECT_THAT(vocabulary({source}, ""), StartsWith("<pad>\n<unk>\n<s>\n</s>\na\nhouse\nbig\n"));

  const auto refused = [&](const std::string& name, const std::string& line, const std::string& side) {
    std::vector<std::string> words{"--type",           "word",    "--output",
                                   folder.path("out"), "--input", folder.write(name, line)};
    words.insert(words.end(), {"--side", side});
    const Outcome outcome = run("vocab", words);
    EXPECT_EQ(outcome.exit_code, outcome.error.empty() ? 0 : 1);
    return outcome.error;
  };
  EXPECT_THAT(refused("m.tsv", "a\n", "both"), HasSubstr("m.tsv:1: no tab between source and target"));
  EXPECT_THAT(refused("m.jsonl", "{\"source\": \"a\"}\n", "target"), HasSubstr("m.jsonl:1: no 'target'"));
  EXPECT_EQ(refused("m.tsv", "a\n", "source"), "");
  EXPECT_THAT(refused("m.jsonl", "a b\n", "source"), HasSubstr("m.jsonl:1: not valid JSON"));
}

TEST(Commands, VocabularyReadsTheKeysThatAreNamed) {
  const TemporaryFolder folder;
  const std::string nested = folder.write("n.jsonl", R"({"translation": {"en": "a house", "de": "ein Haus"}})"
                                                     "\n");
  const auto vocabulary = [&](const std::string& words) {
    testing::internal::CaptureStderr();  // where the log goes
    const Outcome outcome =
        run("vocab", words_of("--type word --output " + folder.path("out") + " " + words));
    const std::string log = testing::internal::GetCapturedStderr();
    return outcome.exit_code == 0 ? log + read_file(folder.path("out")) : outcome.error;
  };
  const std::string source = " --source-key translation.en", target = " --target-key translation.de";
  EXPECT_THAT(vocabulary("--input " + nested + source + target), EndsWith("\nHaus\na\nein\nhouse\n"));
  EXPECT_THAT(vocabulary("--input " + nested + source + " --side source"), EndsWith("</s>\na\nhouse\n"));
  EXPECT_THAT(vocabulary("--input " + nested + target + " --side target"), EndsWith("</s>\nHaus\nein\n"));
  EXPECT_THAT(vocabulary("--input " + nested + source),
              HasSubstr("n.jsonl:1: no 'target'; every line needs one; --target-key names another key"));
  const std::string usual = folder.write("u.jsonl", R"({"src": "a house", "tgt": "ein Haus"})"
                                                    "\n");
  EXPECT_THAT(vocabulary("--input " + usual),
              AllOf(HasSubstr("u.jsonl:1: read as source: 'src', as target: 'tgt'\n"),
                    EndsWith("\nHaus\na\nein\nhouse\n")));
}

TEST(Commands, ReferencesNeedNoSource) {
  const TemporaryFolder folder;
  const std::string text = folder.write("t.txt", "ein Haus\n");
  folder.write("n.jsonl", "{\"translation\": {\"en\": \"a house\", \"de\": \"ein Haus\"}}\n");
  folder.write("b.jsonl", "{\"summary\": \"ein Haus\", \"source\": 5}\n");
  const auto evaluated = [&](const std::string& reference, const std::string& words) {
    testing::internal::CaptureStderr();
    const Outcome outcome = run("evaluate", words_of("--metric chrf --hypothesis " + text + " --reference " +
                                                     folder.path(reference) + words));
    const std::string log = testing::internal::GetCapturedStderr();
    return outcome.exit_code == 0 ? log + outcome.output : outcome.error;
  };
  EXPECT_THAT(evaluated("n.jsonl", " --target-key translation.de"), HasSubstr("\"score\": 100.0"));
  EXPECT_THAT(evaluated("b.jsonl", ""),
              AllOf(HasSubstr("b.jsonl:1: read as target: 'summary'\n"), HasSubstr("\"score\": 100.0")));
  EXPECT_THAT(evaluated("n.jsonl", ""), HasSubstr("n.jsonl:1: no 'target'"));
}

TEST(Commands, AFolderThatCannotBeMadeIsNamed) {
  const TemporaryFolder folder;
  const std::string grammar =
      folder.write("g.json", R"({"start": "S", "rules": {"S": [{"source": "a", "target": "b"}]}})");
  const Outcome outcome =
      run("generate", {"--grammar", grammar, "--splits", "train=1", "--output-directory", "/dev/null/x"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error,
            "seq2seq: /dev/null/x: cannot be created (Not a directory); check the folder's permissions\n");
}

// Whatever the program is doing, such as making a vocabulary.
TEST(StopSignal, IsAcknowledgedAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stopped_by = [](int signal, const std::string& acknowledgement) {
    watch_stop_signals(acknowledgement);
    std::raise(signal);
    std::exit(stop_exit_code());
  };
  EXPECT_EXIT(stopped_by(SIGINT, "stopping: wait"), testing::ExitedWithCode(130), "^stopping: wait\n$");
  EXPECT_EXIT(stopped_by(SIGTERM, ""), testing::ExitedWithCode(143), "^$");
}

TEST(StopSignal, ASecondOneEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stop_twice = [] {
    watch_stop_signals("stopping");
    for (int i = 0; i < 2; ++i) std::raise(SIGINT);
  };
  EXPECT_EXIT(stop_twice(), testing::KilledBySignal(SIGINT), "^stopping\n$");
}

// Where the text stands does not matter; what it says does, unless that is accepted.
TEST(Commands, ARunIsResumedWithTheTextThatItWasTrainedOn) {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "a " + std::to_string(i) + "\tx y\n";
  const std::string text = folder.write("t.tsv", lines), moved = folder.write("moved.tsv", lines);
  const std::string other = folder.write("other.tsv", lines + "d\tw\n");
  const auto train = [&](const std::string& words) {
    return run("train", words_of("--quiet --threads 1 --run-directory " + folder.path("run") + " " + words));
  };
  const std::string sizes = " --tokenizer word --embedding.size 4 --encoder.size 4 --decoder.size 4";
  EXPECT_EQ(train("--max-updates 1 --held-out 2 --train " + text + sizes).error, "");
  std::filesystem::remove(text);
  EXPECT_EQ(train("--resume --max-updates 2 --train " + moved).error, "");
  EXPECT_EQ(train("--resume --max-updates 3").error, "");  // it knows where its text is now
  const Outcome refused = train("--resume --max-updates 4 --train " + other);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, StartsWith("seq2seq: " + other +
                                        ": is not the text that the run was trained on; give the run its "
                                        "text back, or add --accept-changed-text"));
  EXPECT_EQ(train("--resume --max-updates 4 --accept-changed-text --train " + other).error, "");
  EXPECT_EQ(train("--resume --max-updates 5").error, "");
}

/// A run directory in `folder` whose decoder has this attention.
std::string tiny_run(const TemporaryFolder& folder, const std::string& attention) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += "a " + std::to_string(i) + "\tx y\n";
  const std::string directory = folder.path(attention);
  EXPECT_EQ(run("train", words_of("--quiet --threads 1 --max-updates 1 --held-out 2 --tokenizer word "
                                  "--embedding.size 4 --encoder.size 4 --decoder.size 4 --train " +
                                  folder.write(attention + ".tsv", lines) + " --decoder.attention " +
                                  attention + " --run-directory " + directory))
                .error,
            "");
  return directory;
}

TEST(Commands, BenchDecodeDividesTheTime) {
  const TemporaryFolder folder;
  const std::string model = tiny_run(folder, "additive"), input = folder.write("in", "a 1\na\na 2 3\n");
  const Outcome outcome = run("bench decode", words_of("--device cpu --threads 2 --workers 2 --windows 2 "
                                                       "--max-length 4 --no-repeat-ngram 2 --model " +
                                                       model + " --input " + input));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json result = parse_json(outcome.output, "bench");
  EXPECT_EQ(result["steps"], "fast");
  EXPECT_EQ(result["weights"], "float32");
  double seconds = 0, shares = 0;
  std::vector<std::string> names;
  for (const auto& [name, part] : result["parts"].items()) {
    names.push_back(name);
    EXPECT_GE(number_at(part, "seconds"), 0) << name;
    EXPECT_NEAR(number_at(part, "share"), number_at(part, "seconds") / number_at(result, "seconds"), 1e-9);
    seconds += number_at(part, "seconds");
    shares += number_at(part, "share");
  }
  EXPECT_NEAR(seconds, number_at(result, "seconds"), 1e-9);
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_GT(number_at(result["parts"]["rules"], "seconds"), 0);
  EXPECT_EQ(names, (std::vector<std::string>{"encoder", "products", "attention", "elementwise", "framework",
                                             "vocabulary", "search", "rules", "waiting"}));
  for (const char* name : {"encoder", "products", "vocabulary"})
    EXPECT_GT(number_at(result["parts"][name], "gflops"), 0) << name;
  for (const char* name : {"attention", "elementwise", "framework", "search", "rules", "waiting"})
    EXPECT_FALSE(result["parts"][name].contains("gflops")) << name;
  double gflop = 0;  // of all parts, as counted for the whole
  for (const auto& [name, part] : result["parts"].items())
    if (part.contains("gflops")) gflop += number_at(part, "gflops") * number_at(part, "seconds");
  EXPECT_NEAR(gflop / (number_at(result, "gflops") * number_at(result, "seconds")), 1, 1e-6);
  EXPECT_NEAR(number_at(result["limit"], "seconds") * number_at(result["limit"], "gflops") / gflop, 1, 1e-6);
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("\nattention "), HasSubstr("\nlimit "), EndsWith("steps: fast\n")));
  for (const std::string& line : lines_of(outcome.error)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Commands, BenchDecodeSaysWhyStepsAreNotFast) {
  const TemporaryFolder folder;
  const std::string models = tiny_run(folder, "additive") + " " + tiny_run(folder, "local");
  const Outcome outcome =
      run("bench decode",
          words_of("--device cpu --threads 1 --windows 1 --warmup 0 --max-length 4 --weights int8 --input " +
                   folder.write("in", "a 1\n") + " --model " + models));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json result = parse_json(outcome.output, "bench");
  EXPECT_EQ(result["steps"], "by tensors: model 2: its attention is local");
  EXPECT_EQ(result["weights"], "int8");
  EXPECT_THAT(outcome.error, EndsWith("steps: by tensors: model 2: its attention is local\n"));
}

TEST(Commands, FormerFlagsMeanWhatTheyMeant) {
  const auto error = [](const std::string& words) { return run("translate", words_of(words)).error; };
  const std::string given = "--model x --source-vocabulary y --target-vocabulary z ";
  EXPECT_THAT(error(given + "--maximum-length 0"),
              StartsWith("seq2seq: --max-source-length: 0 is out of range"));
  EXPECT_THAT(error(given + "--max-source-length 0"),
              StartsWith("seq2seq: --max-source-length: 0 is out of"));
  EXPECT_THAT(error(given + "--max-source-length 9 --maximum-length 0"),
              StartsWith("seq2seq: --max-source-length: 0 is out of range"));
  EXPECT_THAT(run("translate", {"--help-all"}).output, Not(HasSubstr("--maximum-length")));
}

}  // namespace
}  // namespace seq2seq
