"""Streams: what comes from a URL (RTSP or HTTP) or a camera rather than from a file.

A live stream is read by a thread that keeps the newest frame alone, so that a slow computer skips frames rather than
falls behind; and it is connected to again where it breaks off.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Condition, Event, Thread
from urllib.parse import urlsplit

import cv2

from lpr.inference.file_types import LEAST_BYTES, kind_of_content
from lpr.inference.inputs import Stream, Unreadable, Video, VideoFrame, download, video_of

PAUSES_S = (1, 2, 4, 8, 16)
"""Before each attempt to connect again to a live stream that has broken off."""

_TIMEOUT_S = 10  # to connect, and to wait for a frame
_WAIT_S = 0.1  # for a frame, before it is looked whether the work is to end
_RTSP_PORTS = {"rtsp": 554, "rtsps": 322}


class LiveVideo:
    """A live stream while it is open.

    Attributes:
        frames_per_second: as the stream says.
        skipped: frames that came while those before them were still in work.

    Args:
        stream: its address, to connect to it again.
        capture: OpenCV's, which is open.
        stop: ends the frames.
        pauses_s: before each attempt to connect again; what follows the last one is the end.
        say: is told when the stream breaks off.
    """

    def __init__(
        self,
        stream: Stream,
        capture: cv2.VideoCapture,
        stop: Event,
        pauses_s: Sequence[float],
        say: Callable[[str], object],
    ) -> None:
        self.frames_per_second, self.skipped = video_of(capture).frames_per_second, 0
        self._stream, self._capture, self._stop, self._pauses_s, self._say = stream, capture, stop, pauses_s, say
        self._closing, self._changed = Event(), Condition()
        self._newest: VideoFrame | None = None
        self._error: str | None = None
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def frames(self) -> Iterator[VideoFrame]:
        """The newest frame whenever one is asked for, until `stop`; their numbers count those that were skipped.

        Raises:
            Unreadable: the stream broke off, and could not be connected to again.
        """
        while not self._stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._error, _WAIT_S)
                frame, self._newest, error = self._newest, None, self._error
            if frame:
                yield frame
            elif error:
                raise Unreadable(error)

    def close(self) -> None:
        """End the connection; waits until the frame is read that is being read, `_TIMEOUT_S` at most."""
        self._closing.set()
        self._reader.join()
        self.skipped += self._newest is not None

    def _read(self) -> None:
        number, attempts, reason = 0, 0, "no more frames"
        while not self._closing.is_set():
            there, pixels = self._capture.read()
            if there:
                frame = VideoFrame(number, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), datetime.now(UTC))
                number, attempts, reason = number + 1, 0, "no more frames"
                with self._changed:
                    self.skipped += self._newest is not None
                    self._newest = frame
                    self._changed.notify()
                continue
            if attempts == len(self._pauses_s):
                with self._changed:
                    self._error = f"a stream that broke off, and did not come back in {attempts} attempts: {reason}"
                    self._changed.notify()
                break
            pause = self._pauses_s[attempts]
            attempts += 1
            self._say(
                f"{self._stream}: broke off ({reason}); attempt {attempts} of {len(self._pauses_s)} in {pause:g} s"
            )
            if self._closing.wait(pause):
                break
            self._capture.release()
            try:
                self._capture = _connect(self._stream)
            except Unreadable as error:
                reason = str(error)
        self._capture.release()


def _complain(what: str) -> None:
    print(what, file=sys.stderr)


@contextmanager
def open_stream(
    stream: Stream,
    stop: Event | None = None,
    pauses_s: Sequence[float] = PAUSES_S,
    say: Callable[[str], object] = _complain,
) -> Iterator[Video | LiveVideo]:
    """A stream, while it is open: a video where its length is known, such as that of a file, else live.

    Arguments as those of `LiveVideo`.

    Raises:
        Unreadable: it cannot be connected to, or is no video.
    """
    capture = _connect(stream)
    video = video_of(capture)
    if video.frame_count:
        try:
            yield video
        finally:
            capture.release()
        return
    live = LiveVideo(stream, capture, stop or Event(), pauses_s, say)
    try:
        yield live
    finally:
        live.close()


def fetch_image(stream: Stream) -> bytes | None:
    """The bytes of the image at an http(s) URL or in object storage; None for other streams, and what else is at a URL.

    Raises:
        Unreadable: the URL cannot be fetched; a video in object storage.
    """
    url = stream.address
    if isinstance(url, str) and stream.is_object:
        content = download(url)
        if kind_of_content(content[:LEAST_BYTES]) == "video":
            raise Unreadable("a video in object storage: copy it to this machine")
        return content
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        return None
    return download(url) if kind_of_content(_beginning(url)) == "image" else None


def _beginning(url: str) -> bytes:
    """The first bytes at an http(s) URL; a live stream has no end. None of them where only FFmpeg can log in.

    Raises:
        Unreadable: the URL cannot be fetched, or answers nothing.
    """
    import requests  # takes a tenth of a second to load
    import urllib3

    from lpr.data.object_storage import root_cause

    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT_S) as answer:
            if "digest" in answer.headers.get("WWW-Authenticate", "").lower() and "@" in urlsplit(url).netloc:
                return b""
            if answer.status_code != requests.codes.ok:
                raise Unreadable(f"HTTP {answer.status_code} {answer.reason or ''}".rstrip())
            beginning: bytes = answer.raw.read(LEAST_BYTES, decode_content=True)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise Unreadable(f"no answer within {_TIMEOUT_S} s") from None
    except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
        raise Unreadable(f"connection failed: {root_cause(error)}") from None
    except (requests.RequestException, ValueError):
        raise Unreadable("not a URL that can be asked for") from None
    if not beginning:
        raise Unreadable("an empty answer")
    return beginning


def _connect(stream: Stream) -> cv2.VideoCapture:
    """OpenCV's capture of a stream, open.

    Raises:
        Unreadable: it cannot be connected to, or is no video.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # no message for every broken frame
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # nor OpenCV's own, beside the reasons that are given here
    if isinstance(stream.address, int):
        capture = cv2.VideoCapture(stream.address)
        if not capture.isOpened():
            raise Unreadable("there is no such camera, or another program uses it")
        return capture
    scheme = _check(stream.address)
    milliseconds = 1000 * _TIMEOUT_S
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
    capture = cv2.VideoCapture(stream.address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        if scheme.startswith("http"):
            _beginning(stream.address)  # raises what is wrong with it, if that is of HTTP
            raise Unreadable("neither an image nor a video that FFmpeg can open")
        raise Unreadable("no stream that FFmpeg can open: the path, user name or password may be wrong")
    return capture


def _check(url: str) -> str:
    """The scheme of a URL.

    Raises:
        Unreadable: it is none of the schemes that are known; or nobody listens there, of which OpenCV gives no reason.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _RTSP_PORTS.get(parts.scheme)
    except ValueError:
        raise Unreadable("not a URL") from None
    if parts.scheme not in ("http", "https", *_RTSP_PORTS) or not parts.hostname:
        raise Unreadable("neither an http(s) nor an rtsp(s) URL")
    if parts.scheme in _RTSP_PORTS:
        try:
            socket.create_connection((parts.hostname, port), _TIMEOUT_S).close()
        except TimeoutError:
            raise Unreadable(f"no answer within {_TIMEOUT_S} s") from None
        except OSError as error:
            raise Unreadable(f"connection failed: {error.strerror or error}") from None
        except UnicodeError:  # an empty part, or one of more than 63 characters
            raise Unreadable(f"not the name of a host: {parts.hostname}") from None
    return parts.scheme
