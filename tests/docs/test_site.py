"""The documentation site: complete, whole in itself, and safe to read. No Spark session."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lakehouse.conf import ROOT, method_parameters
from lakehouse.docs import build, markdown, markdown_page, plain_number
from lakehouse.graph import NODE_WIDTH, depths, draw
from lakehouse.model import model_names, model_spec
from lakehouse.registry import registry


class Page(HTMLParser):
    """What a page links to, which ids it has, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.ids, self.text = path, [], set(), ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append((tag, value))
            if name == "id" and value:
                self.ids.add(value)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    pages = build(tmp_path_factory.mktemp("site"))
    return {path: Page(path) for path in pages}


@pytest.fixture(scope="module")
def root(site: dict[Path, Page]) -> Path:
    return next(path.parent for path in site if path.name == "index.html")


def test_every_table_has_a_page_that_names_every_column(site, root):
    for name, table in registry().tables.items():
        text = site[root / "tables" / f"{name}.html"].text
        assert [column for column in table.columns if column not in text] == []
        assert table.owner in text and table.purpose in text


def test_every_link_inside_the_site_resolves(site):
    for page in site.values():
        for tag, link in page.links:
            split = urlsplit(link)
            if split.scheme:
                # Only a reader's click leads out; nothing is loaded from elsewhere.
                assert tag == "a", f"{page.path.name} loads {link}"
                continue
            target = (page.path.parent / unquote(split.path)).resolve() if split.path else page.path
            assert target.is_file(), f"{page.path.name} links to {link}"
            if split.fragment and target in site:
                assert unquote(split.fragment) in site[target].ids, f"{page.path.name}: {link}"


def test_every_parameter_and_conf_row_is_shown_with_its_source(site, root):
    told = site[root / "parameters.html"].text
    for table, parameters in method_parameters().items():
        page = root / "tables" / f"{table}.html"
        for name, spec in parameters.items():
            assert name in told and spec["source"] in told
            if page in site:
                assert spec["source"] in site[page].text
    assert "360docs.net/doc/0026506379" in site[root / "tables" / "conf.income_line.html"].text


def test_every_model_has_a_card_with_its_columns_and_limits(site, root):
    assert model_names()
    for name in model_names():
        spec = model_spec(name)
        text = site[root / "models" / f"{name}.html"].text
        assert [column for column in spec.columns if column not in text] == []
        assert spec.limits in text and spec.use in text


def test_every_feed_shows_its_heads(site, root):
    for feed in registry().feeds.values():
        text = site[root / "tables" / f"{feed.table.name}.html"].text
        assert [h for field in feed.fields.values() for h in field.head if h not in text] == []


def test_no_page_holds_a_path_of_this_machine(site):
    for page in site.values():
        html = page.path.read_text(encoding="utf-8")
        assert str(ROOT) not in html and str(Path.home()) + "/" not in html, page.path.name


def test_html_in_a_text_is_shown_and_not_run():
    assert "<script>" not in markdown("a <script>alert(1)</script>\n\n<b>x</b>")


def test_links_out_of_the_texts_become_plain_words():
    html = markdown_page(
        "[a](b.md#c) [x](../conf/y.toml) [w](https://w.org)", Path("t.md"), {"text/b.html"}
    )
    assert html == '<p><a href="b.html#c">a</a> x <a href="https://w.org">w</a></p>\n'


def test_what_is_made_stands_right_of_what_it_is_made_from():
    inputs = {"bronze.a": [], "silver.b": ["bronze.a"], "silver.c": ["silver.b"], "conf.d": [],
              "gold.e": ["silver.c", "conf.d"], "gold.scored": []}  # fmt: skip
    drawing = draw(inputs)
    assert depths(inputs)["gold.e"] == 3
    for name, sources in inputs.items():
        for source in sources:
            assert drawing.nodes[source].x + NODE_WIDTH < drawing.nodes[name].x
            assert (source, name) in drawing.edges
    corners = {(node.x, node.y) for node in drawing.nodes.values()}
    assert len(corners) == len(inputs)
    assert draw(dict(reversed(inputs.items()))) == drawing


def test_numbers_are_written_as_read():
    assert [plain_number(value) for value in (None, 2855.0, 2015, -1_000_000.0, 0.05, "x")] == [
        "", "2855", "2015", "-1,000,000", "0.05", "x"]  # fmt: skip
