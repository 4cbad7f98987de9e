"""python-keystoneclient, as published, makes, lists, shows and deletes EC2 credentials at a Strongroom.

    keystone_client.py URL CERTIFICATES     prints what it saw as one JSON document

CERTIFICATES holds ca.pem, and COMPONENT.pem and COMPONENT.key for api, compute and conductor.
"""

import json
import pathlib
import sys
import uuid

from keystoneauth1 import noauth, session
from keystoneauth1 import exceptions as errors
from keystoneauth1.exceptions import http
from keystoneclient.v3 import client

url, certificates = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2])
seen = {}


def component(name):
    """A client as OpenStack's services make one: the certificate says who it is, and no token does."""
    certificate = (str(certificates / f"{name}.pem"), str(certificates / f"{name}.key"))
    of = session.Session(auth=noauth.NoAuth(), cert=certificate, verify=str(certificates / "ca.pem"))
    return client.Client(session=of, endpoint_override=f"{url}/v3", connect_retries=0)


def expect(what, saw, wanted):
    seen[what] = saw
    if saw != wanted:
        sys.exit(f"{what}: saw {saw!r}, wanted {wanted!r}\nso far: {json.dumps(seen, default=str)}")


def refused(what, kind, status, message, call):
    """The exception that keystoneclient's users catch, with our words in it."""
    try:
        answer = call()
    except errors.ClientException as error:
        code = getattr(error, "http_status", None)
        expect(what, [type(error).__name__, code, error.message], [kind.__name__, status, f"{message} (HTTP {status})"])
        return error
    return expect(what, repr(answer), kind.__name__)


def keys(rows):
    return sorted(row.access for row in rows)


NOT_FOUND = "there is no such credential"
NO_KEY = "the component's policy gives it no key for this"
FORBIDDEN = "the database does not let the component's login do this"

api, compute, conductor = component("api"), component("compute"), component("conductor")
alice, bob, odd = uuid.uuid4().hex, uuid.uuid4().hex, f"o'dd é {uuid.uuid4().hex}"
project, other = uuid.uuid4().hex, uuid.uuid4().hex

expect("a user without any", api.ec2.list(alice), [])

made = api.ec2.create(alice, project)
expect("made for", [made.user_id, made.tenant_id, made.trust_id], [alice, project, None])
expect("made keys", [len(made.access), len(made.secret) >= 32], [32, True])
expect("made members", sorted(made.to_dict()), ["access", "links", "secret", "tenant_id", "trust_id", "user_id"])
expect("made link", made.links["self"].endswith(f"/v3/users/{alice}/credentials/OS-EC2/{made.access}"), True)
second, third = api.ec2.create(alice, other), api.ec2.create(bob, project)
expect("every key is another", len({row.access for row in (made, second, third)} | {row.secret for row in (made, second, third)}), 6)

shown = api.ec2.get(alice, made.access)
expect("shown to api", shown.to_dict() == made.to_dict(), True)
expect("listed to api", {row.access: row.secret for row in api.ec2.list(alice)} == {row.access: row.secret for row in (made, second)}, True)

expect("another user's list", keys(api.ec2.list(bob)), [third.access])
refused("another user's credential", http.NotFound, 404, NOT_FOUND, lambda: api.ec2.get(bob, made.access))
refused("another user's delete", http.NotFound, 404, NOT_FOUND, lambda: api.ec2.delete(bob, made.access))
refused("an unknown access key", http.NotFound, 404, NOT_FOUND, lambda: api.ec2.get(alice, uuid.uuid4().hex))

expect("compute shown", [compute.ec2.get(alice, made.access).access == made.access, compute.ec2.get(alice, made.access).secret], [True, None])
expect("compute listed", [(keys(compute.ec2.list(alice)) == keys([made, second])), [row.secret for row in compute.ec2.list(alice)]], [True, [None, None]])
refused("compute makes", http.Forbidden, 403, NO_KEY, lambda: compute.ec2.create(alice, project))
refused("compute deletes", http.Forbidden, 403, FORBIDDEN, lambda: compute.ec2.delete(alice, made.access))

for what, call in {
    "conductor shows": lambda: conductor.ec2.get(alice, made.access),
    "conductor lists": lambda: conductor.ec2.list(alice),
    "conductor makes": lambda: conductor.ec2.create(alice, project),
    "conductor deletes": lambda: conductor.ec2.delete(alice, made.access),
}.items():
    try:
        expect(what, repr(call()), "Forbidden")
    except http.Forbidden as error:
        body = error.response.json()["error"]
        saw = [error.http_status, error.message == f"{body['message']} (HTTP 403)", body["code"], body["title"], body["barrier"] in ("database", "keys")]
        expect(what, saw, [403, True, 403, "Forbidden", True])
        seen[what] = [body["barrier"], body["reason"], body["message"]]

refused("a user that is too long", http.BadRequest, 400, "the user id is too long: at most 64 characters are stored", lambda: api.ec2.create("u" * 65, project))
refused("a project that is too long", http.BadRequest, 400, "the project id is too long: at most 64 characters are stored", lambda: api.ec2.create(alice, "p" * 65))

odd_made = api.ec2.create(odd, project)
expect("an odd user", [odd_made.user_id, keys(api.ec2.list(odd)) == [odd_made.access]], [odd, True])
api.ec2.delete(odd, odd_made.access)

for row in (made, second):
    expect("deleted", api.ec2.delete(alice, row.access)[0].status_code, 204)
    refused("shown after delete", http.NotFound, 404, NOT_FOUND, lambda row=row: api.ec2.get(alice, row.access))
    refused("deleted twice", http.NotFound, 404, NOT_FOUND, lambda row=row: api.ec2.delete(alice, row.access))
expect("listed after delete", api.ec2.list(alice), [])
expect("another user's stays", keys(api.ec2.list(bob)), [third.access])
api.ec2.delete(bob, third.access)

nobody = session.Session(auth=noauth.NoAuth(), verify=str(certificates / "ca.pem"))
stranger = client.Client(session=nobody, endpoint_override=f"{url}/v3", connect_retries=0)
refused(
    "without a certificate", http.Unauthorized, 401, "a client certificate is needed, and none was given", lambda: stranger.ec2.list(alice)
)

# A secret is nothing to print, and the keys change from run to run.
print(json.dumps(seen, indent=2, default=str))
