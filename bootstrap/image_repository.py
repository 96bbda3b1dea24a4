"""Writes images into one ECR repository, through ECR's API with the credentials of the AWS SDK.

ECR verifies the digests of layers and manifests; so does this module, before it completes a layer and after it has put an
image. Parts have at least 5 and at most 10 MiB, and a layer at most 4,200 of them
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html).
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from bootstrap.copy_tools import CopyError
from bootstrap.image_manifests import MEDIA_TYPES, Descriptor, Manifest, sha256

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 10, 60, 6
BATCH = 100
"""ECR's maximum of digests in one request."""
MOST_PART_BYTES = 20 * 1024 * 1024
"""ECR's maximum of bytes in one request, from its API model."""
OPERATIONS = (
    "batch_check_layer_availability",
    "batch_get_image",
    "complete_layer_upload",
    "initiate_layer_upload",
    "put_image",
    "upload_layer_part",
)
"""boto3's methods that a copy calls, all on the repository. ``role_actions.COPY_IMAGES`` allows exactly these."""
_LOG_IN = "Log in again, for example with aws sso login, and run the command again: what was copied is skipped."
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)


class NoCredentialsError(CopyError):
    """There are no AWS credentials."""


class _RefusedError(CopyError):
    """An error that ECR returned."""

    def __init__(self, code: str, text: str, response: dict[str, Any]) -> None:
        super().__init__(text)
        self.code, self.response = code, response


