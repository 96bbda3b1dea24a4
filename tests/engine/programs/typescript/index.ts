import * as pulumi from "@pulumi/pulumi";
import * as ai from "@pulumi/ai-interface";

const tags = { owner: "platform", environment: "test", project: "consumer" };
const account = { accountId: "111122223333", region: "eu-west-1" };

const network = new ai.PrivateNetwork("network", {
    ...account,
    cidrBlock: "10.60.0.0/16",
    availabilityZones: ["eu-west-1a", "eu-west-1b"],
    flowLogRetentionDays: 30,
    allowedDomains: ["*.eu-west-1.amazonaws.com"],
    tags,
});

const workload = "sg-0123456789abcdef0";

const edge = new ai.Edge("edge", {
    ...account,
    vpcId: network.vpcId,
    publicSubnetIds: network.publicSubnetIds,
    targetSecurityGroupId: workload,
    hostNames: ["chat.example.com"],
    hostedZoneId: "Z0123456789ABCDEFGHIJ",
    oidc: {
        issuer: "https://login.example.com",
        authorizationEndpoint: "https://login.example.com/authorize",
        tokenEndpoint: "https://login.example.com/token",
        userInfoEndpoint: "https://login.example.com/userinfo",
        clientId: "consumer",
        clientSecret: pulumi.secret("canary-client-secret"),
    },
    tags,
});

export const address = edge.dnsName;
export const subnets = network.privateSubnetIds;
