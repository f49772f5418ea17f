#include "seq2seq/core/options.h"

#include <gmock/gmock.h>

#include <cmath>

#include "sample_options.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using sample::Circle;
using sample::Color;
using sample::Dashed;
using sample::Dotted;
using sample::Drawing;
using sample::Solid;
using sample::Square;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

struct Long {
  int64_t line_width = 1;
  static void fields(auto& o, auto& f) { f("line-width", o.line_width, ""); }
};

struct Whole {
  int64_t value = 0;
  static void fields(auto& o, auto& f) { f("value", o.value, ""); }
};

struct Metrical {
  std::string metre = "iamb";
  static void fields(auto& o, auto& f) {
    f("metre", o.metre, "", std::vector<std::string>{"iamb", "trochee", "dactyl"});
  }
};

struct Slate {
  static constexpr const char* type = "slate";
  static void fields(auto&, auto&) {}
};

struct Paper {
  static constexpr const char* type = "paper";
  std::variant<Solid, Dashed, Dotted> line;
  static void fields(auto& o, auto& f) { f.kind("line", o.line, ""); }
};

struct Board {
  std::variant<Slate, Paper> on;
  static void fields(auto& o, auto& f) { f.choice("on", o.on, ""); }
};

struct Ink {
  bool frame = true, printed = false;
  static void fields(auto& o, auto& f) {
    f("frame", o.frame, "around it", only_if(o.printed, "add --printed"));
  }
};

/// An option of every attribute.
struct Printing {
  std::string form = {}, title = {};
  bool printed = false;
  int64_t copies = 1;
  Ink ink = {};
  static void fields(auto& o, auto& f) {
    f("template", o.form, "what it looks like", file_path);
    f("title", o.title, "at its head", everyday);
    f("copies", o.copies, "how many", only_if(o.printed, "add --printed"), on_resume_free, formerly("number"),
      in_range(1, 9));
    f.group("ink", o.ink, GroupFlags::prefixed, same_in_a_study);
  }
};

struct Cover {
  std::string text = {};
  static void fields(auto& o, auto& f) { f("text", o.text, "on it"); }
};

/// A name among which one stands for a file.
struct Lettering {
  std::string from = "case";
  static void fields(auto& o, auto& f) {
    f("from", o.from, "the types", std::vector<std::string>{"case", "set:FILE"});
  }
};

struct Book {
  bool bound = false;
  Cover cover = {};
  static void fields(auto& o, auto& f) {
    f("bound", o.bound, "");
    f.group("cover", o.cover);
    f.also(&o.cover.text, only_if(o.bound, "add --bound"), everyday);
  }
};

Drawing with(const std::string& json) {
  return options_from_json<Drawing>(json, "c.json");
}

Drawing typed(const std::string& path, std::vector<std::string> words) {
  OptionPatch patch;
  patch.set_text(path, std::move(words), "--" + path);
  Drawing drawing;
  apply(drawing, patch);
  return drawing;
}

TEST(Options, EmptyObjectGivesDefaults) {
  EXPECT_EQ(options_to_json(with("{}")), options_to_json(Drawing{}));
}

TEST(Options, EveryKindIsReadFromJson) {
  const Drawing drawing = with(R"({"title": "t", "layers": ["a", "b"], "color": "blue", "pen": {"width": 7},
                                   "shape": {"type": "circle", "radius": 4, "hollow": true}})");
  EXPECT_EQ(drawing.title, "t");
  EXPECT_THAT(drawing.layers, ElementsAre("a", "b"));
  EXPECT_EQ(drawing.color, Color::blue);
  EXPECT_EQ(drawing.pen.width, 7);
  EXPECT_EQ(std::get<Circle>(drawing.shape).radius, 4.0);
  EXPECT_TRUE(std::get<Circle>(drawing.shape).hollow);
}

TEST(Options, EveryKindIsReadFromWords) {
  EXPECT_EQ(typed("title", {""}).title, "");
  EXPECT_THAT(typed("layers", {"a", "b"}).layers, ElementsAre("a", "b"));
  EXPECT_EQ(typed("color", {"red"}).color, Color::red);
  EXPECT_EQ(typed("pen.width", {"64"}).pen.width, 64);
  EXPECT_EQ(std::get<Square>(typed("shape.side", {"1e-3"}).shape).side, 1e-3);
  EXPECT_TRUE(std::get<Square>(typed("shape.hollow", {"yes"}).shape).hollow);
  EXPECT_FALSE(std::get<Square>(typed("shape.hollow", {"0"}).shape).hollow);
}

