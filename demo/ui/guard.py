"""Headers that keep a page of other people's words from reaching anywhere else.

Model answers and uploaded rows are shown as Markdown, where an image address or a form could send
what a visitor typed to a stranger. Says nothing about who may ask what: the Lab does.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No frame-ancestors: a Space shows the page in a frame of the hub's site.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "form-action 'none'",
        "frame-src 'none'",
        "object-src 'none'",
        # Gradio's page names its own address as base.
        "base-uri 'self'",
    )
)


class Guard:
    """ASGI middleware that adds the headers to every answer; streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, with the headers added to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Appended: where Gradio sends a policy of its own, browsers keep to both.
                headers.append("content-security-policy", CONTENT_SECURITY_POLICY)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
            await send(message)

        await self.app(scope, receive, guarded_send)
