"""Tells what stands in an S3 store, for the tests. `read_store.py ENDPOINT` answers lines, ["keys", PREFIX] or ["text", KEY], with lines of JSON.

Runs inside the cluster's network, once for many questions: a start costs more than a hundred answers.
"""

import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="writ-dev", aws_secret_access_key="writ-dev-secret")


def keys(prefix: str) -> str:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="writ", Prefix=prefix)
    return "".join(f"{found['Key']}\n" for page in pages for found in page.get("Contents", []))


def text(key: str) -> str:
    found: str = s3.get_object(Bucket="writ", Key=key)["Body"].read().decode()
    return found


for line in sys.stdin:
    what, name = json.loads(line)
    try:
        answer = {"said": {"keys": keys, "text": text}[what](name)}
    except (BotoCoreError, ClientError) as e:
        answer = {"error": f"{what} {name}: {e}"}
    print(json.dumps(answer), flush=True)
