// SPDX-License-Identifier: MIT
// Both queues of this folder against the contracts of their ports.
#include "queue/memory_queue.h"
#include "queue/sqlite_world_test.h"
#include "testing/id_queue_contract.h"
#include "testing/queue_desk_contract.h"

namespace tmdbc::testing {
namespace {

class MemoryWorld {
 public:
  MemoryWorld(const Clock& clock, QueueOptions options) : queue_(clock, options) {}
  MemoryIdQueue& queue() { return queue_; }
  void Restart() { queue_.FreeLeases(); }

 private:
  MemoryIdQueue queue_;
};

// A world as the contract of Base wants it.
template <class Base, class World>
class Seen : public Base {
 public:
  Seen(const Clock& clock, QueueOptions options) : world_(clock, options) {}
  IdSender& sender() override { return world_.queue(); }
  IdReceiver& receiver() override { return world_.queue(); }
  void Restart() override { world_.Restart(); }

 protected:
  World world_;
};

template <class World>
class AtTheDesk final : public Seen<DeskWorld, World> {
 public:
  using Seen<DeskWorld, World>::Seen;
  QueueDesk& desk() override { return this->world_.queue(); }
};

template <class World>
std::unique_ptr<QueueWorld> Make(const Clock& clock, QueueOptions options) {
  return std::make_unique<Seen<QueueWorld, World>>(clock, options);
}
template <class World>
std::unique_ptr<DeskWorld> MakeDesk(const Clock& clock, QueueOptions options) {
  return std::make_unique<AtTheDesk<World>>(clock, options);
}

const auto kNoName = [](const auto&) { return "Queue"; };
INSTANTIATE_TEST_SUITE_P(Memory, IdQueueContract, ::testing::Values(&Make<MemoryWorld>), kNoName);
INSTANTIATE_TEST_SUITE_P(Sqlite, IdQueueContract, ::testing::Values(&Make<SqliteQueueWorld>), kNoName);
INSTANTIATE_TEST_SUITE_P(Memory, QueueDeskContract, ::testing::Values(&MakeDesk<MemoryWorld>), kNoName);
INSTANTIATE_TEST_SUITE_P(Sqlite, QueueDeskContract, ::testing::Values(&MakeDesk<SqliteQueueWorld>), kNoName);

}  // namespace
}  // namespace tmdbc::testing
