#pragma once

#include <array>

#include "seq2seq/core/options.h"

// An options struct with one field of every kind.

namespace sample {

enum class Color { red, green, blue };
inline std::span<const char* const> option_names(Color) {
  static constexpr std::array names{"red", "green", "blue"};
  return names;
}

struct Square {
  static constexpr const char* type = "square";
  double side = 1.5;
  bool hollow = false;
  static void fields(auto& o, auto& f) {
    f("side", o.side, "length of a side", seq2seq::at_least(0));
    f("hollow", o.hollow, "no filling");
  }
};

struct Circle {
  static constexpr const char* type = "circle";
  double radius = 2;
  bool hollow = false;
  static void fields(auto& o, auto& f) {
    f("radius", o.radius, "from the centre", seq2seq::at_least(0));
    f("hollow", o.hollow, "no filling");
  }
};

struct Pen {
  int64_t width = 3;
  static void fields(auto& o, auto& f) { f("width", o.width, "in dots", seq2seq::in_range(1, 64)); }
};

struct Solid {
  static constexpr const char* type = "solid";
  static void fields(auto&, auto&) {}
};

struct Dashed {
  static constexpr const char* type = "dashed";
  int64_t gap = 4;
  int64_t dash = 8;
  static void fields(auto& o, auto& f) {
    f("gap", o.gap, "dots left out", seq2seq::in_range(1, 99));
    f("dash", o.dash, "dots drawn", seq2seq::in_range(1, 99));
  }
};

struct Dotted {
  static constexpr const char* type = "dotted";
  int64_t gap = 2;
  static void fields(auto& o, auto& f) { f("gap", o.gap, "dots left out", seq2seq::in_range(1, 99)); }
};

struct Drawing {
  std::string title = "untitled";
  std::vector<std::string> layers{"ink"};
  Color color = Color::green;
  Pen pen;
  std::variant<Square, Circle> shape;
  std::variant<Solid, Dashed, Dotted> line;
  static void fields(auto& o, auto& f) {
    f("title", o.title, "shown above");
    f("layers", o.layers, "from the bottom up");
    f("color", o.color, "of the pen");
    f.group("pen", o.pen);
    f.choice("shape", o.shape, "what is drawn");
    f.kind("line", o.line, "how it is drawn");
  }
};

}  // namespace sample
