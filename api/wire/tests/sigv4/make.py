"""Writes cases.json beside it: requests as botocore (Apache-2.0) signs them, for the tests to compare.

Needs botocore, e.g. `python3 -m venv v && v/bin/pip install botocore==1.44.5 && v/bin/python make.py`.
The keys are AWS' published examples and made-up ones.
"""

import datetime
import json
import pathlib

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EXAMPLE = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
TEMPORARY = ("ASIAEXAMPLE", "c2VjcmV0/+secret", "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMQ==")

CASES = [
    # name, method, host, path, query, headers, body, keys, region, service, milliseconds since 1970
    ("plain", "POST", "bedrock-runtime.us-east-1.amazonaws.com", "/model/amazon.titan-text-lite-v1/converse", "",
     {"content-type": "application/json"}, "{}", EXAMPLE, "us-east-1", "bedrock", 1440938160000),
    ("colon in the path, encoded", "POST", "bedrock-runtime.eu-central-1.amazonaws.com",
     "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream", "",
     {"content-type": "application/json", "accept": "application/vnd.amazon.eventstream"},
     '{"messages":[{"role":"user","content":[{"text":"\u00fcber \U0001f600"}]}]}', TEMPORARY, "eu-central-1", "bedrock",
     1709208000123),
    ("colon in the path, bare", "POST", "bedrock-runtime.us-west-2.amazonaws.com",
     "/model/amazon.nova-lite-v1:0/invoke", "", {}, "{}", EXAMPLE, "us-west-2", "bedrock", 1709208000000),
    ("arn with slashes", "POST", "bedrock-runtime.us-east-1.amazonaws.com",
     "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123/converse", "",
     {"content-type": "application/json"}, "{}", TEMPORARY, "us-east-1", "bedrock", 1767225599999),
    ("query", "GET", "bedrock.us-east-1.amazonaws.com", "/foundation-models", "byProvider=meta&byInferenceType=ON_DEMAND&a=",
     {}, "", EXAMPLE, "us-east-1", "bedrock", 1700000000000),
    ("port and inner spaces", "POST", "127.0.0.1:8443", "/", "", {"content-type": "  application/json;   charset=utf-8 "},
     "x" * 300, EXAMPLE, "us-east-1", "sts", 1583020800000),
]


def signed(case):
    name, method, host, path, query, headers, body, keys, region, service, now_ms = case
    now = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda: now
    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, headers={**headers, "host": host}, data=body.encode())
    botocore.auth.SigV4Auth(Credentials(*keys), service, region).add_auth(request)
    return {
        "name": name, "method": method, "host": host, "path": path, "query": query, "headers": headers, "body": body,
        "access_key_id": keys[0], "secret_access_key": keys[1], "session_token": keys[2],
        "region": region, "service": service, "now_ms": now_ms,
        "authorization": request.headers["Authorization"], "date": request.headers["X-Amz-Date"],
    }


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    text = json.dumps([signed(case) for case in CASES], indent=1)
    (here / "cases.json").write_text(text + "\n")
