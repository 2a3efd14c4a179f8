"""The packages that the base installation lacks, and what to type where one of them is missing."""

from __future__ import annotations

# The extras of pyproject.toml → the modules of their packages that lpr imports.
MODULES = {
    "gs": {"gcsfs"},
    "ray": {"ray"},
    "s3": {"s3fs"},
    "serve": {"fastapi", "prometheus_client", "python_multipart", "starlette", "uvicorn"},
    "experiments,cpu": {
        *("dvc", "dvc_data", "dvc_objects", "filelock", "hydra", "imagehash", "jinja2", "joblib", "keras"),
        *("keras_tuner", "matplotlib", "onnx", "pandas", "pycocotools", "scipy", "sklearn", "tabulate", "tensorflow"),
        *("tf2onnx", "wandb"),
    },
}


def explain(error: ModuleNotFoundError) -> str | None:
    """What to install where importing a module of an extra failed; None for any other module, whose error is a bug."""
    module = (error.name or "").partition(".")[0]
    for extras, modules in MODULES.items():
        if module in modules:
            return f"needs packages that are not installed ({module}): pip install 'lpr[{extras}]'"
    return None
