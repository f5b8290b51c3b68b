# SPDX-License-Identifier: MIT
# Calls of AWS for the tests, by botocore: a line of JSON in, [service, operation, {arguments}], a line of JSON out,
# {"answer": ...} or {"error": ...}. One process for all of them: the aws command takes a second to start.
import ast
import json
import os
import sys

import boto3

clients = {}
for line in sys.stdin:
    service, operation, arguments = json.loads(line)
    if service not in clients:
        clients[service] = boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        answer = getattr(clients[service], operation)(**arguments)
        if "Body" in answer:
            answer["Body"] = answer["Body"].read().decode("latin-1")
        if isinstance(answer.get("PolicyDocument"), str):  # moto gives a policy of CloudFormation as Python prints it
            answer["PolicyDocument"] = ast.literal_eval(answer["PolicyDocument"])
        answer = {"answer": answer}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, default=str), flush=True)
