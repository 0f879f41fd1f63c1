"""The targets of the Makefile: a phony name without a recipe would end well and do nothing."""

import re
from collections import Counter

from lakehouse.conf import ROOT


def test_each_phony_target_has_one_recipe():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    recipes = Counter(re.findall(r"^([a-z-]+):.*##.*\n\t", text, re.MULTILINE))
    # `setup` only asks for the environment.
    assert recipes == Counter(name for name in phony.split() if name != "setup")


def test_what_ci_makes_is_a_target():
    made = re.findall(r"\bmake ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert made and all(re.search(rf"^{name}:", text, re.MULTILINE) for name in made)
