"""Prints what stands in an S3 store, for the tests: `read_store.py ENDPOINT keys PREFIX` or `… text KEY`. Runs inside the cluster's network."""

import sys

import boto3

endpoint, what, name = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="writ-dev", aws_secret_access_key="writ-dev-secret")
if what == "keys":
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="writ", Prefix=name):
        for found in page.get("Contents", []):
            print(found["Key"])
else:
    sys.stdout.write(s3.get_object(Bucket="writ", Key=name)["Body"].read().decode())