TEST(Options, JsonRoundTrips) {
  Drawing drawing;
  drawing.title = "quote \" and ü";
  drawing.layers = {};
  drawing.color = Color::red;
  drawing.shape = Circle{0.1, true};
  const std::string json = options_to_json(drawing);
  EXPECT_EQ(options_to_json(with(json)), json);
  EXPECT_EQ(std::get<Circle>(with(json).shape).radius, 0.1);
}

TEST(Options, DottedKeysAndUnderscoresMeanTheSame) {
  EXPECT_EQ(with(R"({"pen.width": 9})").pen.width, 9);
  EXPECT_EQ(options_from_json<Long>(R"({"line_width": 5})", "c.json").line_width, 5);
}

TEST(Options, LaterPatchesWin) {
  OptionPatch patch = OptionPatch::from_json(R"({"pen": {"width": 5}, "title": "file"})", "c.json");
  OptionPatch flags;
  flags.set_text("pen.width", {"6"}, "--pen.width");
  patch.merge(flags);
  Drawing drawing;
  apply(drawing, patch);
  EXPECT_EQ(drawing.pen.width, 6);
  EXPECT_EQ(drawing.title, "file");
  EXPECT_EQ(drawing.color, Color::green);
}

TEST(Options, AFlagMaySelectTheAlternativeThatTheFileDescribes) {
  OptionPatch patch = OptionPatch::from_json(R"({"shape": {"radius": 5}})", "c.json");
  patch.set_text("shape.type", {"circle"}, "--shape.type");
  Drawing drawing;
  apply(drawing, patch);
  EXPECT_EQ(std::get<Circle>(drawing.shape).radius, 5.0);
}

TEST(Options, AnotherTypeDropsWhatTheFileSaysOfTheOldOne) {
  const auto merged = [](const std::string& file, const std::string& type) {
    OptionPatch patch = OptionPatch::from_json(file, "c.json"), flags;
    flags.set_text("shape.type", {type}, "--shape.type");
    patch.merge(flags);
    Drawing drawing;
    apply(drawing, patch);
    return drawing;
  };
  const std::string circle = R"({"shape": {"type": "circle", "radius": 5}})";
  EXPECT_TRUE(std::holds_alternative<Square>(merged(circle, "square").shape));
  EXPECT_EQ(std::get<Circle>(merged(circle, "circle").shape).radius, 5.0);
  // A field of the same name, too: eight heads of a Transformer say nothing about a recurrent decoder.
  const std::string hollow = R"({"shape": {"type": "circle", "hollow": true}})";
  EXPECT_FALSE(std::get<Square>(merged(hollow, "square").shape).hollow);
  EXPECT_TRUE(std::get<Circle>(merged(hollow, "circle").shape).hollow);
  EXPECT_THROW(merged(R"({"shape": {"type": "circle", "side": 5}})", "circle"), UsageError);
  EXPECT_THROW(merged(R"({"shape": {"type": "circle", "sid": 5}})", "square"), UsageError);
}

TEST(Options, TheFieldsOfAKindStandBesideIt) {
  EXPECT_TRUE(std::holds_alternative<Solid>(with("{}").line));
  const Drawing drawing = with(R"({"dash": 3, "line": "dashed"})");
  EXPECT_EQ(std::get<Dashed>(drawing.line).dash, 3);
  EXPECT_EQ(std::get<Dashed>(drawing.line).gap, 4);
  EXPECT_EQ(std::get<Dotted>(with(R"({"line": "dotted", "gap": 3})").line).gap, 3);
  const std::string json = options_to_json(drawing);
  EXPECT_THAT(json, AllOf(HasSubstr(R"("line": "dashed")"), HasSubstr(R"("dash": 3)")));
  EXPECT_EQ(options_to_json(with(json)), json);
  EXPECT_THAT(options_to_json(Drawing{}), Not(HasSubstr("gap")));
}

// What was written when every drawing had a gap is still read.
TEST(Options, AKindWithoutTheFieldTakesItsDefaultInSilence) {
  EXPECT_TRUE(std::holds_alternative<Solid>(with(R"({"line": "solid", "gap": 4, "dash": 8})").line));
  EXPECT_TRUE(std::holds_alternative<Solid>(with(R"({"gap": 2})").line));
  EXPECT_TRUE(std::holds_alternative<Solid>(typed("gap", {"4"}).line));
  EXPECT_EQ(std::get<Dotted>(with(R"({"line": "dotted", "dash": 8})").line).gap, 2);
}

