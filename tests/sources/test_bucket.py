"""An S3 store on loopback: complete deliveries are copied, once, and land as any other."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pyarrow.fs as pafs
import pytest
from moto.server import ThreadedMotoServer

from lakehouse.delivery import check_files
from lakehouse.errors import InputMissing
from lakehouse.feed import feed
from lakehouse.sources.bucket import copy_new
from lakehouse.sources.declared import Source
from tests.deliveries import GOOD, csv_bytes, deliver

PERIOD = "2015-12"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str) -> tuple[pafs.FileSystem, Source]:
    """An empty bucket, and how it is declared."""
    where = urlparse(store)
    asked = f"?endpoint_override={where.netloc}&scheme=http&region=us-east-1"
    files, _ = pafs.FileSystem.from_uri(
        f"s3://key:secret@police{asked}&allow_bucket_creation=true&allow_bucket_deletion=true"
    )
    if files.get_file_info("police").type == pafs.FileType.Directory:
        files.delete_dir("police")
    files.create_dir("police")
    return files, Source("police_store", "bucket", f"s3://key:secret@police/out{asked}")


def put(files: pafs.FileSystem, folder: Path, name: str, without: str = "") -> None:
    """Deliver a register, into the store."""
    made = deliver(folder, "person_register", PERIOD, csv_bytes(GOOD), name=name, rows=3)
    there = f"police/out/person_register/{PERIOD}/{name}"
    for file in made.iterdir():
        if file.name != without:
            with files.open_output_stream(f"{there}/{file.name}") as out:
                out.write(file.read_bytes())


def test_what_is_complete_comes_once(
    bucket: tuple[pafs.FileSystem, Source], tmp_path: Path
) -> None:
    files, source = bucket
    landing = tmp_path / "landing"
    put(files, tmp_path / "made", "d1")
    put(files, tmp_path / "made", "d2", without="_READY")
    [one] = copy_new(source, landing)
    assert one.delivery_id == f"person_register/{PERIOD}/d1"
    assert (one.source, len(check_files(one, feed("person_register")))) == ("police_store", 64)
    assert copy_new(source, landing) == []

    files.open_output_stream(f"police/out/person_register/{PERIOD}/d2/_READY").close()
    assert copy_new(source, landing, "2015-11") == []
    assert [one.name for one in copy_new(source, landing, PERIOD)] == ["d2"]


def test_what_died_half_way_is_copied_again(
    bucket: tuple[pafs.FileSystem, Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, source = bucket
    landing = tmp_path / "landing"
    put(files, tmp_path / "made", "d1")
    real = pafs.copy_files

    def dying(*told: object) -> None:
        if "data.csv" in str(told[0]):
            raise OSError("the connection is gone")
        real(*told)

    monkeypatch.setattr(pafs, "copy_files", dying)
    with pytest.raises(InputMissing, match=r"police_store: the store cannot be read .OSError"):
        copy_new(source, landing)
    assert not list(landing.rglob("_READY"))
    monkeypatch.setattr(pafs, "copy_files", real)
    [one] = copy_new(source, landing)
    check_files(one, feed("person_register"))


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    url = "s3://key:secret@police/out?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1"
    with pytest.raises(InputMissing, match="the store cannot be read") as told:
        copy_new(Source("police_store", "bucket", url), tmp_path)
    assert "secret" not in str(told.value)
