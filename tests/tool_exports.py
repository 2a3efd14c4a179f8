"""The same two images as labelling tools export them: a small export a format, in the layout of the tool.

`car.jpg`, 200 × 100, has a plate KA05, a plate to be ignored where the format can say so, and a box around the car;
`street.jpg`, 300 × 150, has no plate.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from PIL import Image

SIZES = {"car.jpg": (200, 100), "street.jpg": (300, 150)}
PLATE, IGNORED, CAR = (20.0, 10.0, 60.0, 30.0), (100.0, 50.0, 140.0, 70.0), (10.0, 5.0, 190.0, 95.0)


def images(folder: Path, names: dict[str, tuple[int, int]] = SIZES) -> None:
    for name, size in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(folder / name)


def dump(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def size_of_box(box: tuple[float, ...]) -> list[float]:
    """Left, top, width, height."""
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def coco(folder: Path) -> Path:
    """As CVAT exports a task: annotations/instances_default.json and images/default/."""
    images(folder / "images" / "default")
    common = {"segmentation": [], "iscrowd": 0}
    return dump(
        folder / "annotations" / "instances_default.json",
        {
            "licenses": [{"name": "", "id": 0, "url": ""}],
            "info": {"version": "", "year": ""},
            "categories": [{"id": 1, "name": "plate", "supercategory": ""}, {"id": 2, "name": "car"}],
            "images": [
                {"id": number, "file_name": name, "width": width, "height": height, "license": 0}
                for number, (name, (width, height)) in enumerate(SIZES.items(), start=1)
            ],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "bbox": size_of_box(PLATE), **common}
                | {"attributes": {"occluded": False, "text": "KA05"}},
                {"id": 2, "image_id": 1, "category_id": 1, "bbox": size_of_box(IGNORED), **common, "iscrowd": 1},
                {"id": 3, "image_id": 1, "category_id": 2, "bbox": size_of_box(CAR), **common},
            ],
        },
    )


def voc_object(name: str, box: tuple[float, ...], more: str = "", difficult: int = 0) -> str:
    corners = "".join(
        f"<{key}>{value:g}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return (
        f"<object><name>{name}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox>{more}</object>"
    )


def voc_file(name: str, size: tuple[float, float], *objects: str) -> str:
    return (
        f"<annotation><folder>images</folder><filename>{name}</filename><path>C:\\Users\\me\\images\\{name}</path>"
        f"<source><database>Unknown</database></source><size><width>{size[0]}</width><height>{size[1]}</height>"
        f"<depth>3</depth></size><segmented>0</segmented>{''.join(objects)}</annotation>"
    )


def voc(folder: Path) -> Path:
    """As the data sets of Pascal VOC: Annotations/ and JPEGImages/."""
    images(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    objects = [
        voc_object(
            "plate", PLATE, "<attributes><attribute><name>text</name><value>KA05</value></attribute></attributes>"
        ),
        voc_object("plate", IGNORED, difficult=1),
        voc_object("car", CAR),
    ]
    (folder / "Annotations" / "car.xml").write_text(voc_file("car.jpg", SIZES["car.jpg"], *objects))
    (folder / "Annotations" / "street.xml").write_text(voc_file("street.jpg", SIZES["street.jpg"]))
    return folder / "Annotations"


def yolo_line(index: int, box: tuple[float, ...], size: tuple[int, int] = SIZES["car.jpg"]) -> str:
    left, top, right, bottom = box
    centre = (left + right) / 2 / size[0], (top + bottom) / 2 / size[1]
    return f"{index} {centre[0]:.6f} {centre[1]:.6f} {(right - left) / size[0]:.6f} {(bottom - top) / size[1]:.6f}\n"


def yolo(folder: Path) -> Path:
    """As Roboflow exports for Ultralytics: train/images/ and train/labels/, which data.yaml calls ../train/images."""
    images(folder / "train" / "images")
    labels = folder / "train" / "labels"
    labels.mkdir()
    (labels / "car.txt").write_text(yolo_line(1, PLATE) + yolo_line(0, CAR))
    (labels / "street.txt").write_text("")
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['car', 'License_Plate']\n"
    )
    (folder / "README.dataset.txt").write_text("plates > 2024-01-01\nhttps://universe.roboflow.com/plates\n")
    return folder / "data.yaml"


def label_studio_region(identity: str, box: tuple[float, ...], label: str, **more: Any) -> dict[str, Any]:
    left, top, width, height = size_of_box(box)
    value = {"x": left / 2, "y": top, "width": width / 2, "height": height, "rotation": 0}  # per cent of 200 × 100
    size = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    value |= {"rectanglelabels": [label]} | more
    region = {"id": identity, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "origin": "manual"}
    return {**size, "value": value, **region}


def label_studio(folder: Path) -> Path:
    """As Label Studio exports JSON of uploaded images; these lie as its other exports name them."""
    images(folder / "images", {f"0a1b2c3d-{name}": size for name, size in SIZES.items()})
    plate = label_studio_region("a", PLATE, "Plate")
    box = {key: plate["value"][key] for key in ("x", "y", "width", "height", "rotation")}
    text = {**plate, "from_name": "text", "type": "textarea", "value": {**box, "text": ["KA05"]}}
    ignored = label_studio_region("b", IGNORED, "Plate")
    choice = {**ignored, "from_name": "quality", "type": "choices", "value": {**box, "choices": ["unreadable"]}}
    regions = [plate, text, ignored, choice, label_studio_region("c", CAR, "Car")]
    street = {"id": "d", "from_name": "weather", "to_name": "image", "type": "choices", "value": {"choices": ["rain"]}}
    street |= {"original_width": 300, "original_height": 150}
    tasks = [
        {
            "id": number,
            "annotations": [{"id": number, "was_cancelled": False, "ground_truth": False, "result": result}],
            "file_upload": f"0a1b2c3d-{name}",
            "drafts": [],
            "predictions": [],
            "data": {"image": f"/data/upload/1/0a1b2c3d-{name}"},
            "meta": {},
            "project": 1,
        }
        for number, (name, result) in enumerate({"car.jpg": regions, "street.jpg": [street]}.items(), start=1)
    ]
    return dump(folder / "project-1-at-2024-01-01.json", tasks)


def cvat(folder: Path) -> Path:
    """As CVAT for images 1.1 exports a task with its images."""
    images(folder / "images")

    def box(label: str, corners: tuple[float, ...], attributes: str = "") -> str:
        sides = " ".join(
            f'{key}="{value:.2f}"' for key, value in zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)
        )
        return f'<box label="{label}" source="manual" occluded="0" {sides} z_order="0">{attributes}</box>'

    text = '<attribute name="text">KA05</attribute><attribute name="difficult">false</attribute>'
    flag = '<attribute name="text"></attribute><attribute name="difficult">true</attribute>'
    boxes = box("plate", PLATE, text) + box("plate", IGNORED, flag) + box("car", CAR)
    (folder / "annotations.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task/></meta>'
        f'<image id="0" name="car.jpg" width="200" height="100">{boxes}</image>'
        '<image id="1" name="street.jpg" width="300" height="150"></image></annotations>'
    )
    return folder / "annotations.xml"


def labelme_file(name: str, size: tuple[int, int], *shapes: dict[str, Any]) -> dict[str, Any]:
    common = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": name, "imageData": None}
    return {**common, "imageHeight": size[1], "imageWidth": size[0]}


def labelme_shape(label: str, box: tuple[float, ...], text: str = "", **flags: bool) -> dict[str, Any]:
    shape = {"label": label, "points": [[*box[:2]], [*box[2:]]], "group_id": None, "description": text}
    return {**shape, "shape_type": "rectangle", "flags": flags, "mask": None}


def labelme(folder: Path) -> Path:
    """As LabelMe writes beside the images."""
    images(folder)
    shapes = [labelme_shape("plate", PLATE, "KA05"), labelme_shape("plate", IGNORED, blurred=True)]
    dump(folder / "car.json", labelme_file("car.jpg", SIZES["car.jpg"], *shapes, labelme_shape("car", CAR)))
    dump(folder / "street.json", labelme_file("street.jpg", SIZES["street.jpg"]))
    return folder


def via_region(box: tuple[float, ...], **attributes: Any) -> dict[str, Any]:
    shape = dict(zip(("x", "y", "width", "height"), size_of_box(box), strict=True))
    return {"shape_attributes": {"name": "rect", **shape}, "region_attributes": attributes}


VIA_REGIONS = [
    via_region(PLATE, type="plate", text="KA05"),
    via_region(IGNORED, type="plate", text="", quality={"blurred": True}),
    via_region(CAR, type="car"),
]


def via(folder: Path) -> Path:
    """As VGG Image Annotator 2 saves a project."""
    images(folder)
    files = {
        f"{name}825": {"filename": name, "size": 825, "regions": regions, "file_attributes": {}}
        for name, regions in (("car.jpg", VIA_REGIONS), ("street.jpg", []))
    }
    settings = {"ui": {}, "core": {"filepath": {}, "default_filepath": ""}, "project": {"name": "plates"}}
    attributes = {"region": {"type": {"type": "dropdown"}}, "file": {}}
    project = {"_via_settings": settings, "_via_img_metadata": files, "_via_attributes": attributes}
    return dump(folder / "via_project.json", {**project, "_via_data_format_version": "2.0.10"})


def via_csv(folder: Path) -> Path:
    """As it exports annotations as CSV."""
    images(folder)
    with (folder / "via_export_csv.csv").open("w", newline="") as file:
        table = csv.writer(file)
        header = ["filename", "file_size", "file_attributes", "region_count", "region_id"]
        table.writerow([*header, "region_shape_attributes", "region_attributes"])
        for number, region in enumerate(VIA_REGIONS):
            table.writerow(["car.jpg", 825, "{}", 3, number, *map(json.dumps, region.values())])
        table.writerow(["street.jpg", 825, "{}", 0, 0, "{}", "{}"])
    return folder / "via_export_csv.csv"


def openalpr(folder: Path) -> Path:
    """As OpenALPR's benchmarks: a .txt beside each image."""
    images(folder)
    cells = ["car.jpg", *(f"{value:g}" for value in size_of_box(PLATE)), "KA05"]
    (folder / "car.txt").write_text("\t".join(cells) + "\n")
    (folder / "street.txt").write_text("")
    return folder


