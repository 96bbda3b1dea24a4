"""ECR, as the ECS agent pulls an image: login, manifest, and layers from ECR's own bucket.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html: the API is behind one endpoint, Docker's
registry protocol behind another, and the layers are in a bucket that ECR owns, behind S3's gateway endpoint. The twin
checks permissions and reachability; layers are empty.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.access import REPOSITORY
from local.aws.gate import Arrival, Ask, Gate, tagged
from local.aws.http import Exchange
from local.aws.iam import Policies, Policy, Principal, Request, decide
from local.aws.logs import called
from local.aws.sessions import Credentials
from local.server import Received
from local.stack import items

USER = "AWS"
_PATH = re.compile(r"/v2/(.+)/(manifests|blobs)/(sha256:[0-9a-f]{64})")
_ACTIONS = {"manifests": "ecr:BatchGetImage", "blobs": "ecr:GetDownloadUrlForLayer"}
"""The IAM actions that requests of Docker's registry protocol require
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html)."""
_OF_ECR = Principal(arn="arn:aws:iam::000000000000:role/registry")
"""The principal that reads layers: ECR itself, in an account other than the environment's."""
_ANYTHING = Policy.parse("ECR's own policy", {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def layer_bucket(region: str) -> str:
    """ECR's bucket of layers."""
    return f"prod-{region}-starport-layer-bucket"


@dataclass
class Logins:
    """Token → the session that received it."""

    sessions: dict[str, Credentials] = field(default_factory=dict[str, Credentials])

    def issue(self, session: Credentials) -> str:
        """Issue a token."""
        token = secrets.token_urlsafe(30)
        self.sessions[token] = session
        return token


@dataclass(frozen=True)
class Registry:
    """ECR behind its two VPC endpoints."""

    gate: Gate
    logins: Logins

    def answer(self, request: Received, arrival: Arrival) -> dict[str, Any]:
        """Handle the API: GetAuthorizationToken, BatchGetImage, BatchCheckLayerAvailability, GetDownloadUrlForLayer."""
        session, operation, asked = called(self.gate, request)
        name = str(asked.get("repositoryName") or "")
        ask = Ask(f"ecr:{operation}", "*") if operation == "GetAuthorizationToken" else self._ask(operation, name)
        self.gate.ask(session, [ask], arrival, request)
        if operation == "GetAuthorizationToken":
            token = base64.b64encode(f"{USER}:{self.logins.issue(session)}".encode()).decode()
            endpoint = f"https://{self.gate.access.stack.account}.dkr.ecr.{self.gate.region}.amazonaws.com"
            return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": endpoint}]}
        self._exists(name)
        return {"images": [{"repositoryName": name, "imageId": one} for one in items(asked.get("imageIds"))]}

    def docker(self, exchange: Exchange, arrival: Arrival) -> None:
        """Handle Docker's registry protocol: return a manifest, or the location of a layer."""
        request = exchange.request
        host = request.value("host") or ""
        if not self.gate.hosts(host):
            raise self.gate.error(404, "NAME_UNKNOWN", f"the request is for host {host}, which is not a registry")
        _, _, encoded = (request.value("authorization") or "").partition("Basic ")
        _, _, token = base64.b64decode(encoded).decode().partition(":")
        session = self.logins.sessions.get(token)
        if session is None:
            raise self.gate.error(401, "UNAUTHORIZED", f"{request.target}: the token is not from GetAuthorizationToken")
        found = _PATH.fullmatch(request.target)
        if found is None:
            raise self.gate.error(404, "UNSUPPORTED", f"{request.method} {request.target} is not supported by the twin")
        name, kind, digest = found.groups()
        self.gate.ask(session, [self._ask(_ACTIONS[kind].partition(":")[2], name)], arrival, request)
        self._exists(name)
        if kind == "manifests":
            layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 0}]
            exchange.answer(200, json.dumps({"schemaVersion": 2, "layers": layers}).encode())
        else:
            bucket = f"{layer_bucket(self.gate.region)}.s3.{self.gate.region}.amazonaws.com"
            exchange.answer(307, b"", ("location", f"https://{bucket}/{digest}"))

    def _ask(self, operation: str, name: str) -> Ask:
        stack = self.gate.access.stack
        found = next(self._repositories(name), None)
        arn = f"arn:aws:ecr:{self.gate.region}:{stack.account}:repository/{name}"
        return Ask(f"ecr:{operation}", arn, tagged(found, "ecr:resourcetag") if found else {})

    def _exists(self, name: str) -> None:
        if next(self._repositories(name), None) is None:
            where = self.gate.access.bootstrap.name
            raise self.gate.error(
                400, "RepositoryNotFoundException", f"no repository {name} in the bootstrap stack {where}"
            )

    def _repositories(self, name: str) -> Iterator[Any]:
        return (one for one in self.gate.access.bootstrap.all(REPOSITORY) if one["name"] == name)


def layer_refusal(gate: Gate, target: str, arrival: Arrival) -> str:
    """Return the reason why the endpoint refuses a layer download that ECR signed; empty if it allows it."""
    arn = f"arn:aws:s3:::{layer_bucket(gate.region)}{target.partition('?')[0]}"
    context: Mapping[str, tuple[str, ...]] = {"aws:securetransport": ("true",)}
    request = Request("s3:GetObject", arn, _OF_ECR, context)
    answer = decide(request, Policies(identity=[_ANYTHING], endpoint=arrival.policy))
    return "" if answer else answer.cause
