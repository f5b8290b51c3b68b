// SPDX-License-Identifier: MIT
#include "base/safe_text.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace tmdbc {
namespace {

TEST(SafeText, LeavesLettersOfEveryScriptAlone) {
  EXPECT_EQ(Printable("Am\xc3\xa9lie \xe5\x8d\x83\xe3\x81\xa8 \xf0\x9f\x8e\xac"),
            "Am\xc3\xa9lie \xe5\x8d\x83\xe3\x81\xa8 \xf0\x9f\x8e\xac");
}

TEST(SafeText, NothingSpeaksToTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a\\u001b[2Jb\\nc\\u007f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");  // CSI as one C1 character
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "gpj.exe"),
            "\\u202egpj.exe");                                           // right-to-left override
  EXPECT_EQ(Printable("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u2066x\\u2069");  // isolates
  EXPECT_EQ(Printable("a\xe2\x80\xa8"
                      "b"),
            "a\\u2028b");  // line separator
}

TEST(SafeText, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(Printable("a\xff"
                      "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(Printable("\xed\xa0\x80").find('\xed'), std::string::npos);  // a surrogate
  EXPECT_EQ(Printable("cut \xe5\x8d"), "cut \xef\xbf\xbd\xef\xbf\xbd");
}

TEST(SafeText, AJsonStringIsValidWhateverTheBytes) {
  std::mt19937 random(7);
  simdjson::dom::parser parser;
  for (int i = 0; i < 2000; ++i) {
    std::string text, json;
    for (int length = int(random() % 40); length > 0; --length) text += char(random());
    AppendJsonString(json, text);
    simdjson::dom::element root;
    ASSERT_EQ(parser.parse(json).get(root), simdjson::SUCCESS) << json;
  }
}

}  // namespace
}  // namespace tmdbc
