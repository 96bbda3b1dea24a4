"""ECR on loopback: moto, behind the refusals of ECR that moto lacks. Each error is one that botocore's model of the operation
declares."""

from __future__ import annotations

import base64
import importlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from bootstrap.image_manifests import sha256
from tests.preflight.account.loopback import Asked, Cloud, Refusal, Result

LEAST_PART, MOST_PART = 5 * 1024 * 1024, 10 * 1024 * 1024
"""Bytes of a part, the last one may be smaller (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html)."""
COMMON_ERRORS = ("AccessDeniedException", "ExpiredTokenException")
"""Errors of every service (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html)."""
_MODELS: Any = importlib.import_module("moto.ecr.models")
_LOADERS: Any = importlib.import_module("botocore.loaders")


class Ecr:
    """The repositories of one account in one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self.cloud, self.region = cloud, region
        self.parts: dict[str, list[int]] = defaultdict(list)
        """Upload → bytes of each part."""
        self.refusals: dict[str, list[Refusal]] = {}
        """Operation → what its next calls are answered with."""
        self._model: dict[str, Any] = _LOADERS.Loader().load_service_model("ecr", "service-2")["operations"]
        for operation, rule in (
            ("UploadLayerPart", self._part),
            ("CompleteLayerUpload", self._complete),
            ("PutImage", self._put),
            ("BatchCheckLayerAvailability", _accept),
            ("BatchGetImage", _accept),
            ("InitiateLayerUpload", _accept),
        ):
            cloud.answers["ecr", operation] = self._after_refusals(operation, rule)

    def create(self, *names: str) -> None:
        """Repositories with immutable tags, as the bootstrap stack makes them."""
        client = importlib.import_module("boto3").client("ecr", region_name=self.region)
        for name in names:
            client.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")

    def stop(self) -> None:
        """Close the server."""
        self.cloud.stop()

    def repository(self, name: str) -> Any:  # noqa: ANN401
        """moto's repository."""
        return _MODELS.ecr_backends[self.cloud.account][self.region].repositories[name]

    def manifests(self, name: str) -> dict[str, tuple[str, bytes, tuple[str, ...]]]:
        """Digest → media type, bytes and tags of what was put."""
        return {
            image.get_image_digest(): (
                image.image_manifest_media_type,
                image.image_manifest.encode(),
                tuple(image.image_tags),
            )
            for image in self.repository(name).images
        }

    @property
    def operations(self) -> list[str]:
        """The calls of ECR so far."""
        return [asked.operation for asked in self.cloud.asked if asked.service == "ecr"]

    def refuse(self, operation: str, code: str) -> None:
        """Answer the next call of an operation with an error of its model, or with one that every operation may have."""
        assert code in {*self._declared(operation), *COMMON_ERRORS}, (operation, code)
        self.refusals.setdefault(operation, []).append(Refusal(code))

    def _declared(self, operation: str) -> set[str]:
        return {error["shape"] for error in self._model[operation]["errors"]}

    def _after_refusals(self, operation: str, rule: Callable[[Asked], Refusal | None]) -> Callable[[Asked], Result]:
        def answer(asked: Asked) -> Result:
            if waiting := self.refusals.get(operation):
                return waiting.pop(0)
            found = rule(asked) if asked.parameters["repositoryName"] in self._names() else None
            assert found is None or found.code in self._declared(operation), (operation, found)
            return found

        return answer

    def _names(self) -> set[str]:
        return set(_MODELS.ecr_backends[self.cloud.account][self.region].repositories)

    @staticmethod
    def content(asked: Asked) -> bytes:
        """The bytes of a part."""
        return base64.b64decode(asked.parameters["layerPartBlob"])

    def _part(self, asked: Asked) -> Refusal | None:
        content = self.content(asked)
        if len(content) != asked.parameters["partLastByte"] - asked.parameters["partFirstByte"] + 1:
            return Refusal("InvalidLayerPartException", "the range is not that of the bytes")
        if len(content) > MOST_PART:
            return Refusal("InvalidLayerPartException", "the part is too large")
        self.parts[asked.parameters["uploadId"]].append(len(content))
        return None

    def _complete(self, asked: Asked) -> Refusal | None:
        held = self.repository(asked.parameters["repositoryName"])
        upload, (wanted,) = asked.parameters["uploadId"], asked.parameters["layerDigests"]
        if not self.parts[upload]:
            return Refusal("EmptyUploadException")
        if min(self.parts[upload][:-1], default=LEAST_PART) < LEAST_PART:
            return Refusal("LayerPartTooSmallException")
        if sha256(bytes(held.uploads[upload].layer_parts)) != wanted:
            return Refusal("InvalidLayerException")
        return Refusal("LayerAlreadyExistsException") if wanted in held.layers else None

    def _put(self, asked: Asked) -> Refusal | None:
        held, wanted = self.repository(asked.parameters["repositoryName"]), asked.parameters
        content = json.loads(wanted["imageManifest"])
        there = self.manifests(asked.parameters["repositoryName"])
        digest, tag = sha256(wanted["imageManifest"].encode()), wanted.get("imageTag")
        tagged = {tag: digest for digest, (_, _, tags) in there.items() for tag in tags}
        blobs = [blob["digest"] for blob in (content.get("config"), *content.get("layers", ())) if blob]
        if wanted.get("imageDigest", digest) != digest:
            return Refusal("ImageDigestDoesNotMatchException")
        if not {one["digest"] for one in content.get("manifests", ())} <= set(there):
            return Refusal("ReferencedImagesNotFoundException")
        if not set(blobs) <= set(held.layers):
            return Refusal("LayersNotFoundException")
        if tag in tagged and tagged[tag] != digest:
            return Refusal("ImageTagAlreadyExistsException")
        return Refusal("ImageAlreadyExistsException") if digest in there and tag in (None, *there[digest][2]) else None


def _accept(_: Asked) -> Refusal | None:
    """moto itself answers."""
    return None
