"""Dreamfarm: DeepDream at any size.

    import dreamfarm

    dreamfarm.render("sky.jpg", size="x2")         # on this machine, into the folder dreams/
    store = dreamfarm.Store("s3://bucket/dreams")  # or a folder
    job = store.submit("poster.yaml")              # a `dreamfarm work` process renders it
    job.wait()
    job.fetch("posters/")

For pictures in memory, and for your own networks, call `render.deepdream`. `import dreamfarm` loads
neither torch nor ray.

Errors are JobsError, RenderError and ClusterError, with a message of one line. RequestError,
JobNotFound and StoreError are kinds of JobsError. Values of a wrong type raise TypeError, and
`Job.wait` may raise TimeoutError.
"""

from cluster.errors import ClusterError
from jobs.services.client import Store, plan, render
from jobs.services.job_handle import Job
from jobs.services.spec_source import load_spec
from jobs.store.errors import StoreError
from jobs.text.errors import JobNotFound, JobsError, RequestError
from jobs.text.report import PlanReport, ResultReport
from render.errors import RenderError

__all__ = [
    "ClusterError",
    "Job",
    "JobNotFound",
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
