"""What pyproject.toml cannot say: `conf/` of the repository is `lpr/conf` in the wheel (`lpr.paths.conf_folder`)."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConf(build_py):
    """Copies the package's files into the wheel, and `conf/`; an editable installation reads the repository's."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree("conf", Path(self.build_lib, "lpr", "conf"), dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithConf})
