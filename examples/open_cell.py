#!/usr/bin/env python3
"""Break glass: open one sealed cell without Strongroom.

For the day when the program is gone, or does not start, and what remains is the root key file and a copy
of the database. Run it offline, on a machine that you trust: the secret goes to standard output, and
Python wipes neither keys nor secrets from memory. Needs Python 3.9 and `cryptography` from PyPI.

SQLite. Copy strongroom.db and, where there is one, strongroom.db-wal, to a folder that you can write to:

    open_cell.py --key strongroom.key --sqlite strongroom.db --id ROWID [--column access_key]

For a row of a program's own table name the table, and the column that has the cell:

    open_cell.py --key strongroom.key --sqlite strongroom.db --table api_token --id ROWID --column token

What its cells are bound to is read from the manifest, as `tables` has it.

PostgreSQL. Write the row to a JSON document and open it on the offline machine (`-` is standard input).
For the other column put access_key for secret_key, in all three places. root_id may be left out. Where
the file stays empty, there is no such row, or nothing is sealed in that column.

    PGCLIENTENCODING=UTF8 psql -XAtq -v ON_ERROR_STOP=1 -v id=ROWID DATABASE > row.json <<'SQL'
    SELECT json_build_object(
        'ring_id', encode(m.ring_id, 'hex'), 'root_id', m.body::json ->> 'root_id',
        'key', json_build_object('id', k.id, 'purpose', k.purpose, 'scope', k.scope,
                                 'generation', k.generation, 'wrapped', encode(k.wrapped, 'hex')),
        'label', 'credential.secret_key', 'id', c.id,
        'owners', json_build_object('user_id', c.user_id, 'project_id', c.project_id,
                                    'type', c.type, 'extra', c.extra),
        'cell', encode(c.secret_key_sealed, 'hex'))
    FROM credential c CROSS JOIN strongroom_manifest m JOIN strongroom_key k
        ON k.id = ('x' || encode(substring(c.secret_key_sealed FROM 5 FOR 4), 'hex'))::bit(32)::bigint
    WHERE c.id = :'id';
    SQL
    open_cell.py --key strongroom.key row.json

For other tables the document has their label, id and owners, and one field more: scope, the label of the owner whose
data key seals the row, or null where all rows share one. Owners stand under their labels: text as it is, integers as
numbers, UUIDs as text with hyphens, bytes that are no text as {"hex": "..."}. `keys quarantine export` writes such
documents for every table, on every engine.

Prints the plaintext, byte for byte, and nothing else. Whatever goes wrong is one line on standard error
and exit code 1. Key states and the manifest's code are not checked: a retired key still opens its cells.
"""
import argparse
import base64
import hashlib
import hmac
import json
import sqlite3
import struct
import sys
import uuid
from contextlib import closing
from pathlib import Path

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
except ImportError:
    sys.exit("open_cell: the package `cryptography` is needed: pip install cryptography")

LONGEST_PLAINTEXT = 1 << 20
# One construction, two uses. Labels: where the key comes from, what is made of it, what it is bound to.
CELL = (b"strongroom/data-key/1", b"strongroom/cell/1", "strongroom/context/1")
WRAP = (b"strongroom/root-key/1", b"strongroom/wrap/1", "strongroom/wrap-context/1")

# Strongroom's own table, as the manifest would describe it.
CREDENTIAL = {
    "id": {"name": "id", "kind": "text"}, "scope": "project_id",
    "owners": [{"name": name, "label": name, "kind": "text"} for name in ("user_id", "project_id", "type", "extra")],
    "columns": [{"sealed": f"{name}_sealed", "label": f"credential.{name}"} for name in ("secret_key", "access_key")],
}


class Refused(Exception):
    """What to tell the operator. Never holds a key or a plaintext."""


def need(condition, otherwise):
    if not condition:
        raise Refused(otherwise)


def hkdf_expand(prk, info, length):  # RFC 5869, 2.3, for up to two blocks
    first = hmac.digest(prk, info + b"\1", "sha256")
    return (first + hmac.digest(prk, first + info + b"\2", "sha256"))[:length]


def short(text):  # A label behind its length.
    return struct.pack(">H", len(text.encode())) + text.encode()


def tlv(label, value):
    """Label, u8 type, u32 length, value; numbers big-endian. NULL is a type of its own, not the empty text."""
    need(value is None or type(value) in (bytes, str, int), f"{label} is neither text nor null")
    if value is None:
        kind, value = 0, b""
    elif type(value) is int:
        kind, value = 2, struct.pack(">q", value)
    else:
        kind, value = 1, value if type(value) is bytes else value.encode()
    return short(label) + struct.pack(">BI", kind, len(value)) + value


