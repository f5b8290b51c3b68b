// SPDX-License-Identifier: MIT
// FailingSender: an IdSender that can be told to fail as a full disk does, in front of another.
#pragma once

#include <optional>
#include <span>

#include "queue/id_sender.h"

namespace tmdbc::testing {

class FailingSender final : public IdSender {
 public:
  explicit FailingSender(IdSender& sender) : sender_(sender) {}

  // While set, every Send() fails with it and changes nothing.
  std::optional<Error> failure;

  Result<std::int64_t> Send(std::span<const QueueItem> items) override {
    if (failure) return std::unexpected(*failure);
    return sender_.Send(items);
  }

 private:
  IdSender& sender_;
};

}  // namespace tmdbc::testing
