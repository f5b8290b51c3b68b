// SPDX-License-Identifier: MIT
#include "queue/id_queue.h"

#include "queue/sqlite_world_test.h"
#include "testing/id_queue_contract.h"
#include "testing/memory_queue.h"

namespace tmdbc::testing {
namespace {

class MemoryWorld final : public QueueWorld {
 public:
  MemoryWorld(const Clock& clock, QueueOptions options) : queue_(clock, options) {}
  IdQueue& queue() override { return queue_; }
  void Restart() override { queue_.FreeLeases(); }

 private:
  MemoryIdQueue queue_;
};

class SqliteWorld final : public QueueWorld {
 public:
  SqliteWorld(const Clock& clock, QueueOptions options) : world_(clock, options) {}
  IdQueue& queue() override { return world_.queue(); }
  void Restart() override { world_.Restart(); }

 private:
  SqliteQueueWorld world_;
};

template <class World>
std::unique_ptr<QueueWorld> Make(const Clock& clock, QueueOptions options) {
  return std::make_unique<World>(clock, options);
}

INSTANTIATE_TEST_SUITE_P(Memory, IdQueueContract, ::testing::Values(&Make<MemoryWorld>),
                         [](const auto&) { return "Queue"; });
INSTANTIATE_TEST_SUITE_P(Sqlite, IdQueueContract, ::testing::Values(&Make<SqliteWorld>),
                         [](const auto&) { return "Queue"; });

}  // namespace
}  // namespace tmdbc::testing
