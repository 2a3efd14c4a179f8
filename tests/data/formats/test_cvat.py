"""CVAT for images 1.1: shapes of all kinds, names without suffixes, and what another export is."""

from pathlib import Path

import pytest
from annotation_sources import corners, labels, obtained, source
from tool_exports import images

from lpr.config import Data
from lpr.data.sources import obtain
from lpr.errors import UserError


def write(folder: Path, *shapes: str, name: str = "a.jpg") -> Path:
    path = folder / "annotations.xml"
    image = f'<image id="0" name="{name}" width="200" height="100">{"".join(shapes)}</image>'
    path.write_text(f"<annotations><version>1.1</version>{image}</annotations>", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("shape", "box", "points"),
    [
        ('<box label="plate" xtl="20" ytl="10" xbr="60" ybr="30"/>', [20, 10, 60, 30], [[20, 10], [60, 30]]),
        (
            '<box label="plate" xtl="20" ytl="20" xbr="60" ybr="40" rotation="90.00"/>',
            [30, 10, 50, 50],
            [[50, 10], [50, 50], [30, 50], [30, 10]],
        ),
        (
            '<polygon label="plate" points="20.00,12.00;60.00,10.00;58.00,30.00;22.00,28.00"/>',
            [20, 10, 60, 30],
            [[20, 12], [60, 10], [58, 30], [22, 28]],
        ),
        ('<polygon label="plate" points="20,12;60,10;58,30"/>', [20, 10, 60, 30], [[20, 10], [60, 30]]),
        ('<mask label="plate" rle="1, 2" left="20" top="10" width="40" height="20"/>', [20, 10, 60, 30], None),
    ],
)
def test_shapes(tmp_path: Path, data: Data, shape: str, box: list[float], points: list[list[float]] | None) -> None:
    obtained(source("cvat", write(tmp_path, shape, '<tag label="night"/>')), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", box, "plate", "", False)]
    assert points in (None, corners(tmp_path / "out"))


def test_attributes_keep_their_letters(tmp_path: Path, data: Data) -> None:
    attributes = '<attribute name="plate_text">А111АА77</attribute><attribute name="quality">illegible</attribute>'
    box = f'<box label="номер" xtl="20" ytl="10" xbr="60" ybr="30">{attributes}</box>'
    obtained(source("cvat", write(tmp_path, box)), tmp_path / "out", data)
    assert labels(tmp_path / "out") == [("a.jpg", [20, 10, 60, 30], "номер", "А111АА77", True)]


def test_frames_of_a_video_have_names_without_suffixes(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"frame_000000.png": (200, 100)})
    found = obtained(source("cvat", write(tmp_path, name="frame_000000")), tmp_path / "out", data)
    assert found.plates["url"].tolist() == ["frame_000000.png"]


