#include <ATen/ATen.h>

#include <algorithm>
#include <variant>

#include "seq2seq/model/decoder_steps.h"
#include "seq2seq/model/rnn_decoder_view.h"

namespace seq2seq {

class RnnDecoderImpl::Steps : public DecoderSteps {
 public:
  Steps(RnnDecoderImpl& decoder, WeightStore& store, const StepKernels& kernels)
      : decoder_(decoder),
        options_(decoder.options_),
        kernels_(kernels),
        additive_(std::holds_alternative<AdditiveAttention>(options_.attention)),
        covering_(std::holds_alternative<LinearCoverage>(options_.coverage)) {
    const StepWeights weights(decoder, store, kernels);
    for (int64_t i = 0; i < options_.layers; ++i) layers_.emplace_back(weights, i, options_);
    if (options_.input_feeding) feed_gates_ = weights.linear("feed");
    if (decoder.copy_gate_) copy_gate_ = weights.linear("copy_gate");
    if (!options_.has_attention()) return;
    if (additive_) {
      query_ = weights.linear("attention.query");
      v_ = weights.values("attention.v");
    }
    if (covering_) u_ = weights.values("attention.coverage_weight");
    if (options_.context_gate == ContextGate::none) {
      combine_ = weights.linear("combine");
    } else {
      context_part_ = weights.linear("context_part");
      state_part_ = weights.linear("state_part");
      context_gate_ = weights.linear("context_gate");
    }
  }

  void begin(const Memory& memory) override {
    lengths_ = lengths_of(memory.mask());
    length_ = memory.mask().size(1);
    states_ = memory.states().contiguous();
    Looked looked{.words = {states_, memory.mask()}, .sentences = {}, .sentence_of_word = {}};
    Looked::prepared(looked, options_, memory.prepared());
    keys_ = looked.words.keys.defined() ? looked.words.keys.contiguous() : states_;
    if (options_.input_feeding && !options_.has_attention())
      constant_gates_ = decoder_.feed_->forward(memory.summary());
    const View start = View::of(decoder_.start(memory), options_);
    if (start.feed.defined()) feed_.begin(start.feed);
    if (covering_) covered_.begin(start.coverage.sum);
    for (size_t i = 0; i < layers_.size(); ++i) layers_[i].begin(start.layers[i]);
  }

  StepOutput advance(const StepInput& input) override {
    const int64_t rows = input.rows();
    const bool feeds = options_.input_feeding && options_.has_attention();
    if (feeds) feed_.follow(input.parents);
    if (covering_) covered_.follow(input.parents);
    for (Layer& layer : layers_) layer.follow(input.parents);
    float* x = recur(input, feeds);
    StepOutput output{};
    if (options_.has_attention()) {
      float* both = attend(x, input, output);
      output.features = combine(both, rows);
    } else {
      output.features = x;
    }
    if (feeds) std::copy_n(output.features, rows * options_.size, feed_.after());
    if (copy_gate_.outputs > 0) output.copy_gate = copy_gate(output.features, input);
    return output;
  }

 private:
  struct Layer {
    Layer(const StepWeights& weights, int64_t index, const RnnDecoderOptions& options)
        : lstm(options.cell == Cell::lstm) {
      const std::string name = "layer" + std::to_string(index);
      input = weights.linear(name + ".weight_ih", name + ".bias_ih");
      recurrent = weights.linear(name + ".weight_hh", name + ".bias_hh");
      if (options.layer_norm) norm.emplace_back(weights, name + "_norm");
    }
    void begin(const CellState& state) {
      hidden.begin(state.hidden);
      if (lstm) cell.begin(state.cell);
    }
    void follow(std::span<const int64_t> parents) {
      hidden.follow(parents);
      if (lstm) cell.follow(parents);
    }
    StepLinear input, recurrent;
    std::vector<StepNorm> norm;  // at most one
    CarriedRows hidden, cell;
    bool lstm;
  };

  /// The output [N, H] of the top layer.
  float* recur(const StepInput& input, bool feeds) {
    const int64_t rows = input.rows(), size = options_.size, width = layers_.front().input.outputs;
    float* gates = gates_.room(rows * width);
    layers_.front().input(input.embedded, rows, gates);
    if (feeds) feed_gates_.add(feed_.before(), rows, gates);
    if (constant_gates_.defined()) add_constant_gates(input, gates, width);
    float* x = nullptr;
    for (size_t i = 0; i < layers_.size(); ++i) {
      Layer& layer = layers_[i];
      if (i > 0) layer.input(normalized(x, rows, layers_[i - 1]), rows, gates);
      cell(layer, rows, gates);
      if (options_.residual && i > 0) {
        float* sum = sum_.room(rows * size);
        for (int64_t j = 0; j < rows * size; ++j) sum[j] = x[j] + layer.hidden.after()[j];
        x = sum;
      } else {
        x = layer.hidden.after();
      }
    }
    return normalized(x, rows, layers_.back());
  }

  void add_constant_gates(const StepInput& input, float* gates, int64_t width) const {
    const float* all = constant_gates_.const_data_ptr<float>();
    for (const int64_t sentence : input.sentences) {
      for (int64_t j = 0; j < width; ++j) gates[j] += all[sentence * width + j];
      gates += width;
    }
  }

