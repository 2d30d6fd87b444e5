"""Client certificates that no tool would make: names of any bytes, in any of ASN.1's kinds of string, several in one part."""
import base64
import datetime

from pki import Cert, openssl

CN, OU, O = b"\x55\x04\x03", b"\x55\x04\x0b", b"\x55\x04\x0a"
UTF8, PRINTABLE, T61, BMP = 0x0C, 0x13, 0x14, 0x1E
ECDSA_SHA256, CLIENT_AUTH, EXTENDED_KEY_USAGE = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2b06010505070302"), b"\x55\x1d\x25"


def der(tag, *parts):
    body = b"".join(parts)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (length if len(body) < 128 else bytes([0x80 | len(length)]) + length) + body


def oid(value):
    return der(0x06, value)


def named(kind, value, string=UTF8):
    """One part of a name; `value` is bytes, or text in UTF-8."""
    return der(0x30, oid(kind), der(string, value.encode() if isinstance(value, str) else value))


def name(*parts):
    """Each part is one of named(), or a list of them: then they stand in one, as in CN=a+CN=b."""
    return der(0x30, *(der(0x31, *(part if isinstance(part, list) else [part])) for part in parts))


def moment(days):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return der(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def certificate(folder, ca, key, *parts):
    """Signed by `ca`, a pki.Cert of CN "Planta Device CA", with the subject name(*parts)."""
    made, tbs, public, signature = Cert(folder / "odd.pem", key), folder / "odd.tbs", folder / "odd.pub", folder / "odd.sig"
    openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public)
    algorithm = der(0x30, oid(ECDSA_SHA256))
    usage = der(0x30, oid(EXTENDED_KEY_USAGE), der(0x04, der(0x30, oid(CLIENT_AUTH))))
    tbs.write_bytes(der(0x30, der(0xA0, b"\x02\x01\x02"), b"\x02\x01\x07", algorithm, name(named(O, "Planta"), named(CN, "Planta Device CA")),
                        der(0x30, moment(-1), moment(90)), name(*parts), public.read_bytes(), der(0xA3, der(0x30, usage))))
    openssl("dgst", "-sha256", "-sign", ca.key, "-out", signature, tbs)
    whole = der(0x30, tbs.read_bytes(), algorithm, der(0x03, b"\x00", signature.read_bytes()))
    made.pem.write_text("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(whole).decode() + "-----END CERTIFICATE-----\n")
    return made
