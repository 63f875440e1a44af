"""What every simulated ledger hands to customers: a document as a PDF, and the mail it goes out with."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

from sandbox.mailbox import keep

SENDER = "books@sandbox.invalid"


def mail(world: Any, to: str, subject: str, text: str) -> None:
    """The customer's mail goes into the sandbox's mailbox, from the books: that is what was really sent."""
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    keep(world, SENDER, [to], message.as_bytes())


def one_page(lines: list[str]) -> bytes:
    """A PDF of one page with these lines of text. No library: the format's bare minimum."""
    shown = [re.sub(r"([\\()])", r"\\\1", line).encode("latin-1", "replace") for line in lines]
    text = b"BT /F1 11 Tf 14 TL 50 790 Td " + b" ".join(b"(" + line + b") Tj T*" for line in shown) + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(body))
    )
