"""A profile whose stores lie in a temporary folder."""

from collections.abc import Iterator

import pytest

from lakehouse.conf import Settings, settings


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("BANGFU_PROFILE", "local")
        yield settings()
