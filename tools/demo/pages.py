"""Read a page as a person does: its title, headings, notes, links and forms. Standard library only.

Here: HTML in, plain values out. Not here: fetching and submitting (walker.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNSEEN = {"script", "style", "template", "svg", "head"}


@dataclass
class Node:
    """One element and what stands in it."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This element and every element in it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def find(self, *tags: str) -> Iterator[Node]:
        return (node for node in self.walk() if node.tag in tags)

    def text(self) -> str:
        """The words a reader sees, with single blanks between them."""
        return " ".join(" ".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in UNSEEN:
                yield from child._words()


@dataclass
class Control:
    """One field of a form. options: (value, label) of a select, or of all radios that share the name."""

    name: str
    kind: str
    value: str = ""
    label: str = ""
    ticked: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Button:
    label: str
    name: str = ""
    value: str = ""
    action: str | None = None


@dataclass
class Form:
    """One form: where it goes, its fields and its submit buttons, in document order."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


@dataclass
class Page:
    """What a page says and offers."""

    title: str
    headings: list[str]
    notes: list[str]
    links: list[tuple[str, str]]
    forms: list[Form]
    text: str


def read(html: str) -> Page:
    """Parse a page; unknown or broken markup is read as far as it goes."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    root = builder.root
    return Page(
        title=next((node.text() for node in root.find("title")), ""),
        headings=[node.text() for node in root.find("h1", "h2")],
        notes=[node.text() for node in root.walk() if node.attrs.get("role") in {"alert", "status"}],
        links=[(node.text(), node.attrs["href"]) for node in root.find("a") if "href" in node.attrs],
        forms=[_form(node, root) for node in root.find("form")],
        text=root.text(),
    )


class _Builder(HTMLParser):
    """Build a tree of nodes; a closing tag closes everything still open inside its element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#page")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self.open) - 1, 0, -1):
            if self.open[index].tag == tag:
                del self.open[index:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def _form(node: Node, root: Node) -> Form:
    """Fields inside the form, and those elsewhere that name it with their `form` attribute."""
    form = Form(node.attrs.get("action", ""), node.attrs.get("method", "get").lower())
    own = node.attrs.get("id")
    inside = [each for each in node.walk() if each.attrs.get("form", own) == own]
    outside = [each for each in root.walk() if own and each.attrs.get("form") == own and each not in inside]
    labels = _labels(root)
    for each in [*inside, *outside]:
        if each.tag == "button" and each.attrs.get("type", "submit") == "submit":
            form.buttons.append(_button(each, each.text()))
        elif each.tag == "input" and each.attrs.get("type", "text").lower() in {"submit", "image"}:
            form.buttons.append(_button(each, each.attrs.get("value", "")))
        elif each.tag in {"input", "select", "textarea"} and _is_sent(each):
            _add_control(form, each, labels.get(id(each), ""))
    return form


def _is_sent(node: Node) -> bool:
    return bool(node.attrs.get("name")) and "disabled" not in node.attrs


def _button(node: Node, label: str) -> Button:
    label = label or node.attrs.get("aria-label", "")
    return Button(label, node.attrs.get("name", ""), node.attrs.get("value", ""), node.attrs.get("formaction"))


def _add_control(form: Form, node: Node, label: str) -> None:
    name, value = node.attrs["name"], node.attrs.get("value", "")
    kind = node.tag if node.tag != "input" else node.attrs.get("type", "text").lower()
    if kind == "radio":
        group = next((c for c in form.controls if c.kind == "radio" and c.name == name), None)
        if group is None:
            group = Control(name, "radio")
            form.controls.append(group)
        group.options.append((value, label))
        if "checked" in node.attrs:
            group.value, group.ticked = value, True
        return
    control = Control(name, kind, value, label, ticked="checked" in node.attrs)
    if kind == "textarea":
        control.value = "".join(child for child in node.children if isinstance(child, str)).strip()
    elif kind == "select":
        _read_options(control, node)
    elif kind == "checkbox" and "value" not in node.attrs:
        control.value = "on"
    form.controls.append(control)


def _read_options(control: Control, node: Node) -> None:
    chosen = None
    for option in node.find("option"):
        label = option.text()
        value = option.attrs.get("value", label)
        control.options.append((value, label))
        if "selected" in option.attrs:
            chosen = value
    first = control.options[0][0] if control.options else ""
    control.value = first if chosen is None else chosen


def _labels(root: Node) -> dict[int, str]:
    """The label text of each field, by the identity of its node: `for`, enclosing, or aria-label."""
    by_id = {node.attrs["id"]: node for node in root.walk() if node.attrs.get("id")}
    found: dict[int, str] = {}
    for label in root.find("label"):
        targets = list(label.find("input", "select", "textarea"))
        if label.attrs.get("for") in by_id:
            targets.append(by_id[label.attrs["for"]])
        for target in targets:
            found.setdefault(id(target), label.text())
    for node in root.find("input", "select", "textarea"):
        if node.attrs.get("aria-label"):
            found.setdefault(id(node), node.attrs["aria-label"])
    return found
