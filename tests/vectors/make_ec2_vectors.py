"""Signs requests with botocore, as AWS's own clients do, and prints them as a forwarder would describe them.

    make_ec2_vectors.py > ec2_signatures.json

Needs botocore. Keys and dates are fixed, so the output is too.
"""

import datetime
import hashlib
import json
import time
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
FORM = "application/x-www-form-urlencoded; charset=utf-8"
EMPTY = hashlib.sha256(b"").hexdigest()


def vector(name, verb, url, params=None, headers=None, body=b"", token=None, signer=None, body_hash=True):
    """`params` is a form for a POST of Version 2, else a query."""
    credentials = Credentials(ACCESS, SECRET, token)
    request = AWSRequest(method=verb, url=url, params=dict(params or {}), headers=dict(headers or {}), data=body)
    if signer is None:
        if verb == "POST":
            request.params, request.data = {}, dict(params)
        auth.SigV2Auth(credentials).add_auth(request)
        seen = dict(request.data or request.params)
        signature = seen.pop("Signature")
    else:
        signer(credentials).add_auth(request)
        seen = dict(request.params) or parameters(urlsplit(request.url).query)
        if headers and headers.get("Content-Type") == FORM:
            seen |= parameters(body.decode())
        signature = seen.get("X-Amz-Signature") or request.headers["Authorization"].rpartition("Signature=")[2]
    parts = urlsplit(request.url)
    described = {
        "access": ACCESS,
        "signature": signature,
        "host": parts.netloc,
        "verb": verb,
        "path": parts.path or "/",
        "params": dict(sorted(seen.items())),
        "headers": {key: value for key, value in sorted(request.headers.items())} | {"Host": parts.netloc},
    }
    if body_hash:
        digest = hashlib.sha256(body).hexdigest()
        described["body_hash"] = body_hash if isinstance(body_hash, str) else digest
    return {"name": name, "secret": SECRET, "request": described}


def parameters(query):
    """Strings, and lists of them where a name occurs several times."""
    values = parse_qs(query, keep_blank_values=True)
    return {key: found if len(found) > 1 else found[0] for key, found in values.items()}


def version_4(service, region="RegionOne"):
    return lambda credentials: auth.SigV4Auth(credentials, service, region)


def s3(credentials):
    return auth.S3SigV4Auth(credentials, "s3", "us-east-1")


def presigned(service, kind=auth.SigV4QueryAuth):
    return lambda credentials: kind(credentials, service, "eu-west-1", expires=900)


DESCRIBE = {"Action": "DescribeInstances", "Version": "2016-11-15"}
ODD = {
    "Filter.1.Name": "tag:Name with space",
    "Filter.1.Value.1": "a+b/c=d&e~f-g_h.i*j%k'(é)",
    "Empty": "",
    "Zeta[]": "x",
    "Zeta": "y",
}
FORM_BODY = b"Action=RunInstances&Version=2016-11-15&ImageId=ami-1&UserData=a%2Bb%3D%3D"
EC2 = "https://ec2.example.com"


def vectors():
    yield vector("version 2 get", "GET", f"{EC2}/services/Cloud", DESCRIBE | ODD)
    yield vector("version 2 post", "POST", f"{EC2}:8773/services/Cloud/", DESCRIBE | ODD)
    yield vector("version 2 session token", "GET", f"{EC2}/", DESCRIBE, token="session/token+==")
    yield vector("version 4 get", "GET", f"{EC2}/", DESCRIBE, signer=version_4("ec2"))
    yield vector("version 4 get odd", "GET", f"{EC2}:8788/services/Cloud", DESCRIBE | ODD, signer=version_4("ec2"))
    repeated = f"{EC2}/?b=1&a%5B%5D=1&aZ=2&a=b&a=B&a=%2F&a="
    yield vector("version 4 repeated", "GET", repeated, signer=version_4("ec2"))
    yield vector(
        "version 4 headers",
        "GET",
        f"{EC2}/",
        DESCRIBE,
        {"X-Amz-Meta": "  two   words ", "Accept": "*/*", "User-Agent": "unsigned"},
        signer=version_4("ec2"),
        token="session/token+==",
    )
    yield vector("version 4 post form", "POST", f"{EC2}/", None, {"Content-Type": FORM}, FORM_BODY, signer=version_4("ec2"))
    yield vector("version 4 post nothing", "POST", f"{EC2}/", signer=version_4("ec2"))
    yield vector("version 4 post query", "POST", f"{EC2}/b/k?uploads", None, {}, signer=s3)
    yield vector("version 4 no body hash", "GET", f"{EC2}/", DESCRIBE, signer=version_4("ec2"), body_hash=False)
    yield vector("version 4 s3 get", "GET", "https://s3.example.com/bucket/a%20b/c%2Bd", None, signer=s3)
    yield vector("version 4 s3 put", "PUT", "https://s3.example.com/bucket/key", None, {}, b"hello", signer=s3)
    yield vector("version 4 s3 header hash", "PUT", "https://s3.example.com/b/k", None, {}, b"hello", signer=s3, body_hash=False)
    yield vector("version 4 presigned", "GET", f"{EC2}/?Action=ListUsers", signer=presigned("ec2"))
    yield vector("version 4 presigned token", "GET", f"{EC2}/?b=2&a=1", signer=presigned("ec2"), token="session/token+==")
    yield vector(
        "version 4 presigned s3",
        "GET",
        "https://s3.example.com/bucket/a%20b",
        signer=presigned("s3", auth.S3SigV4QueryAuth),
        body_hash="UNSIGNED-PAYLOAD",
    )


with mock.patch.object(auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None)):
    with mock.patch.object(time, "gmtime", lambda *_: NOW.timetuple()):
        print(json.dumps(list(vectors()), indent=2, ensure_ascii=False))