class Registry:
    """The account's registry in one region, with one session of the AWS SDK."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region
        try:
            boto3 = importlib.import_module("boto3")
        except ImportError:
            raise CopyError("boto3 is not installed: run make setup, or select another program with --tool") from None
        config = importlib.import_module("botocore.config").Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
        )
        try:
            session = boto3.Session(region_name=region)
            self._sts, self._ecr = (session.client(service, config=config) for service in ("sts", "ecr"))
        except importlib.import_module("botocore.exceptions").ProfileNotFound as error:
            raise CopyError(f"{error}: correct AWS_PROFILE") from None

    def check_account(self) -> None:
        """Refuse credentials of another account; the request needs no permission.

        :raises NoCredentialsError: there are none
        :raises CopyError: they are of another account, or AWS does not accept them
        """
        found = _sent(self._sts, "get_caller_identity", "the account", {})["Account"]
        if found != self.account:
            raise CopyError(
                f"the AWS credentials are of account {found}, but the images belong into account {self.account}.\n"
                "Select that account's profile, for example with AWS_PROFILE."
            )

    def repository(self, name: str) -> Repository:
        """One of its repositories."""
        return Repository(self._ecr, name, self.account, self.region)


class Repository:
    """One repository. Its methods may be called by several threads."""

    def __init__(self, ecr: Any, name: str, account: str, region: str) -> None:  # noqa: ANN401 - boto3 has no types
        self.name = f"{account}.dkr.ecr.{region}.amazonaws.com/{name}"
        self._where = {"registryId": account, "repositoryName": name}
        self._client = ecr

    def tagged(self, tag: str) -> str | None:
        """The digest of the image with this tag, computed from its manifest; ``None`` if there is none."""
        found = self._get([{"imageTag": tag}])
        return found[0] if found else None

    def present(self, digests: Sequence[str]) -> set[str]:
        """The digests of manifests that the repository has."""
        found: set[str] = set()
        for start in range(0, len(digests), BATCH):
            found.update(self._get([{"imageDigest": digest} for digest in digests[start : start + BATCH]]))
        return found

    def missing(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        """The blobs that the repository does not have, in the given order."""
        available: set[str] = set()
        for start in range(0, len(blobs), BATCH):
            digests = [blob.digest for blob in blobs[start : start + BATCH]]
            answer = self._call("batch_check_layer_availability", layerDigests=digests)
            available.update(
                layer["layerDigest"]
                for layer in answer.get("layers", [])
                if layer.get("layerAvailability") == "AVAILABLE"
            )
        return [blob for blob in blobs if blob.digest not in available]

    def upload(self, blob: Descriptor, content: Iterable[bytes]) -> None:
        """Upload a blob in parts. It is completed only if its bytes have its digest and size."""
        begun = self._call("initiate_layer_upload")
        upload, part_bytes = begun["uploadId"], min(int(begun["partSize"]), MOST_PART_BYTES)
        digest, sent, part = hashlib.sha256(), 0, bytearray()
        for piece in content:
            digest.update(piece)
            part += piece
            while len(part) >= part_bytes:
                self._part(upload, sent, bytes(part[:part_bytes]))
                sent += part_bytes
                del part[:part_bytes]
        if part:
            self._part(upload, sent, bytes(part))
            sent += len(part)
        if (found := f"sha256:{digest.hexdigest()}") != blob.digest or sent != blob.size:
            raise CopyError(
                f"{self.name}: the source sent {sent} bytes with digest {found} for {blob.digest} of {blob.size} bytes; "
                "they were not stored as a layer.\nDo not use this source until its publisher has explained it."
            )
        try:
            self._call("complete_layer_upload", uploadId=upload, layerDigests=[blob.digest])
        except _RefusedError as error:
            if error.code != "LayerAlreadyExistsException":
                raise

    def put(self, manifest: Manifest, tag: str | None) -> None:
        """Put a manifest whose blobs and manifests the repository has. ECR refuses it if it has another digest."""
        try:
            self._call(
                "put_image",
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.media_type,
                imageDigest=manifest.digest,
                **({"imageTag": tag} if tag else {}),
            )
        except _RefusedError as error:
            if error.code != "ImageAlreadyExistsException":
                raise

    def _get(self, ids: list[dict[str, str]]) -> list[str]:
        answer = self._call("batch_get_image", imageIds=ids, acceptedMediaTypes=list(MEDIA_TYPES))
        return [sha256(image["imageManifest"].encode()) for image in answer.get("images", [])]

    def _part(self, upload: str, first: int, content: bytes) -> None:
        last = first + len(content) - 1
        try:
            self._call(
                "upload_layer_part", uploadId=upload, partFirstByte=first, partLastByte=last, layerPartBlob=content
            )
        except _RefusedError as error:
            # The answer to the first attempt was lost, and the SDK has sent the part again.
            if error.code != "InvalidLayerPartException" or error.response.get("lastValidByteReceived") != last:
                raise

    def _call(self, operation: str, **parameters: object) -> dict[str, Any]:
        if operation not in OPERATIONS:
            raise AssertionError(f"{operation} is not in OPERATIONS, from which the permissions follow")
        return _sent(self._client, operation, self.name, {**self._where, **parameters})


def _sent(service: Any, operation: str, where: str, parameters: dict[str, object]) -> dict[str, Any]:  # noqa: ANN401
    exceptions = importlib.import_module("botocore.exceptions")
    try:
        return getattr(service, operation)(**parameters)
    except exceptions.ClientError as error:
        raise _explained(error.response, operation, where) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise NoCredentialsError(f"no AWS credentials were found.\n{_LOG_IN}") from None
    except (exceptions.CredentialRetrievalError, exceptions.SSOError, exceptions.TokenRetrievalError) as error:
        raise CopyError(f"the AWS credentials cannot be used ({type(error).__name__}).\n{_LOG_IN}") from None
    except exceptions.BotoCoreError as error:
        raise CopyError(
            f"{where}: AWS did not answer {operation}: {' '.join(str(error).split())}.\nRun the command again: what was "
            "copied is skipped."
        ) from None


def _explained(response: dict[str, Any], operation: str, where: str) -> CopyError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = " ".join(str(response.get("Error", {}).get("Message", "")).split())
    if code in _BAD_CREDENTIALS:
        return CopyError(f"AWS does not accept the credentials ({code}).\n{_LOG_IN}")
    if code in _DENIED:
        actions = ", ".join(sorted(map(action, OPERATIONS)))
        return CopyError(f"{where}: {message}\nA copy needs these permissions on the repository: {actions}.")
    if code == "RepositoryNotFoundException":
        return CopyError(
            f"{where} does not exist.\nThe bootstrap stack creates it: run pulumi up in bootstrap/ for this account."
        )
    return _RefusedError(code, f"{where}: {operation} returned {code}: {message}", response)


def action(operation: str) -> str:
    """The IAM action of one of ECR's methods in boto3."""
    return f"ecr:{''.join(word.capitalize() for word in operation.split('_'))}"
