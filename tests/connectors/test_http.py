"""The outbound session: what counts as never sent, what as a lost answer, and what never leaves at all."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.errors import NotAllowed, NotSent
from connectors.http import CallRecord, Http, LostAnswer, PlatformSession, Timeouts, read_again, retry_after_s

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each connection with the next bytes, then closes it. Gives the address and what was received."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        listener.close()
        thread.join(5)


def session(
    allowed: Callable[[str], bool] = lambda url: True, records: list[CallRecord] | None = None, step: float = 0.0
) -> PlatformSession:
    """A session whose clock moves on by `step` seconds at each look."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += step
        return now[0]

    listened = records if records is not None else []
    return Http(monotonic, timeouts=Timeouts(2, 2, 2), observe=listened.append).session("Books", allowed)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection_was_never_sent() -> None:
    with pytest.raises(NotSent):
        session().post(f"http://127.0.0.1:{free_port()}/", data=b"x")


def test_an_unknown_host_was_never_sent() -> None:
    with pytest.raises(NotSent):
        session().get("http://nobody.invalid/")


@contextmanager
def tls_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes connections and does with each what `answer` does. Gives its https address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # closed at the end
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.close()
        thread.join(5)


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(pem, *plain) + made.public_bytes(pem))
    return path


class Books:
    """An https server with that certificate. `received`: what it could read of requests. Without an `answer` it says
    something that is no TLS any more."""

    def __init__(self, certificate: Path, answer: bytes | None) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.answer, self.received = answer, list[bytes]()

    def __call__(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self.received.append(secured.recv(65536))
            if self.answer is None:
                os.write(secured.fileno(), b"neither TLS nor HTTP")
            else:
                secured.sendall(self.answer)


def test_a_certificate_that_nobody_vouches_for_means_never_sent(own_certificate: Path) -> None:
    books = Books(own_certificate, OK)
    with tls_server(books) as url, pytest.raises(NotSent, match="certificate of Books"):
        session().post(url, data=b"x")
    assert books.received == []


@pytest.mark.parametrize("breaks", [
    lambda connection: None,  # closed at once
    lambda connection: connection.recv(10),  # reset in the middle of what the client says
    lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),  # it speaks no TLS
    lambda connection: connection.recv(65536) and connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"),  # an alert
], ids=["closed", "reset", "plain", "alert"])  # fmt: skip
def test_a_handshake_that_breaks_means_never_sent(breaks: Callable[[socket.socket], object]) -> None:
    """Not one byte of a write leaves before TLS stands: it may go again at once, without a look-up."""
    with tls_server(breaks) as url, pytest.raises(NotSent):  # type: ignore[arg-type]
        session().post(url, data=b"x")


def test_a_handshake_that_never_ends_means_never_sent() -> None:
    over = threading.Event()
    try:
        with tls_server(lambda connection: over.wait(30) and None) as url, pytest.raises(NotSent, match="in time"):
            session().post(url, data=b"x")
    finally:
        over.set()


def test_tls_that_breaks_once_the_request_went_is_a_lost_answer(own_certificate: Path) -> None:
    """The same errors of TLS after the handshake: nobody knows."""
    books = Books(own_certificate, None)
    with tls_server(books) as url, pytest.raises(LostAnswer):
        trusting = session()
        trusting.verify = str(own_certificate)
        trusting.post(url, data=b"x")
    assert books.received


def test_a_server_whose_certificate_is_good_is_spoken_to(own_certificate: Path) -> None:
    with tls_server(Books(own_certificate, OK)) as url:
        trusting = session()
        trusting.verify = str(own_certificate)
        assert trusting.get(url).json() == {}


def test_a_connection_closed_without_an_answer_is_a_lost_answer() -> None:
    with server(b"") as (url, received), pytest.raises(LostAnswer):
        session().post(url, data=b"x")
    assert received


def test_an_answer_cut_off_in_the_middle_is_lost() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with server(cut) as (url, _), pytest.raises(LostAnswer):
        session().get(url)


def test_a_cut_off_chunked_answer_is_lost() -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"
    with server(cut) as (url, _), pytest.raises(LostAnswer):
        session().get(url)


def test_an_answer_that_never_ends_in_time_is_lost() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    with server(whole) as (url, _), pytest.raises(LostAnswer, match="too long to answer"):
        session(step=10.0).get(url)


def test_a_chunked_and_compressed_answer_is_read_whole() -> None:
    import gzip

    body = gzip.compress(b'{"a": 1}')
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    with server(head + chunked) as (url, _):
        answer = session().get(url)
    assert (answer.content, answer.json()) == (b'{"a": 1}', {"a": 1})


def test_a_redirect_is_never_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(moved) as (url, received):
        assert session().get(url).status_code == 302
    assert len(received) == 1


def test_nothing_leaves_for_a_foreign_host() -> None:
    with server(OK) as (url, received):
        with pytest.raises(NotAllowed):
            session(allowed=lambda asked: "books.example" in asked).get(url, headers={"Authorization": "Bearer x"})
        assert received == []


def test_a_netrc_file_never_replaces_our_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server(OK) as (url, received):
        session().get(url, headers={"Authorization": "Bearer ours"})
    assert b"Authorization: Bearer ours" in received[0]


def test_cookies_are_not_kept() -> None:
    with_cookie = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n")
    with server(with_cookie, OK) as (url, received):
        ours = session()
        ours.get(url)
        ours.get(url)
    assert b"Cookie:" not in received[1]


def test_a_finished_call_is_told_without_query_header_or_body() -> None:
    records: list[CallRecord] = []
    with server(OK) as (url, _):
        session(records=records).get(f"{url}/path?secret=1", headers={"Authorization": "Bearer secret"})
    [record] = records
    assert (record.platform, record.method, record.path, record.status) == ("Books", "GET", "/path", 200)
    assert "secret" not in repr(record)


def test_a_read_is_repeated_once_and_only_once() -> None:
    tries: list[int] = []

    def fails() -> None:
        tries.append(1)
        raise LostAnswer("gone")

    with pytest.raises(LostAnswer):
        read_again(fails)
    assert len(tries) == 2


def test_divided_timeouts_never_go_below_two_seconds() -> None:
    assert Timeouts().divided(10) == Timeouts(2.0, 3.0, 6.0)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", 60.0), ("soon", 60.0), ("nan", 60.0), ("0", 1.0), ("999999", 3600.0)]
)
def test_retry_after_is_read_within_bounds(header: str, seconds: float) -> None:
    assert retry_after_s({"Retry-After": header}, 60.0) == seconds


def test_a_place_in_flight_outlasts_every_call_and_no_dead_process_by_much() -> None:
    """What a killed worker never gives back returns by itself: marks go on within a minute, not later."""
    quick = Http(lambda: 0.0, timeouts=Timeouts(2, 3, 6)).session("Xero", lambda url: True)
    usual = Http(lambda: 0.0).session("Xero", lambda url: True)
    assert 5 + 30 < usual.over_after_s() < 60
    assert 5 + 60 < usual.over_after_s(bulk=True) < 120
    assert (quick.over_after_s(), quick.over_after_s(bulk=True)) == (7.5, 12.0)
