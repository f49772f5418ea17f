#pragma once

namespace CLI {
class App;
}

namespace seq2seq {

// Each adds one subcommand to `app`. Running it stores the process's exit code in `exit_code`.
void add_train(CLI::App& app, int& exit_code);
void add_translate(CLI::App& app, int& exit_code);
void add_evaluate(CLI::App& app, int& exit_code);
void add_vocab(CLI::App& app, int& exit_code);
void add_generate(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_average(CLI::App& app, int& exit_code);
void add_score(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_study(CLI::App& app, int& exit_code);
void add_shortlist(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);

}  // namespace seq2seq
