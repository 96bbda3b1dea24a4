"""Model invocation logging: every prompt and every answer, kept. Off unless this component is made on purpose.

It is one switch for a whole account and region: the prompts of every other user of Bedrock there are recorded too,
and two stacks in one account overwrite each other's choice. Texts only; images and embeddings are left out. Who may
read the log group is decided by the account's IAM policies; the group's key and retention are set here.
"""

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document, service_trust

STREAM = "aws/bedrock/modelinvocations"
"""The log stream that Bedrock writes to."""


class PromptRecordingArgs(Args):
    """Arguments of ``PromptRecording``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    record_prompts_for_days: int = Field(ge=1, le=365)
    """Prompts are kept this long; a value that CloudWatch Logs accepts. There is no default: say it."""
    key_arn: pulumi.Output[str]
    """Encrypts the log group."""
    tags: dict[str, str]
    """Tags of every resource."""


class PromptRecording(pulumi.ComponentResource):
    """The account's invocation logging, into an encrypted log group that expires."""

    log_group_name: pulumi.Output[str]
    """Where prompts and answers are recorded."""

    def __init__(self, name: str, args: PromptRecordingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PromptRecordingArgs.model_validate(args)
        super().__init__("ai-interface:index:PromptRecording", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/ai-interface/{args.environment}/prompts",
            retention_in_days=args.record_prompts_for_days,
            kms_key_id=args.key_arn,
            tags=args.tags,
            opts=child,
        )
        role = self._role(name, args, child)
        policy = aws.iam.RolePolicy(
            f"{name}-policy", role=role.name, policy=group.arn.apply(delivery_policy), opts=child
        )
        aws.bedrockmodel.InvocationLoggingConfiguration(
            f"{name}-configuration",
            logging_config=aws.bedrockmodel.InvocationLoggingConfigurationLoggingConfigArgs(
                cloudwatch_config=aws.bedrockmodel.InvocationLoggingConfigurationLoggingConfigCloudwatchConfigArgs(
                    log_group_name=group.name, role_arn=role.arn
                ),
                text_data_delivery_enabled=True,
                image_data_delivery_enabled=False,
                embedding_data_delivery_enabled=False,
                video_data_delivery_enabled=False,
            ),
            # Bedrock tries the delivery when logging is turned on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.log_group_name = group.name
        self.register_outputs({"logGroupName": self.log_group_name})

    def _role(self, name: str, args: PromptRecordingArgs, child: pulumi.ResourceOptions) -> aws.iam.Role:
        trust = service_trust(
            "bedrock.amazonaws.com",
            {
                "StringEquals": {SOURCE_ACCOUNT: [args.account_id]},
                "ArnLike": {SOURCE_ARN: [f"arn:aws:bedrock:{args.region}:{args.account_id}:*"]},
            },
        )
        return aws.iam.Role(f"{name}-role", assume_role_policy=trust, tags=args.tags, opts=child)


def delivery_policy(log_group_arn: str) -> str:
    """What Bedrock needs to write to its stream of the log group."""
    return policy_document(
        [
            Statement(
                sid="WriteInvocations",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{log_group_arn}:log-stream:{STREAM}"],
            )
        ]
    )
