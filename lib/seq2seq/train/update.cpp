#include "seq2seq/train/update.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/cuda_settings.h"
#include "seq2seq/nn/layers/coverage/coverage.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/train/random_streams.h"

namespace seq2seq {
namespace {

constexpr std::string_view weight_prefix = "weight/";

double scheduled_share(const OptimizationOptions& options, int64_t update) {
  if (options.scheduled_sampling_updates <= 0) return options.scheduled_sampling;
  const double done = static_cast<double>(update) / static_cast<double>(options.scheduled_sampling_updates);
  return options.scheduled_sampling * std::min(1.0, done);
}

void refuse_divergence(const UpdateResult& update, double divergence_norm, int64_t number) {
  const auto& [sums, norm] = update;
  const bool exploded = divergence_norm > 0 && norm > divergence_norm;
  if (std::isfinite(sums.loss) && std::isfinite(norm) && !exploded) return;
  throw Error(fmt::format("update {}", number),
              fmt::format("training diverged (loss {:.4g} a token, gradient norm {:.4g})",
                          sums.loss / static_cast<double>(sums.target_tokens), norm),
              "begin a new run with a lower --learning-rate, more --warmup-updates or --clip-norm 5; "
              "--initialize-from takes over the weights of this run's last checkpoint");
}

int64_t tokens_with_padding(const Batch& batch) {
  return batch.size * (batch.source_width + batch.target_width);
}

// The batches, in parts where they have more than `most` tokens.
std::vector<Batch> in_parts(const std::vector<Batch>& batches, int64_t most) {
  std::vector<Batch> result;
  for (const Batch& batch : batches) {
    const int64_t parts = std::min(batch.size, (tokens_with_padding(batch) - 1) / most + 1);
    if (parts == 1) result.push_back(batch);
    if (parts > 1) std::ranges::move(split_batch(batch, parts), std::back_inserter(result));
  }
  return result;
}

}  // namespace

UpdateSums DeviceSums::on_host(const Tensor& copied) const {
  const auto all = copied.accessor<double, 1>();
  return {all[0], all[1], all[2], target_tokens, source_tokens};
}

DeviceSums accumulate_gradients(Seq2Seq& model, const std::vector<Batch>& batches,
                                const OptimizationOptions& options, uint64_t seed, int64_t update) {
  const ComputeScope products(&Compute::products, options.precision == Precision::bfloat16
                                                      ? ProductFormat::bfloat16
                                                      : ProductFormat::float32);
  const Tf32Scope tf32(model->device(), options.precision != Precision::float32);
  DeviceSums sums;
  for (const Batch& batch : batches) {
    sums.target_tokens += batch.target_tokens;
    sums.source_tokens += batch.source_tokens;
  }
  // The number of tokens of the whole update is known before the first gradient. Data-parallel processes
  // would sum theirs here, and number their micro-batches (i below) across all processes.
  for (size_t i = 0; i < batches.size(); ++i) {
    Noise noise(mix_seed({seed, dropout_stream, static_cast<uint64_t>(update), i}));
    const TensorBatch tensors = to_tensors(batches[i], model->device());
    const Memory memory = model->encode(tensors.source, &noise);
    const double sampling = scheduled_share(options, update);
    const StepSequence steps = sampling > 0
                                   ? model->decode_sampled(memory, tensors.target_input, sampling, &noise)
                                   : model->decode(memory, tensors.target_input, &noise);
    const LossSums loss = model->output()->loss(steps, memory, tensors.target_output, options.label_smoothing,
                                                tensors.target_places);
    Tensor total = loss.loss, coverage = at::zeros_like(loss.negative_log_likelihood);
    if (options.coverage_loss > 0) {
      coverage = coverage_loss(steps.attention, tensors.target_output.ne(Vocabulary::padding));
      if (update > options.coverage_loss_start) total = total + options.coverage_loss * coverage;
    }
    (total / static_cast<double>(sums.target_tokens)).backward();
    const Tensor losses =
        at::stack({loss.loss.detach(), loss.negative_log_likelihood, coverage.detach()}).to(at::kDouble);
    sums.losses = i == 0 ? losses : sums.losses + losses;
  }
  return sums;
}

Update::Update(const Seq2Seq& model, const OptimizationOptions& options, uint64_t seed)
    : model_(model), options_(options), seed_(seed), optimizer_(*model_, options.optimizer) {
  if (options.average_decay > 0) average_.emplace(*model_, options.average_decay);
}

DeviceSums Update::make_gradients(const std::vector<Batch>& batches, int64_t number) {
  const auto by_tokens = [](const Batch& a, const Batch& b) {
    return tokens_with_padding(a) < tokens_with_padding(b);
  };
  while (true) {
    const std::vector<Batch> parts = in_parts(batches, most_tokens_);
    optimizer_.zero_gradients();
    try {
      return accumulate_gradients(model_, parts, options_, seed_, number);
    } catch (const c10::OutOfMemoryError&) {
      lower_limit(*std::ranges::max_element(parts, by_tokens), number);
    }
  }
}

void Update::lower_limit(const Batch& largest, int64_t number) {
  const std::string place = fmt::format("update {}", number);
  if (options_.deterministic)
    throw Error(place, "not enough memory, and --deterministic lets no batch be split",
                "lower --batch-size and raise --accumulation");
  if (largest.size == 1)
    throw Error(place,
                fmt::format("not enough memory for one sentence pair of {} and {} tokens",
                            largest.source_width, largest.target_width),
                "lower --max-length, or train a smaller model");
  most_tokens_ = (tokens_with_padding(largest) + 1) / 2;
  log_warning(
      fmt::format("{}: not enough memory for a batch of {} sentence pairs; from here on, batches of "
                  "more than {} tokens, padding included, are computed in parts",
                  place, largest.size, most_tokens_));
}

UpdateResult Update::run(const std::vector<Batch>& batches, int64_t number, double learning_rate) {
  const DeviceSums made = make_gradients(batches, number);
  optimizer_.clear_frozen_gradients();
  // Copied together: every copy to the host synchronizes.
  const Tensor norm_and_losses =
      at::cat({optimizer_.gradient_norm().to(at::kDouble).reshape(1), made.losses}).to(at::kCPU);
  const UpdateResult result{made.on_host(norm_and_losses.narrow(0, 1, 3)), norm_and_losses[0].item<double>()};
  refuse_divergence(result, options_.divergence_norm, number);
  optimizer_.clip_gradients(result.gradient_norm, options_.clip_norm);
  optimizer_.step(learning_rate);
  if (average_) average_->update(number);
  return result;
}

AveragedWeights Update::averaged_weights() {
  return AveragedWeights(average_ ? &*average_ : nullptr);
}

NamedTensors Update::state() const {
  NamedTensors result = optimizer_.state();
  for (const auto& [name, tensor] : named_parameters_of(*model_.ptr()))
    result[std::string(weight_prefix) + name] = tensor;
  if (average_) result.merge(average_->state());
  return result;
}

void Update::restore(const NamedTensors& state, const std::string& origin) {
  NamedTensors weights;
  for (const auto& [name, tensor] : state)
    if (name.starts_with(weight_prefix)) weights[name.substr(weight_prefix.size())] = tensor;
  copy_parameters(*model_, weights, origin);
  optimizer_.restore(state, origin);
  if (average_) average_->restore(state, origin);
}

}  // namespace seq2seq
