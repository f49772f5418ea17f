#include "seq2seq/model/seq2seq_model.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "seq2seq/model/factory.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/ops/copy.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

std::vector<int64_t> places_of_words(const std::vector<int64_t>& ids) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] != Vocabulary::padding) places.push_back(static_cast<int64_t>(i));
  return places;
}

// For a hierarchical encoder: sentences are separated by <s>, the last ends with </s>.
int64_t most_sentences(const Batch& batch) {
  int64_t most = 0;
  for (auto row = batch.source.begin(); row != batch.source.end(); row += batch.source_width)
    most = std::max<int64_t>(most, std::count_if(row, row + batch.source_width, [](int64_t id) {
                               return id == Vocabulary::begin || id == Vocabulary::end;
                             }));
  return most;
}

// Replaces ids beyond the vocabulary, which distinguish unknown tokens, by <unk>.
Tensor within(const Tensor& ids, int64_t vocabulary) {
  return ids.masked_fill(ids.ge(vocabulary), Vocabulary::unknown);
}

}  // namespace

TensorBatch to_tensors(const Batch& batch, const at::Device& device) {
  const std::vector<int64_t> places = places_of_words(batch.target_output);
  const std::vector<const std::vector<int64_t>*> parts{&batch.source, &batch.source_lengths,
                                                       &batch.target_input, &batch.target_output, &places};
  int64_t count = 0;
  for (const auto* part : parts) count += std::ssize(*part);
  // One copy for all of them, from memory that lets the device make it while the processor goes on.
  const bool cuda = device.is_cuda();
  const Tensor here = at::empty({count}, at::TensorOptions(at::kLong).pinned_memory(cuda));
  int64_t* next = here.mutable_data_ptr<int64_t>();
  for (const auto* part : parts) next = std::copy(part->begin(), part->end(), next);
  Tensor left = here.to(device, at::kLong, /*non_blocking=*/cuda);
  const auto take = [&left](int64_t taken) {
    const Tensor part = left.narrow(0, 0, taken);
    left = left.narrow(0, taken, left.size(0) - taken);
    return part;
  };
  const auto rectangle = [&](int64_t width) { return take(batch.size * width).view({batch.size, width}); };
  TensorBatch result;  // in the order of `parts`
  result.source = {rectangle(batch.source_width), take(batch.size), most_sentences(batch)};
  result.target_input = rectangle(batch.target_width);
  result.target_output = rectangle(batch.target_width);
  result.target_places = left;
  return result;
}

Seq2SeqImpl::Seq2SeqImpl(const ModelOptions& options, int64_t source_vocabulary, int64_t target_vocabulary)
    : options_(options), target_vocabulary_(target_vocabulary) {
  check(options);
  const auto sharing = options.embedding.sharing;
  const int64_t width = options.embedding.size;
  const bool one_input = sharing == EmbeddingSharing::source_target || sharing == EmbeddingSharing::all;
  const bool tied_output = sharing == EmbeddingSharing::target_output || sharing == EmbeddingSharing::all;
  TORCH_CHECK(!one_input || source_vocabulary == target_vocabulary, "shared embeddings need one vocabulary");
  source_embedding_ = register_module("source_embedding", Embedding(source_vocabulary, width));
  target_embedding_ = one_input ? source_embedding_
                                : register_module("target_embedding", Embedding(target_vocabulary, width));
  encoder_ = register_module("encoder", make_encoder(options.encoder, width));
  decoder_ = register_module("decoder", make_decoder(options, *encoder_));
  output_ = register_module("output", Output(decoder_->feature_size(), target_vocabulary,
                                             tied_output ? target_embedding_->weight : Tensor()));
  if (options.copying)
    source_to_target_ = register_buffer("source_to_target", at::full({source_vocabulary}, -1, at::kLong));
}

void Seq2SeqImpl::set_source_to_target(const std::vector<int64_t>& table) {
  TORCH_CHECK(options_.copying && std::ssize(table) == source_vocabulary_size(), "the table has ",
              table.size(), " entries");
  const at::NoGradGuard no_grad;
  source_to_target_.copy_(at::tensor(table, at::kLong));
}

void Seq2SeqImpl::initialize(uint64_t seed) {
  Initializer initializer(seed, options_.initial_range);
  source_embedding_->initialize(initializer);
  if (target_embedding_.ptr() != source_embedding_.ptr()) target_embedding_->initialize(initializer);
  encoder_->initialize(initializer);
  decoder_->initialize(initializer);
  output_->initialize(initializer);
}

Memory Seq2SeqImpl::encode(const SourceBatch& source, Noise* noise) {
  check_shape("source ids", source.ids, {-1, -1});
  check_shape("source lengths", source.lengths, {-1});
  const Tensor fixed = source.ids.eq(Vocabulary::end)
                           .logical_or(source.ids.eq(Vocabulary::padding))
                           .logical_or(source.ids.eq(Vocabulary::begin));
  const Tensor ids = word_dropout(within(source.ids, source_vocabulary_size()), fixed, Vocabulary::unknown,
                                  options_.word_dropout, noise);
  Memory memory = encoder_->forward(source, source_embedding_->forward(ids), noise);
  if (options_.copying)
    memory.add_copy_slots(copy_slots(source.ids, fixed.logical_not(), source_to_target_,
                                     source_vocabulary_size(), target_vocabulary_));
  return decoder_->prepare(memory);
}

Step Seq2SeqImpl::advance(const Memory& memory, const Tensor& tokens, const State& state) {
  return decoder_->advance(memory, target_embedding_->forward(within(tokens, target_vocabulary_)), state);
}

StepSequence Seq2SeqImpl::decode(const Memory& memory, const Tensor& target_input, Noise* noise) {
  const Tensor fixed = target_input.eq(Vocabulary::begin).logical_or(target_input.eq(Vocabulary::padding));
  const Tensor ids = word_dropout(within(target_input, target_vocabulary_), fixed, Vocabulary::unknown,
                                  options_.word_dropout, noise);
  return decoder_->forward(memory, target_embedding_->forward(ids), noise);
}

StepSequence Seq2SeqImpl::decode_sampled(const Memory& memory, const Tensor& target_input, double sampling,
                                         Noise* noise) {
  TORCH_CHECK(noise != nullptr, "scheduled sampling draws from the noise of its micro-batch");
  const auto word_at = [&](int64_t t, const Tensor& features) {
    Tensor tokens = within(target_input.select(1, t), target_vocabulary_);  // [B]
    const Tensor fixed = tokens.eq(Vocabulary::begin).logical_or(tokens.eq(Vocabulary::padding));
    if (t > 0) {
      const at::NoGradGuard no_grad;
      // Gumbel-max trick: the argmax of log p + noise is a sample of p; the noise is the micro-batch's own.
      const Tensor scores = output_->log_probabilities(features);  // [B, V]
      const Tensor gumbel = -(-(noise->uniform(scores).clamp(1e-6, 1 - 1e-6)).log()).log();
      const Tensor drawn = (scores + gumbel.to(scores.options())).argmax(1);
      tokens = at::where((noise->uniform(tokens) < sampling).logical_and(fixed.logical_not()), drawn, tokens);
    }
    return target_embedding_->forward(
        word_dropout(tokens, fixed, Vocabulary::unknown, options_.word_dropout, noise));
  };
  return decoder_->forward_by_word(memory, target_input.size(1), word_at, noise);
}

int64_t parameter_count(const torch::nn::Module& model) {
  int64_t count = 0;
  for (const Tensor& parameter : model.parameters()) count += parameter.numel();
  return count;
}

}  // namespace seq2seq
