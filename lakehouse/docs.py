"""The documentation site: every table, feed, parameter and code list, made from declarations.

Plain HTML that opens from a folder, without a server, a script from elsewhere or a network.
Nothing here reads data: the site is the same on every machine.
"""

import inspect
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from lakehouse.conf import ROOT, method_parameters
from lakehouse.errors import DeclarationError
from lakehouse.graph import NODE_HEIGHT, NODE_WIDTH, Drawing, draw
from lakehouse.job import Job
from lakehouse.model import ModelSpec, model_names, model_spec
from lakehouse.reference import read_rows
from lakehouse.registry import Registry, registry
from lakehouse.schemas import codes
from lakehouse.table import LAYERS, RESTRICTED, CodeList, Column, Table

LAYER_MEANING = {
    "conf": "Numbers that policy sets, by area and validity, each with its source.",
    "vault": "Which surrogate stands for which identity. Restricted zone.",
    "bronze": "Deliveries as they came, every field as text. Restricted zone.",
    "silver": "Typed, coded, deduplicated, linked; people appear as tokens only.",
    "gold": "One answer per table, by area and date, with its evidence.",
}
WRITE_MEANING = {
    "replace": "a run replaces the partition",
    "merge": "merged by key; rows that a full register no longer has are closed",
    "append": "appended once per delivery",
    "history": "each run that changes a row closes it and opens another",
}
# What may stand beside the texts in docs/ and be shown in them.
PICTURES = (".png", ".svg", ".jpg")


def build(out: Path) -> list[Path]:
    """Write the site under `out` and return its pages, the index first. Needs no Spark session."""
    return Site(registry(), ROOT / "docs").write(out)


@dataclass(frozen=True)
class Parameter:
    """One parameter of one job, as conf/methods.toml sets it."""

    table: str
    name: str
    value: Any
    source: str


