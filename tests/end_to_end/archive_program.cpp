// A program without seq2seq, which links only LibTorch. Translates lines from stdin with the `translate`
// method of an archive; with --self-test, compares the archive's greedy outputs with those stored in it.

#include <torch/script.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace {

int replay(torch::jit::Module& model, const std::string& cases) {
  int64_t differing = 0, count = 0;
  for (const auto& one : nlohmann::json::parse(cases)) {
    const auto source = one["source"].get<std::vector<int64_t>>();
    const auto expected = one["target"].get<std::vector<int64_t>>();
    const auto ids = torch::tensor(source, torch::kLong).unsqueeze(0);
    const auto lengths = torch::tensor({static_cast<int64_t>(source.size())}, torch::kLong);
    const auto output = model.get_method("greedy")({ids, lengths, int64_t{50}}).toTensor()[0];
    std::vector<int64_t> actual(output.data_ptr<int64_t>(), output.data_ptr<int64_t>() + output.numel());
    if (!actual.empty() && actual.back() == 3) actual.pop_back();  // </s>
    differing += actual != expected;
    ++count;
  }
  std::cout << count << " cases, " << differing << " differ\n";
  return differing == 0 && count > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  torch::jit::ExtraFilesMap files{{"self-test.json", ""}};
  torch::jit::Module model = torch::jit::load(argv[1], at::kCPU, files);
  const torch::NoGradGuard no_gradients;
  if (argc > 2) return replay(model, files["self-test.json"]);
  c10::List<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  const at::IValue texts = model.get_method("translate")({lines});
  for (const at::IValue& text : texts.toListRef()) std::cout << text.toStringRef() << "\n";
}
