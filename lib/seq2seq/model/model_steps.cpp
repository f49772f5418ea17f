#include "seq2seq/model/model_steps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/steps.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

StepKernelChoice kernels_of(Seq2Seq model) {
  return step_kernels_for(model->target_embedding()->weight);
}

std::span<const int64_t> values_of(const Tensor& x) {
  return {x.const_data_ptr<int64_t>(), static_cast<size_t>(x.numel())};
}

}  // namespace

std::unique_ptr<ModelSteps> ModelSteps::of(Seq2Seq model, WeightStore& weights) {
  const StepKernels* kernels = kernels_of(model).kernels;
  if (kernels == nullptr) return nullptr;
  auto decoder = model->decoder().steps(weights, *kernels);
  if (!decoder) return nullptr;
  const QuantizedWeight* embeddings = weights.rows(model->target_embedding()->weight);
  return std::unique_ptr<ModelSteps>(
      new ModelSteps(std::move(model), std::move(decoder), kernels, embeddings));
}

std::string ModelSteps::why_none(Seq2Seq model) {
  const StepKernelChoice choice = kernels_of(model);
  return choice.kernels == nullptr ? choice.why_none : model->decoder().why_no_steps();
}

bool ModelSteps::outdated() const {
  return kernels_of(model_).kernels != kernels_;
}

void ModelSteps::begin(const Memory& memory) {
  sentences_.resize(static_cast<size_t>(memory.count()));
  std::iota(sentences_.begin(), sentences_.end(), int64_t{0});
  source_length_ = memory.mask().size(1);
  decoder_->begin(memory);
}

void ModelSteps::keep_sentences(const Tensor& rows) {
  std::vector<int64_t> kept;
  for (const int64_t row : values_of(rows)) kept.push_back(sentences_[static_cast<size_t>(row)]);
  sentences_ = std::move(kept);
}

const float* ModelSteps::embedded(const Tensor& tokens) {
  const Tensor& weight = model_->target_embedding()->weight;
  const int64_t width = weight.size(1), vocabulary = model_->target_vocabulary_size();
  float* to = embedded_.room(tokens.numel() * width);
  for (const int64_t token : values_of(tokens)) {
    const int64_t row = token < vocabulary ? token : Vocabulary::unknown;
    if (embeddings_ == nullptr)
      std::copy_n(weight.const_data_ptr<float>() + row * width, width, to);
    else
      embeddings_->copy_row(row, to);
    to += width;
  }
  return embedded_.data();
}

Step ModelSteps::advance(const Tensor& tokens, const Tensor& parents) {
  const int64_t rows = tokens.numel(), each = rows / static_cast<int64_t>(sentences_.size());
  sentence_of_row_.clear();
  for (const int64_t sentence : sentences_)
    sentence_of_row_.insert(sentence_of_row_.end(), static_cast<size_t>(each), sentence);
  const StepOutput found = decoder_->advance(
      {.parents = values_of(parents), .sentences = sentence_of_row_, .embedded = embedded(tokens)});
  const auto as_tensor = [&](float* values, int64_t width) {
    return at::from_blob(values, {rows, width}, at::TensorOptions(at::kFloat));
  };
  float* attention = found.attention;
  if (attention == nullptr) {
    attention = no_attention_.room(rows * source_length_);
    std::fill_n(attention, rows * source_length_, 0.0F);
  }
  return {as_tensor(found.features, model_->decoder().feature_size()),
          as_tensor(attention, source_length_),
          found.copy_gate == nullptr ? Tensor() : as_tensor(found.copy_gate, 1),
          {}};
}

}  // namespace seq2seq
