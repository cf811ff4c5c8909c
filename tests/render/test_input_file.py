"""Inputs are regular files; anything else is refused at once, without being opened."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from render.input_file import (
    NotRegularFileError,
    check_regular_file,
    open_input_file,
    read_problem,
)

ADVICE = "; save it to a file first, and give the path of that file"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path, as sockets need."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def problem(path: Path) -> str:
    with pytest.raises(OSError) as refused:
        open_input_file(path)
    with pytest.raises(OSError):
        check_regular_file(path)
    return read_problem(refused.value)


def test_a_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("a", "link"):
        with open_input_file(tmp_path / name) as file:
            assert file.read() == b"content"
            assert file.seek(2) == 2
            assert os.get_blocking(file.fileno()) in (True, False)


def test_pipes_and_sockets_are_not_opened(short_folder: Path) -> None:
    os.mkfifo(short_folder / "pipe")
    (short_folder / "link").symlink_to(short_folder / "pipe")
    for name in ("pipe", "link"):
        assert problem(short_folder / name) == f"is a pipe, not a file{ADVICE}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_folder / "socket"))
        assert problem(short_folder / "socket") == f"is a socket, not a file{ADVICE}"


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty"])
def test_devices_are_not_opened(path: str) -> None:
    assert problem(Path(path)) == f"is a device, not a file{ADVICE}"


def test_a_pipe_of_this_process_is_not_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"picture")
    assert problem(Path(f"/dev/fd/{reader}")).startswith("is a pipe")
    assert os.read(reader, 100) == b"picture"
    os.close(reader)
    os.close(writer)


def test_a_descriptor_of_a_file_means_another_file_to_a_worker(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with (tmp_path / "a").open() as file:
        assert "descriptor of one process" in problem(Path(f"/dev/fd/{file.fileno()}"))


def test_a_pipe_that_takes_the_place_of_a_file_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    os.mkfifo(path)
    monkeypatch.setattr("render.input_file.check_regular_file", lambda path: None)
    outcome: list[object] = []

    def read() -> None:
        try:
            open_input_file(path)
        except OSError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert outcome == [NotRegularFileError]


def test_other_problems_keep_their_reason(tmp_path: Path) -> None:
    advice = "; check the path and its permissions"
    assert problem(tmp_path) == f"cannot be read (Is a directory){advice}"
    assert problem(tmp_path / "a") == f"cannot be read (No such file or directory){advice}"
    assert read_problem(OSError()) == f"cannot be read (the system gives no reason){advice}"
