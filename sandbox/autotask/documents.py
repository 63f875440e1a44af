"""The printed copy of an invoice: PDF and markup endpoints.

The envelope of the real answers is not confirmed; this is the one clients in production read.
"""

import base64
import html
from collections.abc import Callable
from typing import Any

from sandbox.autotask import answers
from sandbox.autotask.entities import INVOICES
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import Row, View

_MARKED = ("invoiceNumber", "invoiceDateTime", "dueDate", "invoiceTotal", "totalTaxValue", "orderNumber")


def _invoice(tenant: Tenant, id: int) -> tuple[Row, list[Row], str]:
    invoice = tenant.row("Invoices", id)
    if invoice is None:
        raise answers.errors("No matching records found.")
    company = tenant.row("Companies", invoice.get("companyID")) or {}
    shown = View(tenant, INVOICES).item(invoice)
    return shown, tenant.rows("BillingItems", invoiceID=id), company.get("companyName", "(no company)")


def _lines(tenant: Tenant, id: int) -> list[str]:
    invoice, items, company = _invoice(tenant, id)
    head = [f"Invoice {invoice['invoiceNumber'] or id}", f"Bill to: {company}", f"Date: {invoice['invoiceDateTime']}"]
    body = [
        f"{item.get('quantity', '')} x {item.get('rate', '')}  {item.get('itemName', '')}  "
        f"{item.get('extendedPrice', '')}"
        for item in items
    ]
    return [*head, *body, f"Tax: {invoice['totalTaxValue']}", f"Total: {invoice['invoiceTotal']}"]


def pdf(tenant: Tenant, id: int) -> dict[str, Any]:
    """The copy as a PDF, base64 in the item envelope."""
    data = small_pdf(_lines(tenant, id))
    return {
        "item": {
            "id": id,
            "contentType": "application/pdf",
            "fileName": f"Invoice-{id}.pdf",
            "fileSize": len(data),
            "data": base64.b64encode(data).decode(),
        }
    }


def markup_html(tenant: Tenant, id: int) -> dict[str, Any]:
    """The copy as HTML."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in _lines(tenant, id))
    return {"invoiceMarkup": f"<html><body>{lines}</body></html>"}


def markup_xml(tenant: Tenant, id: int) -> dict[str, Any]:
    """The head of the invoice as XML."""
    invoice, _, company = _invoice(tenant, id)
    values = {"company": company, **{name: invoice[name] for name in _MARKED}}
    inner = "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in values.items())
    return {"invoiceMarkup": f"<invoice>{inner}</invoice>"}


def small_pdf(lines: list[str]) -> bytes:
    """A valid one-page PDF with these lines of text; what does not fit on the page is left off."""
    text = " ".join(f"({_escaped(line)}) Tj T*" for line in lines[:52])
    stream = f"BT /F1 10 Tf 14 TL 50 790 Td {text} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


ACTIONS: dict[str, Callable[[Tenant, int], dict[str, Any]]] = {
    "invoicepdf": pdf,
    "invoicemarkuphtml": markup_html,
    "invoicemarkupxml": markup_xml,
}
