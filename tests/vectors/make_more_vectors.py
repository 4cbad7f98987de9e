"""Makes vectors without Strongroom: what must open, and what must be refused and why, in every format there is.

    make_more_vectors.py > version-1-more.json

Needs Python 3.9 and `cryptography` from version 44 on. Keys and salts are fixed, so the output is too. The construction is
that of `examples/open_cell.py`, the second implementation, turned round; what is not in there is written from the formulas in
`src/crypto`.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from open_cell import hkdf_expand, padded_length, short, tlv  # noqa: E402

RING = b"ring of more 16b"
ROOT = b"root key of more vectors, 32 b.."
DATA, INDEX, MANIFEST = (hashlib.sha256(name).digest() for name in (b"data", b"index", b"manifest"))
CELL = (b"strongroom/data-key/1", b"strongroom/cell/1", "strongroom/context/1")
WRAP = (b"strongroom/root-key/1", b"strongroom/wrap/1", "strongroom/wrap-context/1")
ROOT_WRAP = b"strongroom/root-wrap/1"
LABEL = "api_token.token"
LOGIN_ID = 0xFFFFFFFF


def pad(plaintext):
    return (plaintext + b"\x80").ljust(padded_length(len(plaintext)), b"\0")


def seal_under(column_key, label, key_id, context, padded, salt_of, prefix=None):
    prefix = prefix or struct.pack(">BBHI", 1, 1, 0, key_id)
    salt = hashlib.sha256(salt_of.encode()).digest()[:24]
    okm = hkdf_expand(column_key, label + prefix + salt + hashlib.sha256(context).digest(), 64)
    header = prefix + salt + okm[32:]
    return header + ChaCha20Poly1305(okm[:32]).encrypt(bytes(12), padded, header)


def context_of(domain, bound_to):
    return tlv(domain, None) + b"".join(tlv(label, value) for label, value in bound_to)


def column(use, key, name, ring=RING):
    return hmac.digest(use[0] + ring + short(name), key, "sha256")


def cell(name, padded, row="row-1", owners=None, expected=None, prefix=None, alter=None, key_id=3):
    owners = {"tenant": "t1"} if owners is None else owners
    context = context_of(CELL[2], [("id", row), *sorted(owners.items())])
    sealed = seal_under(column(CELL, DATA, LABEL), CELL[1], key_id, context, padded, name, prefix)
    if alter:
        sealed = alter(sealed)
    return {"name": name, "label": LABEL, "id": row, "owners": owners, "cell": sealed.hex(), **expected}


def opens(plaintext):
    return {"plaintext": plaintext.hex()}


def refused(why):
    return {"refused": why}


def flip(position):
    return lambda sealed: sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]


UUID = "67e55044-10b1-426f-9247-bb680e5fe0c8"


def cells():
    text = b"a secret"
    for name, owners in {
        "no owners": {},
        "an integer": {"tenant": 7},
        "a negative integer": {"tenant": -1},
        "the smallest integer": {"tenant": -(1 << 63)},
        "the largest integer": {"tenant": (1 << 63) - 1},
        "a UUID, as text with hyphens": {"tenant": UUID},
        "null": {"tenant": None},
        "the empty text": {"tenant": ""},
        "an integer's digits as text": {"tenant": "7"},
        "four owners, in the order of their labels": {"b": 1, "a": None, "d": "text", "c": UUID},
        "an owner called id": {"id": "row-1"},
    }.items():
        yield cell(name, pad(text), owners=owners, expected=opens(text))
    yield cell("a row with a UUID", pad(text), row=UUID, expected=opens(text))
    yield cell("the largest key id of a ring", pad(text), key_id=LOGIN_ID - 1, expected=opens(text))
    for length in (0, 1, 31, 32, 63, 64, 127, 128, 1023, 1024, 1025, 5000):
        value = bytes(n % 251 for n in range(length))
        yield cell(f"{length} bytes", pad(value), expected=opens(value))

    # Authentic, and padded in another way than the one.
    for name, padded in {
        "no mark": bytes(32),
        "no mark after text": text.ljust(32, b"\0"),
        "another mark": (text + b"\x81").ljust(32, b"\0"),
        "a byte after the mark": (text + b"\x80\0\1").ljust(32, b"\0"),
        "filled to the end without a mark": b"x" * 32,
        "one class too long": (text + b"\x80").ljust(64, b"\0"),
        "two classes too long": (text + b"\x80").ljust(128, b"\0"),
        "33 bytes for a class of 32": (text + b"\x80").ljust(33, b"\0"),
        "48 bytes, which is no class": (b"y" * 40 + b"\x80").ljust(48, b"\0"),
        "1025 bytes, which Padmé does not make": (b"y" * 1020 + b"\x80").ljust(1025, b"\0"),
        "longer than any value": (b"z" * ((1 << 20) + 1) + b"\x80").ljust(padded_length((1 << 20) + 1), b"\0"),
    }.items():
        if len(padded) < 1 << 16:
            yield cell(name, padded, expected=refused("padding"))

    # Sealed for something else than it stands by.
    sealed_for = cell("x", pad(text), owners={"tenant": 7}, expected={})
    for name, owners in {
        "an integer read as text": {"tenant": "7"},
        "an integer read as null": {"tenant": None},
        "another integer": {"tenant": 8},
        "the owner left out": {},
        "another label": {"owner": 7},
        "one owner more": {"tenant": 7, "user": None},
    }.items():
        yield {**sealed_for, "name": name, "owners": owners, **refused("commitment")}
    uuid_cell = cell("y", pad(text), owners={"tenant": UUID}, expected={})
    for name, owners in {
        "a UUID in capitals": {"tenant": UUID.upper()},
        "a UUID without hyphens": {"tenant": UUID.replace("-", "")},
    }.items():
        yield {**uuid_cell, "name": name, "owners": owners, **refused("commitment")}
    yield {**sealed_for, "name": "another row", "id": "row-2", **refused("commitment")}
    yield {**sealed_for, "name": "another column", "label": "api_token.other", **refused("commitment")}

    # Envelopes that are none.
    for name, prefix in {
        "version 0": b"\0\1\0\0\0\0\0\3",
        "version 2": b"\2\1\0\0\0\0\0\3",
        "suite 2": b"\1\2\0\0\0\0\0\3",
        "a reserved byte": b"\1\1\0\1\0\0\0\3",
        "key id 0": b"\1\1\0\0\0\0\0\0",
    }.items():
        yield cell(name, pad(text), prefix=prefix, expected=refused("parse"))
    yield cell("cut by one", pad(text), alter=lambda sealed: sealed[:-1], expected=refused("parse"))
    yield cell("empty", pad(text), alter=lambda sealed: b"", expected=refused("parse"))
    yield cell("longer by one", pad(text), alter=lambda sealed: sealed + b"\0", expected=refused("corrupt"))
    yield cell("an altered salt", pad(text), alter=flip(8), expected=refused("commitment"))
    yield cell("an altered commitment", pad(text), alter=flip(63), expected=refused("commitment"))
    yield cell("an altered ciphertext", pad(text), alter=flip(64), expected=refused("corrupt"))
    yield cell("an altered tag", pad(text), alter=flip(64 + 32 + 15), expected=refused("corrupt"))


def wrap(name, purpose, key, expected, id=3, scope="project:p1", generation=1, sealed_as=None, padded=None):
    said = {"id": id, "purpose": purpose, "scope": scope, "generation": generation}
    bound = {**said, **(sealed_as or {})}
    context = context_of(WRAP[2], [("ring", RING), *((part, bound[part]) for part in ("id", "purpose", "scope", "generation"))])
    wrapped = seal_under(column(WRAP, ROOT, "strongroom.key"), WRAP[1], bound["id"], context, padded or pad(key), name)
    return {"name": name, **said, "wrapped": wrapped.hex(), **expected}


def wrapped_keys():
    login = {"id": LOGIN_ID, "scope": "login:api/a"}
    # A password is shown as a server takes it; a key proves itself by what it makes.
    yield wrap("data key", "data", DATA, {"key": "data"})
    yield wrap("index key", "index", INDEX, {"key": "index"}, id=2, scope="-")
    yield wrap("manifest key", "manifest", MANIFEST, {"key": "manifest"}, id=1, scope="-")
    yield wrap("login", "login", b"p" * 32, {"password": (b"p" * 32).hex()}, generation=4, **login)
    yield wrap("login of slot b", "login", b"q" * 32, {"password": (b"q" * 32).hex()}, id=LOGIN_ID, scope="login:api/b")
    for name, sealed_as in {
        "login of another slot": {"scope": "login:api/b"},
        "login of another component": {"scope": "login:ap/ia"},
        "login of another version": {"generation": 3},
        "a data key as a login": {"purpose": "data"},
    }.items():
        yield wrap(name, "login", b"p" * 32, refused("commitment"), generation=4, sealed_as=sealed_as, **login)
    yield wrap("login under another id", "login", b"p" * 32, refused("commitment"), generation=4, sealed_as={"id": 7}, **login)
    yield wrap("a login as a data key", "data", DATA, refused("commitment"), sealed_as={"purpose": "login"})
    for length in (31, 33, 0, 64):
        yield wrap(f"a key of {length} bytes", "data", b"k" * length, refused("padding"))
    yield wrap("a password of 31 bytes", "login", b"k" * 31, refused("padding"), **login)
    yield wrap("a key without its mark", "data", DATA, refused("padding"), padded=DATA.ljust(64, b"\0"))
    yield wrap("a key one class too long", "data", DATA, refused("padding"), padded=(DATA + b"\x80").ljust(128, b"\0"))


CHEAP = {"memory": 64, "passes": 1, "lanes": 1}


def sealed_root(name, passphrase, expected, cost=None, stretched_as=None, bound_as=None, root=ROOT, key_id=1, padded=None):
    cost = cost or CHEAP
    salt = hashlib.sha256(name.encode()).digest()[:16]
    used = {**cost, **(stretched_as or {})}
    kdf = Argon2id(salt=salt, length=32, iterations=used["passes"], lanes=used["lanes"], memory_cost=used["memory"])
    key = kdf.derive((expected.pop("sealed_under", passphrase)).encode())
    bound = {**cost, **(bound_as or {})}
    context = context_of(
        "strongroom/passphrase-context/1",
        [("memory", bound["memory"]), ("passes", bound["passes"]), ("lanes", bound["lanes"]), ("salt", salt)],
    )
    envelope = seal_under(key, ROOT_WRAP, key_id, context, padded or pad(root), name)
    return {"name": name, "passphrase": passphrase, **cost, "salt": salt.hex(), "envelope": envelope.hex(), **expected}


def roots():
    good = {"root": ROOT.hex()}
    yield sealed_root("a cheap one", "correct horse", dict(good))
    yield sealed_root("two lanes", "correct horse", dict(good), cost={"memory": 256, "passes": 2, "lanes": 2})
    yield sealed_root("the recommended cost", "correct horse", dict(good), cost={"memory": 65536, "passes": 3, "lanes": 4})
    yield sealed_root("not ASCII", "żółć 🔐", dict(good))
    yield sealed_root("4096 bytes", "p" * 4096, dict(good))
    yield sealed_root("another passphrase", "correct horse ", {**refused("wrong"), "sealed_under": "correct horse"})
    yield sealed_root("the first 4095 bytes", "p" * 4096, {**refused("wrong"), "sealed_under": "p" * 4095})
    yield sealed_root("a cost that it was not sealed at", "p", refused("wrong"), bound_as={"passes": 2})
    yield sealed_root("another cost than its own", "p", refused("wrong"), stretched_as={"passes": 2})
    yield sealed_root("31 bytes", "p", refused("wrong"), root=b"r" * 31)
    yield sealed_root("bad padding", "p", refused("wrong"), padded=ROOT.ljust(64, b"\0"))
    yield sealed_root("all one byte", "p", refused("weak"), root=b"r" * 32)
    for name, cost in {
        "more memory than is taken": {"memory": 256 * 1024 + 1},
        "more passes than are taken": {"passes": 11},
        "more lanes than are taken": {"lanes": 9},
    }.items():
        yield {**sealed_root(name, "p", refused("cost")), **cost}


def macs():
    def code(*parts):
        return hmac.digest(MANIFEST, b"".join(parts), "sha256").hex()

    body = b'{"epoch":1,"any":"text"}'
    yield {"kind": "manifest", "body": body.hex(), "mac": code(b"strongroom/manifest/1", RING, body)}
    policy = b"migration 2\n{}"
    of_policy = code(b"strongroom/policy/1", RING, struct.pack(">Q", 7), policy)
    yield {"kind": "policy", "number": 7, "body": policy.hex(), "mac": of_policy}
    yield {"kind": "policy", "number": 8, "body": policy.hex(), "mac": of_policy, **refused("another number")}
    yield {"kind": "policy", "number": 7, "body": (policy + b" ").hex(), "mac": of_policy, **refused("another body")}
    of_audit = code(b"strongroom/audit/1", RING, struct.pack(">Q", 4), b"abcd", b"row")
    yield {"kind": "audit", "before": b"abcd".hex(), "body": b"row".hex(), "mac": of_audit}
    yield {"kind": "audit", "before": "", "body": b"row".hex(), "mac": code(b"strongroom/audit/1", RING, bytes(8), b"row")}
    yield {"kind": "audit", "before": b"abc".hex(), "body": b"drow".hex(), "mac": of_audit, **refused("the border moved")}
    yield {"kind": "audit", "before": b"abce".hex(), "body": b"row".hex(), "mac": of_audit, **refused("another row before")}
    yield {"kind": "manifest", "body": policy.hex(), "mac": of_policy, **refused("a policy as a manifest")}
    yield {"kind": "policy", "number": 7, "body": policy.hex(), "mac": of_policy[:-2], **refused("a code cut short")}
    yield {"kind": "policy", "number": 7, "body": policy.hex(), "mac": "", **refused("no code")}
    yield {"kind": "policy", "number": 7, "body": policy.hex(), "mac": of_policy + "00", **refused("a code with more")}


def indexes():
    for label, value in ((LABEL, b"AKIA0000"), (LABEL, b""), ("api_token.other", b"AKIA0000"), (LABEL, "żółć".encode())):
        key = hmac.digest(b"strongroom/index-key/1" + RING + short(label), INDEX, "sha256")
        index = hmac.digest(key, short(label) + value, "sha256")[:16]
        yield {"label": label, "value": value.hex(), "index": index.hex()}


json.dump(
    {
        "root": base64.b64encode(ROOT).decode(),
        "root_id": hkdf_expand(ROOT, b"strongroom/root-id/1", 16).hex(),
        "ring_id": RING.hex(),
        "cells": list(cells()),
        "wrapped_keys": list(wrapped_keys()),
        "roots": list(roots()),
        "codes": list(macs()),
        "blind_indexes": list(indexes()),
    },
    sys.stdout,
    indent=1,
    ensure_ascii=True,
)
print()
