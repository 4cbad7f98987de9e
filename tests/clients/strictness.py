"""What a Strongroom must not put up with, sent byte by byte where clients would not send it.

    strictness.py URL CERTIFICATES     prints what was wrong as one JSON document

CERTIFICATES holds ca.pem, and api.pem and api.key. Takes half a minute: some of it is slow on purpose.
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import socket
import ssl
import sys
import threading
import time
import uuid
from urllib.parse import quote, urlsplit

import requests

url, certificates = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2])
pair = (str(certificates / "api.pem"), str(certificates / "api.key"))
api = requests.Session()
api.trust_env, api.cert, api.verify = False, pair, str(certificates / "ca.pem")
checked, wrong = [], []


def expect(what, saw, wanted):
    checked.append(what)
    if saw != wanted:
        wrong.append({"what": what, "saw": saw, "wanted": wanted})


def ask(method, path, **how):
    return api.request(method, url + path, timeout=40, **how)


def refused(what, path, body):
    answer = ask("POST", path, json=body)
    expect(what, answer.status_code, 400)
    if answer.status_code == 201:
        made = answer.json()
        ask("DELETE", f"{ec2}/{made['credential']['access']}" if "credential" in made else f"/v1/credentials/{made['id']}")


user, access = uuid.uuid4().hex, uuid.uuid4().hex
ec2 = f"/v3/users/{user}/credentials/OS-EC2"

# An object is not a list of its members' values.
refused("a credential as an array", "/v1/credentials", [user, None, "ec2", access, "secret", None])
refused("a search as an array", "/v1/credentials/find", [access, False])
refused("a tenant as an array", ec2, ["project"])
parts = ["a", "c2ln", "h", "GET", "/", {}, {}, None]
refused("a signed request as an array", "/v1/ec2-signatures/verify", [parts])
refused("the parts of a signed request as an array", "/v1/ec2-signatures/verify", {"credentials": parts})

# Whoever verifies a signature must heed `extra`: one that cannot be read must not pass for none.
for extra in ("not json", '{"trust_id": "t"', "5", "[]", '"x"'):
    refused(f"extra {extra}", "/v1/credentials", {"user_id": user, "extra": extra})
# Nobody's credentials, and ones that nothing verifies.
for name, body in {"user": {"user_id": ""}, "access": {"access": ""}, "secret": {"secret": ""}, "type": {"type": ""}}.items():
    refused(f"an empty {name}", "/v1/credentials", {"user_id": user} | body)
refused("an empty tenant", ec2, {"tenant_id": ""})

# Under /v3 every error has Keystone's shape, or its clients show none of our words.
for method, path in [("GET", "/v3/nothing"), ("PUT", ec2), ("GET", f"{ec2}/{access}/more"), ("GET", ec2 + "/")]:
    answer = ask(method, path)
    body = answer.json()
    expect(f"{method} {path.replace(user, 'USER').replace(access, 'ACCESS')}", sorted(body), ["error"])

# A signature's timestamp is old, whatever it says about its own expiry.
made = ask("POST", "/v1/credentials", json={"user_id": user, "project_id": "p"}).json()


def version_2(timestamp, expires):
    params = {"Action": uuid.uuid4().hex, "SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": timestamp, "Expires": expires}
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(params.items()))
    mac = hmac.new(made["secret"].encode(), f"GET\nh.example\n/\n{query}".encode(), hashlib.sha256)
    signature = base64.b64encode(mac.digest()).decode()
    return {"credentials": {"access": made["access"], "signature": signature, "host": "h.example", "verb": "GET", "path": "/", "params": params}}


now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
expect("version 2, new", ask("POST", "/v1/ec2-signatures/verify", json=version_2(now, "2099-01-01T00:00:00Z")).status_code, 200)
for timestamp in ("2016-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
    answer = ask("POST", "/v1/ec2-signatures/verify", json=version_2(timestamp, "9999-12-31T23:59:59Z"))
    expect(f"version 2 of {timestamp}, with a far Expires", answer.status_code, 401)
ask("DELETE", f"/v1/credentials/{made['id']}")

# A body that does not come.
context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
context.load_cert_chain(*pair)
place = urlsplit(url)
HEAD = b"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


def slow():
    stream = context.wrap_socket(socket.create_connection((place.hostname, place.port)), server_hostname=place.hostname)
    stream.sendall(HEAD)
    return stream


begun, halted = time.monotonic(), slow()
halted.settimeout(25)
answer = halted.recv(4096).split(b"\r\n")[0].decode()
expect("a body that stops", answer, "HTTP/1.1 408 Request Timeout")
expect("a body that stops is given up in time", time.monotonic() - begun < 15, True)

# As many as `api` has connections, each a byte at a time: they must not keep api's other requests out.
dripping, over = [slow() for _ in range(20)], threading.Event()


def drip():
    while not over.wait(1):
        for stream in dripping:
            try:
                stream.sendall(b" ")
            except OSError:
                pass


threading.Thread(target=drip, daemon=True).start()
time.sleep(1)
expect("a list while bodies drip", [ask("GET", "/v1/credentials?limit=1").status_code for _ in range(2)], [200, 200])
dripping[0].settimeout(20)
try:
    answer = dripping[0].recv(4096).split(b"\r\n")[0].decode()
except TimeoutError:
    answer = "nothing in 20 s"
expect("a body that drips", answer, "HTTP/1.1 408 Request Timeout")
over.set()

print(json.dumps({"checked": len(checked), "wrong": wrong}, indent=2, ensure_ascii=False))
sys.exit(f"{len(wrong)} of {len(checked)} wrong" if wrong else 0)
