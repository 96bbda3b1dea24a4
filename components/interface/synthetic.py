"""The synthetic chat of ``AIInterface``."""

import pulumi

from components.interface.args import Making
from components.interface.private import PrivatePart
from components.models.iam_documents import CHAT
from components.service.component import InterfaceService
from components.service.preset import PresetArgs
from components.synthetic.component import SyntheticChat, SyntheticChatArgs
from components.synthetic.identity import SyntheticIdentity
from components.synthetic.settings import SyntheticGroupArgs


def make_synthetic_chat(
    making: Making, private: PrivatePart, identity: SyntheticIdentity, service: InterfaceService, preset: PresetArgs
) -> None:
    """Creates the task definition and the schedule, in the interface's cluster."""
    args = making.args
    SyntheticChat(
        f"{making.name}-synthetic-chat",
        SyntheticChatArgs(
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            release=args.images.release,
            schedule=args.synthetic_chat,
            groups=[
                SyntheticGroupArgs(name=group.name, model=group.models[0])
                for group in args.groups
                if CHAT in group.serves
            ],
            interface_image=args.images.interface,
            proxy_image=args.images.proxy,
            proxy_arguments=preset.asking_arguments(),
            proxy_secrets=preset.asking_secrets(),
            secret_references=private.model_secret_references,
            execution_role_arn=identity.execution_role_arn,
            task_role_arn=identity.task_role_arn,
            log_group_names=identity.log_group_names,
            cluster_arn=service.cluster_arn,
            cluster_name=service.cluster_name,
            subnet_ids=private.network.private_subnet_ids,
            security_group_id=identity.security_group_id,
            architecture=args.size.architecture,
            tags=args.tags,
        ),
        pulumi.ResourceOptions.merge(
            making.child, pulumi.ResourceOptions(depends_on=[private.endpoints, private.models, identity])
        ),
    )