class Site:
    """All pages, from a registry and a folder of Markdown texts."""

    def __init__(self, known: Registry, texts: Path) -> None:
        self.known, self.texts = known, texts
        self.env = Environment(
            loader=PackageLoader("lakehouse", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.filters |= {"markdown": markdown, "bounds": bounds, "number": plain_number}
        self.env.globals |= {
            "site": self,
            "restricted": RESTRICTED,
            "layer_meaning": LAYER_MEANING,
            "node_size": (NODE_WIDTH, NODE_HEIGHT),
        }

    def write(self, out: Path) -> list[Path]:
        """Write every page and what pages need."""
        pages = [(out / place, html) for place, html in self.pages()]
        for path, html in pages:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(html, encoding="utf-8")
        shutil.copyfile(Path(__file__).parent / "templates" / "site.css", out / "site.css")
        for picture in self._pictures():
            copy = out / "text" / picture.relative_to(self.texts)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, copy)
        return [path for path, _ in pages]

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield the place of each page inside the site, and its HTML."""
        yield "index.html", self._render("index.html", 0, graph=self.graph)
        for name, table in self.known.tables.items():
            yield f"tables/{name}.html", self._render("table.html", 1, **self._about(name, table))
        for spec in self.models:
            about = {"model": spec, "parameters": self.parameters(f"model.{spec.name}")}
            yield f"models/{spec.name}.html", self._render("model.html", 1, **about)
        yield "parameters.html", self._render("parameters.html", 0, parameters=self.parameters())
        yield "codes.html", self._render("codes.html", 0, lists=code_lists(self.known))
        for place, path in self.text_files.items():
            text = path.read_text(encoding="utf-8")
            depth = place.count("/")
            body = markdown_page(text, path.relative_to(self.texts), set(self.text_files))
            yield place, self._render("text.html", depth, title=_title(text), body=body)

    def _render(self, template: str, depth: int, **about: Any) -> str:
        return self.env.get_template(template).render(up="../" * depth, **about)

    # -- what pages tell ------------------------------------------------------------------

    @cached_property
    def layers(self) -> dict[str, list[type[Table]]]:
        """Return the tables of each layer, in the order of the way of a datum, then by name."""
        by_name = sorted(self.known.listed.values(), key=lambda table: table.name)
        grouped = {layer: [t for t in by_name if t.layer == layer] for layer in LAYERS}
        return {layer: tables for layer, tables in grouped.items() if tables}

    @cached_property
    def graph(self) -> Drawing:
        """Return the drawing of what is made from what."""
        return draw({name: self.known.inputs(name) for name in self.known.listed})

    @cached_property
    def models(self) -> list[type[ModelSpec]]:
        """Return the declared models, by name."""
        return [model_spec(name) for name in model_names()]

    @cached_property
    def text_files(self) -> dict[str, Path]:
        """Return the Markdown texts by their place in the site."""
        return {
            f"text/{path.relative_to(self.texts).with_suffix('.html').as_posix()}": path
            for path in sorted(self.texts.rglob("*.md"))
        }

    @cached_property
    def text_titles(self) -> dict[str, str]:
        """Return the head of each text by its place in the site."""
        return {place: _title(path.read_text("utf-8")) for place, path in self.text_files.items()}

    def readers(self, name: str) -> list[str]:
        """Return the tables that are made from this one."""
        return sorted(one for one in self.known.listed if name in self.known.inputs(one))

    def history(self, name: str) -> str | None:
        """Return the history of a table, where it keeps one."""
        return next((one for one, of in self.known.histories.items() if of == name), None)

    def parameters(self, name: str | None = None) -> list[Parameter]:
        """Return the parameters of one job, or of all, by table and name."""
        given = method_parameters()
        return [
            Parameter(table, word, spec.get("value"), spec.get("source", ""))
            for table in sorted(given)
            if name in (None, table)
            for word, spec in sorted(given[table].items())
        ]

    def _about(self, name: str, table: type[Table]) -> dict[str, Any]:
        job = self.known.jobs.get(name)
        feed = self.known.feeds.get(name.split(".")[1]) if table.layer == "bronze" else None
        return {
            "table": table,
            "origin": self.known.origin(name),
            "history": self.history(name),
            "job": job,
            "job_doc": _doc_of(job),
            "inputs": _inputs(job),
            "readers": self.readers(name),
            "parameters": self.parameters(name),
            "feed": feed,
            "conditions": _conditions(table),
            "conf_rows": read_rows(table) if table.layer == "conf" else [],
            "write_meaning": WRITE_MEANING[table.write],
            "purpose_meaning": codes.PURPOSES.get(table.purpose, ""),
        }

    def _pictures(self) -> list[Path]:
        return [path for path in sorted(self.texts.rglob("*")) if path.suffix in PICTURES]


def code_lists(known: Registry) -> list[CodeList]:
    """Return every code list by name: those of the house, and those that mappings make."""
    found = {value.name: value for value in vars(codes).values() if isinstance(value, CodeList)}
    for table in known.tables.values():
        found |= {one.codes.name: one.codes for one in table.columns.values() if one.codes}
    return [found[name] for name in sorted(found)]


def bounds(column: Column) -> str:
    """Say which values a number may have."""
    least, most = plain_number(column.least), plain_number(column.most)
    if least and most:
        return f"{least} to {most}"
    return f"{least} or more" if least else f"{most} or less" if most else ""


def plain_number(value: object) -> str:
    """Write a number without a needless `.0`; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # A year or a code is no quantity: digits are grouped from five on.
    is_large = isinstance(value, int) and abs(value) >= 10_000
    return f"{value:,}" if is_large else str(value)


def markdown(text: str) -> Markup:
    """Render a docstring or a source; HTML inside is shown as text."""
    html = _parser().render(inspect.cleandoc(text))
    return Markup(html)  # nosec B704


def markdown_page(text: str, path: Path, places: set[str]) -> Markup:
    """Render one text of docs/. Links to texts become pages; others inside the house, plain."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        children = token.children or []
        for place, child in enumerate(children):
            if child.type == "link_open":
                target = _site_link(str(child.attrs.get("href", "")), path, places)
                if target is None:
                    child.hidden = True
                    _closing(children, place).hidden = True
                else:
                    child.attrs["href"] = target
    rendered = parser.renderer.render(tokens, parser.options, {})
    return Markup(rendered)  # nosec B704


def _parser() -> MarkdownIt:
    # Without `html` everything is escaped, so that its output is safe as Markup.
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _site_link(href: str, path: Path, places: set[str]) -> str | None:
    """Return where a link of a text leads within the site, or None where it leads out of it."""
    split = urlsplit(href)
    if split.scheme or href.startswith("#"):
        return href
    target = re.sub(r"\.md$", ".html", split.path)
    inside = Path("text", path.parent, target)
    if inside.as_posix() not in places:
        return None
    return target + (f"#{split.fragment}" if split.fragment else "")


def _closing(children: list[Any], opened: int) -> Any:
    return next(child for child in children[opened:] if child.type == "link_close")


def _title(text: str) -> str:
    head = re.search(r"^# (.+)$", text, re.MULTILINE)
    if head is None:
        raise DeclarationError(f"A text of docs/ has no head (# …): {text[:40]!r}.")
    return head[1].strip()


def _doc_of(job: Job | None) -> str:
    return inspect.getdoc(job.function) or "" if job else ""


def _inputs(job: Job | None) -> list[tuple[str, str, int]]:
    """Return (frame, table, days looked back) of each input of a job."""
    if job is None:
        return []
    return [(word, name, job.look_back.get(word, 0)) for word, name in job.input_names().items()]


def _conditions(table: type[Table]) -> dict[str, str]:
    """Return every condition that splits the table's rows, as quarantine names it."""
    from lakehouse.checks import conditions

    return conditions(table) if table.layer != "bronze" else {}
