"""glewlwyd, a real OpenID Connect provider, with a user, a client and the means to revoke what it has issued."""
import base64
import contextlib
import http.cookiejar
import json
import os
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import issuer
from daemon import free_port, until
from patience import PATIENCE

PROGRAM = shutil.which("glewlwyd")
MODULES = "/usr/lib/glewlwyd"
TABLES = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"


def missing():
    """Why it cannot run here; None if it can."""
    return None if PROGRAM and os.path.exists(TABLES) else "glewlwyd is not installed"


class Glewlwyd:
    """Its administrator has logged in; the plugin `sso` issues tokens to users in exchange for their password."""

    def __init__(self, folder):
        self.port = free_port()
        self.name = f"http://127.0.0.1:{self.port}/"
        self.sso = f"{self.name}api/sso/"
        with contextlib.closing(sqlite3.connect(folder / "glewlwyd.db")) as database, open(TABLES) as tables:
            database.executescript(tables.read())
        conf = folder / "glewlwyd.conf"
        conf.write_text(
            f'port={self.port}\nbind_address="127.0.0.1"\nexternal_url="{self.name}"\nlogin_url="login.html"\napi_prefix="api"\n'
            'log_mode="console"\nlog_level="WARNING"\ncookie_secure=0\nsession_expiration=3600\nsession_key="G"\n'
            'admin_scope="g_admin"\nprofile_scope="g_profile"\nhash_algorithm="SHA512"\n'
            f'user_module_path="{MODULES}/user"\nclient_module_path="{MODULES}/client"\n'
            f'user_auth_scheme_module_path="{MODULES}/scheme"\nplugin_module_path="{MODULES}/plugin"\n'
            f'database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db"; }};\n')
        with open(folder / "glewlwyd.log", "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", PROGRAM, f"--config-file={conf}"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        until(self._logs_in, "glewlwyd")
        self._set_up(folder)

    def _logs_in(self):
        assert self.process.poll() is None, "glewlwyd has ended"
        try:
            self._manage("auth/", username="admin", password="password")
        except urllib.error.URLError:
            return False
        return True

    def _manage(self, path, **what):
        request = urllib.request.Request(f"{self.name}api/{path}", json.dumps(what).encode(), {"Content-Type": "application/json"})
        self.opener.open(request, timeout=PATIENCE).close()

    def _set_up(self, folder):
        key = issuer.Key(folder, "glewlwyd", "RS256")
        self._manage("mod/plugin/", module="oidc", name="sso", display_name="sso", parameters={
            "iss": self.name, "jwt-type": "rsa", "jwt-key-size": "256", "key": key.path.read_text(), "cert": key.public_pem().decode(),
            "jwks-show": True, "access-token-duration": 600, "refresh-token-duration": 3600, "code-duration": 60, "allow-non-oidc": True,
            **{f"auth-type-{what}-enabled": True for what in ("code", "token", "id-token", "none", "password", "client", "refresh")},
            "auth-type-device-enabled": False, "subject-type": "public", "address-claim": {"type": "no"}, "name-claim": "no",
            "email-claim": "no", "claims": [], "jwks-x5c": [], "introspection-revocation-allowed": True,
            "introspection-revocation-allow-target-client": True,
            "additional-parameters": [{"user-parameter": "username", "token-parameter": "preferred_username"}]})
        self._manage("scope/", name="mqtt", display_name="mqtt", description="mqtt", password_required=True, scheme={})
        self._manage("user/", username="ana", name="Ana", password="clave-de-ana", scope=["mqtt"], enabled=True)
        self._manage("client/", client_id="broker", name="broker", confidential=True, client_secret="s3cret", scope=["mqtt"],
                     redirect_uri=["http://127.0.0.1/"], authorization_type=["password"], enabled=True,
                     token_endpoint_auth_method=["client_secret_basic"])

    def _as_client(self, path, **form):
        secret = base64.b64encode(b"broker:s3cret").decode()
        request = urllib.request.Request(self.sso + path, urllib.parse.urlencode(form).encode(), {"Authorization": f"Basic {secret}"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def token(self, username, password):
        answer = self._as_client("token", grant_type="password", username=username, password=password, scope="mqtt")
        return json.loads(answer)["access_token"]

    def revoke(self, token):
        self._as_client("revoke", token=token)

    def close(self):
        self.process.kill()
        self.process.wait()
