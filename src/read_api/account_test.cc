// SPDX-License-Identifier: MIT
#include "read_api/account.h"

#include <gtest/gtest.h>

#include "read_api/read_api_world_test.h"

namespace tmdbc::read_api {
namespace {

TEST(Account, WhatBelongsToUsersIsRefusedAndNotSaidToBeAbsent) {
  ReadApiWorld world;
  for (const char* target : {"/3/account", "/3/account/1", "/3/account/1/lists", "/3/account/1/favorite/movies",
                             "/3/account/1/rated/tv/episodes", "/3/guest_session/a/rated/movies"}) {
    const Answer answer = world.Get(target);
    EXPECT_EQ(answer.status, 401) << target;
    EXPECT_TRUE(answer.body.contains("\"status_code\":3,")) << target;
  }
}

}  // namespace
}  // namespace tmdbc::read_api
