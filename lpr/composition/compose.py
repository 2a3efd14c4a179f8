"""Composing `conf/` and overrides into a checked configuration, by Hydra."""

from __future__ import annotations

import itertools
import re
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lpr.composition.checks import check
from lpr.config import CONF, Config
from lpr.config.messages import flatten, nearest
from lpr.errors import UserError

_COMPOSED = {
    "inputs": "data.sources",
    "weights": "train.init_weights and ocr.weights",
    "code": "the names in data.sources, detector, ocr and metrics",
}
"""Section → what it follows from."""
_GRAMMARS = "ocr.grammars"


@contextmanager
def _config_dir(conf: Path) -> Iterator[None]:
    """Hydra on that folder; also where Hydra is running already, such as at the end of a sweep."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = running


def compose(overrides: list[str], conf: Path = CONF, where: str | None = None) -> Config:
    """The configuration that `conf/` and Hydra overrides such as `train.epochs=5` make.

    Args:
        overrides: as on Hydra's command line.
        conf: the folder with `config.yaml`.
        where: the beginning of error messages; None: the folder and the overrides.

    Raises:
        UserError: an override names no key or option, or a value is of the wrong type or out of range.
    """
    return check(compose_values(overrides, conf), where or f"{conf}/ with {shlex.join(overrides) or 'no overrides'}")


def check_sweep(overrides: list[str], conf: Path = CONF) -> None:
    """Refuse overrides of a sweep, such as `optimizer=adam,sgd`, that no job can be composed with.

    Raises:
        UserError: they name no key or option, or cannot be read.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except OverrideParseException as error:
        raise UserError(_explain_hydra(error, overrides, conf)) from None
    values = [[*each.sweep_string_iterator()] if each.is_sweep_override() else [] for each in parsed]
    firsts = [
        f"{each.get_key_element()}={swept[0]}" if swept else override
        for each, swept, override in zip(parsed, values, overrides, strict=True)
    ]
    compose_values(firsts, conf)
    there = groups(conf)
    for each, swept in zip(parsed, values, strict=True):
        for option in swept if each.key_or_group in there else []:
            if option not in there[each.key_or_group]:
                raise UserError(_explain_option(each.key_or_group, option, "", overrides, conf))


def from_hydra(composed: Any) -> Config:
    """The checked configuration of a Hydra job, from its OmegaConf container."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    values = OmegaConf.to_container(composed, resolve=True)
    _check_overrides(list(HydraConfig.get().overrides.task), values)
    return check(values, "impossible configuration")


def choices(overrides: list[str], conf: Path = CONF) -> dict[str, str]:
    """Group → chosen option, for each group in `conf/`, under valid overrides."""
    from hydra import compose as hydra_compose

    with _config_dir(conf):
        composed = hydra_compose("config", overrides=overrides, return_hydra_config=True)
    return {group: option for group, option in composed.hydra.runtime.choices.items() if not group.startswith("hydra")}


def compose_values(overrides: list[str], conf: Path) -> dict[str, Any]:
    """What `conf/` and the overrides make, as plain containers, not yet checked against the schema.

    Raises:
        UserError: Hydra cannot compose them.
    """
    from hydra import compose as hydra_compose
    from hydra.errors import ConfigCompositionException, HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    import lpr.composition.hydra_plugins.resolvers  # noqa: F401  (registers what conf/ interpolates)

    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}/config.yaml is not in {Path.cwd()}: run lpr in the folder of the project")
    try:
        with _config_dir(conf):
            composed = hydra_compose("config", overrides=overrides)
            OmegaConf.resolve(composed)
    except (ConfigCompositionException, HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain_hydra(error, overrides, conf)) from None
    values = OmegaConf.to_container(composed)
    assert isinstance(values, dict)
    _check_overrides(overrides, values)
    return values  # type: ignore[return-value]


def _check_overrides(overrides: list[str], values: Any) -> None:
    """Refuse overrides that would have no effect.

    Experiments may name grammars of sources that other data do not have; a person who does so has mistyped a name.
    """
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if follows_from := _COMPOSED.get(key.partition(".")[0]):
            raise UserError(f"{override}: {key} is not to be set; it follows from {follows_from}")
        if key != _GRAMMARS and not key.startswith(f"{_GRAMMARS}."):
            continue
        known = [str(source.get("name")) for source in values["data"]["sources"]]
        set_here = key.removeprefix(f"{_GRAMMARS}.") if key != _GRAMMARS else value
        for name in values["ocr"].get("grammars") or {}:
            if name not in known and re.search(rf"(?<!\w){re.escape(str(name))}(?!\w)", set_here):
                near = "".join(f"; did you mean {one!r}?" for one in nearest(str(name), known))
                raise UserError(f"{override}: data.sources has no {name!r}; it has {', '.join(known)}{near}")


def groups(conf: Path = CONF) -> dict[str, list[str]]:
    """Group → its options, in alphabetical order; groups within groups, such as `tuner/space`, by their path.

    Not among them are the files `base`, which options build on, and Hydra's own group.
    """
    files = sorted(path.relative_to(conf) for path in conf.glob("*/**/*.yaml") if path.stem != "base")
    files = [file for file in files if file.parts[0] != "hydra"]
    folders = dict.fromkeys(file.parent.as_posix() for file in files)
    return {folder: [file.stem for file in files if file.parent.as_posix() == folder] for folder in folders}


def options(group: str, conf: Path = CONF) -> dict[str, dict[str, Any]]:
    """Option → its values, of a group without the rest of the configuration; interpolations are not resolved."""
    from hydra import compose as hydra_compose
    from omegaconf import OmegaConf

    values: dict[str, dict[str, Any]] = {}
    with _config_dir(conf), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an option, as if it were a whole configuration, has no _self_
        for option in groups(conf)[group]:
            composed: Any = OmegaConf.to_container(hydra_compose(f"{group}/{option}"))
            for part in group.split("/"):
                composed = composed[part]
            values[option] = composed
    return values


def files_of(overrides: list[str], conf: Path = CONF) -> list[tuple[Path, str]]:
    """The files that are composed, each with the key of the section that it is put into; later ones win."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    with _config_dir(conf):
        loader = GlobalHydra.instance().config_loader()
        listed = loader.compute_defaults_list("config", overrides, RunMode.RUN).defaults
    files = [(conf / f"{entry.config_path}.yaml", entry.package or "") for entry in listed]
    return [(file, section) for file, section in files if not section.startswith("hydra") and file.is_file()]


