"""Messages through the library apprise: mail, chats, phones and about a hundred others."""

import logging
import tempfile
import time
from typing import TYPE_CHECKING

from jobs.notify.attempts import Outcome
from jobs.notify.message import Message

if TYPE_CHECKING:
    from apprise.plugins.base import NotifyBase

_SUFFIX = ".jpg"


class AppriseService:
    """A service behind one of apprise's addresses. plugin: apprise's object for the address."""

    def __init__(self, plugin: "NotifyBase") -> None:
        from apprise import Apprise

        self._plugin = plugin
        self._sender: Apprise = Apprise(plugin, asset=plugin.asset)

    def send(self, message: Message, timeout: float) -> Outcome:
        """Send a message, with the preview if the service takes pictures.

        Apprise only tells whether the service took it. After an answer that took as long as the
        timeout, it may have arrived.
        """
        plugin = self._plugin
        plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, timeout)
        plugin.socket_read_timeout = min(plugin.socket_read_timeout, timeout)
        picture = message.picture() if plugin.attachment_support else None
        started = time.monotonic()
        if self._notify(message, picture):
            return Outcome("sent")
        if time.monotonic() - started >= plugin.socket_read_timeout:
            return Outcome("unanswered", "gave no answer in time")
        return Outcome("refused", "was not reached, or did not take it")

    def _notify(self, message: Message, picture: bytes | None) -> bool:
        from apprise import NotifyFormat, NotifyType

        types = {"succeeded": NotifyType.SUCCESS, "failed": NotifyType.FAILURE}
        with tempfile.NamedTemporaryFile(suffix=_SUFFIX) as file:
            if picture is not None:
                file.write(picture)
                file.flush()
            result = self._sender.notify(
                message.notice.text(message.store.address),
                title=message.notice.title,
                notify_type=types.get(message.notice.event, NotifyType.WARNING),
                body_format=NotifyFormat.TEXT,
                attach=file.name if picture is not None else None,
            )
        return bool(result)


def find_plugin(url: str) -> "NotifyBase | None":
    """Apprise's object for an address; None if apprise does not know the address."""
    from apprise import Apprise, AppriseAsset

    _silence_logs()
    asset = AppriseAsset(
        # In this thread, so that nothing of it outlives `work`.
        service_timeout=0,
        async_mode=False,
        # Nothing of it is kept on this machine.
        storage_mode="memory",
        app_id="Dreamfarm",
        app_desc="Dreamfarm",
        http_redirects=False,
    )
    return Apprise.instantiate(url, asset=asset)


def _silence_logs() -> None:
    """Keep what apprise and its HTTP client log from appearing: it may contain parts of addresses.

    An outcome tells whether a message was taken.
    """
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
