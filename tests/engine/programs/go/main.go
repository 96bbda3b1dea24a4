// A network, an edge with its WAF and a service, and a whole interface, in another project's stack.
package main

import (
	"strings"

	ai "example.com/pulumi-ai-interface/sdk/go/aiinterface"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	region = "eu-west-1"
	key    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000"
)

var digest = "@sha256:" + strings.Repeat("0", 64)

// own is a zone or a certificate, as the AWS SDK has them.
type own struct {
	pulumi.CustomResourceState

	Arn    pulumi.StringOutput `pulumi:"arn"`
	ZoneId pulumi.StringOutput `pulumi:"zoneId"`
}

func image(name string) pulumi.StringInput {
	return pulumi.String("111122223333.dkr.ecr.eu-west-1.amazonaws.com/example/" + name + digest)
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		account := pulumi.String("111122223333").ToStringOutput()
		zones := pulumi.ToStringArray([]string{"eu-west-1a", "eu-west-1b"})
		tags := pulumi.StringMap{
			"owner":       pulumi.String("platform"),
			"environment": pulumi.String("test"),
			"project":     pulumi.String("consumer"),
		}
		// Zone and certificate of the program itself: in the first preview their ids are not known.
		var zone, certificate own
		if err := ctx.RegisterResource("aws:route53/zone:Zone", "own", pulumi.Map{
			"name": pulumi.String("example.com"),
			"tags": tags,
		}, &zone); err != nil {
			return err
		}
		if err := ctx.RegisterResource("aws:acm/certificate:Certificate", "own", pulumi.Map{
			"domainName":       pulumi.String("whole.example.com"),
			"validationMethod": pulumi.String("DNS"),
			"tags":             tags,
		}, &certificate); err != nil {
			return err
		}
		login := ai.OidcArgs{
			Issuer:                pulumi.String("https://login.example.com"),
			AuthorizationEndpoint: pulumi.String("https://login.example.com/authorize"),
			TokenEndpoint:         pulumi.String("https://login.example.com/token"),
			UserInfoEndpoint:      pulumi.String("https://login.example.com/userinfo"),
			ClientId:              pulumi.String("consumer"),
			ClientSecret:          pulumi.ToSecret(pulumi.String("canary-client-secret")).(pulumi.StringOutput),
		}
		allowed := ai.PeopleArgs{
			ClaimName:   pulumi.String("groups"),
			ClaimValues: pulumi.ToStringArray([]string{"users"}),
		}
		groups := ai.ModelGroupArray{ai.ModelGroupArgs{
			Name:   pulumi.String("general"),
			Models: pulumi.ToStringArray([]string{"openai.gpt-oss-120b-1:0"}),
			Upstreams: ai.ModelUpstreamArray{ai.ModelUpstreamArgs{
				Kind:   pulumi.String("bedrock"),
				Region: pulumi.String(region),
			}},
		}}
		schemas := ai.SchemaArray{ai.SchemaArgs{Release: pulumi.String("1.0.0"), Revision: pulumi.String("1111")}}

		network, err := ai.NewPrivateNetwork(ctx, "network", &ai.PrivateNetworkArgs{
			AccountId:            account,
			Region:               pulumi.String(region),
			CidrBlock:            pulumi.String("10.60.0.0/16"),
			AvailabilityZones:    zones,
			FlowLogRetentionDays: 30,
			AllowedDomains:       pulumi.ToStringArray([]string{"*.eu-west-1.amazonaws.com"}),
			Tags:                 tags,
		})
		if err != nil {
			return err
		}
		edge, err := ai.NewEdge(ctx, "edge", &ai.EdgeArgs{
			AccountId:             account,
			Region:                pulumi.String(region),
			VpcId:                 network.VpcId,
			PublicSubnetIds:       network.PublicSubnetIds,
			TargetSecurityGroupId: pulumi.String("sg-0123456789abcdef0"),
			HostNames:             pulumi.ToStringArray([]string{"chat.example.com"}),
			HostedZoneId:          zone.ZoneId,
			Oidc:                  login,
			Tags:                  tags,
		})
		if err != nil {
			return err
		}
		firewall, err := ai.NewFirewall(ctx, "firewall", &ai.FirewallArgs{
			AccountId:        account,
			Region:           pulumi.String(region),
			LoadBalancerArn:  edge.LoadBalancerArn,
			LogRetentionDays: 30,
			Tags:             tags,
		})
		if err != nil {
			return err
		}
		secrets := pulumi.StringMap{}
		for _, name := range []string{
			"cache-url", "database-master-password", "database-master-user",
			"proxy-certificate", "proxy-private-key", "session-key", "user-key",
		} {
			secrets[name] = pulumi.String("arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + name)
		}
		_, err = ai.NewInterfaceService(ctx, "service", &ai.InterfaceServiceArgs{
			Environment: pulumi.String("parts"),
			Region:      pulumi.String(region),
			Release:     pulumi.String("1.0.0"),
			Schemas:     schemas,
			Preset: &ai.PresetArgs{
				HostNames: pulumi.ToStringArray([]string{"chat.example.com"}),
				Access: ai.AccessArgs{
					Issuer:   pulumi.String("https://login.example.com"),
					ClientId: pulumi.String("consumer"),
					Allowed:  &allowed,
					Contact:  pulumi.String("platform@example.com"),
				},
				Groups:            groups,
				LoadBalancerArn:   edge.LoadBalancerArn,
				GuardrailIds:      pulumi.StringMap{region: pulumi.String("0123456789ab")},
				GuardrailVersions: pulumi.StringMap{region: pulumi.String("1")},
			},
			InterfaceImage:   image("interface"),
			ProxyImage:       image("proxy"),
			ExecutionRoleArn: pulumi.String("arn:aws:iam::111122223333:role/execution"),
			TaskRoleArn:      pulumi.String("arn:aws:iam::111122223333:role/task"),
			SecretReferences: secrets,
			DataValues: pulumi.StringMap{
				"bucket-name":   pulumi.String("uploads"),
				"database-host": pulumi.String("database.example.internal"),
				"database-name": pulumi.String("interface"),
				"database-port": pulumi.String("5432"),
				"database-user": pulumi.String("interface"),
			},
			LogGroupNames: pulumi.StringMap{
				"prepare":   pulumi.String("/example/prepare"),
				"proxy":     pulumi.String("/example/proxy"),
				"interface": pulumi.String("/example/interface"),
			},
			KeyArn:                pulumi.String(key),
			SubnetIds:             network.PrivateSubnetIds,
			SecurityGroupId:       pulumi.String("sg-0123456789abcdef0"),
			TargetGroupArn:        edge.TargetGroupArn,
			LoadBalancerArnSuffix: edge.LoadBalancerArnSuffix,
			TargetGroupArnSuffix:  edge.TargetGroupArnSuffix,
			RollbackAlarmNames:    pulumi.ToStringArray([]string{"edge-errors"}),
			Tags:                  tags,
		}, pulumi.DependsOn([]pulumi.Resource{edge, firewall}))
		if err != nil {
			return err
		}
		whole, err := ai.NewAIInterface(ctx, "whole", &ai.AIInterfaceArgs{
			Environment:       pulumi.String("whole"),
			AccountId:         account,
			Region:            pulumi.String(region),
			HostName:          pulumi.String("whole.example.com"),
			CertificateArn:    certificate.Arn,
			CidrBlock:         pulumi.String("10.70.0.0/16"),
			AvailabilityZones: zones,
			Oidc:              login,
			Allowed:           &allowed,
			ContactEmail:      pulumi.String("platform@example.com"),
			RunbookUrl:        pulumi.String("https://example.com/runbook"),
			Images: ai.InterfaceImagesArgs{
				Release:        pulumi.String("1.0.0"),
				Interface:      image("interface"),
				Proxy:          image("proxy"),
				RepositoryArns: pulumi.ToStringArray([]string{"arn:aws:ecr:eu-west-1:111122223333:repository/example/proxy"}),
				Schemas:        schemas,
			},
			Groups: groups,
			Tags:   tags,
		})
		if err != nil {
			return err
		}
		ctx.Export("address", edge.DnsName)
		ctx.Export("subnets", network.PrivateSubnetIds)
		ctx.Export("url", whole.Url)
		return nil
	})
}
