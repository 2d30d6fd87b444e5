"""One slapd of OpenLDAP in a folder of its own, with the people and groups of the plant: StartTLS and LDAPS,
memberOf, ppolicy. Its log tells every operation."""
import os
import pathlib
import re
import shutil
import socket
import subprocess

import mqtt
from daemon import free_port, until
from plant import Person

SUFFIX = "dc=planta"
PEOPLE, GROUPS = f"ou=personas,{SUFFIX}", f"ou=grupos,{SUFFIX}"
SERVICE, SERVICE_PASSWORD = f"cn=aduana,ou=servicios,{SUFFIX}", "clave del servicio"
MANAGER, MANAGER_PASSWORD = f"cn=manager,{SUFFIX}", "manager"

ANA = Person("tablero", "servicio", "ana", "clave-ana", "panel-ana")

SCHEMA = """
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1.1 NAME 'directoryAccount' AUXILIARY MAY ( userAccountControl $ accountExpires ) )
"""

CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include {folder}/directory.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {ca}
TLSCertificateFile {pem}
TLSCertificateKeyFile {key}
allow bind_anon_cred
security simple_bind=128
database mdb
suffix {suffix}
rootdn {manager}
rootpw {manager_password}
directory {folder}/data
maxsize 16777216
dbnosync
overlay memberof
memberof-group-oc groupOfNames
overlay ppolicy
ppolicy_default cn=normas,{suffix}
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by self read by anonymous auth by * none
"""


def person(uid, password, rdn=None, ou="personas", **attributes):
    """LDIF of a person; an attribute may have several values."""
    lines = [f"dn: {rdn or 'uid=' + uid},ou={ou},{SUFFIX}".replace(f"ou=personas,{SUFFIX}", PEOPLE), "objectClass: inetOrgPerson",
             "objectClass: shadowAccount", "objectClass: directoryAccount", f"uid: {uid}", "sn: x", f"userPassword: {password}"]
    if "cn" not in attributes:
        attributes["cn"] = uid
    for name, values in attributes.items():
        lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values)]
    return "\n".join(lines) + "\n"


def group(cn, *members, ou="grupos", rdn=None):
    return (f"dn: cn={rdn or cn},ou={ou},{SUFFIX}\nobjectClass: groupOfNames\ncn: {cn}\n" +
            "".join(f"member: {member}\n" for member in members))


def unit(name, parent=SUFFIX):
    return f"dn: ou={name},{parent}\nobjectClass: organizationalUnit\nou: {name}\n"


def uid(name):
    return f"uid={name},{PEOPLE}"


def cn(name):
    return f"cn={name},{GROUPS}"


ENTRIES = [
    f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: planta\no: Planta\n",
    unit("personas"), unit("grupos"), unit("otros"), unit("servicios"), unit("turno", PEOPLE), unit("sub", GROUPS),
    f"dn: {SERVICE}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: aduana\nuserPassword: {SERVICE_PASSWORD}\n",
    f"dn: cn=normas,{SUFFIX}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: normas\npwdAttribute: userPassword\n"
    "pwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 0\n",
    person("ana", "clave-ana", departmentNumber="linea1", l=["nave 1", "nave 2"], mail="ana@planta"),
    person("luis", "clave-luis", departmentNumber="linea2"),
    person("eva", "clave-eva"),
    person("doble", "clave-doble"), person("doble", "clave-doble", rdn="uid=doble,ou=turno"),
    person("coma", "clave-coma", rdn="cn=\\20P\\C3\\A9rez\\2C Juan \\2B Cia", cn=" Pérez, Juan + Cia"),
    person("varios", "clave-varios", rdn="cn=v+sn=w", cn="v", sn="w"),
    person("bloqueada", "clave-bloqueada"), person("torpe", "clave-torpe"),
    person("baja", "clave-baja", userAccountControl="514"), person("alta", "clave-alta", userAccountControl="512", accountExpires="0"),
    person("pasada", "clave-pasada", accountExpires="131592384000000000"), person("caduca", "clave-caduca", shadowExpire="19000"),
    person("alias", "clave-alias").replace("uid: alias", "uid: alias\nuid: alias2"), person("binaria", "clave-binaria", departmentNumber="a" * 1025),
    person("admin", "clave-admin", ou="servicios"),
]
GROUP_ENTRIES = [
    group("mantenimiento", uid("ana"), cn("planta")), group("tecnicos", cn("mantenimiento")), group("planta", cn("tecnicos")),
    group("mantenimiento,ou=grupos,dc=planta", uid("luis"), rdn="mantenimiento\\2Cou=grupos\\2Cdc=planta"),
    group("mantenimiento", uid("luis"), ou="otros"),
    group("coma", f"cn=\\20P\\C3\\A9rez\\2C Juan \\2B Cia,{PEOPLE}"), group("varios", f"cn=v+sn=w,{PEOPLE}"),
    f"dn: {cn('turnos')}\nobjectClass: posixGroup\ncn: turnos\ngidNumber: 10\nmemberUid: luis\nmemberUid: ana\n",
    f"dn: {cn('unicos')}\nobjectClass: groupOfUniqueNames\ncn: unicos\nuniqueMember: {uid('ana')}\n",
]


class Slapd:
    """start() and stop() as often as a test likes; the data stay. Its host may be another: see docker/tester."""

    host = address = "127.0.0.1"

    def __init__(self, folder, pki, certificate=None):
        self.folder, self.pki = pathlib.Path(folder), pki
        self.certificate = certificate or pki.server
        self.port, self.tls_port, self.proc = free_port(), free_port(), None
        self.log_file = self.folder / "slapd.log"
        (self.folder / "data").mkdir(parents=True)
        self.program = self.installed()
        (self.folder / "directory.schema").write_text(SCHEMA)
        (self.folder / "slapd.conf").write_text(CONF.format(
            folder=self.folder, ca=pki.ca.pem, pem=self.certificate.pem, key=self.certificate.key, suffix=SUFFIX, service=SERVICE,
            manager=MANAGER, manager_password=MANAGER_PASSWORD))
        self.run(self.program, "-T", "add", "-q", "-f", self.folder / "slapd.conf", "-b", SUFFIX, "-l", self.ldif("people", ENTRIES))
        self.start()
        self.add(*GROUP_ENTRIES) # over the wire, so that memberOf is made
        self.modify(f"dn: {uid('bloqueada')}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")

    @property
    def urls(self):
        return [f"ldaps://{self.host}:{self.tls_port}", f"ldap://{self.host}:{self.port}"]

    def installed(self):
        """A copy, since a profile of AppArmor knows the installed one by its path and lets it into no folder of ours."""
        return shutil.copy("/usr/sbin/slapd", self.folder / "slapd")

    def run(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LDAPTLS_CACERT": str(self.pki.ca.pem)})
        assert done.returncode == 0, done.stderr

    def spawn(self, *command):
        with open(self.log_file, "ab") as log:
            return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def ldif(self, name, entries):
        path = self.folder / f"{name}.ldif"
        path.write_text("\n".join(entries))
        return path

    def start(self):
        for _ in range(5):
            mark = len(self.log)
            self.proc = self.spawn(self.program, "-d", "stats", "-f", str(self.folder / "slapd.conf"), "-h",
                                   f"ldap://{self.address}:{self.port}/ ldaps://{self.address}:{self.tls_port}/")
            until(lambda: self.proc.poll() is not None or "slapd starting" in self.log[mark:] and self.listens(), "slapd's start")
            if self.proc.poll() is None:
                return self
            self.port, self.tls_port = free_port(), free_port() # a lost race for one of them
        raise AssertionError("slapd did not start:\n" + self.log[-2000:])

    def listens(self):
        """It says that it starts before it listens."""
        try:
            for port in (self.port, self.tls_port):
                socket.create_connection((self.host, port), 60).close()
            return True
        except ConnectionRefusedError:
            return False

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait(30)
            self.proc = None

    def pause(self, signal):
        self.proc.send_signal(signal)

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def binds(self, dn):
        """How often somebody has tried to bind under this name."""
        return len(re.findall(f'BIND dn="{re.escape(dn)}" method=128', self.log))

    def modify(self, ldif):
        self.run("ldapmodify", "-H", self.urls[0], "-x", "-D", MANAGER, "-w", MANAGER_PASSWORD, "-e", "relax", "-f", self.ldif("change", [ldif]))

    def add(self, *entries):
        self.modify("\n".join(entry.replace("\n", "\nchangetype: add\n", 1) for entry in entries))

    def change(self, dn, attribute, *values):
        """Replaces an attribute's values; none takes it away."""
        self.modify(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n" + "".join(f"{attribute}: {value}\n" for value in values))


def settings(slapd, folder, **more):
    """The key "ldap" for this slapd, and its files in `folder`; keyword arguments replace keys, None takes one out."""
    shutil.copy(slapd.pki.ca.pem, folder / "ldap-ca.pem")
    password = folder / "ldap-password"
    password.write_text(SERVICE_PASSWORD + "\n")
    password.chmod(0o600)
    made = {"servers": slapd.urls, "ca_file": "ldap-ca.pem", "bind_dn": SERVICE, "bind_password_file": "ldap-password",
            "connect_timeout_ms": 20000, "operation_timeout_ms": 20000, "total_timeout_ms": 60000,
            "user": {"base": PEOPLE, "filter": "(&(objectClass=inetOrgPerson)(uid=${username}))", "attributes": ["departmentNumber", "l"]},
            "groups": {"base": GROUPS, "nested_depth": 5, "roles": {"mantenimiento": ["mantenimiento"], "planta": ["planta"]}}}
    made.update(more)
    return {key: value for key, value in made.items() if value is not None}


def in_policy(broker, slapd, require="password"):
    """Passwords of the directory are enough - with "either", for who has no certificate that stands for somebody; its people may
    publish on their own line if they are in `mantenimiento`."""
    def ask_the_directory(policy):
        policy.update(require=require, providers=["local", "ldap"], recheck_seconds=1, cache={"fresh_seconds": 0}, login_budget_ms=1000)
        policy["ldap"] = settings(slapd, broker.policies, groups={"base": GROUPS, "nested_depth": 5, "roles": {"mantenimiento": ["taller"]}})

    def give_rights(policy):
        policy["roles"]["taller"] = {"allow": [{"publish": ["planta/${ldap.departmentNumber}/temperatura"]}]}

    broker.edit("iam_auth.json", ask_the_directory)
    broker.edit("acl.json", give_rights)
    if require == "password":
        broker.edit("cert_auth.json", lambda policy: policy.update(identities=[]))


def get_in(broker, person, **more):
    """A broker before 2.1 may close the connection while it asks: the client comes again."""
    def attempt():
        try:
            return broker.connect(person, mqtt.V5, **more)
        except mqtt.Refused:
            return None
    return until(attempt, f"{person.username} gets in")
