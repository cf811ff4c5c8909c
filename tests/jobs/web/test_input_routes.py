"""The small picture of what a poster was made from."""

from asyncio import AbstractEventLoop
from io import BytesIO

from PIL import Image

from jobs.store.folder import FolderStore
from tests.support.job_states import write_job
from tests.support.rendered_poster import RenderedPoster
from tests.support.small_poster import HEIGHT, WIDTH
from tests.support.web_client import WebClient, web_client

_SIDE = 64


def test_the_input_of_a_poster_is_shown_small(
    finished: RenderedPoster, loop: AbstractEventLoop
) -> None:
    client = web_client(FolderStore(finished.store), loop)
    answer = client.get(f"/jobs/{finished.job}/input.jpg", params={"side": _SIDE})
    assert answer.headers["Content-Type"] == "image/jpeg"
    with Image.open(BytesIO(answer.content)) as shown:
        assert shown.format == "JPEG"
        assert max(shown.size) == _SIDE
        assert abs(shown.width / shown.height - WIDTH / HEIGHT) < 0.05
    assert client.get(f"/jobs/{finished.job}/input.jpg", params={"side": 9}).status_code == 422


def test_a_job_without_a_picture_says_so(server: WebClient) -> None:
    job = write_job(server.farm.store).job
    answer = server.get(f"/jobs/{job}/input.jpg")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"{job}: has no input that can be shown"


def test_plans_know_these_gpus(server: WebClient) -> None:
    gpus = {one["gpu"]: one for one in server.json("/gpus")["gpus"]}
    assert gpus["l4"] == {"gpu": "l4", "memory": 24 * 10**9, "price": 0.8}
