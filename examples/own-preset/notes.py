"""The preset of a platform team's notes application: a Node.js program without Python in its image.

Copy it to ``components/applications/presets/notes.py`` and write ``application: notes`` in the stack file. No other source
file changes; the release has to name the image (``docs/releases.md``).
"""

from components.applications import ApplicationArgs, Arrival, Deployment, Paths, Preset, TrustedHeaders
from components.common.secrets import SESSION_KEY

PORT = 3000
HEADERS = TrustedHeaders(email="x-notes-user", name="x-notes-name", role="x-notes-role", administrator_role="owner")


def _container(deployment: Deployment) -> ApplicationArgs:
    return ApplicationArgs(
        name="notes",
        command=["node", "/srv/notes/server.js"],
        environment={
            "HOST": "127.0.0.1",
            "PORT": str(PORT),
            "PUBLIC_URL": deployment.origin,
            "MODEL_BASE_URL": deployment.model_base_urls[0],
            "TRUSTED_USER_HEADER": HEADERS.email,
            "TRUSTED_NAME_HEADER": HEADERS.name,
            "TRUSTED_ROLE_HEADER": HEADERS.role,
        },
        secret_environment={"COOKIE_KEY": SESSION_KEY},
        writable_directories=["/srv/drafts"],
        # Replaces the prepare script, which needs Python. Runs before the application, as root with only the CHOWN
        # capability.
        prepare_command=["chown", "-R", "1000:1000", "/srv/drafts"],
    )


PRESET = Preset(
    name="notes",
    port=PORT,
    # The load balancer requests this path through the proxy. No listener rule offers it, so users get a 404.
    health_path="/ready",
    keep_alive_seconds=5,
    # One Node.js process: scaling and the alarm on CPU count one vCPU of the task.
    processes=1,
    paths=Paths(
        blocked=("/api/admin/*",),
        # Requests without a session get a 401.
        api=("/api/*", "/attachments/*", "/live/*", "/assets/*"),
        # Requests without a session are redirected to the login. The load balancer handles the second path, the proxy
        # the third.
        pages=("/", "/oauth2/idpresponse", "/logout", "/notes/*"),
        uploads=("/attachments/",),
        model_calls=("/api/ask",),
        prompts=("/api/notes/",),
        websockets=("/live/",),
        static=("/assets/",),
        cacheable=("/assets/",),
    ),
    session_cookie_names=("notes.sid",),
    headers=HEADERS,
    # The maximum number of requests from one browser in the five minutes in which it opens the application with an
    # empty cache.
    arrival=Arrival(static_requests=40, page_requests=30, model_calls=10, uploads=5),
    container=_container,
)
