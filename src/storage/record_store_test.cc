// SPDX-License-Identifier: MIT
#include "storage/record_store.h"

#include <gtest/gtest.h>

#include "base/compression.h"
#include "base/hash.h"
#include "testing/fake_clock.h"
#include "testing/fault_file_system.h"

namespace tmdbc {
namespace {

TEST(RecordStore, GivesBackWhatWasCommitted) {
  testing::FakeClock clock;
  testing::FaultFileSystem files;
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  auto store = RecordStore::Open(files, *catalog, clock, {});
  ASSERT_TRUE(store) << store.error().message;
  Document document;
  document.id = {MediaType::kMovie, 550};
  document.fetched_at = clock.Now();
  document.data = R"({"id":550,"title":"Fight Club"})";
  document.hash = *HashContent(document.data);
  ASSERT_EQ((*store)->Put(document).value(), Change::kInsert);
  auto done = (*store)->Commit({});
  ASSERT_TRUE(done) << done.error().message;
  auto found = (*store)->Find(document.id);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->data, document.data);
  auto sealed = (*store)->Seal();
  ASSERT_TRUE(sealed) << sealed.error().message;
  found = (*store)->Find(document.id);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->data, document.data);
  auto report = (*store)->Verify(true);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->damage.empty()) << report->damage[0].what;
}

}  // namespace
}  // namespace tmdbc
