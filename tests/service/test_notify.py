"""A real `dreamfarm work` says when its jobs are done: to a webhook, and to people."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from standardwebhooks import Webhook

from jobs.notify.address import SECRET, VARIABLE
from jobs.poster.submit import submit_poster
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker
from jobs.records.stored_spec import StoredSpec
from jobs.spec.document import parse_poster_spec
from jobs.store.folder import FolderStore
from tests.support.webhook_server import SECRET_PATH, WebhookServer, webhook_server
from tests.support.work_processes import noise_job, work_processes

KEY = "whsec_" + base64.b64encode(b"a key of the operator" * 2).decode()

SMALL = {"size": "64x64", "network": "lenet5", "tiles": "auto"}


def submit_broken(store: FolderStore, url: str) -> str:
    """A job in whose stored spec a stranger put an address."""
    job = submit_poster(store, parse_poster_spec(noise_job(2, **SMALL))).job
    keys = JobKeys(job)
    stored = StoredSpec.read(store, keys.spec)
    changed = stored.model_copy(update={"spec": {**stored.spec, "notify": [url]}})
    store.put(keys.spec, changed.encode())
    return job


def by_type(endpoint: WebhookServer) -> dict[str, dict[str, Any]]:
    """The documents of the webhook, by their type. Checks their signatures."""
    found = {}
    for taken in endpoint.taken:
        if taken.path == SECRET_PATH:
            document: Any = Webhook(KEY).verify(taken.body, taken.headers)
            found[document["type"]] = document["data"]
    return found


def test_work_tells_how_each_job_ended(tmp_path: Path) -> None:
    store, log = FolderStore(tmp_path / "store"), tmp_path / "log"
    spec = parse_poster_spec(noise_job(1, **SMALL, notify=["people", "nobody"]))
    job = submit_poster(store, spec).job
    with webhook_server() as endpoint, webhook_server() as stranger:
        broken = submit_broken(store, stranger.url)
        people = f"people=json://{endpoint.place}/people"
        environment = {VARIABLE: f"{endpoint.url} {people}", SECRET: KEY}
        with work_processes(store.address, [environment], "--until-idle", log=log) as works:
            assert works[0].wait(120) == 0, log.read_text()
    assert stranger.taken == []
    told = by_type(endpoint)
    assert len(endpoint.taken) == 3
    done, failed = told["job.succeeded"], told["job.failed"]
    assert (done["job"], failed["job"]) == (job, broken)
    assert store.get(done["outputs"][0]["key"])[:4] == b"\x89PNG"
    assert "notify.0: is an address" in failed["reason"]

    (message,) = (json.loads(one.body) for one in endpoint.taken if one.path == "/people")
    assert message["title"] == f"{job}: is done"
    with Image.open(BytesIO(base64.b64decode(message["attachments"][0]["base64"]))) as preview:
        assert (preview.format, preview.size) == ("JPEG", (64, 64))

    assert list(store.list_objects(ACTIVE)) == []
    assert load_job(store, job).state == "succeeded"
    events = store.get(JobKeys(job).events(1)).decode()
    assert "no address here is called nobody; start" in events
    lines = log.read_text()
    assert f"{job}: told people that it is done\n" in lines
    everything = lines + "".join(
        f"{one.key} {store.get(one.key)!r}" for one in store.list_objects("")
    )
    assert SECRET_PATH.strip("/") not in everything.replace(stranger.url, "")
    assert KEY not in everything
    assert active_marker(job, 0) not in everything
