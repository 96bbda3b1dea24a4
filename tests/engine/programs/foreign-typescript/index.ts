// The stack of ../foreign in TypeScript: a database that `foreign:open` exposes to the internet. The resources share one class, so
// that the test does not need the AWS SDK, which is larger than everything else that it installs.
import * as pulumi from "@pulumi/pulumi";

const version = new pulumi.Config("sdk").require("aws");
const open = new pulumi.Config().getBoolean("open") ?? false;

class Resource extends pulumi.CustomResource {}

function aws(type: string, name: string, inputs: pulumi.Inputs): Resource {
    return new Resource(`aws:${type}`, name, inputs, { version });
}

const vpc = aws("ec2/vpc:Vpc", "main", { cidrBlock: "10.0.0.0/16" });
const gateway = aws("ec2/internetGateway:InternetGateway", "main", { vpcId: vpc.id });
const table = aws("ec2/routeTable:RouteTable", "main", {
    vpcId: vpc.id,
    routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }],
});
const subnets = ["a", "b"].map((zone, index) =>
    aws("ec2/subnet:Subnet", `data-${zone}`, {
        vpcId: vpc.id,
        cidrBlock: `10.0.${index}.0/24`,
        availabilityZone: `eu-west-1${zone}`,
    }),
);
if (open) {
    subnets.forEach((subnet, index) =>
        aws("ec2/routeTableAssociation:RouteTableAssociation", `data-${index}`, {
            subnetId: subnet.id,
            routeTableId: table.id,
        }),
    );
}
const group = aws("ec2/securityGroup:SecurityGroup", "database", {
    vpcId: vpc.id,
    ingress: [
        {
            protocol: "tcp",
            fromPort: 5432,
            toPort: 5432,
            cidrBlocks: open ? ["0.0.0.0/1", "128.0.0.0/1"] : ["10.0.0.0/16"],
        },
    ],
});
const placed = aws("rds/subnetGroup:SubnetGroup", "database", { name: "database", subnetIds: subnets.map((s) => s.id) });
aws("rds/instance:Instance", "database", {
    engine: "postgres",
    instanceClass: "db.t4g.small",
    allocatedStorage: 20,
    username: "owner",
    manageMasterUserPassword: true,
    dbSubnetGroupName: placed.id,
    vpcSecurityGroupIds: [group.id],
    publiclyAccessible: open,
    skipFinalSnapshot: true,
});