def purpose(file: Path) -> str:
    """What an option is for: the first paragraph of comments in its file, without the indented lines below it."""
    comments = itertools.takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    words = [line[1:] for line in comments if not line.startswith("# @package")]
    return " ".join(line.strip() for line in itertools.takewhile(lambda line: not line.startswith("   "), words))


def _explain_hydra(error: Exception, overrides: list[str], conf: Path) -> str:
    from hydra.errors import OverrideParseException

    message = str(error.__cause__ or error) if "In '" in str(error) else str(error)
    message = message.partition("\nTo append to your config")[0].partition("\nConfig search path")[0].strip()
    if not overrides:
        return f"{conf}/: {message}"
    if isinstance(error, OverrideParseException):
        return _explain_grammar(error.override, conf)
    if "Ambiguous value" in message:
        override = next((each for each in overrides if f"'{each}'" in message), overrides[0])
        key, _, value = override.partition("=")
        return (
            f"""{override}: values after commas are for `lpr experiment -m`; a list is '{key}=[{value}]', a text """
            f"""'{key}="{value}"', and decimals follow a point"""
        )
    if missing := re.search(r"Could not (?:find|load) '(.*)/([^/']*)'", message):
        return _explain_option(missing[1], missing[2], message, overrides, conf)
    if missing := re.search(r"Interpolation key '([^']+)' not found", message):
        part = missing[1].partition(".")[0]
        for override in overrides:
            if override.lstrip("~").partition("=")[0] == part:
                return f"{override}: {part} cannot be left out; see `lpr params --explain {part}`"
    known = [*flatten(compose_values([], conf)), *groups(conf)]
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0].partition("@")[0]
        if "must be a string or a list" in message and key in {*groups(conf), ""}:
            listed = f"one of {', '.join(groups(conf)[key])}" if key else "KEY=VALUE"
            keys = any(name.startswith(f"{key}.") for name in known)
            return f"{override}: must be {listed}" + (f"; its keys are set as {key}.KEY=VALUE" if keys else "")
        if f"Could not override '{key}'" in message and any(name.startswith(f"{key}.") for name in known):
            return f"{override}: {key} does not have this key yet; to add it, write ++{override}"
        if key and key in message and key not in known:
            near = "".join(f"; the nearest is {one!r}" for one in nearest(key, known))
            return f"{override}: there is no key {key!r}{near or '; docs/configuration.md lists all keys'}"
    return f"{shlex.join(overrides)}: {message}"


def _explain_grammar(override: str, conf: Path) -> str:
    """Why an override cannot be read by Hydra, and how it is to be written."""
    key, equals, value = override.partition("=")
    if not equals:
        return f"{override}: not of the form KEY=VALUE"
    if not re.fullmatch(r"[+~]*[A-Za-z_]\w*(?:[./@:][A-Za-z0-9_]+)*", key, re.ASCII):
        near = "".join(f"; did you mean {one!r}?" for one in nearest(key, flatten(compose_values([], conf))))
        return f"{override}: no key; keys are names with points between them, such as data.sources.0.name{near}"
    if value.startswith(("[", "{")):
        return (
            f"{override}: no list or mapping; these are written '{key}=[A, B]' and '{key}={{A: B}}', within quotes of "
            "the shell, with quotes of their own around texts with other characters than letters and digits"
        )
    return (
        f"{override}: Hydra cannot read this; a value with other characters than letters, digits and "
        f"""-_./+%:@?|$ has quotes of its own, within those of the shell: '{key}="{value}"'"""
    )


def _explain_option(group: str, option: str, message: str, overrides: list[str], conf: Path) -> str:
    """That a group has no such option, the nearest one, and all; those of Hydra's own groups are in its message."""
    there = groups(conf).get(group) or re.findall(r"(?m)^\t(.+)$", message)
    override = next((each for each in overrides if each.lstrip("+").startswith(f"{group}=")), shlex.join(overrides))
    near = "".join(f"; did you mean {one!r}? It" for one in nearest(option, there)) or "; it"
    return f"{override}: {group} has no option {option!r}{near} has {', '.join(there)}"
