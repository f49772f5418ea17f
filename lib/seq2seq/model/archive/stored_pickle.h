#pragma once

// Private to model: the pickles of an untrusted archive and the tensors that they describe.

#include <map>
#include <string>
#include <string_view>

#include "seq2seq/model/archive/pickle.h"
#include "seq2seq/model/archive/zip_file.h"
#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// A pickle of an archive whose tensors lie in the folder of its name: "data.pkl" and "data/".
class StoredPickle {
 public:
  /// `zip` must outlive it. Throws PickleError, and Error like ZipFile.
  StoredPickle(const ZipFile& zip, const std::string& name);

  const PickledValue& root() const { return pickle_.root(); }
  /// On the CPU, without gradient. Its bytes lie in the file if the zip file is mapped, else they are read when they are
  /// first asked for; tensors of one storage share them.
  Tensor tensor(const PickledTensor& description);

 private:
  const ZipFile& zip_;
  std::string folder_;
  Pickle pickle_;
  std::map<std::string_view, at::Storage> storages_;
};

}  // namespace seq2seq
