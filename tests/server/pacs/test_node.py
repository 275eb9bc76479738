"""The node: who may hand in, what becomes of it, and when a study is whole."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from pydicom import dcmread

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.server.pacs.destination import Destination, Tls
from cardiotrace.server.pacs.keeper import NodeKeeper
from cardiotrace.server.pacs.node import Node
from cardiotrace.server.pacs.remote import archive_at
from cardiotrace.server.pacs.settings import READY, RECEIVING, NodeSettings, Peer
from cardiotrace.server.store.folder import DataFolder
from tests.fake.dicom_exam import write_stack, write_ultrasound
from tests.server.databases import sqlite_at


@pytest.fixture
def node(tmp_path):
    made = []

    def start(**changes):
        settings = NodeSettings(port=0, quiet_s=0.3, **changes)
        whole, came = [], threading.Event()

        def take(folder):
            whole.append(folder)
            came.set()

        running = Node(settings, tmp_path / "node", take)
        made.append(running)
        return running.start(), whole, came

    yield start
    for running in made:
        running.stop()


def sender(port, own="SCANNER", title="CARDIOTRACE"):
    return archive_at(Destination(name="node", host="127.0.0.1", port=port, ae_title=title, own_ae_title=own))


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_study_is_handed_over_when_it_is_whole_byte_for_byte(tmp_path, node):
    write_stack(tmp_path / "mr")
    sent = files_below(tmp_path / "mr")
    port, whole, came = node()
    sender(port).echo()
    sender(port).send(sent)
    assert came.wait(20)
    assert [folder.parent.name for folder in whole] == [READY]
    taken = {dcmread(path).SOPInstanceUID: dcmread(path) for path in files_below(whole[0])}
    expected = {dcmread(path).SOPInstanceUID: dcmread(path) for path in sent}
    assert taken == expected


def test_what_comes_later_of_a_study_is_a_folder_of_its_own(tmp_path, node):
    write_stack(tmp_path / "mr")
    first, *rest = files_below(tmp_path / "mr")
    port, whole, came = node()
    sender(port).send([first])
    assert came.wait(20)
    came.clear()
    sender(port).send(rest)
    assert came.wait(20)
    assert [len(files_below(folder)) for folder in whole] == [1, len(rest)]


def test_two_studies_of_one_connection_are_two(tmp_path, node):
    write_stack(tmp_path / "in/mr")
    write_ultrasound(tmp_path / "in/us")
    port, whole, _ = node()
    sender(port).send(files_below(tmp_path / "in"))
    end = time.monotonic() + 20
    while len(whole) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(whole) == 2


@pytest.mark.parametrize("wrong", [{"own": "STRANGER"}, {"title": "ANOTHER"}], ids=["caller", "called"])
def test_titles_are_checked(node, wrong):
    port, _, _ = node(peers=(Peer(ae_title="SCANNER"),))
    sender(port).echo()
    with pytest.raises(WorkError, match="does not want to speak"):
        sender(port, **wrong).echo()


def test_a_peer_has_an_address(node):
    port, _, _ = node(peers=(Peer(ae_title="SCANNER", host="192.0.2.1"),))
    with pytest.raises(WorkError):
        sender(port).echo()


def test_what_a_killed_node_had_received_is_handed_over_by_the_next(tmp_path, node):
    left = tmp_path / "node" / RECEIVING / ("0" * 32)
    left.mkdir(parents=True)
    (left / "a.dcm").write_bytes(b"a")
    _, whole, came = node()
    assert came.wait(20)
    assert (whole[0] / "a.dcm").read_bytes() == b"a"


def test_what_comes_later_of_a_study_that_was_taken_in_is_taken_in_as_well(tmp_path):
    database = sqlite_at(tmp_path)
    data = DataFolder(tmp_path / "kept").make()
    keeper = NodeKeeper(
        SimpleNamespace(database=database, data=data, jobs=SimpleNamespace(wake=lambda: None)), NodeSettings(port=0)
    )
    jobs = []
    for content in (b"first", b"second"):  # of one study, an hour apart
        left = keeper.folder / RECEIVING / "study-0"
        left.mkdir(parents=True)
        (left / "a.dcm").write_bytes(content)
        came = threading.Event()
        running = Node(
            NodeSettings(port=0, quiet_s=0.1),
            keeper.folder,
            lambda folder, came=came: (jobs.append(keeper.take(folder)), came.set()),
        )
        running.start()
        try:
            assert came.wait(60)
        finally:
            running.stop()
    assert len(set(jobs)) == 2
    assert list((keeper.folder / READY).iterdir()) == []
    assert sorted(path.read_bytes() for path in files_below(data.uploads)) == [b"first", b"second"]
    database.close()


def test_a_port_that_is_taken_is_said(tmp_path, node):
    port, _, _ = node()
    with pytest.raises(WorkError, match="cannot listen"):
        Node(NodeSettings(port=port), tmp_path / "other").start()


def by_tls(port, tls):
    return Destination(
        name="node", host="127.0.0.1", port=port, ae_title="CARDIOTRACE", own_ae_title="SCANNER", tls=tls
    )


def test_by_tls_only_who_is_trusted_hands_in(tmp_path, node, certificate):
    write_ultrasound(tmp_path / "us")
    cert, key = certificate
    port, _, came = node(certificate=cert, key=key, trusted=cert)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as clear:
        clear.sendall(b"\x01\x00\x00\x00\x00\x04abcd")
        with suppress(ConnectionResetError):
            assert clear.recv(100)[:1] not in (b"\x02", b"\x03"), "messages in the clear are answered"
    nobody = ssl.create_default_context(cafile=cert)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate"),
        nobody.wrap_socket(plain, server_hostname="127.0.0.1") as secret,
    ):
        secret.recv(100)
    trusted = archive_at(by_tls(port, Tls(certificates=cert, own_certificate=cert, own_key=key)))
    trusted.echo()
    trusted.send(files_below(tmp_path / "us"))
    assert came.wait(20)


def test_who_is_silent_keeps_nobody_out(monkeypatch, node, certificate):
    monkeypatch.setattr("cardiotrace.server.pacs.node._HANDSHAKE_S", 0.5)
    cert, key = certificate
    port, *_ = node(certificate=cert, key=key)
    with socket.create_connection(("127.0.0.1", port)):
        archive_at(by_tls(port, Tls(certificates=cert))).echo()


def test_a_certificate_of_the_node_that_is_none_is_one_line(tmp_path, node):
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(InputError, match="certificate or key cannot be used"):
        node(certificate=tmp_path / "bad.pem", key=tmp_path / "bad.pem")
