"""Mirroring experiments to wandb."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lpr.config.schema.base import Section


class Tracking(Section):
    """wandb; its key comes from the environment variable WANDB_API_KEY."""

    mode: Literal["offline", "online", "off"]
    project: str
    entity: str | None
    group: str | None
    images: Annotated[int, Field(ge=0, le=1000, description="sample images in the run")]
