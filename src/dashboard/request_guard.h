// SPDX-License-Identifier: MIT
// Who may see the dashboard. It shows what is on this machine to the browser of this machine, so a page of another
// site must not read it: not by a name of its own that it lets lead to our address (DNS rebinding: its requests carry
// that name as Host), and not by a request across origins (they carry Origin or Sec-Fetch-Site, which no script can
// change: https://www.w3.org/TR/fetch-metadata/). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"

namespace tmdbc::dashboard {

struct Refusal {
  int status = 0;   // 0: it may
  std::string why;  // a sentence for a person
};

// `names`: by which the machine is known beside "localhost" and addresses in figures: those cannot be rebound.
Refusal RefusalOf(const http::ServerRequest& request, const std::vector<std::string>& names);

}  // namespace tmdbc::dashboard
