"""A real S3 server on loopback: moto's, in this process, before which requests are counted and may be disturbed."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import requests
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

BUCKET = "plates"
KEY_ID, SECRET = "AKIAQUITESECRETKEYID", "a/very+secret/access+key"


class _Quiet(MotoRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


class S3Server:
    """Moto's server with one bucket.

    Attributes:
        requests: how often each object was asked for.
        disturb: key → what answers in place of the server; it is given (environ, start_response, moto).
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.disturb: dict[str, Callable[..., Iterable[bytes]]] = {}
        self._moto, self._lock = DomainDispatcherApplication(create_backend_app), threading.Lock()
        self._server: BaseWSGIServer | None = None
        self.port = 0
        self.start()
        self._s3 = self.client()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """All that clients need, and nothing of this machine's."""
        keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": self.url}
        none = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/nowhere")
        return {**keys, **none, "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._answer, threaded=True, request_handler=_Quiet)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """What is in the bucket stays for the next start."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def client(self, service: str = "s3") -> Any:
        options = {"endpoint_url": self.url, "region_name": "us-east-1"}
        return boto3.client(service, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET, **options)

    def upload(self, objects: dict[str, bytes], **options: str) -> None:
        for key, content in objects.items():
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=content, **options)

    def upload_folder(self, folder: Path, prefix: str, **options: str) -> None:
        files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
        self.upload({f"{prefix}/{name}": file.read_bytes() for name, file in files.items()}, **options)

    def clear(self) -> None:
        """An empty bucket, no disturbances, and a server that is up."""
        if self._server is None:
            self.start()
        requests.post(f"{self.url}/moto-api/reset", timeout=5).raise_for_status()
        self._s3.create_bucket(Bucket=BUCKET)
        self.requests.clear()
        self.disturb.clear()
        self._taken = 0

    def reader(self) -> tuple[str, str]:
        """The id and secret of a key that may get objects, but not list them; from now on, keys are checked."""
        iam = self.client("iam")
        iam.create_user(UserName="reader")
        statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        self.check_keys_from(0)
        return key["AccessKeyId"], key["SecretAccessKey"]

    def check_keys_from(self, count: float) -> None:
        """Check the keys of requests, but of the first so many."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=str(count), timeout=5).raise_for_status()

    def take(self) -> int:
        """A number, counted up from 0 since `clear`."""
        with self._lock:
            self._taken += 1
            return self._taken - 1

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        key = environ["PATH_INFO"].encode("latin-1").decode().removeprefix(f"/{BUCKET}/")
        with self._lock:
            self.requests[key] += 1
        return self.disturb.get(key, self.disturb.get("*", pass_on))(environ, start_response, self._moto)


def pass_on(environ: dict[str, Any], start_response: Any, moto: Any) -> Iterable[bytes]:
    answer: Iterable[bytes] = moto(environ, start_response)
    return answer


def serve() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.check_keys_from(float("inf"))
    server.stop()


def assert_no_secrets(folder: Path, *texts: str) -> None:
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    for secret in (KEY_ID, SECRET):
        assert not any(secret.encode() in content for content in files)
        assert not any(secret in text for text in texts)