def padded_length(length):
    """One more for the mark 0x80, then up to 32, 64, ... 1024; above that up until the low bits are zero (Padmé)."""
    length += 1
    if length <= 1024:
        return max(32, 1 << (length - 1).bit_length())
    exponent = length.bit_length() - 1
    low_bits = (1 << (exponent - exponent.bit_length())) - 1
    return (length + low_bits) & ~low_bits


def key_id_of(cell, what):
    """Checks what is fixed in the header, and reads which key it names: the only one that may open the cell."""
    need(64 + 32 + 16 <= len(cell) <= 64 + padded_length(LONGEST_PLAINTEXT) + 16, f"{what} has an impossible length")
    need(cell[0] == 1 and cell[1] == 1, f"{what} has an unknown version or suite: {cell[0]}, {cell[1]}")
    need(cell[2:4] == b"\0\0" and cell[4:8] != bytes(4), f"{what} has a malformed header")
    return int.from_bytes(cell[4:8], "big")


def open_sealed(use, key, ring_id, column, bound_to, cell, what, unfit):
    """Opens a cell, or a wrapped key, which is sealed in the same way.

    Version, suite, 0, 0, key id (4 bytes) | salt (24) | commitment (32) | ciphertext | tag (16)
    """
    key_label, cell_label, context_label = use
    column_key = hmac.digest(key_label + ring_id + short(column), key, "sha256")  # HKDF-Extract: RFC 5869, 2.2
    context = tlv(context_label, None) + b"".join(tlv(label, value) for label, value in bound_to)
    okm = hkdf_expand(column_key, cell_label + cell[:32] + hashlib.sha256(context).digest(), 64)
    # The commitment, checked first: without it one cell could be crafted to open under two keys.
    need(hmac.compare_digest(okm[32:], cell[32:64]), f"{what} does not open: {unfit}")
    try:  # The nonce may be zero because the key, made from the salt, is used once.
        padded = ChaCha20Poly1305(okm[:32]).decrypt(bytes(12), cell[64:], cell[:64])
    except InvalidTag:
        raise Refused(f"{what} is corrupt: its ciphertext or tag was altered") from None
    marked = padded.rstrip(b"\0")
    length = len(marked) - 1
    canonical = marked[-1:] == b"\x80" and length <= LONGEST_PLAINTEXT and padded_length(length) == len(padded)
    need(canonical, f"{what} is authentic, but not padded in the one valid way")
    return marked[:-1]


def open_document(root, document):
    """Two layers: the root key unwraps the data key, the data key opens the cell."""
    ring_id, cell, owners = (field(document, *of) for of in (("ring_id", bytes), ("cell", bytes), ("owners", dict)))
    need(len(ring_id) == 16, "ring_id is not 16 bytes")
    key = field(document, "key", dict)
    scope, generation, wrapped = (field(key, *of) for of in (("scope", str), ("generation", int), ("wrapped", bytes)))

    # The root id is public: it tells which root key it is, and nothing about it.
    root_id = hkdf_expand(root, b"strongroom/root-id/1", 16).hex()
    wanted = document.get("root_id", root_id)
    need(wanted == root_id, f"wrong key file: the ring needs root {str(wanted)[:32]!r}, the file holds {root_id!r}")

    key_id = key_id_of(cell, "the cell")
    need(field(key, "id", int) == key_id, f"the cell was sealed under key {key_id}, which is not the one given")
    need(field(key, "purpose", str) == "data", f"key {key_id} is not a data key")
    owners = {label: owner_value(label, value) for label, value in owners.items()}
    # Without this check, whoever has one project's data key could forge the rows of every project.
    need(scope == own_scope(owners, document.get("scope", "project_id")), f"key {key_id} is of another scope than the row")

    need(key_id_of(wrapped, "the wrapped key") == key_id, "the wrapped key is that of another row")
    bound_to = [("ring", ring_id), ("id", key_id), ("purpose", "data"), ("scope", scope), ("generation", generation)]
    unfit = "wrong key file, or the ring id or the row of the key was altered"
    data_key = open_sealed(WRAP, root, ring_id, "strongroom.key", bound_to, wrapped, "the wrapped key", unfit)
    need(len(data_key) == 32, "the wrapped key is not one of 32 bytes")
    bound_to = [("id", field(document, "id", str)), *sorted(owners.items())]
    unfit = "it was sealed for another row, column or owner, or its header was altered"
    return open_sealed(CELL, data_key, ring_id, field(document, "label", str), bound_to, cell, "the cell", unfit)


def owner_value(label, value):
    return field(value, "hex", bytes) if type(value) is dict else value


def own_scope(owners, label):
    """The row's scope in the words of the key ring: the value of that owner; "-" where it is NULL, or there is no such owner."""
    need(label is None or label in owners, f"the owners lack {label}")
    value = None if label is None else owners[label]
    return "-" if value is None else f"project:{value.decode(errors='replace') if type(value) is bytes else value}"


