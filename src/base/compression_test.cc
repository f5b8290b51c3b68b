// SPDX-License-Identifier: MIT
#include "base/compression.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace tmdbc {
namespace {

constexpr std::size_t kPlenty = 64 << 20;

// Lines in the shape of a movie_ids export, different enough from each other that gzip has to work.
std::string ExportLines(int count) {
  std::mt19937 random(7);
  std::string lines;
  for (int i = 1; i <= count; ++i) {
    lines += fmt::format(
        R"({{"adult":false,"id":{},"original_title":"Film {:x}","popularity":{}.{:04},"video":false}})",
        i * 3, random(), random() % 100, random() % 10000);
    lines += '\n';
  }
  return lines;
}

// What a decoder forgets between two pieces it must not find by luck where it left it.
__attribute__((noinline)) void DirtyTheStack() {
  volatile char garbage[8 << 10];
  for (volatile char& byte : garbage) byte = char(0xff);
}

class GzipInflaterTest : public ::testing::TestWithParam<GzipInflater::Engine> {
 protected:
  // Feeds `gzip` in pieces of `piece` bytes and gives what came out, or the first error.
  static Result<std::string> Inflate(std::string_view gzip, std::size_t piece, void (*before_each)() = nullptr) {
    GzipInflater inflater(GetParam());
    std::string out;
    for (; !gzip.empty(); gzip.remove_prefix(std::min(piece, gzip.size()))) {
      if (before_each) before_each();
      TRY(inflater.Feed(gzip.substr(0, piece), [&](std::string_view bytes) {
        EXPECT_LE(bytes.size(), std::size_t(256 << 10));
        out += bytes;
      }));
    }
    TRY(inflater.Finish());
    return out;
  }
};

TEST_P(GzipInflaterTest, GivesBackWhatWasCompressedHoweverItIsCut) {
  const std::string text = ExportLines(20'000);
  const std::string gzip = Gzip(text);
  for (const std::size_t piece :
       {std::size_t(1), std::size_t(7), std::size_t(1000), std::size_t(16 << 10), gzip.size()}) {
    const auto out = Inflate(gzip, piece);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_TRUE(*out == text) << "in pieces of " << piece;
  }
}

TEST_P(GzipInflaterTest, TakesConcatenatedMembersAsOneStream) {
  const std::string gzip = Gzip("one\n") + Gzip("") + Gzip("two\n") + Gzip(ExportLines(500));
  for (const std::size_t piece : {std::size_t(1), std::size_t(3), gzip.size()}) {
    const auto out = Inflate(gzip, piece);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_TRUE(*out == "one\ntwo\n" + ExportLines(500));
  }
}

TEST_P(GzipInflaterTest, InflatesFarMoreThanItsBufferFromOneSmallChunk) {
  const std::string zeros(5'000'000, '0');
  const auto out = Inflate(Gzip(zeros), 1 << 20);
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_TRUE(*out == zeros);
}

TEST_P(GzipInflaterTest, EndsExactlyAtABufferBoundary) {
  for (const std::size_t size :
       {std::size_t(256 << 10), std::size_t(512 << 10), std::size_t((256 << 10) + 1)}) {
    const std::string text = ExportLines(20'000).substr(0, size);
    const auto out = Inflate(Gzip(text), kPlenty);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_TRUE(*out == text);
  }
}

TEST_P(GzipInflaterTest, NoticesACutAtEveryByte) {
  const std::string gzip = Gzip(ExportLines(20));
  for (std::size_t length = 0; length < gzip.size(); ++length) {
    const auto out = Inflate(gzip.substr(0, length), kPlenty);
    ASSERT_FALSE(out) << "cut to " << length << " of " << gzip.size();
    EXPECT_EQ(out.error().code, ErrorCode::kCorrupt);
  }
}

TEST_P(GzipInflaterTest, NoticesAFlippedBitInDataChecksumAndLength) {
  const std::string text = ExportLines(20);
  const std::string gzip = Gzip(text);
  int passed = 0;
  // The header's time, flags for the system and the like change nothing: start behind it.
  for (std::size_t at = 10; at < gzip.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = gzip;
      broken[at] = char(broken[at] ^ (1 << bit));
      const auto out = Inflate(broken, kPlenty);
      // The last data byte ends in padding bits that mean nothing.
      EXPECT_TRUE(!out || *out == text) << "byte " << at << " bit " << bit;
      passed += out ? 1 : 0;
    }
  }
  EXPECT_LT(passed, 8);
}

TEST_P(GzipInflaterTest, RefusesWhatIsNoGzip) {
  for (const std::string_view text :
       {"{\"id\":550,\"title\":\"Fight Club\"}", "<html><body>403 Forbidden</body></html>"}) {
    EXPECT_FALSE(Inflate(text, 5));
  }
  EXPECT_FALSE(Inflate("", 1));
  for (const std::string behind : {"<html>garbage after the member</html>", "short"}) {
    const auto out = Inflate(Gzip("whole") + behind, kPlenty);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "gunzip: what stands behind its end is not gzip");
  }
}

TEST_P(GzipInflaterTest, ReadsHeadersWithExtraFieldNameAndCommentHoweverTheyAreCut) {
  // As gzip(1) writes it: flag FNAME, with FEXTRA and FCOMMENT beside it (RFC 1952 2.3).
  std::string gzip = Gzip("named\n");
  gzip[3] = 0x1c;
  gzip.insert(10, std::string("\4\0abcdmovie_ids_11_22_2026.json\0a comment\0", 42));
  for (std::size_t piece = 1; piece <= gzip.size(); ++piece) {
    const auto out = Inflate(gzip, piece, DirtyTheStack);
    ASSERT_TRUE(out) << piece << ": " << out.error().message;
    EXPECT_EQ(*out, "named\n");
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, GzipInflaterTest,
                         ::testing::Values(GzipInflater::Engine::kFastest, GzipInflater::Engine::kZlib),
                         [](const auto& engine) {
                           return engine.param == GzipInflater::Engine::kFastest ? "Fastest" : "Zlib";
                         });

TEST(GunzipWhole, GivesBackOneMemberOrSeveral) {
  for (const std::string& text : {std::string(), std::string("{}"), ExportLines(5000)}) {
    const auto out = GunzipWhole(Gzip(text), kPlenty);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_TRUE(*out == text);
  }
  const auto several = GunzipWhole(Gzip(ExportLines(1000)) + Gzip("") + Gzip("end"), kPlenty);
  ASSERT_TRUE(several) << several.error().message;
  EXPECT_TRUE(*several == ExportLines(1000) + "end");
}

TEST(GunzipWhole, NoticesCutsFlipsAndGarbage) {
  const std::string gzip = Gzip(ExportLines(10));
  for (std::size_t length = 0; length < gzip.size(); ++length) {
    EXPECT_FALSE(GunzipWhole(gzip.substr(0, length), kPlenty)) << length;
  }
  for (std::size_t at = 10; at < gzip.size(); ++at) {
    std::string broken = gzip;
    broken[at] = char(broken[at] ^ 0x01);
    EXPECT_FALSE(GunzipWhole(broken, kPlenty)) << at;
  }
  EXPECT_FALSE(GunzipWhole(gzip + "x", kPlenty));
  EXPECT_FALSE(GunzipWhole("this is not gzip at all, just text", kPlenty));
}

TEST(GunzipWhole, LeavesRoomBehindTheTextForAParserThatReadsOn) {
  static_assert(kGunzipSlack >= simdjson::SIMDJSON_PADDING);
  for (const std::size_t size : {1, 15, 16, 5000, 300'000}) {
    const auto text = GunzipWhole(Gzip(std::string(size, 'x')), 1 << 20);
    ASSERT_TRUE(text);
    EXPECT_GE(text->capacity() - text->size(), kGunzipSlack) << size;
  }
}

TEST(GunzipWhole, ReadsAGoodStreamAfterABrokenOne) {
  const std::string gzip = Gzip(std::string(50'000, 'a') + "the end");
  for (std::size_t cut = 20; cut < gzip.size(); cut += 7) {
    EXPECT_FALSE(GunzipWhole(gzip.substr(0, cut), 1 << 20));
    EXPECT_EQ(GunzipWhole(gzip, 1 << 20)->size(), 50'007U);
  }
}

TEST(GunzipWhole, StopsAtTheCallersBound) {
  const std::string text = ExportLines(1000);
  const std::string gzip = Gzip(text);
  EXPECT_TRUE(GunzipWhole(gzip, text.size()));
  const auto out = GunzipWhole(gzip, text.size() - 1);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::kCorrupt);
}

TEST(GunzipWhole, StopsABombAtTheRatio) {
  const std::string bomb = Gzip(std::string(20 << 20, ' '), 9);
  ASSERT_LT(bomb.size() * kMaxInflateRatio, std::size_t(20 << 20))
      << "this text must compress beyond the ratio";
  EXPECT_FALSE(GunzipWhole(bomb, kPlenty));
  // Below a MiB any ratio is fine: a list of nothing compresses well too.
  EXPECT_TRUE(GunzipWhole(Gzip(std::string(1 << 20, ' '), 9), kPlenty));
}

TEST(ZstdFrames, GiveBackTheirContent) {
  ZstdEncoder encoder;
  ZstdDecoder decoder;
  for (const std::string& text : {std::string(), std::string("{\"id\":550}\n"), ExportLines(3000)}) {
    std::string frame = "before";
    encoder.AppendFrame(text, frame);
    ASSERT_EQ(frame.substr(0, 6), "before");
    frame.erase(0, 6);
    for (const auto& out : {decoder.Unframe(frame, kPlenty), ZstdUnframe(frame, kPlenty),
                            ZstdUnframe(ZstdFrame(text), kPlenty)}) {
      ASSERT_TRUE(out) << out.error().message;
      EXPECT_TRUE(*out == text);
    }
  }
}

TEST(ZstdFrames, NoticeAFlipOfAnyBit) {
  const std::string text = ExportLines(30);
  const std::string frame = ZstdFrame(text);
  for (std::size_t at = 0; at < frame.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = frame;
      broken[at] = char(broken[at] ^ (1 << bit));
      const auto out = ZstdUnframe(broken, kPlenty);
      // A flip may leave the frame a valid one of the same content (an unused header bit); never of another
      // content.
      EXPECT_TRUE(!out || *out == text) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(ZstdFrames, AreWalkedByTheirLengths) {
  std::string stream = ZstdFrame("first");
  const std::size_t first = stream.size();
  stream += ZstdFrame(ExportLines(100));
  EXPECT_EQ(ZstdFrameLength(stream).value_or(0), first);
  EXPECT_EQ(ZstdFrameLength(std::string_view(stream).substr(first)).value_or(0), stream.size() - first);
  // The last frame of a file that was cut by a crash.
  for (std::size_t cut = first; cut < stream.size(); ++cut) {
    const auto torn = ZstdFrameLength(std::string_view(stream).substr(first, cut - first));
    ASSERT_FALSE(torn) << cut;
    EXPECT_EQ(torn.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(ZstdFrameLength(std::string(100, '\0')));
}

TEST(ZstdFrames, AreRefusedWhenTooLargeOrNotAlone) {
  const std::string frame = ZstdFrame(ExportLines(100));
  EXPECT_FALSE(ZstdUnframe(frame, 1000));
  EXPECT_FALSE(ZstdUnframe(frame + ZstdFrame("next"), kPlenty));
  EXPECT_FALSE(ZstdUnframe(frame + "x", kPlenty));
  EXPECT_FALSE(ZstdUnframe("", kPlenty));
}

}  // namespace
}  // namespace tmdbc
