"""A preset of a platform team's own: what their notes application needs from the task and from the proxy.

It is one function. No component changes: the main program's ``assembly/task.py`` calls this in place of
``open_webui``, or a program of your own gives ``application`` to ``InterfaceService`` and ``proxy`` to the proxy's
settings.
"""

from collections.abc import Sequence

from components.applications import ApplicationArgs, Preset, TrustedHeaders
from components.applications.presets import Arrival
from components.common.secrets import SESSION_KEY
from components.proxy import ProxyApplication

PORT = 3000


def notes(*, origin: str, model_base_urls: Sequence[str]) -> Preset:
    """The notes application: a Node.js program without Python in its image."""
    headers = TrustedHeaders(email="x-notes-user", name="x-notes-name", role="x-notes-role", administrator_role="owner")
    return Preset(
        application=ApplicationArgs(
            name="notes",
            port=PORT,
            command=["node", "/srv/notes/server.js"],
            environment={
                "HOST": "127.0.0.1",
                "PORT": str(PORT),
                "PUBLIC_URL": origin,
                "MODEL_BASE_URL": model_base_urls[0],
                "TRUSTED_USER_HEADER": headers.email,
                "TRUSTED_NAME_HEADER": headers.name,
                "TRUSTED_ROLE_HEADER": headers.role,
            },
            secret_environment={"COOKIE_KEY": SESSION_KEY},
            writable_directories=["/srv/drafts"],
            # Runs as root with CHOWN alone, before the application, in place of the script that needs Python.
            prepare_command=["chown", "-R", "1000:1000", "/srv/drafts"],
        ),
        proxy=ProxyApplication(
            port=PORT,
            health_path="/ready",
            keep_alive_seconds=5,
            upload_path_prefixes=("/attachments/",),
            websocket_path_prefixes=("/live/",),
            cacheable_path_prefixes=("/assets/",),
            session_cookie_names=("notes.sid",),
        ),
        headers=headers,
        # What one person's browser asks for in the five minutes in which it opens the application with an empty cache.
        arrival=Arrival(static_requests=40, static_paths=("/assets/",), page_requests=30, model_calls=10, uploads=5),
    )
