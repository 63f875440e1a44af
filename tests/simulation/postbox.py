"""The simulated mail server: it speaks SMTP to the real `smtplib` over a wire that breaks, and keeps what it took."""

from __future__ import annotations

import re
import smtplib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from tests.simulation.faults import Faults
from tests.simulation.kernel import START, Kernel


@dataclass(frozen=True)
class Taken:
    """A mail that the server took, for good."""

    recipient: str
    raw: bytes
    skew_s: float
    """How far the clock of the process that composed it is off."""

    @cached_property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @cached_property
    def row_id(self) -> int:
        """The row of the outbox, as the Message-ID begins."""
        return int(str(self.message["Message-ID"]).strip("<>").split(".")[0])

    @cached_property
    def kind(self) -> str:
        """As its link to get no more of these says."""
        found = re.search(r"[?]kind=(\w+)", str(self.message["List-Unsubscribe"]))
        assert found is not None
        return found.group(1)

    @cached_property
    def composed_s(self) -> float:
        """The virtual second in which it was composed; its date has no fractions."""
        made: datetime = self.message["Date"].datetime
        return (made - START).total_seconds() - self.skew_s

    @cached_property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @cached_property
    def csv(self) -> str:
        """The attachment, empty where there is none."""
        parts = [each.get_payload(decode=True) for each in self.message.iter_attachments()]
        return "".join(part.decode("utf-8-sig") for part in parts if isinstance(part, bytes))


@dataclass
class Postbox:
    kernel: Kernel
    faults: Faults
    away_until: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Addresses that were refused for good once, in lower case."""

    def connect(self, host: str, port: int, timeout: float) -> smtplib.SMTP:
        """In place of `smtplib.SMTP`."""
        return _Connection(self, host, port, timeout)


class _Connection(smtplib.SMTP):
    """The real client, whose socket is a wire to the postbox."""

    def __init__(self, postbox: Postbox, host: str, port: int, timeout: float) -> None:
        self._postbox = postbox
        super().__init__(host, port, local_hostname="bookbridge.invalid", timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> Wire:
        self._postbox.kernel.sleep(0.05, "connects to the mail server")
        if self._postbox.kernel.now_s < self._postbox.away_until:
            raise ConnectionRefusedError("the mail server is away")
        return Wire(self._postbox)


class Wire:
    """One connection: what `smtplib` asks of a socket and of the file that it reads from it."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox, self._faults = postbox, postbox.faults
        self._replies: deque[bytes] = deque([b"220 postbox\r\n"])
        self._recipient = ""
        self._data = False

    def makefile(self, _mode: str) -> Wire:
        return self

    def close(self) -> None:
        self._replies.clear()

    def readline(self, _size: int) -> bytes:
        """Empty where the other side is gone."""
        if not self._replies or not self._replies[0].startswith(b"250-"):
            self._postbox.kernel.sleep(self._faults.rng.choice((0.02, 0.1, 0.5)), "mail server answers")
        return self._replies.popleft() if self._replies else b""

    def sendall(self, sent: bytes) -> None:
        """Raises ConnectionResetError where the wire breaks before the bytes are over."""
        if self._postbox.kernel.current.process.dead:
            return  # what is unwound is not sent
        if self._data:
            self._data = False
            self._message(sent)
            return
        command = sent.split(None, 1)[0].upper()
        if command == b"EHLO":
            self._replies += (b"250-postbox\r\n", b"250 8BITMIME\r\n")
        elif command == b"RCPT":
            self._to(sent.partition(b"<")[2].partition(b">")[0].decode())
        elif command == b"DATA":
            self._data = True
            self._replies.append(b"354 go on\r\n")
        elif command == b"QUIT":
            late = self._faults.happens("mail_quit_refused")
            self._replies.append(b"421 too busy to say goodbye\r\n" if late else b"221 bye\r\n")
        else:
            self._replies.append(b"250 fine\r\n")

    def _to(self, address: str) -> None:
        self._recipient = address
        if self._faults.happens("mail_refused"):
            self._postbox.refused.add(address.lower())
            self._replies.append(b"550 no such mailbox\r\n")
        elif self._faults.happens("mail_refused_for_now"):
            self._replies.append(b"451 come back later\r\n")
        else:
            self._replies.append(b"250 fine\r\n")

    def _message(self, sent: bytes) -> None:
        kernel = self._postbox.kernel
        if self._faults.happens("mail_lost"):
            kernel.note(f"MAIL to {self._recipient}: the wire broke before the server had it")
            if self._faults.rng.random() < 0.5:
                raise ConnectionResetError("the wire broke")
            return
        assert sent.endswith(b"\r\n.\r\n")
        raw = re.sub(rb"(?m)^\.\.", b".", sent[:-3])
        self._postbox.taken.append(Taken(self._recipient, raw, kernel.current.process.skew_s))
        kernel.note(f"MAIL to {self._recipient} taken")
        if self._faults.happens("mail_answer_lost"):
            kernel.note(f"MAIL to {self._recipient}: the answer is lost")
        else:
            self._replies.append(b"250 taken\r\n")
