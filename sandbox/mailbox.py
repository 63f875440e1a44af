"""The mailbox: an SMTP server that keeps every mail, pages that show them, a JSON list for tests.

Addresses under `bounce.invalid` are refused with 550; the faults `mail_refused` (550) and `mail_deferred` (451)
refuse others, their `operation` being a pattern of the recipient's address.
"""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Blueprint, Response, abort, jsonify, render_template, request

from sandbox.autotask.views import moment_text
from sandbox.world import World

SPACE, KIND = "mail", "message"
MAIL_MAX = 30 * 1024 * 1024


class _Receiver:
    """Answers the SMTP commands of one session; runs in the mail server's own thread."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse one recipient."""
        address = address.lower()
        if address.endswith((".bounce.invalid", "@bounce.invalid")):
            return "550 5.1.1 No such user here"
        if self._world.faults.take("mail_refused", "mail", operation=address) is not None:
            return "550 5.7.1 The sandbox refuses this recipient because it was told to"
        if self._world.faults.take("mail_deferred", "mail", operation=address) is not None:
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the message as it came."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        keep(self._world, envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 OK kept"


def start_smtp(world: World, host: str, port: int) -> Controller:
    """Start the mail server in its own thread; the caller stops it with `.stop()`. Raises OSError: port in use."""
    controller = Controller(_Receiver(world), hostname=host, port=port, data_size_limit=MAIL_MAX)
    controller.start()
    world.smtp_port = port
    return controller


def keep(world: World, mail_from: str, recipients: list[str], raw: bytes) -> int:
    """Store one raw message and give its id."""
    id = world.store.next_id(SPACE, KIND)
    world.store.put(
        SPACE,
        KIND,
        id,
        {
            "id": id,
            "at": moment_text(world.clock.now()),
            "from": mail_from,
            "to": recipients,
            "raw": raw.decode("latin-1"),
        },
    )
    return id


def messages(world: World, to: str | None = None, since_id: int = 0) -> list[dict[str, Any]]:
    """The mails, oldest first, parsed: id, at, from, to, subject, date, text, html, attachments."""
    wanted = (to or "").lower()
    return [
        _parsed(row)
        for row in world.store.all(SPACE, KIND)
        if row["id"] > since_id and any(wanted in address for address in row["to"])
    ]


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    message = _message(row)
    return {
        "id": row["id"],
        "at": row["at"],
        "from": str(message.get("From", row["from"])),
        "envelope_to": row["to"],
        "to": row["to"],
        "subject": str(message.get("Subject", "")),
        "date": str(message.get("Date", "")),
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "headers": {name: str(value) for name, value in message.items()},
        "attachments": [
            {"filename": part.get_filename() or "", "content_type": part.get_content_type(), "text": _text(part)}
            for part in message.iter_attachments()
        ],
    }


def _message(row: dict[str, Any]) -> EmailMessage:
    message = email.message_from_bytes(row["raw"].encode("latin-1"), policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy gives EmailMessage")
    return message


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return _text(part) if isinstance(part, EmailMessage) else ""


def _text(part: Any) -> str:
    """The content of a part as text; what its character set cannot read becomes replacement characters."""
    raw = part.get_payload(decode=True) or b""
    charset = part.get_content_charset("utf-8")
    try:
        text = raw.decode(charset, "replace")
    except LookupError:
        text = raw.decode("utf-8", "replace")
    return str(text).removeprefix("\ufeff")


def _found(world: World, id: int) -> dict[str, Any]:
    row = world.store.get(SPACE, KIND, id)
    if row is None:
        abort(404)
    return row


def _download(world: World, id: int, place: int) -> Response:
    parts: Iterator[Any] = _message(_found(world, id)).iter_attachments()
    part = next((part for number, part in enumerate(parts) if number == place), None)
    if part is None:
        abort(404)
    data = part.get_payload(decode=True) or b""
    response = Response(data, mimetype=part.get_content_type())
    response.headers.set("Content-Disposition", "attachment", filename=part.get_filename() or f"part-{place}")
    return response


def blueprint(world: World) -> Blueprint:
    """`/mailbox`, one mail, its attachments, and `/mailbox/api/messages`."""
    bp = Blueprint("mailbox", __name__)

    @bp.get("/mailbox/api/messages")
    def api() -> Response:
        return jsonify(messages(world, request.args.get("to"), request.args.get("since_id", 0, type=int)))

    @bp.get("/mailbox/")
    def inbox() -> str:
        mails = sorted(messages(world, request.args.get("to")), key=lambda mail: -int(mail["id"]))
        return render_template("mail_list.html", mails=mails, to=request.args.get("to", ""))

    @bp.get("/mailbox/<int:id>")
    def mail(id: int) -> str:
        return render_template("mail_one.html", mail=_parsed(_found(world, id)))

    @bp.get("/mailbox/<int:id>/attachments/<int:place>")
    def attachment(id: int, place: int) -> Response:
        return _download(world, id, place)

    return bp
