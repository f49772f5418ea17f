#include "seq2seq/model/average.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/model/named_tensors.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

TranslationModel new_model(uint64_t seed, const std::vector<std::string>& words = {"a", "b", "c"}) {
  TranslationModel model;
  model.text_options.tokenizer = WordTokenizerOptions{};
  const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                       Vocabulary(words));
  model.text = {codec, codec, {}};
  model.model_options = test::tiny_options({});
  model.model = Seq2Seq(model.model_options, codec->vocabulary().size(), codec->vocabulary().size());
  model.model->initialize(seed);
  model.provenance = "{\"update\": " + std::to_string(seed) + "}";
  return model;
}

TEST(AverageModels, EachWeightIsTheMean) {
  const TemporaryFolder folder;
  std::vector<std::filesystem::path> paths;
  std::vector<NamedTensors> weights;
  for (const uint64_t seed : {1, 2, 3}) {
    const TranslationModel model = new_model(seed);
    paths.push_back(folder.path(std::to_string(seed) + ".pt"));
    save_model(model, paths.back());
    Seq2Seq network = model.model;
    weights.push_back(named_parameters_of(*network));
  }
  const TranslationModel average = average_models(paths);
  Seq2Seq network = average.model;
  for (const auto& [name, value] : named_parameters_of(*network)) {
    const Tensor expected =
        (weights[0][name].to(at::kDouble) + weights[1][name] + weights[2][name]).div(3).to(at::kFloat);
    EXPECT_TRUE(value.equal(expected)) << name;
  }
  EXPECT_THAT(average.provenance, AllOf(HasSubstr("average-of"), HasSubstr("\"update\": 3")));
}

TEST(AverageModels, OthersAreRefused) {
  const TemporaryFolder folder;
  save_model(new_model(1), folder.path("1.pt"));
  save_model(new_model(1, {"a", "b", "d"}), folder.path("2.pt"));
  EXPECT_THAT(([&] {
                average_models({folder.path("1.pt"), folder.path("2.pt")});
              }),
              ThrowsMessage<Error>(AllOf(StartsWith(folder.path("2.pt") + ": has vocabularies other than"))));
  TranslationModel lowercase = new_model(1);
  lowercase.text_options.normalization.lowercase = true;
  save_model(lowercase, folder.path("3.pt"));
  EXPECT_THAT(([&] {
                average_models({folder.path("1.pt"), folder.path("3.pt")});
              }),
              ThrowsMessage<Error>(AllOf(StartsWith(folder.path("3.pt") + ": has text options other than"))));
}

}  // namespace
}  // namespace seq2seq