def test_bad_shapes_leave_the_good_ones(tmp_path: Path, data: Data) -> None:
    good = '<box label="plate" xtl="20" ytl="10" xbr="60" ybr="30"/>'
    wrong = [
        '<box label="plate" xtl="20" ytl="10" xbr="60"/>',
        '<ellipse label="plate" cx="20" cy="10" rx="6" ry="3"/>',
        '<polygon label="plate" points=""/>',
        '<polygon label="plate" points="1,2;3;4,5;6,x"/>',
        '<polyline label="lane" points="1,2;3,4"/>',
    ]
    found = obtained(source("cvat", write(tmp_path, good, *wrong)), tmp_path / "out", data)
    assert (found.counts["plates"], found.other_labels) == (1, {"lane": 1})
    words = ["y is nan", "a ellipse, which is neither", "0 points where", "x is nan"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def track(number: int, *shapes: str, label: str = "plate", **more: str) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<track id="{number}" label="{label}" source="manual"{attributes}>{"".join(shapes)}</track>'


def tracked(frame: int | str, left: float, outside: int = 0, keyframe: int = 1, text: str = "") -> str:
    box = f'xtl="{left:.2f}" ytl="10.00" xbr="{left + 40:.2f}" ybr="30.00"'
    flags = f'keyframe="{keyframe}" outside="{outside}" occluded="0"'
    return f'<box frame="{frame}" {flags} {box} z_order="0"><attribute name="text">{text}</attribute></box>'


def write_video(folder: Path, *tracks: str) -> Path:
    """As CVAT for video 1.1 exports a task of 100 frames."""
    size = "<original_size><width>200</width><height>100</height></original_size>"
    meta = f"<meta><task><size>100</size><mode>interpolation</mode>{size}</task></meta>"
    path = folder / "annotations.xml"
    path.write_text(f"<annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>", encoding="utf-8")
    return path


def test_tracks_are_boxes_on_the_frames_of_a_video(
    tmp_path: Path, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interpolated boxes count; those outside do not, and leave an image without plates where there are no others."""
    images(tmp_path / "images", {f"frame_{frame:06d}.PNG": (200, 100) for frame in (0, 5, 10, 12)})
    plate = track(
        0,
        tracked(0, 20, text="KA05"),
        tracked(5, 30, keyframe=0, text="KA05"),
        tracked(10, 40, text="KA05"),
        tracked(12, 40, outside=1, text="KA05"),
    )
    path = write_video(tmp_path, plate, track(1, tracked(5, 100), label="car"))
    found = obtained(source("auto", path), tmp_path / "out", data)
    assert found.rejects.empty
    assert labels(tmp_path / "out") == [
        ("frame_000000.PNG", [20, 10, 60, 30], "plate", "KA05", False),
        ("frame_000005.PNG", [30, 10, 70, 30], "plate", "KA05", False),
        ("frame_000005.PNG", [100, 10, 140, 30], "car", "", False),
        ("frame_000010.PNG", [40, 10, 80, 30], "plate", "KA05", False),
        ("frame_000012.PNG", [], "no_plate", "", False),
    ]
    assert "4 of 100 frames of the video have shapes; others are not used" in capsys.readouterr().out


def test_a_bad_shape_of_a_track_leaves_the_good_ones(tmp_path: Path, data: Data) -> None:
    path = write_video(tmp_path, track(0, tracked(0, 20), tracked(1, 190), tracked("x", 20)))
    found = obtained(source("cvat", path), tmp_path / "out", data)
    assert found.counts["plates"] == 1
    words = ["outside the image", "1 shapes of the frame 'x', no number"]
    assert all(word in reason for word, reason in zip(words, found.rejects["reason"], strict=True))


def test_tracks_of_several_tasks_and_broken_xml_are_refused(tmp_path: Path, data: Data) -> None:
    path = write_video(tmp_path, track(0, tracked(0, 20), task_id="3"), track(1, tracked(0, 20), task_id="4"))
    with pytest.raises(UserError, match="tracks of several tasks, whose frames have the same names"):
        obtain(source("cvat", path), tmp_path / "out", data)
    (tmp_path / "a.xml").write_text("<annotations><image>")
    with pytest.raises(UserError, match=r"a\.xml: no XML: no element found"):
        obtain(source("cvat", tmp_path / "a.xml"), tmp_path / "out", data)
    (tmp_path / "a.xml").write_text("<annotations><version>1.1</version></annotations>")
    with pytest.raises(UserError, match=r"has <image>s or <track>s in <annotations>"):
        obtain(source("cvat", tmp_path / "a.xml"), tmp_path / "out", data)


def test_a_projects_images_lie_in_folders_of_their_subsets(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "images", {"train/a.jpg": (200, 100), "val/a.jpg": (200, 100)})
    shape = '<box label="plate" xtl="{}" ytl="10" xbr="60" ybr="30"/>'
    content = "".join(
        f'<image id="{x}" name="a.jpg" subset="{subset}" width="200" height="100">{shape.format(x)}</image>'
        for x, subset in ((20, "train"), (30, "val"))
    )
    path = tmp_path / "annotations.xml"
    path.write_text(f"<annotations><version>1.1</version>{content}</annotations>", encoding="utf-8")
    found = obtained(source("cvat", path), tmp_path / "out", data)
    assert found.plates[["url", "top_x"]].to_numpy().tolist() == [["train/a.jpg", 20], ["val/a.jpg", 30]]
