"""image/: the user, the base, pinned packages and the files of the image."""

import re

from tests.infra.files import INFRA, text

_DOCKERFILE = text("image/Dockerfile")


def _words(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction}\s+(.+)$", _DOCKERFILE, re.MULTILINE)


def test_the_user_is_a_number_and_not_root() -> None:
    user, group = map(int, _words("USER")[-1].split(":"))
    assert user > 0
    assert group > 0
    after = _DOCKERFILE.rpartition("USER ")[2]
    assert not re.search(r"^(RUN|COPY|ADD)", after, re.MULTILINE)


def test_the_base_has_a_python_version() -> None:
    assert all(words.startswith("${BASE} AS ") for words in _words("FROM"))
    (base,) = re.findall(r"^ARG BASE=(\S+)$", _DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.11(\.\d+)?-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)


def test_all_packages_are_pinned() -> None:
    installs = re.findall(r"pip install(?:\\\n|[^\n])*", _DOCKERFILE)
    assert installs
    assert all("--constraint /constraints.txt" in one or "--no-deps" in one for one in installs)
    assert "ADD " not in _DOCKERFILE


def test_ray_requires_a_token_by_default() -> None:
    assert re.search(r"^ENV RAY_AUTH_MODE=token", _DOCKERFILE, re.MULTILINE)


def test_the_build_context_has_only_named_files() -> None:
    first, *rest = [
        line for line in text("image/Dockerfile.dockerignore").splitlines() if line[:1] not in "#"
    ]
    assert first == "*"
    assert {line.removeprefix("!") for line in rest if line.startswith("!")} == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "constraints.txt",
        "render",
        "cluster",
        "jobs",
        "infra/image/farm-node",
        "infra/image/requirements.py",
    }


def test_the_image_has_a_health_check() -> None:
    assert re.search(r'^HEALTHCHECK .* CMD \["farm-node", "healthy"\]$', _DOCKERFILE, re.MULTILINE)
    assert (INFRA / "image/farm-node").stat().st_mode & 0o111
