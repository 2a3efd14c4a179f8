"""The style of all figures, and how they are created and saved.

Figures use the Agg canvas, without pyplot's global state: equal figures have equal bytes.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from lpr.files import replaced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe & Ito (2008), distinguishable by colour-blind people.
LINE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
INK = "#33373d"  # of texts and axes
_DPI = 120


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this width and height in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")


def tidy(panel: Axes) -> None:
    """Give the axes a light grid, and spines at the left and the bottom only."""
    panel.grid(color="#d9dce1", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(colors=INK, labelsize=9)
    panel.xaxis.label.set_color(INK)
    panel.yaxis.label.set_color(INK)
    for side, spine in panel.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#9aa0a8")


def plain(text: str) -> str:
    """The text with `$` escaped, which would start a formula of matplotlib."""
    return text.replace("$", r"\$")


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG, without date or version."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with replaced(path) as unfinished, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a plate's text in a script that it lacks
        FigureCanvasAgg(figure).print_png(unfinished, metadata={"Software": None})
