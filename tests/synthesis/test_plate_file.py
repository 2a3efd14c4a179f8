"""Synthetic plates as a file."""

from pathlib import Path

from lpr.synthesis.plate_file import load_plates, save_plates


def test_an_empty_list_of_plates_is_saved_and_loaded(tmp_path: Path) -> None:
    save_plates([], tmp_path / "none.npz")
    assert load_plates(tmp_path / "none.npz") == []
