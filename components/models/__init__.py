"""Access to models: the guardrail, the task's permissions, and the optional recording of prompts."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.models.component import GuardrailArgs, ModelAccess, ModelAccessArgs
    from components.models.iam_documents import ModelGroupArgs, ModelKeyArgs, ModelUpstreamArgs
    from components.models.recording import PromptRecording, PromptRecordingArgs

__all__ = [
    "GuardrailArgs",
    "ModelAccess",
    "ModelAccessArgs",
    "ModelGroupArgs",
    "ModelKeyArgs",
    "ModelUpstreamArgs",
    "PromptRecording",
    "PromptRecordingArgs",
]

__getattr__ = loader(
    __name__,
    {
        "component": (
            "GuardrailArgs",
            "ModelAccess",
            "ModelAccessArgs",
        ),
        "iam_documents": (
            "ModelGroupArgs",
            "ModelKeyArgs",
            "ModelUpstreamArgs",
        ),
        "recording": (
            "PromptRecording",
            "PromptRecordingArgs",
        ),
    },
)
