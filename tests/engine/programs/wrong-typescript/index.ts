import * as pulumi from "@pulumi/pulumi";
import * as ai from "@pulumi/ai-interface";

const region = "eu-west-1";

// From a configuration without types, so that the compiler does not refuse what the component has to.
const wrong: any = {
    environment: "whole",
    accountId: "111122223333",
    region,
    hostName: pulumi.secret("canary-host.example.com"), // a secret that would be stored in plain text
    hostedZoneId: "Z0123456789ABCDEFGHIJ",
    cidrBlock: "10.70.0.0/16",
    size: { minTasks: 2 }, // misspelt; the SDK drops a misspelt name that is not in an object
    availabilityZones: "eu-west-1a", // a text in place of a list
    oidc: {
        issuer: "https://login.example.com",
        authorizationEndpoint: "https://login.example.com/authorize",
        tokenEndpoint: "http://login.example.com/token", // no https
        userInfoEndpoint: "https://login.example.com/userinfo",
        clientId: "consumer",
        clientSecret: pulumi.secret("canary-client-secret"),
    },
    allowed: { claimName: "groups", claimValues: ["users"] },
    contactEmail: "platform@example.com",
    runbookUrl: "https://example.com/runbook",
    images: {
        release: "1.0.0",
        interface: "example/interface",
        proxy: "example/proxy",
        repositoryArns: [],
        // schemas is missing
    },
    groups: [
        {
            name: "general",
            models: ["openai.gpt-oss-120b-1:0"],
            upstreams: [{ kind: "azure", region }], // no kind of a server
        },
    ],
    limits: { cookieBytes: 1 }, // below its range
    retention: { accessLogDays: 90 }, // above its range
    edge: { tlsPolicy: "ELBSecurityPolicy-2016-08" }, // no choice
    timeouts: { streamSeconds: 900 }, // in conflict with another one
    tags: { owner: "platform" },
};

new ai.AIInterface("whole", wrong);
