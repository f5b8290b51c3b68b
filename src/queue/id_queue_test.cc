// SPDX-License-Identifier: MIT
#include "queue/id_queue.h"

#include "testing/id_queue_contract.h"
#include "testing/queue_worlds.h"

namespace tmdbc::testing {
namespace {

template <class World>
std::unique_ptr<QueueWorld> Make(const Clock& clock, QueueOptions options) {
  return std::make_unique<World>(clock, options);
}

INSTANTIATE_TEST_SUITE_P(Memory, IdQueueContract, ::testing::Values(&Make<MemoryQueueWorld>),
                         [](const auto&) { return "Queue"; });
INSTANTIATE_TEST_SUITE_P(Sqlite, IdQueueContract, ::testing::Values(&Make<SqliteQueueWorld>),
                         [](const auto&) { return "Queue"; });

}  // namespace
}  // namespace tmdbc::testing
