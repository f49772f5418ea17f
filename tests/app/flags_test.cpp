#include "flags.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "core/sample_options.h"
#include "help_formatter.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using sample::Circle;
using sample::Color;
using sample::Drawing;
using sample::Square;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

class FlagsTest : public testing::Test {
 protected:
  FlagsTest() : app_("draws", "draw") { app_.formatter(std::make_shared<HelpFormatter>()); }

  Drawing parse(std::vector<std::string> words, ConfigFlag config = ConfigFlag::none) {
    Flags<Drawing> flags(app_, config);
    std::reverse(words.begin(), words.end());  // as CLI11 takes a vector
    app_.parse(std::move(words));
    return flags.resolve();
  }
  void refused(std::vector<std::string> words, const std::string& message) {
    CLI::App app("draws", "draw");
    Flags<Drawing> flags(app);
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
    EXPECT_THAT([&] { flags.resolve(); }, ThrowsMessage<UsageError>(StartsWith(message)));
  }

  CLI::App app_;
};

TEST_F(FlagsTest, NoFlagGivesDefaults) {
  EXPECT_EQ(options_to_json(parse({})), options_to_json(Drawing{}));
}

TEST_F(FlagsTest, EveryKindOfFlag) {
  const Drawing drawing =
      parse({"--title", "a b", "--layers", "x", "y", "--color=red", "--layers", "z", "--pen.width", "9",
             "--shape", "circle", "--shape.radius=0.5", "--shape.hollow"});
  EXPECT_EQ(drawing.title, "a b");
  EXPECT_THAT(drawing.layers, ElementsAre("x", "y", "z"));
  EXPECT_EQ(drawing.color, Color::red);
  EXPECT_EQ(drawing.pen.width, 9);
  EXPECT_EQ(std::get<Circle>(drawing.shape).radius, 0.5);
  EXPECT_TRUE(std::get<Circle>(drawing.shape).hollow);
}

TEST_F(FlagsTest, BooleansTakeThreeForms) {
  const auto hollow = [](const char* flag) {
    CLI::App app("draws", "draw");
    Flags<Drawing> flags(app);
    app.parse(std::vector<std::string>{flag});
    return std::get<Square>(flags.resolve().shape).hollow;
  };
  EXPECT_TRUE(hollow("--shape.hollow"));
  EXPECT_TRUE(hollow("--shape.hollow=true"));
  EXPECT_FALSE(hollow("--shape.hollow=false"));
  EXPECT_FALSE(hollow("--no-shape.hollow"));
  EXPECT_TRUE(hollow("--no-shape.hollow=false"));
}

TEST_F(FlagsTest, AnEmptyTextIsAValue) {
  EXPECT_EQ(parse({"--title", ""}).title, "");
}

TEST_F(FlagsTest, OfScalarsTheLastValueCounts) {
  const Drawing drawing = parse({"--pen.width", "3", "--shape.hollow", "--title=a", "--layers", "x",
                                 "--pen.width=4", "--no-shape.hollow", "--title", "b", "--layers", "y"});
  EXPECT_EQ(drawing.pen.width, 4);
  EXPECT_FALSE(std::get<Square>(drawing.shape).hollow);
  EXPECT_EQ(drawing.title, "b");
  EXPECT_THAT(drawing.layers, ElementsAre("x", "y"));
}

TEST_F(FlagsTest, OfConfigurationsTheLastCounts) {
  const std::string path = testing::TempDir() + "flags_test_last.json";
  std::ofstream(path) << R"({"pen": {"width": 5}})";
  EXPECT_EQ(parse({"--config", "/nowhere.json", "--config", path}, ConfigFlag::offered).pen.width, 5);
  std::remove(path.c_str());
}

TEST_F(FlagsTest, AScalarTakesOneValueAtATime) {
  Flags<Drawing> flags(app_);
  EXPECT_THROW(app_.parse(std::vector<std::string>{"4", "3", "--pen.width"}), CLI::ExtrasError);
}

