"""Active Directory, which nests groups by itself and closes accounts in its own way."""
import os

import pytest

import active_directory
from active_directory import BASE, SERVICE, ActiveDirectory
from asker import Asker, program_of

USERS = f"CN=Users,{BASE}"
FILTER = "(&(objectClass=user)(|(sAMAccountName=${username})(userPrincipalName=${username})))"


@pytest.fixture
def samba(pki, tmp_path):
    if os.environ.get("CI") != "true" and "ADUANA_LONG" not in os.environ:
        pytest.skip("to make a domain takes a while: CI=true or ADUANA_LONG=1")
    if active_directory.missing():
        pytest.skip(active_directory.missing())
    made = ActiveDirectory(tmp_path, pki)
    yield made
    made.stop()


def settings(folder, pki):
    (folder / "ldap-password").write_text(f"Clave.{SERVICE}.1\n")
    (folder / "ldap-password").chmod(0o600)
    return {"servers": [ActiveDirectory.url], "ca_file": str(pki.ca.pem), "bind_dn": f"CN={SERVICE},{USERS}", "bind_password_file": "ldap-password",
            "connect_timeout_ms": 20000, "operation_timeout_ms": 20000, "total_timeout_ms": 60000,
            "user": {"base": USERS, "name": "sAMAccountName", "filter": FILTER},
            "groups": {"base": USERS, "lookup": "in_chain", "roles": {"mantenimiento": ["mantenimiento"], "planta": ["planta"]}}}


def test_active_directory(samba, pki, lib, tmp_path):
    one = Asker([*samba.inside, *program_of("bookworm", lib)], tmp_path, settings(tmp_path, pki))
    answer = one.ask("ana", "Clave.ana.1")
    assert (answer["outcome"], answer["username"]) == ("verified", "ana")
    assert sorted(answer["attributes"]["ldap.group"]) == ["mantenimiento", "planta", "tecnicos"], "nested by the server"
    assert sorted(answer["roles"]) == ["mantenimiento", "planta"]
    assert one.ask("ana@planta.example", "Clave.ana.1")["username"] == "ana", "by userPrincipalName"
    eva = one.ask("eva", "Clave.eva.1")
    assert eva["outcome"] == "verified" and eva["roles"] == []
    assert one.outcome("ana", "otra") == "wrong" and one.outcome("nadie", "x") == "unknown"
    for name in ("baja", "pasada"):
        assert [one.outcome(name, password) for password in (f"Clave.{name}.1", None)] == ["barred", "barred"], name
    one.close()
