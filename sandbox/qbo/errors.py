"""Business faults of the simulated QuickBooks Online v3 API.

Codes, messages and wording follow Intuit's public "Error codes" and "Handling common errors" pages and
real bodies quoted in public client-library issues. The bytes on the wire are made in ``wire``.
"""

from __future__ import annotations

from dataclasses import dataclass

MESSAGES: dict[str, str] = {
    "500": "Unsupported Operation",
    "600": "Duplicate Request ID",
    "610": "Object Not Found",
    "620": "Transaction cannot be linked",
    "1040": "Batch size exceeds allowed limit",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String",
    "2050": "Invalid String Length",
    "2060": "Invalid String Format",
    "2090": "Invalid Number",
    "2130": "Invalid Request Id Format",
    "2170": "Invalid Enumeration",
    "2180": "Invalid Date",
    "2210": "Invalid Email Address format",
    "2250": "Lines missing in the request",
    "2290": "Negative amount",
    "2500": "Invalid Reference Id",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "4002": "Error processing query",
    "5010": "Stale Object Error",
    "5020": "Permission Denied Error",
    "5030": "Feature Not Supported Error",
    "6000": "A business validation error has occurred while processing your request",
    "6010": "Invalid AccountType/AccountSubType",
    "6041": "Unsupported file type",
    "6070": "Amount calculation incorrect in the request",
    "6080": "No name provided",
    "6100": "Invalid line TaxCode",
    "6140": "Duplicate Document Number Error",
    "6170": "Invalid TxnTaxDetail",
    "6190": "Invalid Company Status",
    "6200": "Account Period Closed",
    "6210": "Account Period Closed, Provide Password",
    "6240": "Duplicate Name Exists Error",
    "6310": "Missing customer for billable expense",
    "6430": "Invalid account type used",
    "6440": "Transaction detail information required",
    "6540": "Deposited transaction cannot be changed",
    "10000": "An application error has occurred while processing your request",
}


# Codes whose Detail repeats the Message in front of the explanation.
_PREFIXED = ("610", "620", "2500", "5010", "6140")


@dataclass(frozen=True)
class Problem:
    """One entry of a fault: numeric code as text, the long explanation and the property it concerns."""

    code: str
    detail: str
    element: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "Message": MESSAGES.get(self.code, "Error"),
            "Detail": self.detail,
            "code": self.code,
            "element": self.element,
        }


class QboFault(Exception):
    """A request, or one item of a batch, that QuickBooks refuses. Nothing has been written."""

    def __init__(self, *problems: Problem, kind: str = "ValidationFault", status: int = 400) -> None:
        super().__init__("; ".join(f"{p.code} {p.detail}" for p in problems))
        self.problems = problems
        self.kind = kind
        self.status = status

    def as_json(self) -> dict[str, object]:
        """The ``Fault`` member of a JSON answer, upper-case keys."""
        return {"Error": [problem.as_json() for problem in self.problems], "type": self.kind}


def fault(code: str, detail: str, element: str = "", status: int = 400) -> QboFault:
    """One-problem fault. 500 and 10000 are system faults, the rest validation faults."""
    message = MESSAGES.get(code, "Error")
    text = f"{message} : {detail}" if code in _PREFIXED else detail
    kind = "SystemFault" if code in ("10000", "500") else "ValidationFault"
    return QboFault(Problem(code, text, element), kind=kind, status=status)


def business(detail: str, element: str = "") -> QboFault:
    """Code 6000, the free-text "business validation error"."""
    return fault("6000", f"Business Validation Error: {detail}", element)


def required(name: str) -> QboFault:
    """Code 2020 for an absent member."""
    problem = Problem("2020", f"Required parameter {name} is missing in the request", name)
    return QboFault(problem)


def too_long(name: str, limit: int, supplied: int, least: int = 0) -> QboFault:
    """Code 2050 with both limits and the length that was sent."""
    return fault(
        "2050",
        "String length is either shorter or longer than supported by specification. "
        f"Min:{least} Max:{limit} supplied:{supplied}",
        name,
    )


def not_found(kind: str, ident: str) -> QboFault:
    """Code 610, answered with HTTP 400 and not 404."""
    return fault(
        "610",
        "Something you're trying to use has been made inactive. Check the fields with accounts, customers, "
        f"items, vendors or employees. ({kind} {ident})",
    )


def bad_reference(kind: str, ident: object, why: str = "not found") -> QboFault:
    """Code 2500 for a Ref whose target is missing or inactive."""
    return fault("2500", f"{kind}s element id {ident} {why}", f"{kind}Ref")


def stale() -> QboFault:
    """Code 5010: the SyncToken is not the current one."""
    return fault(
        "5010",
        "You and Sandbox Admin were working on this at the same time. Sandbox Admin finished before you did, "
        "so your work was not saved.",
    )
