// SPDX-License-Identifier: MIT
// Secrets that a function reads when it starts: SecureString parameters of SSM's parameter store
// (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html).
#pragma once

#include <string>

#include "aws/aws_client.h"
#include "base/result.h"

namespace tmdbc::aws {

// The value of parameter `name`, decrypted. It is in no error. kNotFound when there is none of that name, kDenied
// when this role may not read or decrypt it. `url` is that of ServiceUrl().
Result<std::string> ReadParameter(AwsClient& client, const std::string& url, const std::string& name);

}  // namespace tmdbc::aws
