#include "seq2seq/train/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

constexpr std::string_view frozen_prefix = "frozen/";

std::vector<Tensor> zeros_like_all(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) result.push_back(at::zeros_like(tensor));
  return result;
}

void add_named(NamedTensors& into, const std::string& prefix, const std::vector<std::string>& names,
               const std::vector<Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) into[prefix + names[i]] = tensors[i];
}

void copy_named(const NamedTensors& from, const std::string& prefix, const std::vector<std::string>& names,
                std::vector<Tensor>& tensors, const std::string& origin) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto found = from.find(prefix + names[i]);
    if (found == from.end() || found->second.sizes() != tensors[i].sizes())
      throw Error(origin, "does not fit: '" + prefix + names[i] + "' is missing or has other sizes",
                  "resume with the checkpoint of this very run");
    tensors[i].copy_(found->second);
  }
}

}  // namespace

Optimizer::Optimizer(Seq2SeqImpl& model, const OptimizerOptions& options) : options_(options) {
  for (const auto& parameter : model.named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    names_.push_back(parameter.key());
    parameters_.push_back(parameter.value());
    // On the device, where the fused kernels read them.
    steps_.push_back(at::zeros({}, parameter.value().options().dtype(at::kFloat).requires_grad(false)));
  }
  const at::NoGradGuard no_grad;
  // The fused SGD kernel expects a momentum buffer only if there is momentum.
  const auto* sgd = std::get_if<SgdOptions>(&options);
  if (sgd == nullptr || sgd->momentum > 0) first_moments_ = zeros_like_all(parameters_);
  if (std::holds_alternative<AdamOptions>(options) || std::holds_alternative<AdamWOptions>(options))
    second_moments_ = zeros_like_all(parameters_);
  if (const auto* adagrad = std::get_if<AdagradOptions>(&options))
    for (Tensor& sum : first_moments_) sum.fill_(adagrad->initial_accumulator);
  add_frozen_rows(model.source_embedding());
  if (model.target_embedding().ptr() != model.source_embedding().ptr())
    add_frozen_rows(model.target_embedding());
}

void Optimizer::add_frozen_rows(Embedding& embedding) {
  if (!embedding->frozen_rows.defined()) return;
  const auto found = std::find_if(parameters_.begin(), parameters_.end(), [&](const Tensor& parameter) {
    return parameter.is_same(embedding->weight);
  });
  if (found != parameters_.end())
    frozen_.push_back({static_cast<size_t>(found - parameters_.begin()),
                       embedding->frozen_rows.to(embedding->weight.device())});
}

void Optimizer::zero_gradients() {
  for (Tensor& parameter : parameters_) parameter.mutable_grad().reset();
}

void Optimizer::clear_frozen_gradients() {
  const at::NoGradGuard no_grad;
  for (const auto& [parameter, ids] : frozen_)
    if (Tensor& gradient = parameters_[parameter].mutable_grad(); gradient.defined())
      gradient.index_fill_(0, ids, 0);
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> result;
  for (const Tensor& parameter : parameters_)
    if (parameter.grad().defined()) result.push_back(parameter.grad());
  return result;
}

Tensor Optimizer::gradient_norm() const {
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> all = gradients();
  if (!all.empty()) return at::stack(at::_foreach_norm(all)).norm();
  return at::zeros({}, parameters_.empty() ? at::TensorOptions() : steps_.front().options());
}

void Optimizer::clip_gradients(double norm, double maximum) {
  const at::NoGradGuard no_grad;
  if (maximum <= 0 || norm <= maximum || !std::isfinite(norm)) return;
  at::_foreach_mul_(gradients(), maximum / norm);
}

