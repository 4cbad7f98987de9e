"""Requests that botocore signs now, as AWS's own clients do, are checked by a Strongroom: yes once, and never what was altered.

    botocore_signatures.py URL CERTIFICATES [URL OF ANOTHER REPLICA]     prints what it saw as one JSON document

CERTIFICATES holds ca.pem, and COMPONENT.pem and COMPONENT.key for api, metadata and compute.
"""

import copy
import datetime
import hashlib
import json
import pathlib
import sys
import time
import uuid
from collections import Counter
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

url, certificates, *replica = sys.argv[1:]
url, certificates = url.rstrip("/"), pathlib.Path(certificates)
other_url = replica[0].rstrip("/") if replica else url
seen = {"answers": Counter(), "codes": Counter(), "verified": []}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
HOST = "ec2.example.com"


def component(name):
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would go before `verify`
    session.cert = (str(certificates / f"{name}.pem"), str(certificates / f"{name}.key"))
    session.verify = str(certificates / "ca.pem")
    return session


api, metadata, compute = component("api"), component("metadata"), component("compute")


def stop(what, answer, wanted):
    sys.exit(f"{what}: answered {answer.status_code} {answer.text}, wanted {wanted}")


def verify(described, by=metadata, at=url, member="credentials"):
    answer = by.post(f"{at}/v1/ec2-signatures/verify", json={member: described}, timeout=20)
    seen["answers"][answer.status_code] += 1
    if answer.status_code >= 500:
        stop("a signature check", answer, "no server error")
    return answer


def accepted(what, described, owner, by=metadata, at=url, member="credentials"):
    answer = verify(described, by, at, member)
    if answer.status_code != 200:
        stop(what, answer, 200)
    body = answer.json()
    if [body["user_id"], body["project_id"], body["credential_id"]] != owner[2:]:
        stop(what, answer, owner[2:])
    if owner[1] in answer.text:
        sys.exit(f"{what}: the answer holds the secret")
    seen["verified"].append(what)


def refused(what, described, codes=None, status=(400, 401), by=metadata, at=url):
    answer = verify(described, by, at)
    code = answer.json().get("code") if "json" in answer.headers.get("content-type", "") else None
    if answer.status_code not in status or (codes and code not in codes):
        stop(what, answer, f"{status} {codes or ''}")
    seen["codes"][code] += 1
    return answer


def make(user, project, **more):
    answer = api.post(f"{url}/v1/credentials", json={"user_id": user, "project_id": project} | more, timeout=20)
    if answer.status_code != 201:
        stop("making a credential", answer, 201)
    body = answer.json()
    return [body["access"], body["secret"], user, project, body["id"]]


