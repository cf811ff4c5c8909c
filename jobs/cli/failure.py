"""The exit code that an error stands for: 1 the job failed, 2 the request, 3 store or cluster."""

from cluster.errors import ClusterError, MemberLost, NoRoom
from jobs.errors import JobsError
from render.errors import RenderError

JOB_FAILED, WRONG_REQUEST, UNREACHABLE = 1, 2, 3


def exit_code(error: BaseException) -> int:
    """The code for an error; what is none of ours is a failed job."""
    if isinstance(error, JobsError):
        return error.exit_code
    if isinstance(error, RenderError | NoRoom):
        return WRONG_REQUEST
    if isinstance(error, ClusterError) and not isinstance(error, MemberLost):
        return UNREACHABLE
    return JOB_FAILED
