#include "seq2seq/model/translation_model.h"

#include "seq2seq/core/error.h"
#include "seq2seq/model/named_tensors.h"

namespace seq2seq {

void connect_vocabularies(TranslationModel& model) {
  model.text.form = {model.model_options.copying,
                     std::holds_alternative<HierarchicalEncoderOptions>(model.model_options.encoder),
                     model.text_options.sentence_separator};
  if (!model.model_options.copying) return;
  const Vocabulary &source = model.text.source->vocabulary(), &target = model.text.target->vocabulary();
  std::vector<int64_t> table(static_cast<size_t>(source.size()), -1);
  for (int64_t id = Vocabulary::special_count; id < source.size(); ++id)
    table[static_cast<size_t>(id)] = target.find(source.token(id)).value_or(-1);
  model.model->set_source_to_target(table);
}

void require_float32_weights(const TranslationModel& model, const std::string& origin) {
  const WeightFormat format = model.quantized.format;
  if (format == WeightFormat::float32) return;
  throw Error(origin, "has weights in " + option_name(format) + ", which are for decoding alone",
              "name the run or model.pt that it was made from");
}

TranslationModel on_cpu(const TranslationModel& model) {
  TranslationModel result = model;
  if (model.model->device().is_cpu()) return result;
  Seq2Seq original = model.model;
  result.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                         model.text.target->vocabulary().size());
  copy_parameters(*result.model, named_parameters_of(*original), "the model");
  connect_vocabularies(result);
  return result;
}

std::vector<Example> numbered_pairs(const TranslationModel& model, const Corpus& corpus,
                                    std::span<const uint64_t> indices) {
  std::vector<Example> examples;
  for (const uint64_t index : indices) {
    const RawExample raw = corpus.at(index);
    const NumberedSource source = number_source(*model.text.source, raw.source, raw.source_sentences,
                                                model.text.form, model.maximum_length);
    Example example{index, source.ids,
                    number_target(*model.text.target, raw.target, source, model.text.form)};
    if (!example.source.empty() && !example.target.empty()) examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw Error(corpus.files().describe(), "has no pair with words on both sides", "give text");
  return examples;
}

}  // namespace seq2seq