void Optimizer::step(double rate) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (Tensor& parameter : parameters_) {
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
    // The fused kernels treat parameter and gradient as flat arrays: their layouts must be the same.
    gradients.push_back(parameter.grad().contiguous());
  }
  // Weight decay would change them, too.
  std::vector<Tensor> frozen_values;
  for (const auto& [parameter, ids] : frozen_)
    frozen_values.push_back(parameters_[parameter].index_select(0, ids));
  at::_foreach_add_(steps_, 1);
  struct Rule {
    Optimizer& self;
    std::vector<Tensor>& gradients;
    double rate;
    void operator()(const AdamOptions& o) const {
      at::_fused_adam_(self.parameters_, gradients, self.first_moments_, self.second_moments_, {},
                       self.steps_, rate, o.beta1, o.beta2, /*weight_decay=*/0.0, o.epsilon,
                       /*amsgrad=*/false, /*maximize=*/false);
    }
    void operator()(const AdamWOptions& o) const {
      at::_fused_adamw_(self.parameters_, gradients, self.first_moments_, self.second_moments_, {},
                        self.steps_, rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, /*amsgrad=*/false,
                        /*maximize=*/false);
    }
    void operator()(const SgdOptions& o) const {
      at::_fused_sgd_(self.parameters_, gradients, self.first_moments_, o.weight_decay, o.momentum, rate,
                      /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false);
    }
    void operator()(const AdagradOptions& o) const {
      at::_foreach_addcmul_(self.first_moments_, gradients, gradients);
      auto roots = at::_foreach_sqrt(self.first_moments_);
      at::_foreach_add_(roots, o.epsilon);
      at::_foreach_addcdiv_(self.parameters_, gradients, roots, -rate);
    }
  };
  std::visit(Rule{*this, gradients, rate}, options_);
  for (size_t i = 0; i < frozen_.size(); ++i)
    parameters_[frozen_[i].parameter].index_copy_(0, frozen_[i].ids, frozen_values[i]);
}

NamedTensors Optimizer::state() const {
  NamedTensors result;
  add_named(result, "first/", names_, first_moments_);
  add_named(result, "second/", names_, second_moments_);
  add_named(result, "steps/", names_, steps_);
  for (const auto& [parameter, ids] : frozen_) result[std::string(frozen_prefix) + names_[parameter]] = ids;
  return result;
}

NamedTensors frozen_rows_of(const NamedTensors& state) {
  NamedTensors rows;
  for (const auto& [name, ids] : state)
    if (name.starts_with(frozen_prefix)) rows[name.substr(frozen_prefix.size())] = ids;
  return rows;
}

void Optimizer::restore(const NamedTensors& state, const std::string& origin) {
  const at::NoGradGuard no_grad;
  copy_named(state, "first/", names_, first_moments_, origin);
  copy_named(state, "second/", names_, second_moments_, origin);
  copy_named(state, "steps/", names_, steps_, origin);
}

WeightAverage::WeightAverage(Seq2SeqImpl& model, double decay) : decay_(decay) {
  for (const auto& parameter : model.named_parameters()) {
    names_.push_back(parameter.key());
    parameters_.push_back(parameter.value());
    averages_.push_back(parameter.value().detach().clone());
  }
}

void WeightAverage::update(int64_t n) {
  const at::NoGradGuard no_grad;
  const auto updates = static_cast<double>(n);
  at::_foreach_lerp_(averages_, parameters_, 1 - std::min(decay_, (1 + updates) / (10 + updates)));
}

void WeightAverage::exchange(const Tensor& spare) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor weights = spare.narrow(0, 0, parameters_[i].numel()).view(parameters_[i].sizes());
    weights.copy_(parameters_[i]);
    parameters_[i].copy_(averages_[i]);
    averages_[i].copy_(weights);
  }
}

NamedTensors WeightAverage::state() const {
  NamedTensors result;
  add_named(result, "average/", names_, averages_);
  return result;
}

void WeightAverage::restore(const NamedTensors& state, const std::string& origin) {
  const at::NoGradGuard no_grad;
  copy_named(state, "average/", names_, averages_, origin);
}

AveragedWeights::AveragedWeights(WeightAverage* average) : average_(average) {
  if (average_ == nullptr) return;
  int64_t largest = 0;
  for (const Tensor& values : average_->averages_) largest = std::max(largest, values.numel());
  // Kept for swapping back, which must not allocate: the scope may end because memory ran out.
  spare_ = at::empty({largest}, average_->averages_.front().options());
  average_->exchange(spare_);
}

AveragedWeights::~AveragedWeights() {
  if (average_ == nullptr) return;
  try {
    average_->exchange(spare_);
  } catch (...) {
    // Only a lost device throws here; then every later operation fails, too.
  }
}

}  // namespace seq2seq