TEST_F(FlagsTest, ErrorsNameTheFlag) {
  refused({"--pen.width", "many"}, "--pen.width: 'many' is not a whole number");
  refused({"--pen.width", "-1"}, "--pen.width: -1 is out of range; give 1 to 64");
  refused({"--shape.radius", "1"}, "--shape.radius: applies only with --shape circle");
  refused({"--shape.hollow=perhaps"}, "--shape.hollow: 'perhaps' is not true or false");
}

TEST_F(FlagsTest, FlagsWinOverTheConfigurationFile) {
  const std::string path = testing::TempDir() + "flags_test.json";
  std::ofstream(path)
      << R"({"title": "file", "pen": {"width": 5}, "shape": {"type": "circle", "radius": 8}})";
  const Drawing drawing = parse({"--pen.width", "6", "--config", path}, ConfigFlag::offered);
  EXPECT_EQ(drawing.title, "file");
  EXPECT_EQ(drawing.pen.width, 6);
  EXPECT_EQ(std::get<Circle>(drawing.shape).radius, 8.0);
  EXPECT_EQ(drawing.color, Color::green);
  std::remove(path.c_str());
}

TEST_F(FlagsTest, TheConfigurationOfARunIsOne) {
  const std::string path = testing::TempDir() + "flags_test_run.json";
  std::ofstream(path) << R"({"format": 1, "pen": {"width": 5}})";
  EXPECT_EQ(parse({"--config", path}, ConfigFlag::offered).pen.width, 5);
  std::remove(path.c_str());
}

TEST_F(FlagsTest, ConfigIsAFlagOnlyWhereOffered) {
  Flags<Drawing> flags(app_);
  EXPECT_THROW(app_.parse("--config x", false), CLI::ExtrasError);
}

TEST_F(FlagsTest, HelpShowsDefaultsRangesNamesAndConditions) {
  Flags<Drawing> flags(app_);
  const std::string help = app_.help();
  EXPECT_THAT(help, HasSubstr("--title TEXT                      shown above (default untitled)\n"));
  EXPECT_THAT(help, HasSubstr("--layers TEXT...                  from the bottom up (default ink)\n"));
  EXPECT_THAT(help,
              HasSubstr("of the pen (red | green | blue; default\n" + std::string(36, ' ') + "green)\n"));
  EXPECT_THAT(help, HasSubstr("in dots (1 to 64; default 3)\n"));
  EXPECT_THAT(help, HasSubstr("from the centre (at least 0; default 2; only\n" + std::string(36, ' ') +
                              "with --shape circle)\n"));
  // Both alternatives have it: one flag without a condition.
  EXPECT_THAT(help, HasSubstr("--[no-]shape.hollow               no filling (default false)\n"));
  EXPECT_THAT(help, AllOf(HasSubstr("\n\nPen options:\n"), HasSubstr("\n\nShape options:\n"),
                          Not(HasSubstr("\n\n\n")), Not(HasSubstr("{false}"))));
  EXPECT_THAT(help, HasSubstr("(solid | dashed | dotted;\n" + std::string(36, ' ') + "default solid)\n"));
  EXPECT_THAT(help, HasSubstr("(1 to 99; default 4; only with\n" + std::string(36, ' ') +
                              "--line dashed or dotted)\n"));
}

// A name may belong to alternatives of several options.
TEST_F(FlagsTest, HelpNamesEveryOptionThatBringsTheFlag) {
  std::vector<OptionField> fields = option_catalogue<Drawing>();
  OptionField radius = *std::ranges::find(fields, "shape.radius", &OptionField::path);
  radius.only_with = "line=dotted";
  fields.push_back(radius);
  FlagSet flags(app_, fields, ConfigFlag::none);
  EXPECT_THAT(app_.help(),
              HasSubstr("only\n" + std::string(36, ' ') + "with --shape circle or --line dotted)\n"));
}