  void cell(Layer& layer, int64_t rows, float* gates) {
    const int64_t size = options_.size;
    CellRows terms{.gates = gates,
                   .recurrent_gates = nullptr,
                   .hidden_before = layer.hidden.before(),
                   .cell_before = layer.cell.before(),
                   .hidden = layer.hidden.after(),
                   .cell = layer.cell.after(),
                   .rows = rows,
                   .width = size};
    if (options_.cell == Cell::gru) {
      float* recurrent = recurrent_gates_.room(rows * 3 * size);
      layer.recurrent(layer.hidden.before(), rows, recurrent);
      terms.recurrent_gates = recurrent;
      const PartScope timed(Part::elementwise);
      return kernels_.gru_cell(terms);
    }
    layer.recurrent.add(layer.hidden.before(), rows, gates);
    const PartScope timed(Part::elementwise);
    if (options_.cell == Cell::lstm) return kernels_.lstm_cell(terms);
    kernels_.nonlinear(Nonlinearity::tanh, {gates, rows, size, size});
    std::copy_n(gates, rows * size, terms.hidden);
  }

  float* normalized(float* x, int64_t rows, const Layer& layer) {
    if (layer.norm.empty()) return x;
    float* y = normalized_.room(rows * options_.size);
    layer.norm.front()(kernels_, x, rows, options_.size, y);
    return y;
  }

  /// Context and state side by side, [N, C + H].
  float* attend(float* x, const StepInput& input, StepOutput& output) {
    const int64_t rows = input.rows(), size = options_.size, context = states_.size(2),
                  width = context + size;
    float* both = both_.room(rows * width);
    output.attention = weights_.room(rows * length_);
    copy_rows(x, rows, size, both + context, width);
    const float* query = x;
    if (additive_) {
      float* projected = projected_.room(rows * query_.outputs);
      query_(x, rows, projected);
      query = projected;
    }
    const PartScope timed(Part::attention);
    kernels_.attend_to_rows({.query = query,
                             .keys = keys_.const_data_ptr<float>(),
                             .states = states_.const_data_ptr<float>(),
                             .sentences = input.sentences.data(),
                             .lengths = lengths_.data(),
                             .v = v_,
                             .covered = covering_ ? covered_.before() : nullptr,
                             .u = u_,
                             .weights = output.attention,
                             .context = both,
                             .rows = rows,
                             .length = length_,
                             .key_width = keys_.size(2),
                             .state_width = context,
                             .context_stride = width});
    for (int64_t j = 0; covering_ && j < rows * length_; ++j)
      covered_.after()[j] = covered_.before()[j] + output.attention[j];
    return both;
  }

  /// The features [N, H].
  float* combine(float* both, int64_t rows) {
    const int64_t size = options_.size, context = states_.size(2);
    float* features = features_.room(rows * size);
    if (options_.context_gate == ContextGate::none) {
      combine_(both, rows, features);
    } else {
      float* gate = gate_.room(rows * 3 * size);
      float *source = gate + rows * size, *target = source + rows * size;
      context_gate_(both, rows, gate);
      activate(Nonlinearity::sigmoid, gate, rows);
      context_part_(both, rows, source, context + size);
      state_part_(both + context, rows, target, context + size);
      for (int64_t j = 0; j < rows * size; ++j) features[j] = gated(gate[j], source[j], target[j]);
    }
    activate(Nonlinearity::tanh, features, rows);
    return features;
  }

  void activate(Nonlinearity function, float* x, int64_t rows) const {
    const PartScope timed(Part::elementwise);
    kernels_.nonlinear(function, {x, rows, options_.size, options_.size});
  }

  float gated(float gate, float source, float target) const {
    if (options_.context_gate == ContextGate::source) return gate * source + target;
    if (options_.context_gate == ContextGate::target) return source + gate * target;
    return target + gate * (source - target);
  }

  float* copy_gate(const float* features, const StepInput& input) {
    const int64_t rows = input.rows(), size = options_.size, width = copy_gate_.inputs;
    float* both = copied_.room(rows * width);
    copy_rows(features, rows, size, both, width);
    copy_rows(input.embedded, rows, width - size, both + size, width);
    float* gate = copy_gates_.room(rows);
    copy_gate_(both, rows, gate);
    return gate;
  }

  RnnDecoderImpl& decoder_;
  const RnnDecoderOptions& options_;
  const StepKernels& kernels_;
  bool additive_, covering_;
  std::vector<Layer> layers_;
  StepLinear feed_gates_, query_, combine_, context_part_, state_part_, context_gate_, copy_gate_;
  const float *v_ = nullptr, *u_ = nullptr;
  // Of the search
  std::vector<int64_t> lengths_;
  int64_t length_ = 0;
  Tensor states_, keys_, constant_gates_;
  CarriedRows feed_, covered_;
  StepBuffer gates_, recurrent_gates_, sum_, normalized_, both_, projected_, weights_, features_, gate_,
      copied_, copy_gates_;
};

std::unique_ptr<DecoderSteps> RnnDecoderImpl::steps(WeightStore& weights, const StepKernels& kernels) {
  if (!why_no_steps().empty()) return nullptr;
  return std::make_unique<Steps>(*this, weights, kernels);
}

std::string RnnDecoderImpl::why_no_steps() const {
  if (std::holds_alternative<MultiHeadAttention>(options_.attention) ||
      std::holds_alternative<LocalAttention>(options_.attention))
    return "its attention is " + option_name(options_.attention);
  if (std::holds_alternative<GruCoverage>(options_.coverage))
    return "its coverage is " + option_name(options_.coverage);
  return sentence_attention_ ? "its encoder is hierarchical" : "";
}

}  // namespace seq2seq
