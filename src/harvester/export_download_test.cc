// SPDX-License-Identifier: MIT
#include "harvester/export_download.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

namespace chrono = std::chrono;
using namespace std::chrono_literals;
using http::TransportFailure;

std::string Days(std::string_view now, std::string_view last) {
  const auto day = last.empty() ? std::nullopt : std::optional(ParseDate(last).value());
  std::string list;
  for (const auto d : CandidateDays(ParseTime(now).value(), day)) {
    list += FormatDate(d).substr(5) + " ";
  }
  return list;
}

TEST(CandidateDays, GoesBackFromTodayButNeverBehindWhatIsInForce) {
  const struct {
    const char* now;
    const char* last;
    const char* days;
  } cases[] = {
      {"2026-11-22T09:00:00Z", "", "11-22 11-21 11-20 11-19 11-18 11-17 11-16 11-15 "},
      {"2026-11-22T08:00:00Z", "2026-11-20", "11-22 11-21 11-20 "},
      {"2026-11-22T09:00:00Z", "2026-11-22", "11-22 "},
      // Before eight, yesterday's comes first; today's is asked for before going further back.
      {"2026-11-22T07:59:59Z", "", "11-21 11-22 11-20 11-19 11-18 11-17 11-16 11-15 "},
      {"2026-11-22T03:00:00Z", "2026-11-21", "11-21 "},
      {"2026-11-22T03:00:00Z", "2026-11-22", "11-22 "},
      {"2026-11-22T03:00:00Z", "2026-11-19", "11-21 11-22 11-20 11-19 "},
      // Longer ago than a week: all of the week.
      {"2026-11-22T09:00:00Z", "2026-10-01", "11-22 11-21 11-20 11-19 11-18 11-17 11-16 11-15 "},
      // Over the end of a year; a clock that went back.
      {"2027-01-02T12:00:00Z", "2026-12-30", "01-02 01-01 12-31 12-30 "},
      {"2026-11-22T09:00:00Z", "2027-03-01", "03-01 "},
  };
  for (const auto& c : cases) EXPECT_EQ(Days(c.now, c.last), c.days) << c.now << " " << c.last;
}

http::Outcome Answered(int status, std::vector<http::Header> headers = {}) {
  http::Outcome outcome;
  outcome.response = http::Response{.status = status, .headers = std::move(headers), .body = {}};
  return outcome;
}

http::Outcome Failed(TransportFailure failure) {
  http::Outcome outcome;
  outcome.failure = failure;
  outcome.failure_text = "went wrong";
  return outcome;
}

TEST(JudgeExportAnswer, SaysWhatToDoNext) {
  const struct {
    http::Outcome outcome;
    std::uint64_t received;
    bool gzip;  // else HTML
    Answer answer;
  } cases[] = {
      {Answered(200, {{"Content-Length", "1000"}}), 1000, true, Answer::kWhole},
      {Answered(200, {{"content-length", "1000"}}), 1000, true, Answer::kWhole},
      {Answered(200), 1000, true, Answer::kWhole},
      {Answered(200, {{"Content-Length", "many"}}), 1000, true, Answer::kWhole},
      {Answered(200, {{"Content-Length", "1000"}}), 999, true, Answer::kDamaged},
      {Answered(200, {{"Content-Length", "1000"}}), 1001, true, Answer::kDamaged},
      {Answered(200, {{"Content-Length", "0"}}), 0, true, Answer::kDamaged},
      {Answered(200), 0, true, Answer::kDamaged},
      {Answered(200, {{"Content-Length", "70"}}), 0, false, Answer::kTryAgain},
      {Answered(403), 0, true, Answer::kNotPublished},
      {Answered(404), 0, true, Answer::kNotPublished},
      {Answered(408), 0, true, Answer::kTryAgain},
      {Answered(429), 0, true, Answer::kTryAgain},
      {Answered(500), 0, true, Answer::kTryAgain},
      {Answered(503), 0, true, Answer::kTryAgain},
      {Answered(301), 0, true, Answer::kTryAgain},
      {Answered(401), 0, true, Answer::kTryAgain},
      {Answered(410), 0, true, Answer::kTryAgain},
      {Failed(TransportFailure::kConnect), 0, true, Answer::kTryAgain},
      {Failed(TransportFailure::kTimeout), 500, true, Answer::kTryAgain},
      {Failed(TransportFailure::kReset), 0, true, Answer::kTryAgain},
      {Failed(TransportFailure::kReset), 500, true, Answer::kDamaged},
      {Failed(TransportFailure::kAborted), 0, false, Answer::kTryAgain},
      {Failed(TransportFailure::kTooLarge), 500, true, Answer::kHopeless},
  };
  int number = 0;
  for (const auto& c : cases) {
    const Judgement judgement = Judge(c.outcome, c.received, c.gzip ? BodyForm::kGzip : BodyForm::kHtml);
    EXPECT_EQ(int(judgement.answer), int(c.answer)) << number;
    EXPECT_EQ(judgement.reason.empty(), c.answer == Answer::kWhole) << number;
    ++number;
  }
}

TEST(JudgeExportAnswer, LinesThatCameInflatedNeedAnEndThatCanBeSeen) {
  EXPECT_EQ(FormOf("\xef\xbb\xbf{\"id\":1}"), BodyForm::kLines);
  EXPECT_EQ(FormOf(" \n<!DOCTYPE html>"), BodyForm::kHtml);
  EXPECT_EQ(FormOf("PK\x03\x04"), BodyForm::kOther);
  EXPECT_EQ(Judge(Answered(200, {{"Content-Length", "9"}}), 9, BodyForm::kLines).answer, Answer::kWhole);
  EXPECT_EQ(Judge(Answered(200, {{"Content-Length", "9"}}), 8, BodyForm::kLines).answer, Answer::kDamaged);
  EXPECT_EQ(Judge(Answered(200, {{"Transfer-Encoding", "chunked"}}), 9, BodyForm::kLines).answer, Answer::kWhole);
  EXPECT_EQ(Judge(Answered(200), 9, BodyForm::kLines).answer, Answer::kDamaged);
}

}  // namespace
}  // namespace tmdbc
