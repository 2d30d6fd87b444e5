"""Revoked certificates: lists (CRLs) of files, folders and web addresses, made by the openssl command. Attack 5."""
import http.server
import json
import shutil
import subprocess
import threading
import time

import pytest

import mqtt
from daemon import until
from pki import serial
from plant import ADMIN, EDGE1, EDGE2, SCADA, SENSOR, payloads, seen, watcher

FAR = range(1 << 100, (1 << 100) + 100_000)  # serial numbers of nobody


@pytest.fixture
def start(make_broker, suite, pki):
    """start(**keys): a broker whose "revocation" trusts the device CA and holds those keys, and has an empty list in crl.pem."""
    def begin(alerts=False, empty=True, runs=True, **keys):
        broker = make_broker(suite, start=False)
        folder = broker.policies / "pki"
        folder.mkdir()
        shutil.copy(pki.ca.pem, folder / "ca.pem")
        broker.crl = folder / "crl.pem"
        if empty:
            pki.crl(broker.crl)
        revocation = {"ca_files": ["pki/ca.pem"], "crl_files": ["pki/crl.pem"], **keys}
        broker.edit("cert_auth.json", lambda file: file.update(revocation=revocation))
        return broker.start() if runs else broker
    return begin


def revoked(why="keyCompromise, says pki/crl.pem"):
    return f'.*its certificate has been revoked: ."2025-01-01T00:00:00Z, {why}'


# Before the log-in

def test_attack_5_revoked_before_login(start, pki):
    broker = start()
    pki.crl(broker.crl, revoked=[pki.client("edge-linea2")])
    broker.wait_log("CRL pki/crl.pem taken: 1 revoked", timeout=30)
    assert broker.connect(EDGE1).is_alive()
    broker.refused(EDGE2, why=".*cert_auth: its certificate has been revoked")