TEST(Options, ALaterKindDropsWhatTheFileSaysOfTheOldOne) {
  const auto merged = [](const std::string& file, const std::string& line) {
    OptionPatch patch = OptionPatch::from_json(file, "c.json"), flags;
    flags.set_text("line", {line}, "--line");
    patch.merge(flags);
    Drawing drawing;
    apply(drawing, patch);
    return drawing;
  };
  const std::string dashed = R"({"line": "dashed", "gap": 5, "dash": 6, "title": "t", "pen": {"width": 9}})";
  const Drawing drawing = merged(dashed, "solid");
  EXPECT_TRUE(std::holds_alternative<Solid>(drawing.line));
  EXPECT_EQ(drawing.title, "t");
  EXPECT_EQ(drawing.pen.width, 9);
  EXPECT_EQ(std::get<Dotted>(merged(dashed, "dotted").line).gap, 2);  // of the same name
  EXPECT_EQ(std::get<Dashed>(merged(dashed, "dashed").line).dash, 6);
  EXPECT_EQ(std::get<Dashed>(merged(R"({"gap": 5})", "dashed").line).gap, 5);
  EXPECT_THROW(merged(R"({"line": "dashed", "dish": 6})", "solid"), UsageError);
}

// The inner type comes first in the order of paths, and exists only with the outer one.
TEST(Options, TypesWithinTypesAreChosenFromOutsideIn) {
  Board board;
  apply(board, OptionPatch::from_json(R"({"on": {"line": "dotted", "gap": 7, "type": "paper"}})", "c.json"));
  EXPECT_EQ(std::get<Dotted>(std::get<Paper>(board.on).line).gap, 7);
  OptionPatch patch = OptionPatch::from_json(options_to_json(board), "c.json"), flags;
  flags.set_text("on.type", {"slate"}, "--on");
  patch.merge(flags);
  apply(board, patch);
  EXPECT_TRUE(std::holds_alternative<Slate>(board.on));
  EXPECT_THROW(options_from_json<Board>(R"({"on": {"line": "dotted"}})", "c.json"), UsageError);
  EXPECT_THROW(options_from_json<Board>(R"({"on": {"gap": 4}})", "c.json"), UsageError);
}

TEST(Options, ErrorsNameThePlaceTheValueAndTheRemedy) {
  const auto refused = [](const std::string& json, const auto& matcher) {
    EXPECT_THAT([&] { with(json); }, ThrowsMessage<UsageError>(matcher)) << json;
  };
  refused(R"({"pen": {"width": 65}})", "c.json: pen.width: 65 is out of range; give 1 to 64");
  refused(R"({"shape": {"side": -0.5}})", "c.json: shape.side: -0.5 is out of range; give at least 0");
  refused(R"({"color": "gren"})", "c.json: color: 'gren' is unknown; did you mean 'green'?");
  refused(R"({"pen": {"widht": 3}})", "c.json: pen.widht: is not an option; did you mean 'pen.width'?");
  refused(R"({"width": 3})", "c.json: width: is not an option; did you mean 'pen.width'?");
  refused(R"({"shape": {"radius": 3}})",
          StartsWith("c.json: shape.radius: applies only with shape.type=circle"));
  refused(R"({"shape": {"type": "cube"}})",
          AllOf(HasSubstr("shape.type: 'cube'"), HasSubstr("square, circle")));
  refused(R"({"pen": {"width": "3"}})", "c.json: pen.width: '3' is not a whole number");
  refused(R"({"pen": {"width": 3.5}})", "c.json: pen.width: '3.5' is not a whole number");
  refused(R"({"title": 1})", "c.json: title: '1' is not a text");
  refused(R"({"shape": {"hollow": "true"}})", "c.json: shape.hollow: 'true' is not true or false");
  refused(R"({"title": null})", HasSubstr("'null' is not an option's value"));
  refused(R"({"pen.width": 3, "pen": {"width": 4}})", "c.json: pen.width: occurs twice; remove one of them");
  refused("[]", HasSubstr("is not a JSON object"));
  refused(R"({"line": "wavy"})", AllOf(HasSubstr("line: 'wavy'"), HasSubstr("solid, dashed, dotted")));
  refused(R"({"dash": 9})", "c.json: dash: 9 applies only with line=dashed; choose that, or leave this out");
  refused(R"({"line": "solid", "gap": 3})", HasSubstr("gap: 3 applies only with line=dashed or dotted; "));
  refused(R"({"line": "solid", "gap": 100})", "c.json: gap: 100 is out of range; give 1 to 99");
  refused(R"({"line": "solid", "gap": "wide"})", "c.json: gap: 'wide' is not a whole number");
}

