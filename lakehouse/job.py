"""`@job` binds a pure function of DataFrames to the table it makes and those it reads."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from lakehouse.conf import method_parameters
from lakehouse.errors import DeclarationError, nearest
from lakehouse.table import Table

Function = TypeVar("Function", bound=Callable[..., Any])
Input = type[Table] | str

# What the runner itself hands to a job that asks for it by name.
FROM_THE_RUN = ("as_of", "zone", "model")


@dataclass(frozen=True)
class Job:
    """One transformation: function, output, inputs by parameter name.

    `loads` names the input whose rows become the output's rows one for one; the runner then
    holds rows read against rows written. `look_back` gives, by input, how many days before the
    as-of date are read; inputs not named there are read as they stand on that date. `redo_days`
    is how many days before the as-of date a run makes again, for tables partitioned by day.
    `model` names the model whose champion scores; the function takes it as `model`, a Scorer.
    """

    output: type[Table]
    inputs: dict[str, Input]
    function: Callable[..., Any] = field(repr=False)
    parameters: tuple[str, ...] = ()
    loads: str | None = None
    look_back: dict[str, int] = field(default_factory=dict)
    redo_days: int = 0
    model: str | None = None

    @property
    def name(self) -> str:
        return self.output.name

    @property
    def kind(self) -> str:
        """Return by which identity its rows are accounted for: loaded or derived."""
        return "loaded" if self.loads else "derived"

    def input_names(self) -> dict[str, str]:
        """Return parameter name -> full table name."""
        return {
            word: table if isinstance(table, str) else table.name
            for word, table in self.inputs.items()
        }

    def parameter_values(self) -> dict[str, Any]:
        """Return the parameters set in conf/methods.toml, without those of the run."""
        wanted = [word for word in self.parameters if word not in FROM_THE_RUN]
        given = method_parameters().get(self.name, {})
        for word in given:
            if word not in wanted:
                raise DeclarationError(
                    f"conf/methods.toml sets {word!r} for {self.name}, which has no such "
                    f"parameter.{nearest(word, wanted)}"
                )
        for word in wanted:
            if "source" not in given.get(word, {}):
                raise DeclarationError(
                    f"conf/methods.toml has no [{self.name!r}.{word}] with a value and a source."
                )
        return {word: given[word]["value"] for word in wanted}

    def code_version(self) -> str:
        """Return a hash of what decides the rows: code, methods it calls, parameters, output."""
        text = [
            _module_source(self.function),
            repr(sorted(self.parameter_values().items())),
            repr(self.output.columns),
            repr(self.output.rules),
            repr((self.output.key, self.output.partition, self.output.write)),
            repr((self.look_back, self.redo_days)),
        ]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]


def _module_source(function: Callable[..., Any]) -> str:
    """Return the source of a job's module and of the methods that it imports."""
    module = inspect.getmodule(function)
    return source_of(module) if module else inspect.getsource(function)


def source_of(*modules: ModuleType) -> str:
    """Return the source of modules and of all methods that they lean on, by name."""
    found: dict[str, ModuleType] = {}
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module.__name__ in found:
            continue
        found[module.__name__] = module
        used = (inspect.getmodule(value) for value in vars(module).values())
        todo += [one for one in used if one and one.__name__.startswith("jobs.methods")]
    return "\n".join(inspect.getsource(source) for _, source in sorted(found.items()))


JOBS: dict[str, Job] = {}


def job(
    output: type[Table],
    *,
    loads: str | None = None,
    look_back: dict[str, int] | None = None,
    redo_days: int = 0,
    model: str | None = None,
    **inputs: Input,
) -> Callable[[Function], Function]:
    """Declare a function as the job that makes `output` from `inputs`.

    Frames are the function's positional parameters, under the names given here; settings are
    keyword-only. Raises DeclarationError where the two disagree, on import.
    """

    def bind(function: Function) -> Function:
        signature = inspect.signature(function).parameters.values()
        frames = [p.name for p in signature if p.kind is p.POSITIONAL_OR_KEYWORD]
        settings = tuple(p.name for p in signature if p.kind is p.KEYWORD_ONLY)
        if sorted(frames) != sorted(inputs):
            raise DeclarationError(
                f"The job of {output.name} takes the frames {frames}, but declares {list(inputs)}."
            )
        if ("model" in settings) != (model is not None):
            raise DeclarationError(
                f"The job of {output.name} names a model and takes the setting `model`, or neither."
            )
        for word in [loads] if loads else []:
            if word not in inputs:
                raise DeclarationError(f"The job of {output.name} loads {word!r}, no input of it.")
        for word in look_back or {}:
            if word not in inputs:
                raise DeclarationError(
                    f"The job of {output.name} looks back in {word!r}, no input of it."
                )
        if output.name in JOBS and JOBS[output.name].function.__module__ != function.__module__:
            raise DeclarationError(f"{output.name} has two jobs.")
        JOBS[output.name] = Job(
            output, dict(inputs), function, settings, loads, dict(look_back or {}), redo_days, model
        )
        function.job = JOBS[output.name]  # type: ignore[attr-defined]
        return function

    return bind
