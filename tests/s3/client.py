#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Another client of object stores, for tests: boto3 over the AWS_ variables.

    client.py make BUCKET
    client.py put FILE... s3://BUCKET/KEY     a KEY that ends in / (or none) is a folder for files,
                                              whose addresses are printed
    client.py tree s3://BUCKET/PREFIX     SHA-256 and name of each object there, by name
    client.py uploads BUCKET              names of uploads in parts that were begun and never ended
    client.py begin s3://BUCKET/KEY       such an upload, with one part
    client.py share s3://BUCKET/PREFIX    everybody may read what is there, and pages of any site
"""

import hashlib
import json
import os
import sys

import boto3
from botocore.config import Config

store = boto3.client(
    "s3",
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"),
)


def split(url):
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def make(bucket):
    store.create_bucket(Bucket=bucket)


def put(*words):
    *paths, url = words
    for path in paths:
        bucket, key = split(url)
        if not key or key.endswith("/"):
            key += os.path.basename(path)
            print(f"s3://{bucket}/{key}")
        with open(path, "rb") as file:
            store.put_object(Bucket=bucket, Key=key, Body=file)


def tree(url):
    bucket, prefix = split(url)
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
    for page in pages:
        for item in page.get("Contents", []):
            body = store.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            name = item["Key"].removeprefix(prefix + "/")
            print(hashlib.sha256(body).hexdigest(), "", "./" + name)


def uploads(bucket):
    for upload in store.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        print(upload["Key"], upload["UploadId"])


def begin(url):
    bucket, key = split(url)
    upload = store.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    store.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"left")


# As scheduler/api/API.md has them, "Edges and catalogs".
def share(url):
    bucket, prefix = split(url)
    all_read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/{prefix}/*"}
    pages = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "HEAD"],
             "AllowedHeaders": ["Range"]}
    policy = {"Version": "2012-10-17", "Statement": [all_read]}
    store.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    store.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [pages]})


calls = {"make": make, "put": put, "tree": tree, "uploads": uploads, "begin": begin,
         "share": share}
calls[sys.argv[1]](*sys.argv[2:])
