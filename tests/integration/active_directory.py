"""Samba's Active Directory in a folder of its own and on a network of its own, as it cannot be had at other ports than LDAP's."""
import os
import shutil
import subprocess

from daemon import until

BASE, SERVICE = "DC=planta,DC=example", "aduana"
PROVISION = "/usr/share/samba/setup/provision.ldif"

# By Samba's own library, since samba-tool takes a second for each.
PEOPLE = f"""
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load(sys.argv[1])
sam = SamDB(url=sys.argv[2], session_info=system_session(), lp=lp)
for name in ("ana", "eva", "baja", "pasada", "{SERVICE}"):
    sam.newuser(name, "Clave." + name + ".1")
for group, member in (("mantenimiento", "ana"), ("tecnicos", "mantenimiento"), ("planta", "tecnicos")):
    sam.newgroup(group)
    sam.add_remove_group_members(group, [member])
sam.disable_account("(sAMAccountName=baja)")
sam.setexpiry("(sAMAccountName=pasada)", -86400)
"""


def missing():
    """Why it cannot run here; None if it can."""
    if not all(map(shutil.which, ("samba", "samba-tool"))) or not os.path.exists(PROVISION):
        return "samba-ad-dc and samba-ad-provision are not installed"
    if os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        return "only who may make a network for it can run samba-ad-dc"
    return None


class ActiveDirectory:
    """`inside` before a command runs it where the directory can be reached, at 127.0.0.1."""

    url = "ldaps://127.0.0.1"

    def __init__(self, folder, pki):
        self.folder, self.conf = folder, folder / "ad/etc/smb.conf"
        self.run("samba-tool", "domain", "provision", f"--targetdir={folder}/ad", "--realm=PLANTA.EXAMPLE", "--domain=PLANTA", "--server-role=dc",
                 "--dns-backend=NONE", "--adminpass=Clave.de.nadie.1", "--host-name=dc", "--host-ip=127.0.0.1")
        self.run("/usr/bin/python3", "-c", PEOPLE, self.conf, folder / "ad/private/sam.ldb")
        key = shutil.copy(pki.server.key, folder / "server.key")
        os.chmod(key, 0o600)
        options = {"server services": "ldap", "interfaces": "lo", "bind interfaces only": "yes", "tls certfile": pki.server.pem, "tls keyfile": key,
                   "tls cafile": pki.ca.pem, "log file": folder / "log", "pid directory": folder}
        command = ["samba", "-i", "-M", "single", "-s", str(self.conf), *(f"--option={name}={value}" for name, value in options.items())]
        with open(folder / "samba.log", "wb") as log:
            self.proc = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "-", *command],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.inside = ["nsenter", "-t", str(self.proc.pid), "-n"]
        until(self.listens, "samba's start")

    def run(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr

    def listens(self):
        assert self.proc.poll() is None, (self.folder / "samba.log").read_text()
        probe = "import socket; socket.create_connection(('127.0.0.1', 636), 60)"
        return subprocess.run([*self.inside, "/usr/bin/python3", "-c", probe], capture_output=True).returncode == 0

    def stop(self):
        self.proc.terminate()
        self.proc.wait(60)
