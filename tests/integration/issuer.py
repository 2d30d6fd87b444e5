"""An issuer of tokens (OpenID Connect) as the tests need one: keys and signatures by the openssl command, and a web server that
publishes the keys and answers about tokens."""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time

NAME = "https://sso.planta.example"


def base64url(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


class Key:
    """RSA (signs RS256) or Ed25519 (signs EdDSA)."""

    def __init__(self, folder, kid, algorithm="EdDSA"):
        self.kid, self.algorithm, self.path = kid, algorithm, pathlib.Path(folder) / f"{kid}.key"
        what = ["ed25519"] if algorithm == "EdDSA" else ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        openssl("genpkey", "-algorithm", *what, "-out", self.path)

    def jwk(self):
        if self.algorithm == "EdDSA":
            what = {"kty": "OKP", "crv": "Ed25519", "x": base64url(openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-32:])}
        else:
            modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().split("=")[1]
            what = {"kty": "RSA", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        return {**what, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def public_pem(self):
        return openssl("pkey", "-in", self.path, "-pubout")

    def sign(self, text):
        if self.algorithm == "RS256":
            return openssl("dgst", "-sha256", "-sign", self.path, data=text)
        with tempfile.NamedTemporaryFile() as file:  # it signs nothing that it cannot read twice
            file.write(text)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file.name)


def claims(username, **more):
    """Of an hour from now; what is None is left out."""
    said = {"iss": NAME, "aud": "mqtt", "sub": username, "iat": int(time.time()), "exp": int(time.time()) + 3600, **more}
    return {name: value for name, value in said.items() if value is not None}


def assemble(header, payload, sign):
    """A token; header and payload may be text that is no proper JSON."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (header, payload)]
    text = ".".join(base64url(part.encode()) for part in parts).encode()
    return (text + b"." + base64url(sign(text)).encode()).decode()


def token(key, username, header=None, **more):
    return assemble({"alg": key.algorithm, "kid": key.kid, **(header or {})}, claims(username, **more), key.sign)


class Web:
    """Over https, with the certificate of the tests' server: /jwks has `keys`, and /introspect says whether the token is among
    `revoked`. Both fail while `away`. What was asked is in `asked`."""

    def __init__(self, pki):
        self.keys, self.revoked, self.away, self.asked = [], set(), False, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, said):
                body = json.dumps(said).encode()
                self.send_response(503 if web.away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                web.asked.append(self.path)
                self.answer({"keys": [key.jwk() for key in web.keys]} if self.path == "/jwks" else {})

            def do_POST(self):
                web.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                wanted = "Basic " + base64.b64encode(b"broker:s3cret").decode()
                good = self.path == "/introspect" and self.headers["Authorization"] == wanted
                self.answer({"active": good and body.rsplit("token=")[-1] not in web.revoked})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.server.pem, pki.server.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
