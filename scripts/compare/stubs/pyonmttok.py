"""What OpenNMT-py needs of pyonmttok to read text that is cut already: a vocabulary."""


class Tokenizer:
    """Named by OpenNMT-py; nothing is cut here."""


class Vocab:
    def __init__(self, tokens=()):
        self.ids_to_tokens = []
        self.tokens_to_ids = {}
        self.default_id = 0
        for token in tokens:
            self.add_token(token)

    def add_token(self, token):
        if token not in self.tokens_to_ids:
            self.tokens_to_ids[token] = len(self.ids_to_tokens)
            self.ids_to_tokens.append(token)

    def lookup_token(self, token):
        return self.tokens_to_ids.get(token, self.default_id)

    def lookup_index(self, index):
        return self.ids_to_tokens[index]

    def __call__(self, tokens):
        find, default = self.tokens_to_ids.get, self.default_id
        return [find(token, default) for token in tokens]

    def __getitem__(self, token):
        return self.lookup_token(token)

    def __contains__(self, token):
        return token in self.tokens_to_ids

    def __iter__(self):
        return iter(self.ids_to_tokens)

    def __len__(self):
        return len(self.ids_to_tokens)


def build_vocab_from_tokens(tokens, maximum_size=0, special_tokens=(), **_):
    vocabulary = Vocab(special_tokens)
    for token in tokens:
        if maximum_size and len(vocabulary) >= maximum_size:
            break
        vocabulary.add_token(token)
    return vocabulary