TEST(Options, ATextMayBeOneOfSeveral) {
  Metrical options;
  const auto fields = option_fields(options);
  EXPECT_THAT(fields[0].valid, ElementsAre("iamb", "trochee", "dactyl"));
  EXPECT_EQ(options_from_json<Metrical>(R"({"metre": "dactyl"})", "c.json").metre, "dactyl");
  EXPECT_THAT([] { options_from_json<Metrical>(R"({"metre": "trochees"})", "c.json"); },
              ThrowsMessage<UsageError>("c.json: metre: 'trochees' is unknown; did you mean 'trochee'?"));
}

TEST(Options, FlagErrorsNameTheFlag) {
  const auto refused = [](const std::string& path, const std::vector<std::string>& words,
                          const auto& matcher) {
    EXPECT_THAT([&] { typed(path, words); }, ThrowsMessage<UsageError>(matcher)) << path;
  };
  refused("pen.width", {"x"}, "--pen.width: 'x' is not a whole number");
  refused("pen.width", {"3x"}, "--pen.width: '3x' is not a whole number");
  refused("pen.width", {""}, "--pen.width: '' is not a whole number");
  refused("pen.width", {"0"}, "--pen.width: 0 is out of range; give 1 to 64");
  refused("pen.width", {"1", "2"}, "--pen.width: is given 2 times");
  refused("shape.side", {"nan"}, HasSubstr("is out of range"));
  refused("shape.hollow", {"maybe"}, "--shape.hollow: 'maybe' is not true or false");
  refused("shape.radius", {"1"}, HasSubstr("applies only with --shape circle"));
  refused("dash", {"9"}, "--dash: 9 applies only with --line dashed; choose that, or leave this out");
  refused("gap", {"9"}, "--gap: 9 applies only with --line dashed or dotted; choose that, or leave this out");
}

TEST(Options, DuplicateKeysAreRefused) {
  EXPECT_THAT([] { with(R"({"title": "a", "title": "b"})"); },
              ThrowsMessage<Error>(HasSubstr("the key 'title' occurs twice")));
}

TEST(Options, LargeWholeNumbersStayExact) {
  // 2^53 + 1 has no double: it must not be rounded on its way through JSON.
  EXPECT_EQ(options_from_json<Whole>(R"({"value": 9007199254740993})", "c").value, 9007199254740993);
  EXPECT_EQ(options_from_json<Whole>(R"({"value": 1e3})", "c").value, 1000);
  EXPECT_THROW(options_from_json<Whole>(R"({"value": 9223372036854775808})", "c"), UsageError);
}

TEST(OptionPatch, GivesAValueAway) {
  OptionPatch patch = OptionPatch::from_json(R"({"pen": {"width": 5}, "title": "t"})", "c.json");
  EXPECT_TRUE(patch.contains("title"));
  EXPECT_EQ(std::get<std::string>(*patch.take("title")), "t");
  EXPECT_EQ(patch.take("title"), nullptr);
  EXPECT_FALSE(patch.contains("title"));
  EXPECT_TRUE(patch.contains("pen.width"));
}

TEST(OptionAttributes, StandBehindTheHelpInAnyOrder) {
  Printing printing;
  const auto fields = option_fields(printing);
  EXPECT_EQ(fields[0].path, "template");
  EXPECT_TRUE(fields[0].is(file_path));
  EXPECT_FALSE(fields[0].is(everyday));
  EXPECT_TRUE(fields[1].is(everyday));
  EXPECT_EQ(fields[2].range.describe(), "1 to 9");
  EXPECT_TRUE(fields[2].is(on_resume_free));
  EXPECT_THAT(fields[2].former_flags, ElementsAre("number"));
  EXPECT_TRUE(fields[3].is(same_in_a_study));  // that of its group
  EXPECT_FALSE(fields[0].is(same_in_a_study));
}

