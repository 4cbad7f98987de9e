"""A real Keystone makes its tables, or lists and opens the credentials of a database and prints them as JSON.

    keystone_reads.py DATABASE                   makes the tables, in a SQLite file
    keystone_reads.py DATABASE KEY_REPOSITORY    lists and opens every credential
"""

import json
import sys

import keystone.conf
from keystone import credential
from keystone.common import driver_hints, sql
from keystone.common.sql import upgrades
from keystone.credential import provider
from keystone.credential.providers.fernet.core import get_multi_fernet_keys, primary_key_hash

database, *repository = sys.argv[1:]
CONF = keystone.conf.CONF
keystone.conf.configure()
sql.initialize()
CONF([], project="keystone", default_config_files=[])
CONF.set_override("connection", f"sqlite:///{database}", group="database")
CONF.set_override("enabled", False, group="cache")

if not repository:
    upgrades.offline_sync_database_to_version()
    sys.exit()

CONF.set_override("key_repository", repository[0], group="credential")
provider.Manager()
manager = credential.Manager()
_, keys = get_multi_fernet_keys()
primary = primary_key_hash(keys)
current = {row["id"]: row["key_hash"] == primary for row in manager.driver.list_credentials(driver_hints.Hints())}
rows = manager.list_credentials()
print(json.dumps([row | {"under the primary key": current[row["id"]]} for row in rows]))
