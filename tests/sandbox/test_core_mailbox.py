"""The mailbox: mails arrive by SMTP and are read as page, download and JSON; refusals on request."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import requests

from sandbox.mailbox import start_smtp
from sandbox.world import World
from tools.waiting import free_port


@pytest.fixture
def smtp(sandbox_world: World) -> Iterator[int]:
    controller = start_smtp(sandbox_world, "127.0.0.1", free_port())
    yield int(controller.port)
    controller.stop()


def report(to: str, subject: str = "Invoice report") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bookbridge@example.invalid", to, subject
    message.set_content("1 posted, 2 £")
    message.add_alternative("<script>alert(1)</script><b>1 posted</b>", subtype="html")
    message.add_attachment(
        "\ufeffStatus,Reason\nFault,§\n".encode(), maintype="text", subtype="csv", filename="report.csv"
    )
    return message


def send(port: int, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.send_message(message)


def test_a_mail_is_listed_shown_and_downloaded(sandbox: str, smtp: int) -> None:
    send(smtp, report("books@example.invalid"))
    send(smtp, report("other@example.invalid", "Second"))
    mails = requests.get(f"{sandbox}/mailbox/api/messages", params={"to": "BOOKS@"}, timeout=5).json()
    assert [(mail["subject"], mail["text"].strip()) for mail in mails] == [("Invoice report", "1 posted, 2 £")]
    assert mails[0]["attachments"] == [
        {"filename": "report.csv", "content_type": "text/csv", "text": "Status,Reason\nFault,§\n"}
    ]
    later = requests.get(f"{sandbox}/mailbox/api/messages", params={"since_id": mails[0]["id"]}, timeout=5).json()
    assert [mail["subject"] for mail in later] == ["Second"]
    listed = requests.get(f"{sandbox}/mailbox", timeout=5).text
    assert listed.index("Second") < listed.index("Invoice report")
    page = requests.get(f"{sandbox}/mailbox/{mails[0]['id']}", timeout=5).text
    assert "<iframe sandbox" in page and "<script>alert" not in page
    file = requests.get(f"{sandbox}/mailbox/{mails[0]['id']}/attachments/0", timeout=5)
    assert file.content.startswith(b"\xef\xbb\xbfStatus") and "report.csv" in file.headers["Content-Disposition"]


def test_recipients_are_refused_on_request(sandbox: str, sandbox_world: World, smtp: int) -> None:
    sandbox_world.faults.plan("mail_deferred", "mail", operation="*@slow.invalid")
    for address, code in (("gone@team.bounce.invalid", 550), ("a@slow.invalid", 451)):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(smtp, report(address))
        assert refused.value.recipients[address][0] == code
    send(smtp, report("a@slow.invalid"))
    assert len(requests.get(f"{sandbox}/mailbox/api/messages", timeout=5).json()) == 1


def test_an_unknown_mail_is_a_404(sandbox: str) -> None:
    assert requests.get(f"{sandbox}/mailbox/99", timeout=5).status_code == 404
