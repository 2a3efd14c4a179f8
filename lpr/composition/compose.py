"""From `conf/` and overrides to a checked configuration, by Hydra."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from lpr.composition.checks import check
from lpr.config import CONF, Config
from lpr.config.messages import flatten, nearest
from lpr.errors import UserError


def compose(overrides: list[str], conf: Path = CONF, where: str | None = None) -> Config:
    """The configuration that `conf/` and Hydra overrides such as `train.epochs=5` make; `where`: its name in errors.

    Raises:
        UserError: an override names no key or option, or a value is of the wrong type or out of range.
    """
    return check(compose_values(overrides, conf), where or f"{conf}/ with {shlex.join(overrides) or 'no overrides'}")


def from_hydra(composed: Any) -> Config:
    """The checked configuration of a Hydra job."""
    from omegaconf import OmegaConf

    return check(OmegaConf.to_container(composed, resolve=True), "impossible configuration")


def choices(overrides: list[str], conf: Path = CONF) -> dict[str, str]:
    """Group → option, for each group in `conf/`, as these valid overrides make it."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
        composed = hydra_compose("config", overrides=overrides, return_hydra_config=True)
    return {group: option for group, option in composed.hydra.runtime.choices.items() if not group.startswith("hydra")}


def compose_values(overrides: list[str], conf: Path) -> dict[str, Any]:
    """What `conf/` and the overrides make, as plain containers that nothing has checked yet."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import ConfigCompositionException, HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    import lpr.composition.hydra_plugins.resolvers  # noqa: F401  (registers what conf/ interpolates)

    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}/config.yaml is not in {Path.cwd()}: run lpr in the folder of the project")
    try:
        with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
            composed = hydra_compose("config", overrides=overrides)
            OmegaConf.resolve(composed)
    except (ConfigCompositionException, HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain_hydra(error, overrides, conf)) from None
    values = OmegaConf.to_container(composed)
    assert isinstance(values, dict)
    return values  # type: ignore[return-value]


def _explain_hydra(error: Exception, overrides: list[str], conf: Path) -> str:
    message = str(error.__cause__ or error) if "In '" in str(error) else str(error)
    message = message.partition("\nTo append to your config")[0].partition("\nConfig search path")[0]
    if not overrides:
        return f"{conf}/: {message.strip()}"
    known = list(flatten(compose_values([], conf))) + [path.name for path in conf.iterdir() if path.is_dir()]
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0].partition("@")[0]
        if f"Could not override '{key}'" in message and any(name.startswith(f"{key}.") for name in known):
            return f"{override}: names a key that {key} has not yet; to add it, write ++{override}"
        if key and key in message and key not in known and (near := nearest(key, known)):
            return f"{override}: there is no key {key!r}; the nearest is {near[0]!r}"
    return f"{shlex.join(overrides)}: {message.strip()}"
