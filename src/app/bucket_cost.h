// SPDX-License-Identifier: MIT
// BucketCost: what AWS bills for the amounts that a mirror's owners have counted (cloud/spent.h), by list price, without
// what AWS gives every account for nothing. Pure; any thread.
#pragma once

#include "cloud/spent.h"

namespace tmdbc {

// us-east-1, US dollars; those of deploy/aws/cost.mjs, which a test compares.
struct ListPrice {
  double put = 5e-6, get = 0.4e-6;   // a request to S3
  double sqs = 0.5e-6;               // a request to SQS
  double invoke = 0.2e-6;            // of a function
  double gbs = 0.0000166667;         // a second of a function with 1 GB
};

inline double DollarsOf(const Spent& spent) {
  const ListPrice price;
  return double(spent.puts) * price.put + double(spent.gets) * price.get + double(spent.messages) * price.sqs +
         double(spent.invocations) * price.invoke + double(spent.gb_ms) / 1000 * price.gbs;
}

}  // namespace tmdbc
