#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sigv4_vectors.py [--check] FILE: requests as botocore signs them, one JSON object a line: src/aws/testdata/sigv4.jsonl.

Run with build/emulators/python/bin/python. --check compares FILE with what botocore says today."""
import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.utils import percent_encode

NOW = datetime.datetime(2026, 11, 22, 10, 1, 2, 345000)
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW

PLAIN = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
ROLE = ("ASIDEXAMPLE", "secret/with+odd=letters", "IQoJb3JpZ2luX2VjEA//////////wEaCWV1LXdlc3Q+token==")
KEYS = ["records/movie/000/000/001.jsonl.zst", "a b", "a%20b", "a+b", "a=b&c?d#e", "a/../b", "a//b", "a/./b", "/lead", "end/",
        "~tilde-_.!*'()", "$&,:;=@[]{}|\\^`\"<>", "映画/café", "\u200d😀", "tab\there", "x" * 300]
S3 = {"service": "s3", "region": "eu-central-1", "host": "bucket.s3.eu-central-1.amazonaws.com"}


def case(name, method="GET", key="", query=(), headers=(), payload="", credentials=PLAIN, service="s3", region="us-east-1", host=None,
         signed=True):
    host = host or f"bucket.{service}.{region}.amazonaws.com"
    path = "/" + key
    url = f"https://{host}{percent_encode(path, safe='/~')}"
    if query:
        url += "?" + "&".join(f"{percent_encode(n, safe='-_.~')}={percent_encode(v, safe='-_.~')}" for n, v in query)
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=payload.encode())
    request.context["client_config"] = Config(s3={"payload_signing_enabled": signed})
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    signer(Credentials(credentials[0], credentials[1], credentials[2] or None), service, region).add_auth(request)
    return {"name": name, "method": method, "host": host, "path": path, "query": [list(q) for q in query],
            "headers": [list(h) for h in headers], "payload": payload if signed else None, "access_key_id": credentials[0],
            "secret_access_key": credentials[1], "session_token": credentials[2], "service": service, "region": region,
            "now": NOW.isoformat(timespec="milliseconds") + "Z",
            "added": {n.lower(): v for n, v in request.headers.items() if n.lower() not in {h[0].lower() for h in headers}}}


def cases():
    for key in KEYS:
        yield case(f"get key {key[:20]!r}", key=key)
        yield case(f"put key {key[:20]!r} of a role", "PUT", key, payload="body of " + key, credentials=ROLE, region="eu-central-1")
    yield case("path style and a port", key="bucket/a b", host="127.0.0.1:7480")
    yield case("an empty body", "PUT", "empty")
    yield case("unsigned payload", "PUT", "big", payload="not hashed", signed=False)
    yield case("unsigned payload of a role", "PUT", "big", payload="not hashed", signed=False, credentials=ROLE)
    yield case("a query without a value", query=[("versioning", "")])
    yield case("several, not in order", query=[("prefix", "records/movie/"), ("list-type", "2"), ("start-after", ""), ("max-keys", "1000"),
                                               ("continuation-token", "1/=+ é&?#"), ("encoding-type", "url")])
    yield case("names that differ in what follows", query=[("a-b", "1"), ("a", "2"), ("a.b", "3"), ("aa", "4"), ("A", "5")])
    yield case("one name twice", query=[("a", "b"), ("a", "a"), ("a", ""), ("a", "B")])
    yield case("part", "PUT", "big", query=[("uploadId", "VXBsb2FkIElE+/=="), ("partNumber", "10000")], payload="part")
    yield case("conditions", "PUT", "head.json", headers=[("If-Match", '"d41d8cd98f00b204e9800998ecf8427e"'), ("Content-Type", "application/json"),
                                                          ("x-amz-meta-sha256", "ab" * 32)], payload="{}")
    yield case("absent alone", "PUT", "segment", headers=[("If-None-Match", "*")], payload="x")
    yield case("range", key="segment", headers=[("Range", "bytes=0-65535")])
    yield case("header names that begin alike", "PUT", "x", headers=[("x-amz-meta-a", "1"), ("x-amz-meta-a-b", "2"), ("x-amz-meta", "3"),
                                                                   ("X-Amz-Meta-0", "4"), ("x-amz-meta-aa", "5")])
    yield case("blanks in a header", "PUT", "x", headers=[("x-amz-meta-a", "  one   two\tthree  "), ("x-amz-meta-b", "")])
    yield case("head", "HEAD", "x")
    yield case("delete", "DELETE", "x")
    yield case("delete many", "POST", query=[("delete", "")], headers=[("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")], payload="<Delete/>")
    for service, kind, target in [("sqs", "1.0", "AmazonSQS.SendMessageBatch"), ("ssm", "1.1", "AmazonSSM.GetParameter")]:
        for who in (PLAIN, ROLE):
            yield case(f"{service} {who[0]}", "POST", headers=[("Content-Type", f"application/x-amz-json-{kind}"), ("X-Amz-Target", target)],
                       payload='{"Name":"é"}', service=service, region="ap-southeast-2", credentials=who,
                       host=f"{service}.ap-southeast-2.amazonaws.com")


text = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in cases())
path = sys.argv[-1]
if "--check" in sys.argv:
    with open(path, encoding="utf-8") as file:
        if file.read() != text:
            sys.exit(f"{path} is not what botocore {botocore.__version__} signs: {sys.argv[0]} {path}, then look at the difference")
    print(f"{path}: {text.count(chr(10))} requests signed as botocore {botocore.__version__} signs them")
else:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
