"""Expected values of core/random.h, from the published recurrence of splitmix64 (Steele et al. 2014)."""

import json
import pathlib

MASK = 2**64 - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def numbers(seed, count):
    generator = SplitMix64(seed)
    return [str(generator.next()) for _ in range(count)]


cases = [{"seed": str(seed), "next": numbers(seed, 5)} for seed in (0, 1, 1234567, MASK)]
target = pathlib.Path(__file__).with_suffix(".json")
target.write_text(json.dumps(cases, indent=1) + "\n")
