"""The amount of each quota that the recorded graph needs, and the amount that the account already uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from preflight.account.session import Account
from preflight.ready.parts.names import web_acls
from preflight.ready.wanted import Wanted

Need = Callable[[Wanted], float]
Use = Callable[[Account, Wanted], float]
ENDPOINT, RULE = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/networkAclRule:NetworkAclRule"
MASTER_SECRETS = 1
"""RDS creates one for each cluster whose master password it manages."""
CPU_UNITS = 1024
"""CPU units of one vCPU."""
FARGATE_BATCH = 100
"""The maximum number of tasks in one DescribeTasks call."""


def of(*kinds: str) -> Need:
    """The number of resources of these types."""
    return lambda wanted: sum(wanted.count(kind) for kind in kinds)


def most(kind: str, *keys: str) -> Need:
    """The largest number of resources of one type that share the values of these inputs."""

    def need(wanted: Wanted) -> float:
        groups = Counter(tuple(str(inputs.get(key)) for key in keys) for inputs in wanted.inputs(kind))
        return max(groups.values(), default=0)

    return need


def rules_of_a_group(wanted: Wanted) -> float:
    """The maximum number of rules in one direction of one security group."""
    return max(
        most(f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule", "securityGroupId")(wanted)
        for way in ("Ingress", "Egress")
    )


def groups_of_an_interface(wanted: Wanted) -> float:
    """The maximum number of security groups on one network interface."""
    held = [
        *(inputs.get("securityGroups", []) for inputs in wanted.inputs("aws:lb/loadBalancer:LoadBalancer")),
        *(inputs.get("securityGroupIds", []) for inputs in wanted.inputs(ENDPOINT)),
        *(i["networkConfiguration"].get("securityGroups", []) for i in wanted.inputs("aws:ecs/service:Service")),
    ]
    return max(map(len, held), default=0)


def endpoints(kind: str) -> Need:
    """Endpoints of one kind."""
    return lambda wanted: sum(inputs.get("vpcEndpointType", "Gateway") == kind for inputs in wanted.inputs(ENDPOINT))


def endpoint_policy(wanted: Wanted) -> float:
    """The length of the longest endpoint policy in characters."""
    return max((len(str(inputs.get("policy", ""))) for inputs in wanted.inputs(ENDPOINT)), default=0)


def tasks(wanted: Wanted) -> int:
    """The maximum number of concurrent tasks: a deployment at full scale starts the new tasks while the old ones
    run."""
    most_tasks = max(int(inputs["maxCapacity"]) for inputs in wanted.inputs("aws:appautoscaling/target:Target"))
    percent = max(int(i.get("deploymentMaximumPercent", 200)) for i in wanted.inputs("aws:ecs/service:Service"))
    return most_tasks * percent // 100


def processors(wanted: Wanted) -> float:
    """The vCPUs of the maximum number of concurrent tasks."""
    return tasks(wanted) * int(wanted.task["cpu"]) / CPU_UNITS


def interfaces(wanted: Wanted) -> float:
    """Network interfaces: one per subnet for endpoints and load balancer, one each for tasks, database and cache."""
    subnets = sum(len(inputs.get("subnetIds", [])) for inputs in wanted.inputs(ENDPOINT))
    balancers = sum(len(inputs.get("subnets", [])) for inputs in wanted.inputs("aws:lb/loadBalancer:LoadBalancer"))
    return subnets + balancers + tasks(wanted) + instances(wanted) + nodes(wanted)


def instances(wanted: Wanted) -> float:
    """Instances of the database."""
    return wanted.count("aws:rds/clusterInstance:ClusterInstance")


def nodes(wanted: Wanted) -> float:
    """Nodes of the cache."""
    groups = wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup")
    return sum(int(inputs["numCacheClusters"]) for inputs in groups)


def secrets(wanted: Wanted) -> float:
    """Secrets, including the database's master secret."""
    managed = [i for i in wanted.inputs("aws:rds/cluster:Cluster") if i.get("manageMasterUserPassword")]
    return wanted.count("aws:secretsmanager/secret:Secret") + MASTER_SECRETS * len(managed)


def listed(service: str, operation: str, key: str, region: str = "", **parameters: object) -> Use:
    """The number of elements that a list call returns."""
    return lambda account, _: len(account.every(service, operation, key, region, **parameters))


def nothing(_account: Account, _wanted: Wanted) -> float:
    """A quota of a resource that the stack creates, so its use is zero."""
    return 0


def interface_endpoints(account: Account, wanted: Wanted) -> float:
    """Interface endpoints of an existing VPC; a new one has none."""
    network = wanted.settings.network.existing
    if network is None:
        return 0
    chosen = [
        {"Name": "vpc-endpoint-type", "Values": ["Interface"]},
        {"Name": "vpc-id", "Values": [network.vpc_id]},
    ]
    return len(account.every("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=chosen))


def gateway_endpoints(account: Account, _: Wanted) -> float:
    """Gateway endpoints of the region."""
    chosen = [{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}]
    return len(account.every("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=chosen))


def balancers(account: Account, _: Wanted) -> float:
    """Application load balancers of the region."""
    found = account.every("elbv2", "describe_load_balancers", "LoadBalancers")
    return sum(balancer["Type"] == "application" for balancer in found)


def cache_nodes(account: Account, _: Wanted) -> float:
    """Nodes of all caches of the region."""
    found = account.every("elasticache", "describe_cache_clusters", "CacheClusters")
    return sum(int(cluster.get("NumCacheNodes", 1)) for cluster in found)


def firewalls(account: Account, _: Wanted) -> float:
    """Regional web ACLs."""
    return len(web_acls(account))


def running_processors(account: Account, _: Wanted) -> float:
    """vCPUs of all running on-demand Fargate tasks in the region."""
    total = 0.0
    for cluster in account.every("ecs", "list_clusters", "clusterArns"):
        arns = account.every("ecs", "list_tasks", "taskArns", cluster=cluster, launchType="FARGATE")
        for start in range(0, len(arns), FARGATE_BATCH):
            found = account.ask("ecs", "describe_tasks", cluster=cluster, tasks=arns[start : start + FARGATE_BATCH])
            total += sum(
                int(t.get("cpu", 0)) for t in found["tasks"] if t.get("capacityProviderName") != "FARGATE_SPOT"
            )
    return total / CPU_UNITS
