"""Copying experiments to wandb."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Section


class Tracking(Section):
    """The copy of each experiment that wandb gets; the API key is the environment variable WANDB_API_KEY."""

    mode: Literal["offline", "online", "off"] = Field(
        description="offline: into the folder `wandb/`, which `wandb sync` sends; online: to the server; off: none; "
        "the environment variable WANDB_MODE goes before the first two"
    )
    project: str = Field(description="wandb project")
    entity: str | None = Field(description="wandb user or team; null: the account's default")
    group: str | None = Field(description="wandb group of the run; null: the sweep's or search's own, if it is in one")
    images: Annotated[int, Field(ge=0, le=1000)] = Field(description="number of sample images in the run; 0: none")
