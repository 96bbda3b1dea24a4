import * as pulumi from "@pulumi/pulumi";
import * as ai from "@pulumi/ai-interface";

const region = "eu-west-1";
const zones = ["eu-west-1a", "eu-west-1b"];
const tags = { owner: "platform", environment: "test", project: "consumer" };
const accountId = pulumi.output("111122223333");
// Zone and certificate of the program itself, as @pulumi/aws has them: in the first preview their ids are not known.
class Own extends pulumi.CustomResource {
    declare readonly zoneId: pulumi.Output<string>;
    declare readonly arn: pulumi.Output<string>;
}
const zone = new Own("aws:route53/zone:Zone", "own", { zoneId: undefined, name: "example.com", tags }).zoneId;
const certificateArn = new Own("aws:acm/certificate:Certificate", "own", {
    arn: undefined,
    domainName: "whole.example.com",
    validationMethod: "DNS",
    tags,
}).arn;
const image = (name: string) =>
    pulumi.interpolate`${accountId}.dkr.ecr.${region}.amazonaws.com/example/${name}@sha256:${"0".repeat(64)}`;
const oidc = {
    issuer: "https://login.example.com",
    authorizationEndpoint: "https://login.example.com/authorize",
    tokenEndpoint: "https://login.example.com/token",
    userInfoEndpoint: "https://login.example.com/userinfo",
    clientId: "consumer",
    clientSecret: pulumi.secret("canary-client-secret"),
};
const allowed = { claimName: "groups", claimValues: ["users"] };
const groups = [
    { name: "general", models: ["openai.gpt-oss-120b-1:0"], upstreams: [{ kind: "bedrock", region }] },
];
const schemas = [{ release: "1.0.0", revision: "1111" }];

const network = new ai.PrivateNetwork("network", {
    accountId,
    region,
    cidrBlock: "10.60.0.0/16",
    availabilityZones: zones,
    flowLogRetentionDays: 30,
    allowedDomains: ["*.eu-west-1.amazonaws.com"],
    tags,
});

const edge = new ai.Edge("edge", {
    accountId,
    region,
    vpcId: network.vpcId,
    publicSubnetIds: network.publicSubnetIds,
    targetSecurityGroupId: "sg-0123456789abcdef0",
    hostNames: ["chat.example.com"],
    hostedZoneId: zone,
    oidc,
    tags,
});

const firewall = new ai.Firewall("firewall", {
    accountId,
    region,
    loadBalancerArn: edge.loadBalancerArn,
    logRetentionDays: 30,
    tags,
});

const secrets = [
    "cache-url",
    "database-master-password",
    "database-master-user",
    "proxy-certificate",
    "proxy-private-key",
    "session-key",
    "user-key",
];

new ai.InterfaceService(
    "service",
    {
        environment: "parts",
        region,
        release: "1.0.0",
        schemas,
        preset: {
            hostNames: ["chat.example.com"],
            access: { issuer: oidc.issuer, clientId: oidc.clientId, allowed, contact: "platform@example.com" },
            groups,
            loadBalancerArn: edge.loadBalancerArn,
            guardrailIds: { "eu-west-1": "0123456789ab" },
            guardrailVersions: { "eu-west-1": "1" },
        },
        interfaceImage: image("interface"),
        proxyImage: image("proxy"),
        executionRoleArn: "arn:aws:iam::111122223333:role/execution",
        taskRoleArn: "arn:aws:iam::111122223333:role/task",
        secretReferences: Object.fromEntries(
            secrets.map((name) => [name, `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}`]),
        ),
        dataValues: {
            "bucket-name": "uploads",
            "database-host": "database.example.internal",
            "database-name": "interface",
            "database-port": "5432",
            "database-user": "interface",
        },
        logGroupNames: { prepare: "/example/prepare", proxy: "/example/proxy", interface: "/example/interface" },
        keyArn: "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000",
        subnetIds: network.privateSubnetIds,
        securityGroupId: "sg-0123456789abcdef0",
        targetGroupArn: edge.targetGroupArn,
        loadBalancerArnSuffix: edge.loadBalancerArnSuffix,
        targetGroupArnSuffix: edge.targetGroupArnSuffix,
        rollbackAlarmNames: ["edge-errors"],
        tags,
    },
    { dependsOn: [edge, firewall] },
);

const whole = new ai.AIInterface("whole", {
    environment: "whole",
    accountId,
    region,
    hostName: "whole.example.com",
    certificateArn,
    cidrBlock: "10.70.0.0/16",
    availabilityZones: zones,
    oidc,
    allowed,
    contactEmail: "platform@example.com",
    runbookUrl: "https://example.com/runbook",
    images: {
        release: "1.0.0",
        interface: image("interface"),
        proxy: image("proxy"),
        repositoryArns: ["arn:aws:ecr:eu-west-1:111122223333:repository/example/proxy"],
        schemas,
    },
    groups,
    tags,
});

export const address = edge.dnsName;
export const subnets = network.privateSubnetIds;
export const url = whole.url;
