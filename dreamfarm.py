"""Dreamfarm: DeepDream at any size.

    import dreamfarm

    dreamfarm.render("sky.jpg", size="x2")          # here and now; returns paths and a manifest
    store = dreamfarm.Store("s3://bucket/dreams")   # or a folder
    job = store.submit("poster.yaml")               # `dreamfarm work` renders it
    job.wait()
    job.fetch("posters/")

Arrays and pictures in memory, and networks of one's own: see `render.dream`.
"""

from cluster.errors import ClusterError
from jobs.services.client import Job, Store, load_spec, plan, render
from jobs.store.errors import StoreError
from jobs.text.errors import JobsError, RequestError
from jobs.text.report import PlanReport, ResultReport
from render.errors import RenderError

__all__ = [
    "ClusterError",
    "Job",
    "JobsError",
    "PlanReport",
    "RenderError",
    "RequestError",
    "ResultReport",
    "Store",
    "StoreError",
    "load_spec",
    "plan",
    "render",
]
