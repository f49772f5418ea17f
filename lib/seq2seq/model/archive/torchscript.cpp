#include "seq2seq/model/archive/torchscript.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <functional>

#include "seq2seq/core/options.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

using torch::jit::Stack;

void register_weight(torch::jit::Module& module, const std::string& name, const QuantizedWeight& weight) {
  module.register_buffer(name + quantized_ending(weight.format()), weight.values);
  if (weight.scales.defined()) module.register_buffer(name + scales_ending, weight.scales);
}

// A script module with the model's own tensors, by which the tracer recognises its weights. `place`: of the module in the
// model, such as "encoder."
torch::jit::Module mirror(const torch::nn::Module& module, const std::string& name,
                          const QuantizedWeights& quantized, const std::string& place = "") {
  torch::jit::Module result(name);
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    const auto found = quantized.found.find(place + parameter.key());
    if (found == quantized.found.end())
      result.register_parameter(parameter.key(), parameter.value(), /*is_buffer=*/false);
    else
      register_weight(result, parameter.key(), found->second);
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false))
    result.register_buffer(buffer.key(), buffer.value());
  for (const auto& child : module.named_children())
    result.register_module(
        child.key(), mirror(*child.value(), name + "_" + child.key(), quantized, place + child.key() + "."));
  return result;
}

// Lets what is traced from here on compute each of these parameters from its buffers. Embeddings read the buffers themselves,
// as they find them in a store.
void trace_dequantization(const Seq2Seq& model, const QuantizedWeights& quantized) {
  for (const auto& parameter : model->named_parameters())
    if (const auto found = quantized.found.find(parameter.key()); found != quantized.found.end())
      torch::jit::tracer::setValueTrace(parameter.value(),
                                        torch::jit::tracer::getValueTrace(found->second.dequantized()));
}

void trace_method(torch::jit::Module& archive, const std::string& name, Stack inputs,
                  const std::vector<std::string>& input_names, const std::function<Stack(Stack)>& run) {
  const auto traced = torch::jit::tracer::trace(
      std::move(inputs), run, [](const Tensor&) { return std::string(); }, /*strict=*/false,
      /*force_outplace=*/false, &archive, input_names);
  const auto function = archive._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*archive.type()->name(), name), traced.first->graph);
  archive.type()->addMethod(function);
}

c10::List<Tensor> list_of(const std::vector<Tensor>& tensors) {
  return c10::List<Tensor>(tensors);
}

constexpr const char* greedy_source = R"(
def greedy_with_attention(self, source_ids: Tensor, source_lengths: Tensor,
                          max_length: int) -> Tuple[Tensor, Tensor]:
    if source_ids.size(0) == 0:
        return source_ids[:, :0], torch.zeros([0, 0, source_ids.size(1)])
    memory = self.encode(source_ids, source_lengths)
    state = self.start(memory)
    tokens = torch.full_like(source_lengths, BEGIN)
    finished = torch.zeros_like(source_lengths)
    output: List[Tensor] = []
    attention: List[Tensor] = []
    for _ in range(max_length):
        log_probabilities, looked, state = self.step(memory, tokens, state)
        log_probabilities = log_probabilities.clone()
        log_probabilities[:, PADDING] = -1e30
        log_probabilities[:, BEGIN] = -1e30
        tokens = log_probabilities.argmax(1) * (1 - finished) + PADDING * finished
        output.append(tokens)
        attention.append(looked)
        finished = torch.max(finished, tokens.eq(END).to(finished.dtype))
        if bool(finished.min() > 0):
            break
    if len(output) == 0:
        return source_ids[:, :0], torch.zeros([source_ids.size(0), 0, source_ids.size(1)])
    return torch.stack(output, 1), torch.stack(attention, 1)

def greedy(self, source_ids: Tensor, source_lengths: Tensor, max_length: int) -> Tensor:
    return self.greedy_with_attention(source_ids, source_lengths, max_length)[0]
)";

}  // namespace

std::string with_special_ids(std::string source) {
  const std::pair<const char*, int64_t> ids[] = {{"PADDING", Vocabulary::padding},
                                                 {"UNKNOWN", Vocabulary::unknown},
                                                 {"BEGIN", Vocabulary::begin},
                                                 {"END", Vocabulary::end}};
  for (const auto& [name, id] : ids)
    for (size_t at = source.find(name); at != std::string::npos; at = source.find(name))
      source.replace(at, std::string(name).size(), std::to_string(id));
  return source;
}

std::string quantized_ending(WeightFormat format) {
  std::string ending = "_";
  return ending += option_name(format);
}

torch::jit::Module to_torchscript(Seq2Seq& model, const QuantizedWeights& quantized) {
  TORCH_CHECK(model->device().is_cpu(), "tracing writes the device into the code: trace a copy on the CPU");
  const at::NoGradGuard no_grad;
  torch::jit::Module archive = mirror(*model, "Seq2Seq", quantized);
  const auto weights = weight_store(model, quantized, quantized.format);
  const ComputeScope rounded(&Compute::weights,
                             quantized.format == WeightFormat::float32 ? nullptr : weights.get());
  const std::vector<int64_t> words{4, 4, Vocabulary::end, 4, Vocabulary::end, Vocabulary::padding};
  const Tensor ids = at::tensor(words, at::kLong).view({2, 3});
  const Tensor lengths = at::tensor({3, 2}, at::kLong);
  const Memory memory = model->encode({ids, lengths});
  const State state = model->start(memory);
  const auto memory_of = [&](const at::IValue& value) {
    Memory result = memory;  // with the same structure
    result.tensors = value.toTensorVector();
    return result;
  };
  const auto trace = [&](const std::string& name, Stack inputs, const std::vector<std::string>& names,
                         const std::function<Stack(Stack)>& run) {
    trace_method(archive, name, std::move(inputs), names, [&](Stack in) {
      trace_dequantization(model, quantized);
      return run(std::move(in));
    });
    if (!quantized.found.empty())  // what is made of weights that the method does not use
      torch::jit::EliminateDeadCode(archive.get_method(name).graph());
  };
  trace("encode", {ids, lengths}, {"source_ids", "source_lengths"}, [&](Stack in) {
    return Stack{list_of(model->encode({in[0].toTensor(), in[1].toTensor()}).tensors)};
  });
  trace("start", {list_of(memory.tensors)}, {"memory"},
        [&](Stack in) { return Stack{list_of(model->start(memory_of(in[0])).tensors)}; });
  trace("step", {list_of(memory.tensors), lengths, list_of(state.tensors)}, {"memory", "tokens", "state"},
        [&](Stack in) {
          const Memory here = memory_of(in[0]);
          const Step step = model->advance(here, in[1].toTensor(), State(in[2].toTensorVector()));
          const Tensor attention = model->has_attention() ? step.attention : step.attention.narrow(1, 0, 0);
          return Stack{c10::ivalue::Tuple::create(
              {model->output()->log_probabilities(step, here), attention, list_of(step.next.tensors)})};
        });
  archive.define(with_special_ids(greedy_source));
  return archive;
}

}  // namespace seq2seq