def at(seconds):
    """botocore's clock, so many seconds from now."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    today = mock.patch.object(auth, "get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None))
    clock = mock.patch.object(time, "gmtime", lambda *_: moment.timetuple())
    return today, clock


def sign(owner, kind, verb="GET", path="/", params=None, headers=None, body=b"", seconds=0, token=None, expires=900, host=HOST):
    """What a forwarder says of a request that botocore signed. Each is another: version 4 has no nonce of its own."""
    credentials = Credentials(owner[0], owner[1], token)
    params = {"Action": "DescribeInstances", "Version": "2016-11-15", "ClientToken": uuid.uuid4().hex} if params is None else params
    query, form = (params, {}) if verb != "POST" else ({}, params)
    request = AWSRequest(method=verb, url=f"https://{host}{path}", params=dict(query), headers=dict(headers or {}), data=body or dict(form))
    signer = {
        "v2": lambda: auth.SigV2Auth(credentials),
        "v4": lambda: auth.SigV4Auth(credentials, "ec2", "RegionOne"),
        "s3": lambda: auth.S3SigV4Auth(credentials, "s3", "us-east-1"),
        "presigned": lambda: auth.SigV4QueryAuth(credentials, "ec2", "RegionOne", expires=expires),
        "presigned s3": lambda: auth.S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=expires),
    }[kind]()
    today, clock = at(seconds)
    with today, clock:
        signer.add_auth(request)
    parts = urlsplit(request.url)
    if kind == "v2":
        found = dict(request.data or request.params)
        signature = found.pop("Signature")
    else:
        found = dict(request.params) or flat(parts.query)
        if verb == "POST" and form:
            found |= form
        signature = found.get("X-Amz-Signature") or request.headers["Authorization"].rpartition("Signature=")[2]
    described = {"access": owner[0], "signature": signature, "host": parts.netloc, "verb": verb, "path": parts.path, "params": found}
    described["headers"] = {name: str(value) for name, value in request.headers.items()} | {"Host": parts.netloc}
    if kind == "presigned s3":
        described["body_hash"] = "UNSIGNED-PAYLOAD"
    elif kind != "v2":
        prepared = body or (AWSRequest(method=verb, url="https://x/", data=dict(form)).prepare().body if form else b"")
        described["body_hash"] = hashlib.sha256(prepared.encode() if isinstance(prepared, str) else prepared or b"").hexdigest()
    return described


def flat(query):
    values = parse_qs(query, keep_blank_values=True)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def other(value):
    """Another value of the same shape, so that it is the signature that tells."""
    if isinstance(value, list):
        return [other(value[0]), *value[1:]]
    place = next((at for at in reversed(range(len(value))) if value[at].isalnum()), None)
    if place is None:
        return value + "x"
    letter = value[place]
    new = str((int(letter) + 1) % 10) if letter.isdigit() else ("b" if letter == "a" else "a" if letter.islower() else "B" if letter == "A" else "A")
    return value[:place] + new + value[place + 1 :]


def alterations(described, kind, others):
    """Every field that the signature covers, altered on its own, and what must not be added or left out."""

    def altered(change):
        copied = copy.deepcopy(described)
        change(copied)
        return copied

    def put(*path, value):
        def change(of):
            for name in path[:-1]:
                of = of[name]
            of[path[-1]] = value

        return altered(change)

    def drop(*path):
        def change(of):
            for name in path[:-1]:
                of = of[name]
            del of[path[-1]]

        return altered(change)

    for name, access in others.items():
        yield f"access: {name}", put("access", value=access)
    for name in ("signature", "path"):
        yield name, put(name, value=other(described[name]) if described[name] != "/" else "/x")
    yield "no signature at all", put("signature", value="")
    yield "host", put("host", value="ec2.example.org")
    if kind in ("v2", "s3", "presigned s3") or described["path"] != "/":  # `//` means `/`, but not to S3
        yield "path with a slash more", put("path", value=described["path"] + "/")
    for verb in {"GET", "POST", "PUT", "DELETE", "HEAD"} - {described["verb"]}:
        yield f"verb {verb}", put("verb", value=verb)

    # The params of a version 4 form are in its body, and signed as that.
    form = kind == "v4" and described["verb"] == "POST"
    if not form:
        for name, value in described["params"].items():
            yield f"param {name}", put("params", name, value=other(value))
            if name != "X-Amz-Signature":  # it stands beside the params too, and is not signed itself
                yield f"param {name} left out", drop("params", name)
            yield f"param {name} twice", put("params", name, value=[value, value] if isinstance(value, str) else value * 2)
        yield "a param more", put("params", "DryRun", value="true")

    if kind in ("v4", "s3"):
        authorization = described["headers"]["Authorization"]
        signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        for name in list(described["headers"]):
            if name.lower() in signed:
                yield f"header {name}", put("headers", name, value=other(described["headers"][name]))
                if name.lower() != "host":
                    yield f"header {name} left out", drop("headers", name)
        for name, old, new in [
            ("region", "/RegionOne/", "/RegionTwo/"),
            ("region", "/us-east-1/", "/us-east-2/"),
            ("service", "/ec2/", "/iam/"),
            ("service", "/s3/", "/sts/"),
            ("terminator", "aws4_request", "aws4_requesu"),
            ("algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
            ("signed headers", "host;", ""),
        ]:
            if old in authorization:
                yield f"authorization: {name}", put("headers", "Authorization", value=authorization.replace(old, new, 1))
        yield "authorization left out", drop("headers", "Authorization")
        yield "a header more that says what to do", put("headers", "X-Amz-Copy-Source", value="/bucket/key")
        yield "headers left out", drop("headers")
    if kind.startswith("presigned"):
        yield "header Host", put("headers", "Host", value="ec2.example.org")
        yield "a longer life", put("params", "X-Amz-Expires", value="86400")
        yield "a header more that says what to do", put("headers", "X-Amz-Copy-Source", value="/bucket/key")
    if kind not in ("v2", "presigned s3"):  # whose signature covers no body
        yield "body hash", put("body_hash", value=hashlib.sha256(b"something else").hexdigest())
        yield "body hash for unsigned", put("body_hash", value="UNSIGNED-PAYLOAD")
    if kind == "v2":
        for name, value in {"SignatureVersion": ["0", "1", "3", "4", ""], "SignatureMethod": ["HmacSHA1", ""]}.items():
            for new in value:
                yield f"{name} {new}", put("params", name, value=new)
    date = {"v2": ("params", "Timestamp"), "v4": ("headers", "X-Amz-Date"), "s3": ("headers", "X-Amz-Date")}.get(kind, ("params", "X-Amz-Date"))
    yield "date left out", drop(*date)
    for new in ("", "0", "20260101", "now", "99991231T235959Z", "9999-12-31T23:59:59Z", "20260230T000000Z"):
        yield f"date {new!r}", put(*date, value=new)


alice, project = uuid.uuid4().hex, uuid.uuid4().hex
owner = make(alice, project)
second, stranger = make(alice, project), make(uuid.uuid4().hex, uuid.uuid4().hex)
others = {"of the same user": second[0], "of another user": stranger[0], "of nobody": uuid.uuid4().hex, "empty": "", "too long": "a" * 256}

ODD = {"Filter.1.Name": "tag:Name with space", "Filter.1.Value.1": "a+b/c=d&e~f-g_h.i*j%k'(é)", "Empty": "", "Zeta[]": "x", "Zeta": "y"}


def once():
    return {"Once": uuid.uuid4().hex}


def cases():
    yield "version 2", "v2", {}
    yield "version 2, odd params", "v2", {"params": ODD | once(), "path": "/services/Cloud"}
    yield "version 2, form", "v2", {"verb": "POST", "path": "/services/Cloud/"}
    yield "version 2, session token", "v2", {"token": "session/token+=="}
    yield "version 4", "v4", {}
    yield "version 4, odd params", "v4", {"params": ODD | once(), "host": f"{HOST}:8788"}
    yield "version 4, headers", "v4", {"headers": {"X-Amz-Meta": "  two   words ", "Accept": "*/*", "User-Agent": "unsigned"}, "token": "session/token+=="}
    yield "version 4, form", "v4", {"verb": "POST", "headers": {"Content-Type": FORM}}
    yield "s3 get", "s3", {"path": f"/bucket/a%20b/{uuid.uuid4().hex}", "params": {}}
    yield "s3 put", "s3", {"verb": "PUT", "path": f"/bucket/{uuid.uuid4().hex}", "params": {}, "body": b"hello"}
    yield "presigned", "presigned", {}
    yield "presigned, session token", "presigned", {"token": "session/token+=="}
    yield "presigned s3", "presigned s3", {"path": f"/bucket/{uuid.uuid4().hex}", "params": {}}


counted = 0
for number, (name, kind, how) in enumerate(cases()):
    described = sign(owner, kind, **how)
    for what, altered in alterations(described, kind, others):
        if altered == described:
            continue
        refused(f"{name}, altered: {what}", altered)
        counted += 1
    refused(f"{name} by compute", described, {"forbidden", "no_key"}, (403,), by=compute)
    # What was refused does not use the signature up; whoever may, may once, wherever it is asked.
    first, again = (metadata, api) if number % 2 == 0 else (api, metadata)
    accepted(name, described, owner, first, member=["credentials", "credential", "ec2Credentials"][number % 3])
    for by in (first, again):
        for where in (url, other_url):
            refused(f"{name} again", described, {"replayed"}, (401,), by=by, at=where)
    spelt = copy.deepcopy(described)
    spelt["headers"] = {header.lower(): value for header, value in reversed(spelt["headers"].items())}
    if kind != "v2" or "Host" not in described["headers"]:
        refused(f"{name} again, spelt otherwise", spelt, {"replayed"}, (401,), at=other_url)
    if kind != "v2":
        refused(f"{name} again, with its host in capitals", described | {"host": described["host"].upper()}, {"replayed", "mismatch"}, (401,))
seen["alterations refused"] = counted

# One signature sent many times at once is taken once, by whichever replica.
from concurrent.futures import ThreadPoolExecutor  # noqa: E402

raced = sign(owner, "v4")
with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda place: verify(raced, component("metadata"), (url, other_url)[place % 2]).status_code, range(8)))
if sorted(answers) != [200] + [401] * 7:
    sys.exit(f"one signature at once: {answers}, wanted 200 once and 401 seven times")
seen["one signature, eight times at once"] = sorted(answers)

# Time. Clients' clocks may be a little off; botocore's own retries sign anew.
for kind in ("v2", "v4", "s3"):
    accepted(f"{kind}, a minute old", sign(owner, kind, seconds=-60), owner)
    accepted(f"{kind}, a minute ahead", sign(owner, kind, seconds=60), owner)
    for days in (1 / 24, 1, 400):
        refused(f"{kind}, {days} days old", sign(owner, kind, seconds=-days * 86400), {"stale"}, (401,))
        refused(f"{kind}, {days} days ahead", sign(owner, kind, seconds=days * 86400), {"not_yet"}, (401,))
for kind in ("presigned", "presigned s3"):
    accepted(f"{kind}, in its life", sign(owner, kind, seconds=-60, expires=900), owner)
    refused(f"{kind}, after its life", sign(owner, kind, seconds=-60, expires=30), {"stale"}, (401,))
    refused(f"{kind}, ahead", sign(owner, kind, seconds=86400), {"not_yet"}, (401,))
    refused(f"{kind}, too long a life", sign(owner, kind, expires=604_801), {"expires"}, (401,))
    refused(f"{kind}, no life", sign(owner, kind, expires=0), {"expires"}, (401,))

# Nobody learns which access keys there are.
unknown = refused("unknown access key", sign([uuid.uuid4().hex, owner[1]], "v4"), {"mismatch"}, (401,))
wrong = refused("wrong secret", sign([owner[0], "another secret"], "v4"), {"mismatch"}, (401,))
if unknown.json() != wrong.json() or [*unknown.headers] != [*wrong.headers]:
    sys.exit(f"an unknown access key is told from a wrong secret: {unknown.text} {wrong.text}")
for kind in ("v2", "v4"):
    refused(f"{kind}, no secret", sign([owner[0], ""], kind), {"mismatch"}, (401,))
totp = make(alice, project, type="totp", access=f"totp-{uuid.uuid4().hex}")
refused("a credential of another type", sign(totp, "v4"), {"mismatch"}, (401,))

# A trust and the like come with the answer: whoever acts on the signature must heed them.
extra = {"trust_id": uuid.uuid4().hex, "app_cred_id": None}
trusted = make(alice, project, extra=extra)
answer = verify(sign(trusted, "v4"))
if answer.status_code != 200 or answer.json()["extra"] != extra:
    stop("extra", answer, extra)

# What is gone verifies nothing any more.
last = sign(second, "v4")
for row in (owner, second, stranger, totp, trusted):
    gone = api.delete(f"{url}/v1/credentials/{row[4]}", timeout=20)
    if gone.status_code != 204:
        stop("delete", gone, 204)
refused("a deleted credential", last, {"mismatch"}, (401,))

print(json.dumps(seen, indent=2, sort_keys=True))
