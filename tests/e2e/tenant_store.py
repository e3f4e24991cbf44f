"""The S3 side of tenants, for the tests; runs inside the cluster's network. ENDPOINT is the dev overlay's S3.

tenant_store.py ENDPOINT admit NAME SECRET POLICY      an account NAME, and POLICY (JSON text) added to the bucket's
tenant_store.py ENDPOINT tries NAME SECRET PREFIX      `read`, `write`, `list`, `delete`: each with `allowed` or the error's code, beneath PREFIX
tenant_store.py ENDPOINT holding WORD...               keys of objects that hold one of these, unpacked where they are packed
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable

import boto3
import zstandard
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET, ROOT = "writ", ("writ-dev", "writ-dev-secret")


def client(endpoint: str, key: str, secret: str):
    patient = Config(read_timeout=10, retries={"mode": "standard", "max_attempts": 8})  # now and then a forwarded connection stands still
    login = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=patient, **login)


def admit(endpoint: str, name: str, secret: str, policy: str) -> None:
    login = ("--access", ROOT[0], "--secret", ROOT[1], "--endpoint-url", endpoint)
    subprocess.run(["versitygw", "admin", *login, "create-user", "--access", name, "--secret", secret, "--role", "user"], check=True)
    s3 = client(endpoint, *ROOT)
    try:
        statements = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    except ClientError:
        statements = []
    joined = {"Version": "2012-10-17", "Statement": statements + json.loads(policy)["Statement"]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(joined))


def tries(endpoint: str, name: str, secret: str, prefix: str) -> None:
    s3, key = client(endpoint, name, secret), f"{prefix}/probe"
    attempts: dict[str, Callable[[], object]] = {
        "write": lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"),
        "read": lambda: s3.get_object(Bucket=BUCKET, Key=key),
        "list": lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/"),
        "delete": lambda: s3.delete_object(Bucket=BUCKET, Key=key),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
            print(what, "allowed")
        except ClientError as e:
            print(what, e.response["Error"]["Code"])


def holding(endpoint: str, *words: str) -> None:
    s3 = client(endpoint, *ROOT)
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            try:
                data = unpacked(s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
            except s3.exceptions.NoSuchKey:
                continue  # a run at work has removed it since
            count += 1
            if any(word.encode() in data for word in words):
                print(found["Key"])
    print("read", count)


def unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


if __name__ == "__main__":
    {"admit": admit, "tries": tries, "holding": holding}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
