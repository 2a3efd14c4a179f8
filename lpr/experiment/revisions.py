"""Git revisions and DVC experiments of the project, by git alone: nothing is checked out, and DVC is not imported."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lpr.errors import UserError
from lpr.git import git_output


@dataclass(frozen=True)
class Revision:
    """A commit under the name that the user types."""

    name: str
    commit: str
    date: str  # ISO, the day
    experiment: bool  # of `dvc exp run`: in no branch


def list_revisions(root: Path) -> list[Revision]:
    """HEAD, branches, tags, then DVC's experiments, each kind newest first; empty where there is no repository."""
    head = git_output(root, "log", "-1", "--format=HEAD %H %cs") or ""
    refs = git_output(
        root,
        "for-each-ref",
        "--sort=-creatordate",
        "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) %(creatordate:short)",
        *("refs/heads", "refs/tags", "refs/exps"),
    )
    found = []
    for line in (head + (refs or "")).splitlines():
        ref, commit, date = line.split(" ")
        parts = ref.split("/")
        if parts[:2] == ["refs", "exps"]:
            if len(parts) == 5:  # refs/exps/ab/cdef…/NAME, after the commit it starts from; others are DVC's own notes
                found.append(Revision(parts[-1], commit, date, True))
        else:
            found.append(Revision("/".join(parts[2:]) or ref, commit, date, False))
    return sorted(found, key=lambda revision: revision.experiment)


def find_revision(name: str, root: Path) -> Revision | None:
    """The commit that git resolves this name to, or else the DVC experiment of this name; None where there is neither.

    Raises:
        UserError: several experiments, of different commits, have this name.
    """
    if found := git_output(root, "log", "-1", "--format=%H %cs", f"{name}^{{commit}}", "--"):
        commit, date = found.split()
        experiments = {revision.commit for revision in list_revisions(root) if revision.experiment}
        return Revision(name, commit, date, commit in experiments)
    named = [revision for revision in list_revisions(root) if revision.experiment and revision.name == name]
    if len({revision.commit for revision in named}) > 1:
        commits = ", ".join(f"{revision.commit[:8]} of {revision.date}" for revision in named)
        raise UserError(f"several DVC experiments have the name {name}: name one by its commit: {commits}")
    return named[0] if named else None


def read_files(names: Sequence[tuple[str, str]], root: Path) -> Iterator[str | None]:
    """The texts of files, each named by its commit and its path from `root`; None where the commit has no such file."""
    requests = "".join(f"{commit}:./{path}\n" for commit, path in names)
    try:
        answer = subprocess.run(
            ["git", "cat-file", "--batch"], cwd=root, input=requests.encode(), capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        answer = b""
    for _ in names:
        header, _, answer = answer.partition(b"\n")
        if header.split(b" ")[1:2] != [b"blob"]:
            yield None
            continue
        size = int(header.rpartition(b" ")[2])
        yield answer[:size].decode()
        answer = answer[size + 1 :]