def field(document, name, kind):
    value = document.get(name)
    try:
        value = bytes.fromhex(value) if kind is bytes and type(value) is str else value
    except ValueError:
        raise Refused(f"{name} is not hexadecimal") from None
    need(type(value) is kind, f"{name} is missing, or not of the right type")
    return value


def parse_object(text, what):
    try:
        value = json.loads(text)
    except (ValueError, TypeError):
        value = None
    need(type(value) is dict, f"{what} is not one JSON object")
    return value


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def document_from_sqlite(path, table, row_id, column):
    def row(table, id_column, id, missing):
        found = connection.execute(f"SELECT * FROM {quoted(table)} WHERE {quoted(id_column)} = ?", (id,)).fetchone()
        need(found, missing)
        return dict(found)

    with closing(sqlite3.connect(Path(path).absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")  # All rows from one moment.
        ring = row("strongroom_manifest", "id", 1, "the database has no key ring")
        manifest = parse_object(ring["body"], "the manifest")
        described = CREDENTIAL if table == "credential" else manifest.get("tables", {}).get(table)
        need(described, f"the manifest describes no table {table}")
        names = {it["sealed"]: it["label"] for it in described["columns"]}
        column = column if column in names else f"{column}_sealed"
        need(column in names, f"the sealed columns of {table} are {', '.join(names)}")
        stored = uuid_bytes(row_id) if described["id"]["kind"] == "uuid" else row_id
        found = row(table, described["id"]["name"], stored, f"there is no {table} with this id (is the -wal file missing?)")
        need(found.get(column) is not None, f"this {table} has nothing sealed in {column}")
        cell = field(found, column, bytes)
        key_id = key_id_of(cell, "the cell")
        key = row("strongroom_key", "id", key_id, f"the cell names key {key_id}, and the ring has no such key")
    scope = [owner["label"] for owner in described.get("owners", []) if owner["name"] == described.get("scope")]
    owners = {owner["label"]: bound(found[owner["name"]], owner["kind"]) for owner in described.get("owners", [])}
    row_id = bound(found[described["id"]["name"]], described["id"]["kind"])
    return {"ring_id": ring["ring_id"], "root_id": field(manifest, "root_id", str), "key": key, "label": names[column],
            "id": row_id, "owners": owners, "scope": scope[0] if scope else None, "cell": cell}


def uuid_bytes(text):
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise Refused("the id is not a UUID") from None


def bound(value, kind):  # A UUID is 16 bytes in the database, and text in what a cell is bound to.
    return str(uuid.UUID(bytes=value)) if kind == "uuid" and type(value) is bytes and len(value) == 16 else value


def read_root(path):
    try:
        root = base64.b64decode(Path(path).read_bytes().strip(), validate=True)
    except ValueError:
        root = b""
    need(len(root) == 32, f"the key file {path} is malformed: it must hold 32 bytes in base64")
    return root


def run():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.error = lambda message: need(False, message)
    arguments.add_argument("--key", required=True, metavar="FILE", help="the root key file")
    arguments.add_argument("--sqlite", metavar="FILE", help="fetch the row from this database")
    arguments.add_argument("--id", metavar="ROWID", help="with --sqlite: which row")
    arguments.add_argument("--table", metavar="NAME", help="with --sqlite: of which table [credential]")
    arguments.add_argument("--column", metavar="NAME", help="with --sqlite: the column that has the cell [secret_key]")
    arguments.add_argument("document", nargs="?", metavar="row.json", help="the row as a JSON document")
    given = arguments.parse_args()
    if given.sqlite and given.id is not None:
        need(not given.document, "--sqlite takes no JSON document")
        document = document_from_sqlite(given.sqlite, given.table or "credential", given.id, given.column or "secret_key")
    else:
        alone = not (given.sqlite or given.id is not None or given.table or given.column)
        need(given.document and alone, "give either a JSON document, or --sqlite with --id")
        text = sys.stdin.buffer.read() if given.document == "-" else Path(given.document).read_bytes()
        document = parse_object(text, given.document)
    plaintext = open_document(read_root(given.key), document)
    with open(1, "wb", closefd=False) as out:
        out.write(plaintext)


if __name__ == "__main__":
    try:
        run()
    except (Refused, OSError) as reason:
        sys.exit("open_cell: " + " ".join(str(reason).split()))
    except sqlite3.Error as reason:
        sys.exit(f"open_cell: the database cannot be read: {reason}")
    except (Exception, KeyboardInterrupt) as error:  # Its text might quote what must not be shown.
        sys.exit(f"open_cell: unexpected {type(error).__module__}.{type(error).__name__}")
