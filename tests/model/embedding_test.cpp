#include "seq2seq/model/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(EmbeddingTest, LooksUpRowsOfAnyShapeAndLearnsNoPadding) {
  Embedding embedding(5, 3);
  embedding->to(at::kDouble);
  move_to_test_device(*embedding);
  fill_parameters(*embedding, 1.0);
  const Tensor ids = at::tensor({4, 0, 1, 4}, on_device(at::kLong)).view({2, 2});
  const Tensor rows = embedding->forward(ids);
  EXPECT_TRUE(same(rows.view({4, 3}), embedding->weight.index_select(0, ids.view(-1))));
  EXPECT_EQ(rows.sizes(), at::IntArrayRef({2, 2, 3}));
  rows.sum().backward();
  const Tensor uses = at::tensor({0, 1, 0, 0, 2}).unsqueeze(1).expand({5, 3}).to(at::kDouble);
  EXPECT_TRUE(same(embedding->weight.grad(), uses));
}

class PretrainedTest : public ::testing::Test {
 protected:
  const std::string path = ::testing::TempDir() + "vectors." + std::to_string(getpid()) + ".txt";
  const Vocabulary vocabulary{{"der", "Hund", "é"}};  // ids 4, 5, 6
  Embedding embedding{7, 3};

  PretrainedTest() {
    const at::NoGradGuard no_grad;
    embedding->weight.fill_(-7);
  }
  ~PretrainedTest() override { std::filesystem::remove(path); }

  PretrainedRows load(const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return load_pretrained(embedding, vocabulary, path);
  }
  Tensor row(int64_t id) const { return embedding->weight.detach()[id]; }
  std::string message_of(const std::string& text) {
    try {
      load(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(PretrainedTest, KnownTokensGetTheirVectors) {
  EXPECT_THAT(load("Hund 1 -2.5 3e-2\nKatze 9 9 9\né 0.125 0 -1\n").ids, ElementsAre(5, 6));
  EXPECT_TRUE(close(row(5), at::tensor({1.0, -2.5, 0.03}), 1e-7));
  EXPECT_TRUE(close(row(6), at::tensor({0.125, 0.0, -1.0}), 1e-7));
  for (const int64_t untouched : {0, 1, 2, 3, 4})
    EXPECT_TRUE(row(untouched).eq(-7).all().item<bool>()) << untouched;
}

TEST_F(PretrainedTest, HeaderLineEndsAndSpacesAreNoTokens) {
  EXPECT_THAT(load("2 3\r\nHund  1 2 3 \r\n\r\nder 4 5 6").ids, ElementsAre(5, 4));
  EXPECT_TRUE(close(row(5), at::tensor({1.0, 2.0, 3.0})));
  EXPECT_TRUE(close(row(4), at::tensor({4.0, 5.0, 6.0})));
}

TEST_F(PretrainedTest, TheFirstVectorOfATokenCounts) {
  const PretrainedRows rows = load("Hund 1 2 3\nKatze 0 0 0\nKatze 0 0 0\nHund 4 5 6\nHund 7 8 9\n");
  EXPECT_THAT(rows.ids, ElementsAre(5));
  EXPECT_EQ(rows.repeated, 2);
  EXPECT_TRUE(close(row(5), at::tensor({1.0, 2.0, 3.0})));
}

TEST_F(PretrainedTest, SpecialTokensHaveVectorsButForPadding) {
  EXPECT_THAT(load("</s> 1 2 3\n<pad> 4 5 6\n").ids, ElementsAre(Vocabulary::end));
  EXPECT_TRUE(close(row(Vocabulary::end), at::tensor({1.0, 2.0, 3.0})));
  EXPECT_TRUE(row(Vocabulary::padding).eq(-7).all().item<bool>());
}

TEST_F(PretrainedTest, FrozenRowsAddUp) {
  freeze_rows(embedding, at::tensor({5, 3}, at::kLong));
  freeze_rows(embedding, at::tensor({6, 5}, at::kLong));
  EXPECT_TRUE(same(std::get<0>(embedding->frozen_rows.sort()), at::tensor({3, 5, 6}, at::kLong)));
}

TEST_F(PretrainedTest, TheMatrixKeepsItsTypeAndItsPlaceInTraining) {
  embedding->to(at::kDouble);
  move_to_test_device(*embedding);
  load("Hund 1 2 3\n");
  EXPECT_EQ(embedding->weight.scalar_type(), at::kDouble);
  EXPECT_TRUE(embedding->weight.requires_grad());
  EXPECT_TRUE(embedding->weight.is_leaf());
  EXPECT_TRUE(close(row(5), at::tensor({1.0, 2.0, 3.0}, at::kDouble)));
}

TEST_F(PretrainedTest, ErrorsNameTheLineAndTheRemedy) {
  EXPECT_THAT(message_of("der 1 2 3\nHund 1 2\n"),
              AllOf(HasSubstr(path + ":2"), HasSubstr("2 numbers"), HasSubstr("embedding.size is 3")));
  EXPECT_THAT(message_of("der 1 2 3 4\n"), AllOf(HasSubstr(path + ":1"), HasSubstr("4 numbers")));
  EXPECT_THAT(message_of("der 1 2 3\nHund 1 zwei 3\n"),
              AllOf(HasSubstr(path + ":2"), HasSubstr("'zwei' is not a number")));
  EXPECT_THAT(message_of("Hund 1 2 3x\n"), AllOf(HasSubstr(path + ":1"), HasSubstr("not a number")));
  EXPECT_THAT(message_of("Katze 1 2 3\n"),
              AllOf(HasSubstr(path), HasSubstr("none of the vocabulary's tokens")));
  EXPECT_THAT(message_of(""), HasSubstr("none of the vocabulary's tokens"));
}

TEST_F(PretrainedTest, AMissingFileIsNamed) {
  try {
    load_pretrained(embedding, vocabulary, "/nowhere/vectors.txt");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("/nowhere/vectors.txt"), HasSubstr("No such file")));
  }
}

}  // namespace
}  // namespace seq2seq::test
