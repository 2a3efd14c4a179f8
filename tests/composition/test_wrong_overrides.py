"""Wrong overrides, as people type them: each is refused by its key, with what to do, and none by a traceback."""

from pathlib import Path

import pytest

from lpr.cli.main import main
from lpr.composition.compose import check_sweep, compose
from lpr.errors import UserError

QUOTES = "has quotes of its own, within those of the shell: "
WRONG = [
    # names
    (["train.epoch=5"], "train.epoch=5: there is no key 'train.epoch'; the nearest is 'train.epochs'"),
    (["trian.epochs=5"], "trian.epochs=5: there is no key 'trian.epochs'; the nearest is 'train.epochs'"),
    (["config=foo"], "config=foo: there is no key 'config'"),
    (["++train.foo=5"], "train.foo: there is no such key; there are 'epochs', 'batch_size'"),
    (["train..epochs=5"], "train..epochs=5: no key; keys are names with points"),
    (
        ["data.sources[0].scenes=3"],
        "data.sources[0].scenes=3: no key; keys are names with points between",
    ),
    (["=5"], "=5: must be KEY=VALUE"),
    (["train.epochs"], "train.epochs: not of the form KEY=VALUE"),
    (["train.epochs:5"], "train.epochs:5: not of the form KEY=VALUE"),
    (["--epochs=5"], "--epochs=5: no key"),
    (["+train.epochs=5"], "train.epochs"),
    (["~detector"], "~detector: detector cannot be left out; see `lpr params --explain detector`"),
    (["~train.epochs"], "train.epochs: is missing"),
    # options
    (["optimizer=adamm"], "optimizer=adamm: optimizer has no option 'adamm'; did you mean 'adam'? It has adam, sgd"),
    (["ocr=tesserakt"], "ocr=tesserakt: ocr has no option 'tesserakt'; did you mean 'tesseract'?"),
    (["data=mydata"], "data=mydata: data has no option 'mydata'"),
    (["ocr="], "ocr=: ocr has no option ''; it has cascade"),
    (["metrics=[mean_iou,foo]"], "metrics=[mean_iou,foo]: metrics has no option 'foo'; it has default"),
    (["hydra/launcher=slurm"], "hydra/launcher has no option 'slurm'; did you mean 'submitit_slurm'?"),
    (["augment=null"], "augment=null: must be one of none, random_crops, standard"),
    (["train=5"], "train=5: must be one of default; its keys are set as train.KEY=VALUE"),
    (["metrics=[]"], "metrics=[]: metrics cannot be left out"),
    # types and ranges
    (["train.epochs=five"], "train.epochs='five': input should be a valid integer"),
    (["train.epochs="], "train.epochs='': input should be a valid integer"),
    (["train.epochs=-1"], "train.epochs=-1: input should be greater than or equal to 1"),
    (["split.train=80%"], "split.train='80%': input should be a valid number"),
    (["split.train=0.8"], "split.train + split.validation + split.test must be 1, not 1.1"),
    (["seed=99999999999999999999"], "seed=99999999999999999999: input should be less than 2147483648"),
    (["loss.name=foo"], "loss.name='foo': input should be 'mse', 'mae', 'huber', 'giou' or 'ciou'"),
    (["detector.convs=null"], "detector.convs=None: input should be a valid integer"),
    (["train.epochs=${nope}"], "train.epochs=${nope}: Interpolation key 'nope' not found"),
    (["split.group_by='(cam'"], "split.group_by=(cam: neither folder nor a regular expression"),
    # lists and mappings
    (["data.sources=[]"], "data.sources=[]: should have at least 1 value"),
    (["data.plate_labels=[]"], "data.plate_labels=[]: should have at least 1 value"),
    (["data.plate_labels=plate"], "data.plate_labels='plate': should be a list, such as [a, b]"),
    (["data.plate_labels=[plate"], "data.plate_labels=[plate: no list or mapping; these are written"),
    (["ocr.grammars=india"], "ocr.grammars='india': should be a mapping, such as {name: value}"),
    (["data=table", "data.columns={image=file}"], "data.columns={image=file}: no list or mapping"),
    (
        ["data=table", "data.annotations=a", "data.columns={imag:f}"],
        "columns.imag: the name should be 'image',",
    ),
    (["data.sources=[{name:a,format:cocoo,annotations:x}]"], "no module lpr.data.formats.cocoo; did you mean 'coco'?"),
    (["seed=1,2"], "seed=1,2: values after commas are for `lpr experiment -m`; a list is 'seed=[1,2]'"),
    (["optimizer.learning_rate=0,1"], "optimizer.learning_rate=0,1: values after commas", "decimals follow a point"),
    # names of files
    (["data=table"], "data=table needs an annotation file: add data.annotations=PATH_OR_URL"),
    (["data.annotations=x.json"], "data.annotations is set, but data=synthetic does not read it"),
    (["data=table", "data.annotations=a=b.csv"], f"{QUOTES}'data.annotations=\"a=b.csv\"'"),
    (["data=table", "data.annotations=my set#1.csv"], f"{QUOTES}'data.annotations=\"my set#1.csv\"'"),
    (["data=table", "data.annotations=set(1).csv"], f"{QUOTES}'data.annotations=\"set(1).csv\"'"),
    (["data=table", "data.annotations=été.csv"], f"{QUOTES}'data.annotations=\"été.csv\"'"),
]


@pytest.mark.parametrize(("overrides", "words"), [(case[0], case[1:]) for case in WRONG], ids=lambda each: str(each[0]))
def test_a_wrong_override_is_refused_by_its_key(in_root: Path, overrides: list[str], words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refusal:
        compose(overrides)
    message = str(refusal.value).replace("'train.epochs=${nope}'", "train.epochs=${nope}")
    assert all(word in message for word in words), message
    assert not any(jargon in message for jargon in ("hydra.cc", "Exception", "In 'config'", "dictionary"))


def test_what_is_written_as_the_message_says_is_taken(in_root: Path) -> None:
    for name in ("a=b.csv", "my set#1.csv", "set(1).csv", "été.csv", "a[1].csv", "a{1}.csv"):
        taken = compose(["data=table", f'data.annotations="{name}"']).data.sources[0].annotations
        assert taken == name


@pytest.mark.parametrize("verb", ["params", "experiment"])
@pytest.mark.parametrize("override", ["train.epoch=5", "optimizer=adamm", "train.epochs=[", "seed=1,2"])
def test_both_verbs_refuse_it_in_the_same_words(
    project: Path, verb: str, override: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError) as refusal:
        compose([override])
    assert main([verb, override]) == 1
    assert capsys.readouterr().err == f"lpr {verb}: {refusal.value}\n"
    assert not (project / "experiments").exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["train.epoch=5,10"], "there is no key 'train.epoch'; the nearest is 'train.epochs'"),
        (["optimizer=adam,sgdd"], "optimizer has no option 'sgdd'; did you mean 'sgd'? It has adam, sgd"),
        (["seed=1,2", "train.epochs=[1,"], "train.epochs=[1,: no list or mapping"),
    ],
)
def test_a_sweep_is_refused_before_its_first_job(
    project: Path, overrides: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiment", "-m", *overrides]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert not (project / "experiments").exists()


def test_a_sweep_that_can_be_composed_is_taken(in_root: Path) -> None:
    check_sweep(["optimizer=adam,sgd", "train.epochs=range(1,4)", "optimizer.learning_rate=0.1,0.01", "seed=7"])
