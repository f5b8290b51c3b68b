// SPDX-License-Identifier: MIT
// WatchedWorld: a store and a MirrorView of it that counts what it is asked. For the tests of this folder.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "dashboard/mirror_view.h"
#include "storage/store_world_test.h"

namespace tmdbc::dashboard {

struct WatchedWorld : testing::StoreWorld {
  int opened = 0, statuses = 0, counts = 0, coverages = 0;
  std::shared_ptr<std::promise<void>> counted;  // may be null; kept at the first count
  bool lasting = true;
  std::optional<Error> trouble;  // of opening it
  std::string status = R"({"types":{}})";

  class View : public MirrorView {
   public:
    explicit View(WatchedWorld& world) : world_(world) {}
    Result<std::string> Status() override {
      ++world_.statuses;
      return world_.status;
    }
    Result<void> Count() override {
      if (++world_.counts == 1 && world_.counted) world_.counted->set_value();
      return {};
    }
    Result<std::string> Coverage() override {
      ++world_.coverages;
      return R"({"movie":{}})";
    }
    Result<std::string> DeadLetters(int) override { return R"([{"type":"movie","id":3}])"; }
    RecordReader& reader() override { return world_.store->reader; }
    RecordLedger& ledger() override { return world_.store->ledger; }
    FileSystem& files() override { return world_.files; }
    Database& catalog() override { return world_.catalog; }
    bool lasting() const override { return world_.lasting; }

   private:
    WatchedWorld& world_;
  };

  OpenView opener() {
    return [this]() -> Result<std::unique_ptr<MirrorView>> {
      if (trouble) return std::unexpected(*trouble);
      ++opened;
      return std::make_unique<View>(*this);
    };
  }
};

}  // namespace tmdbc::dashboard
