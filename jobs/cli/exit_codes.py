"""What an error means to the shell: 1 the job failed, 2 the request, 3 store or cluster."""

from cluster.errors import ClusterError, MemberLost, NoRoom
from jobs.text.errors import JobsError
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


def described(error: BaseException) -> str:
    """What to tell people of an error: ours say it all, others at least get their name."""
    if isinstance(error, JobsError | RenderError | ClusterError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}; to see where, run it again with --debug"
