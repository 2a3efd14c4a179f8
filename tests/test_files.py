"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from lpr.files import replaced


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_link_is_replaced_and_what_it_links_to_stays(tmp_path: Path, link: object) -> None:
    cached, table = tmp_path / "cache/ab12", tmp_path / "data/table.csv"
    cached.parent.mkdir()
    table.parent.mkdir()
    cached.write_text("old")
    link(table, cached)  # type: ignore[operator]
    with replaced(table) as unfinished:
        unfinished.write_text("new")
    assert (table.read_text(), cached.read_text()) == ("new", "old")
    assert list(table.parent.iterdir()) == [table]


def test_after_an_error_the_file_is_as_it_was_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    file = tmp_path / "made/table.csv"

    def break_off() -> None:
        with replaced(file) as unfinished:
            unfinished.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    assert list(file.parent.iterdir()) == []


def test_an_error_of_the_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as error, replaced(tmp_path / "table.csv"):
        Path("/dev/full").write_text("too much")
    assert error.value.filename == str(tmp_path / "table.csv")