def dataturks(folder: Path) -> Path:
    """As Dataturks exports, with images that a server has."""
    points = [{"x": PLATE[0] / 200, "y": PLATE[1] / 100}, {"x": PLATE[2] / 200, "y": PLATE[3] / 100}]
    plate = {"label": ["number_plate"], "notes": "KA05", "points": points, "imageWidth": 200, "imageHeight": 100}
    return dump(
        folder / "Indian_Number_plates.json", {"content": "http://a/car.jpg", "annotation": [plate], "extras": None}
    )


def table(folder: Path) -> Path:
    """A spreadsheet's CSV, with images beside it."""
    images(folder / "images")
    (folder / "boxes.csv").write_text(
        "image,width,height,xmin,ymin,xmax,ymax,text,label,ignored\ncar.jpg,200,100,20,10,60,30,KA05,plate,\n"
        "car.jpg,200,100,100,50,140,70,,plate,1\ncar.jpg,200,100,10,5,190,95,,car,\nstreet.jpg,300,150,,,,,,,\n"
    )
    return folder / "boxes.csv"


def ccpd(folder: Path) -> Path:
    """An image of CCPD, and one of those without plates."""
    name = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15.jpg"
    images(folder, {f"ccpd_base/{name}": (720, 1160), "ccpd_np/1.jpg": (720, 1160)})
    return folder


EXPORTS = {
    "ccpd": ccpd,
    "coco": coco,
    "cvat": cvat,
    "dataturks": dataturks,
    "label_studio": label_studio,
    "labelme": labelme,
    "openalpr": openalpr,
    "table": table,
    "via": via,
    "voc": voc,
    "yolo": yolo,
}