TEST_F(FlagsTest, TwoFieldsOfOneFlagAreAProgrammersError) {
  std::vector<OptionField> fields = option_catalogue<Drawing>();
  fields[0].flag = fields[3].flag;
  EXPECT_THROW(FlagSet(app_, fields, ConfigFlag::none), std::logic_error);
}

struct Kettle {
  int64_t litres = 2;
  bool lid = true;
  std::string colour = "red";
  static void fields(auto& o, auto& f) {
    f("litres", o.litres, "how much it holds, which nobody ever measured, filled to the brim", at_least(1),
      everyday);
    f("lid", o.lid, "keeps the steam inside", formerly("cover"));
    f("kettle.colour", o.colour, "of the outside");
  }
};

struct Stove {
  bool lit = false, quiet = false;
  int64_t heat = 1, minutes = 2;
  static void fields(auto& o, auto& f) {
    f("lit", o.lit, "burns");
    f("heat", o.heat, "of the flame", noted_unless(o.lit, "without --lit"));
    f("minutes", o.minutes, "until it is put out", noted_unless(o.lit, "without --lit"));
    quiet_field(o, f);
  }
};

TEST_F(FlagsTest, WhatChangesNothingWithoutHarmIsNotedInOneLine) {
  const auto told = [](const std::string& words) {
    CLI::App app("burns", "stove");
    Flags<Stove> flags(app);
    app.parse(words, false);
    testing::internal::CaptureStderr();
    flags.resolve();
    set_log_level(LogLevel::normal);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told("--heat 3"), "--heat changes nothing without --lit\n");
  EXPECT_EQ(told("--minutes 9 --heat 3"), "--heat, --minutes change nothing without --lit\n");
  EXPECT_EQ(told("--heat 3 --lit"), "");
  EXPECT_EQ(told("--heat 1"), "");
  EXPECT_EQ(told("--heat 3 --quiet"), "");
}

TEST_F(FlagsTest, HelpShowsTheEverydayAndHelpAllTheOthersToo) {
  Flags<Kettle> flags(app_);
  const std::string help = app_.help("", CLI::AppFormatMode::Normal),
                    all = app_.help("", CLI::AppFormatMode::All);
  EXPECT_THAT(help, HasSubstr("  --litres N" + std::string(16, ' ') +
                              "how much it holds, which nobody ever measured\n"));
  EXPECT_THAT(help, AllOf(Not(HasSubstr("lid")), Not(HasSubstr("colour")), Not(HasSubstr("\n\n\n"))));
  EXPECT_THAT(help, testing::EndsWith("\n\nAll options: draw --help-all\n"));
  EXPECT_THAT(all, AllOf(HasSubstr("brim (at least 1;\n"), HasSubstr("\n\nFurther options:\n  --[no-]lid "),
                         HasSubstr("\n\nKettle options:\n  --kettle.colour TEXT "), Not(HasSubstr("cover")),
                         Not(HasSubstr("All options"))));
}

TEST_F(FlagsTest, FormerFlagsGoOn) {
  const auto lid = [](const std::string& flag) {
    CLI::App app("boils", "kettle");
    Flags<Kettle> flags(app);
    app.parse(std::vector<std::string>{flag});
    return flags.resolve().lid;
  };
  EXPECT_TRUE(lid("--cover"));
  EXPECT_FALSE(lid("--no-cover"));
  EXPECT_FALSE(lid("--no-lid"));
}

TEST(FirstClauses, EndWhereTheyFit) {
  const std::string text = "kind of it (one | two; default one)";
  EXPECT_EQ(first_clauses(text, 40), text);
  EXPECT_EQ(first_clauses(text, 30), "kind of it (one | two)");
  EXPECT_EQ(first_clauses(text, 22), "kind of it (one | two)");
  EXPECT_EQ(first_clauses(text, 21), "kind of it");
  EXPECT_EQ(first_clauses(text, 5), text);
  EXPECT_EQ(first_clauses("some, all (of it), more", 20), "some, all (of it)");
}

}  // namespace
}  // namespace seq2seq
