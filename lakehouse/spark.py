"""The one Spark session of a process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.conf import Settings, cache_dir, conf_dir, settings
from lakehouse.errors import InputMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DELTA = "io.delta:delta-spark_4.2_2.13:4.4.0"
# Spark ships these itself; resolving them again would cost 70 MB and some conflicts.
NOT_NEEDED = ("org.apache.hadoop", "org.apache.logging.log4j", "org.slf4j", "org.apache.parquet")
# HotSpot would leave methods of more than 8000 bytes to its interpreter. Spark compiles a loop over
# rows that types, links and checks a wide table into one larger than that.
COMPILE_ALL = "-XX:-DontCompileHugeMethods"

JAVA_HELP = (
    "Java 17 is needed and was not found. Debian or Ubuntu: `apt-get install "
    "openjdk-17-jre-headless`; macOS: `brew install openjdk@17`; else from adoptium.net. "
    "Then set JAVA_HOME to it, or put its bin folder on PATH."
)


def java_version() -> int | None:
    """Return the major version of the Java that Spark will start, or None."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else shutil.which("java")
    if not java or not Path(java).exists():
        return None
    said = subprocess.run([str(java), "-version"], capture_output=True, text=True).stderr
    digits = said.split('"')[1].split(".") if '"' in said else ["0"]
    return int(digits[1] if digits[0] == "1" else digits[0])


def require_java() -> None:
    """Raise InputMissing with a plain word on how to get Java 17 where it is missing."""
    version = java_version()
    if version is None:
        raise InputMissing(JAVA_HELP)
    if version < 17:
        raise InputMissing(f"Java {version} is too old. {JAVA_HELP}")


def jars_dir() -> Path:
    return cache_dir() / "jars" / DELTA.split(":")[-1]


def jars() -> list[Path]:
    """Return the Delta jars, resolved by Spark from Maven coordinates on first use only."""
    done = jars_dir() / "_COMPLETE"
    if not done.exists():
        resolve_jars(jars_dir())
        done.touch()
    return sorted(jars_dir().glob("*.jar"))


def resolve_jars(target: Path) -> None:
    """Have Spark's own resolver fetch the Delta jars into `target`.

    It runs in a process of its own, so that no session of ours carries a resolver's settings.
    """
    require_java()
    target.mkdir(parents=True, exist_ok=True)
    ivy = target.parent / "ivy"
    script = (
        "from pyspark.sql import SparkSession as S;"
        f"S.builder.master('local[1]').config('spark.jars.packages','{DELTA}')"
        f".config('spark.jars.ivy',{str(ivy)!r}).config('spark.ui.enabled','false')"
        ".config('spark.jars.excludes','"
        + ",".join(
            f"{group}:{name}"
            for group, name in (
                ("org.apache.hadoop", "hadoop-client-api"),
                ("org.apache.hadoop", "hadoop-client-runtime"),
                ("org.apache.parquet", "parquet-hadoop"),
                ("org.apache.parquet", "parquet-column"),
            )
        )
        + "').getOrCreate().stop()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    found = [
        jar
        for jar in (ivy / "jars").glob("*.jar")
        if not jar.name.startswith(NOT_NEEDED) and "jackson" not in jar.name
    ]
    if done.returncode != 0 or not any("delta-spark" in jar.name for jar in found):
        tail = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise InputMissing(
            f"The Delta jars ({DELTA}) could not be fetched from Maven Central. Is the network "
            f"there? Behind a proxy set JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=…\n{tail}"
        )
    for jar in found:
        shutil.copy2(jar, target / jar.name)
    shutil.rmtree(ivy, ignore_errors=True)


def spark_options(conf: Settings, **more: Any) -> dict[str, str]:
    """Return every Spark setting of this profile and `more`, jars included."""
    options = {key: str(value) for key, value in (conf.sections["spark"] | more).items()}
    if options.get("master", "").startswith("local"):
        options.setdefault("spark.sql.warehouse.dir", str(conf.home / "warehouse"))
        options.setdefault("spark.local.dir", str(conf.home / "tmp"))
    log = f"-Dlog4j2.configurationFile=file:{conf_dir() / 'log4j2.properties'}"
    for process, own in (("driver", log), ("executor", "")):
        java = f"spark.{process}.extraJavaOptions"
        options[java] = f"{COMPILE_ALL} {options.get(java, '')} {own}".strip()
    options["spark.jars"] = ",".join(str(jar) for jar in jars())
    return options


def session(conf: Settings | None = None, **more: Any) -> "SparkSession":
    """Return the process's session, started by the profile's settings if there is none."""
    require_java()
    # UDF workers would otherwise take whichever Python is first on PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    conf = conf or settings()
    options = spark_options(conf, **more)
    if options["master"].startswith("local"):
        # Executors of a cluster must reach the driver; a local session is nobody else's.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName("bangfu").master(options.pop("master"))
    for key, value in options.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    return spark