TEST(OptionAttributes, WhatWouldChangeNothingIsRefused) {
  const auto message = [](const Printing& printing) {
    try {
      check_conditions(printing);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message({}), "accepted");
  EXPECT_EQ(message({.copies = 2}), "--copies: would change nothing; add --printed");
  EXPECT_EQ(message({.printed = true, .copies = 2}), "accepted");
  EXPECT_EQ(message({.ink = {.frame = false}}), "--no-ink.frame: would change nothing; add --printed");
}

struct Sieve {
  bool shaken = false;
  int64_t times = 1, mesh = 1;
  static void fields(auto& o, auto& f) {
    f("shaken", o.shaken, "moved");
    f("times", o.times, "how often", noted_unless(o.shaken, "without --shaken"));
    f("mesh", o.mesh, "of the net", only_if(o.shaken, "add --shaken"),
      noted_unless(o.times > 1, "the first time"));
  }
};

TEST(OptionAttributes, WhatIsHarmlessIsNotedWhereItIsGiven) {
  const Sieve sieve{.times = 3};
  EXPECT_NO_THROW(check_conditions(sieve));
  OptionPatch given;
  EXPECT_THAT(idle_options(sieve, given), testing::IsEmpty());
  given.set_text("times", {"3"}, "--times");
  EXPECT_THAT(idle_options(sieve, given), ElementsAre("--times changes nothing without --shaken"));
  EXPECT_THAT(idle_options(Sieve{.shaken = true, .times = 3}, given), testing::IsEmpty());
  EXPECT_THAT(idle_options(Sieve{}, given), testing::IsEmpty());  // says its default
  given = OptionPatch::from_json(R"({"times": 3})", "c.json");
  EXPECT_THAT(idle_options(sieve, given), ElementsAre("c.json: times changes nothing without --shaken"));
  EXPECT_THROW(check_conditions(Sieve{.mesh = 2}), UsageError);
}

TEST(OptionAttributes, MayDependOnMoreThanTheGroupSees) {
  Book book{.cover = {.text = "x"}};
  EXPECT_THAT([&] { check_conditions(book); },
              ThrowsMessage<UsageError>("--cover.text: would change nothing; add --bound"));
  book.bound = true;
  EXPECT_NO_THROW(check_conditions(book));
  EXPECT_FALSE(option_fields(book)[0].is(everyday));
  EXPECT_TRUE(option_fields(book)[1].is(everyday));
}

TEST(OptionAttributes, AMemberThatAProgramSetIsHeldToItsRange) {
  const auto message = [](const auto& options, const std::string& prefix) {
    try {
      check_values(options, prefix);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  Drawing drawing;
  EXPECT_EQ(message(drawing, "--"), "accepted");
  drawing.shape = Square{.side = std::nan("")};
  EXPECT_EQ(message(drawing, "--"), "--shape.side: nan is out of range; give at least 0");
  EXPECT_EQ(message(Printing{.copies = 9}, ""), "accepted");
  EXPECT_EQ(message(Printing{.copies = 10}, ""), "copies: 10 is out of range; give 1 to 9");
}

TEST(OptionAttributes, AnOptionAtFaultIsNamedByWhereItCameFrom) {
  const auto message = [](const std::string& file, const std::string& typed) {
    OptionPatch patch = OptionPatch::from_json(file, "c.json"), flags;
    if (!typed.empty()) flags.set_text("copies", {typed}, "--copies");
    patch.merge(flags);
    Printing printing;
    apply(printing, patch);
    try {
      check_as_given(printing, patch, [&] { check_conditions(printing); });
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message(R"({"copies": 2})", ""), "c.json: copies: would change nothing; add --printed");
  EXPECT_EQ(message(R"({"copies": 2})", "3"), "--copies: would change nothing; add --printed");
  EXPECT_EQ(message(R"({"copies": 2})", "1"), "accepted");
}

TEST(OptionAttributes, RelativePathsAreTakenFromAFolder) {
  OptionPatch patch = OptionPatch::from_json(R"({"template": "a/b", "title": "a/b"})", "c.json");
  patch.resolve_paths(option_catalogue<Printing>(), "/in/../here");
  Printing printing;
  apply(printing, patch);
  EXPECT_EQ(printing.form, "/here/a/b");
  EXPECT_EQ(printing.title, "a/b");
  resolve_paths(printing, "/elsewhere");
  EXPECT_EQ(printing.form, "/here/a/b");
  printing.form = "../c";
  resolve_paths(printing, "/elsewhere");
  EXPECT_EQ(printing.form, "/c");
  printing.form.clear();
  resolve_paths(printing, "/elsewhere");
  EXPECT_EQ(printing.form, "");
}

TEST(OptionAttributes, AValidNameMayStandForAFile) {
  const auto read = [](const std::string& from) {
    return options_from_json<Lettering>(R"({"from": ")" + from + "\"}", "c.json").from;
  };
  EXPECT_EQ(read("case"), "case");
  EXPECT_EQ(read("set:a/b"), "set:a/b");
  for (const char* invalid : {"set:", "set", "a/b", "cast"})
    EXPECT_THROW(read(invalid), UsageError) << invalid;
  OptionPatch patch = OptionPatch::from_json(R"({"from": "set:a/b"})", "c.json");
  patch.resolve_paths(option_catalogue<Lettering>(), "/here");
  Lettering lettering;
  apply(lettering, patch);
  EXPECT_EQ(lettering.from, "set:/here/a/b");
  resolve_paths(lettering, "/elsewhere");
  EXPECT_EQ(lettering.from, "set:/here/a/b");
  lettering.from = "set:c";
  resolve_paths(lettering, "/elsewhere");
  EXPECT_EQ(lettering.from, "set:/elsewhere/c");
  lettering.from = "case";
  resolve_paths(lettering, "/elsewhere");
  EXPECT_EQ(lettering.from, "case");
}

TEST(OptionAttributes, AnOptionIsKnownByTheMemberThatHoldsIt) {
  Printing printing;
  EXPECT_EQ(path_of(printing, &printing.copies), "copies");
  EXPECT_EQ(path_of(printing, &printing.ink.frame), "ink.frame");
}

TEST(OptionCatalogue, ListsTheFieldsOfEveryAlternative) {
  std::vector<std::string> all, selected;
  for (const auto& field : option_catalogue<Drawing>()) all.push_back(field.path + " " + field.only_with);
  EXPECT_THAT(all, ElementsAre("title ", "layers ", "color ", "pen.width ", "shape.type ",
                               "shape.side shape.type=square", "shape.hollow shape.type=square",
                               "shape.radius shape.type=circle", "shape.hollow shape.type=circle", "line ",
                               "gap line=dashed", "dash line=dashed", "gap line=dotted"));
  Drawing drawing;
  for (const auto& field : option_fields(drawing)) selected.push_back(field.path);
  EXPECT_THAT(selected, ElementsAre("title", "layers", "color", "pen.width", "shape.type", "shape.side",
                                    "shape.hollow", "line"));
}

TEST(OptionNames, OfAVariantAreThoseOfItsAlternatives) {
  EXPECT_THAT(option_names(Drawing{}.line),
              ElementsAre(testing::StrEq("solid"), testing::StrEq("dashed"), testing::StrEq("dotted")));
  EXPECT_EQ(option_name(with(R"({"line": "dotted"})").line), "dotted");
}

TEST(OptionCatalogue, OutlivesTheOptionsItWasMadeFrom) {
  const auto catalogue = option_catalogue<Drawing>();
  EXPECT_EQ(to_text(catalogue[0].get()), "untitled");
  EXPECT_EQ(to_text(catalogue[3].get()), "3");
  EXPECT_EQ(to_text(catalogue[7].get()), "2");
}

TEST(OptionText, IsShortAndExact) {
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(int64_t{-12}), "-12");
  EXPECT_EQ(to_text(0.001), "0.001");
  EXPECT_EQ(to_text(std::vector<std::string>{"a", "b"}), "a b");
  EXPECT_EQ(in_range(0, 0.5).describe(), "0 to 0.5");
  EXPECT_EQ(at_least(1).describe(), "at least 1");
  EXPECT_EQ(OptionRange{}.describe(), "");
}

TEST(DifferingFields, AreTheChangedTheAddedAndTheRemovedOnes) {
  Drawing a, b;
  EXPECT_THAT(differing_fields(a, b), testing::IsEmpty());
  b.pen.width = 4;
  b.shape = Circle{};
  b.line = Dotted{};
  std::vector<std::string> paths;
  for (const OptionField& field : differing_fields(a, b)) paths.push_back(field.path);
  EXPECT_THAT(paths, ElementsAre("pen.width", "shape.type", "shape.radius", "line", "gap", "shape.side"));
}

}  // namespace
}  // namespace seq2seq
