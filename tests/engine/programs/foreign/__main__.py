"""A web service and its database. With ``foreign:open``, two changes together expose the database to the internet."""

import pulumi
import pulumi_aws as aws

is_open = pulumi.Config().get_bool("open")

vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
gateway = aws.ec2.InternetGateway("main", vpc_id=vpc.id)
table = aws.ec2.RouteTable("main", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}])
subnets = [
    aws.ec2.Subnet(f"data-{zone}", vpc_id=vpc.id, cidr_block=f"10.0.{index}.0/24", availability_zone=f"eu-west-1{zone}")
    for index, zone in enumerate("ab")
]
if is_open:
    for subnet, zone in zip(subnets, "ab", strict=True):
        aws.ec2.RouteTableAssociation(f"data-{zone}", subnet_id=subnet.id, route_table_id=table.id)

group = aws.ec2.SecurityGroup(
    "database",
    vpc_id=vpc.id,
    ingress=[
        {
            "protocol": "tcp",
            "from_port": 5432,
            "to_port": 5432,
            "cidr_blocks": ["0.0.0.0/1", "128.0.0.0/1"] if is_open else ["10.0.0.0/16"],
        }
    ],
)
aws.rds.Instance(
    "database",
    engine="postgres",
    instance_class="db.t4g.small",
    allocated_storage=20,
    username="owner",
    manage_master_user_password=True,
    db_subnet_group_name=aws.rds.SubnetGroup("database", subnet_ids=[subnet.id for subnet in subnets]).name,
    vpc_security_group_ids=[group.id],
    publicly_accessible=bool(is_open),
    skip_final_snapshot=True,
)
