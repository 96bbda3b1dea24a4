"""The edge: the only internet-facing load balancer. It terminates TLS, requires a login and forwards declared paths
only.

Every rule that forwards requires authentication. It contains no web ACL: attach ``Firewall`` to it. It does not end
sessions, because a load balancer cannot expire cookies; it forwards ``/logout`` to the target.
"""

import pulumi
import pulumi_aws as aws

from components.component import Component
from components.edge.args import EdgeArgs
from components.edge.listeners import HSTS, NOT_FOUND, actions, conditions
from components.edge.logs import ACCESS, CONNECTION, HEALTH_CHECK, make_log_bucket
from components.edge.records import make_alias_record, make_certificate
from components.edge.rules import edge_rules
from components.edge.security_group import HTTP, HTTPS, make_edge_group

HEALTH_INTERVAL_SECONDS, HEALTHY_AFTER = 15, 2
"""The interval of health checks, and the number of successful checks that make a target healthy."""


class Edge(Component):
    """An Application Load Balancer with its listeners, target group, certificate, records, logs and security group."""

    load_balancer_arn: pulumi.Output[str]
    """The load balancer's ARN, for the WAF."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """The value of its CloudWatch dimension."""
    dns_name: pulumi.Output[str]
    """The load balancer's AWS DNS name, for DNS records that you create."""
    zone_id: pulumi.Output[str]
    """The hosted zone of ``dns_name``, for an alias record that you create."""
    security_group_id: pulumi.Output[str]
    """The edge's security group, the only one from which tasks accept requests."""
    target_group_arn: pulumi.Output[str]
    """The target group in which the service registers its tasks."""
    target_group_arn_suffix: pulumi.Output[str]
    """The value of its CloudWatch dimension."""
    https_listener_arn: pulumi.Output[str]
    """The HTTPS listener."""
    certificate_arns: pulumi.Output[list[str]]
    """The certificates of the HTTPS listener."""
    log_bucket_name: pulumi.Output[str]
    """The bucket with access, connection and health-check logs."""

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EdgeArgs.model_validate(args)
        super().__init__("ai-interface:index:Edge", name, args, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        group = make_edge_group(name, args, self._child)
        balancer = self._load_balancer(group)
        targets = self._target_group()
        listener = self._https_listener(balancer)
        self._http_listener(balancer)
        self._rules(listener, targets)
        self._records(balancer)

        self.load_balancer_arn = balancer.arn
        self.load_balancer_arn_suffix = balancer.arn_suffix
        self.dns_name = balancer.dns_name
        self.zone_id = balancer.zone_id
        self.security_group_id = group.id
        self.target_group_arn = targets.arn
        self.target_group_arn_suffix = targets.arn_suffix
        self.https_listener_arn = listener.arn
        self.certificate_arns = pulumi.Output.all(*self._certificates).apply(lambda arns: [str(one) for one in arns])
        self.register_outputs(
            {
                "loadBalancerArn": self.load_balancer_arn,
                "loadBalancerArnSuffix": self.load_balancer_arn_suffix,
                "dnsName": self.dns_name,
                "zoneId": self.zone_id,
                "securityGroupId": self.security_group_id,
                "targetGroupArn": self.target_group_arn,
                "targetGroupArnSuffix": self.target_group_arn_suffix,
                "httpsListenerArn": self.https_listener_arn,
                "certificateArns": self.certificate_arns,
                "logBucketName": self.log_bucket_name,
            }
        )

    def _tags(self, role: str) -> dict[str, str]:
        return {**self._args.tags, "Name": f"{self._name}-{role}"}

    def _host_names(self) -> list[str]:
        """Every host name of the edge, sorted."""
        machine = self._args.machine_clients
        names = [*self._args.host_names, *([machine.host_name] if machine else [])]
        return sorted(set(names))

    def _load_balancer(self, group: aws.ec2.SecurityGroup) -> aws.lb.LoadBalancer:
        args = self._args
        bucket, writable = make_log_bucket(
            self._name,
            account_id=args.account_id,
            region=args.region,
            retention_days=args.access_log_retention_days,
            reader_arns=args.log_reader_arns,
            allow_deletion=args.allow_deletion,
            tags=args.tags,
            opts=self._child,
        )
        self.log_bucket_name = bucket.bucket
        return aws.lb.LoadBalancer(
            f"{self._name}-balancer",
            internal=False,
            load_balancer_type="application",
            ip_address_type="ipv4",
            subnets=args.public_subnet_ids,
            security_groups=[group.id],
            idle_timeout=args.idle_timeout_seconds,
            client_keep_alive=args.client_keep_alive_seconds,
            desync_mitigation_mode="strictest",
            drop_invalid_header_fields=True,
            preserve_host_header=True,
            xff_header_processing_mode="append",
            enable_xff_client_port=False,
            enable_tls_version_and_cipher_suite_headers=False,
            enable_cross_zone_load_balancing=True,
            enable_http2=True,
            enable_zonal_shift=True,
            enable_waf_fail_open=False,
            enable_deletion_protection=not args.allow_deletion,
            access_logs={"bucket": bucket.bucket, "prefix": ACCESS, "enabled": True},
            connection_logs={"bucket": bucket.bucket, "prefix": CONNECTION, "enabled": True},
            health_check_logs={"bucket": bucket.bucket, "prefix": HEALTH_CHECK, "enabled": True},
            tags=self._tags("edge"),
            # Also protected in the engine, so that a destroy is refused before anything is deleted.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[writable], protect=not args.allow_deletion),
        )

    def _target_group(self) -> aws.lb.TargetGroup:
        args = self._args
        return aws.lb.TargetGroup(
            f"{self._name}-targets",
            vpc_id=args.vpc_id,
            target_type="ip",
            ip_address_type="ipv4",
            port=args.target_port,
            protocol="HTTPS",
            protocol_version="HTTP1",
            deregistration_delay=args.deregistration_delay_seconds,
            load_balancing_algorithm_type="least_outstanding_requests",
            health_check={
                "enabled": True,
                "protocol": "HTTPS",
                "port": "traffic-port",
                "path": args.health_check_path,
                "matcher": "200",
                "interval": HEALTH_INTERVAL_SECONDS,
                "timeout": 5,
                "healthy_threshold": HEALTHY_AFTER,
                "unhealthy_threshold": 3,
            },
            tags=self._tags("targets"),
            opts=self._child,
        )

    def _certificate_arn(self) -> pulumi.Output[str]:
        args = self._args
        if args.certificate_arn is not None:
            return pulumi.Output.from_input(args.certificate_arn)
        return self._make_certificate(args.host_names[0])

    def _make_certificate(self, host_name: str) -> pulumi.Output[str]:
        if self._args.hosted_zone_id is None:
            raise ValueError(
                f"hosted_zone_id is required to create a certificate for {host_name}: set it, or provide the certificate"
            )
        return make_certificate(
            self._name, host_name, zone_id=self._args.hosted_zone_id, tags=self._args.tags, opts=self._child
        )

    def _https_listener(self, balancer: aws.lb.LoadBalancer) -> aws.lb.Listener:
        args = self._args
        certificate = self._certificate_arn()
        listener = aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=balancer.arn,
            port=HTTPS,
            protocol="HTTPS",
            ssl_policy=args.tls_policy.value,
            certificate_arn=certificate,
            default_actions=[{"type": "fixed-response", "fixed_response": NOT_FOUND}],
            routing_http_response_server_enabled=False,
            routing_http_response_strict_transport_security_header_value=HSTS,
            routing_http_response_x_content_type_options_header_value="nosniff",
            routing_http_response_x_frame_options_header_value="SAMEORIGIN",
            routing_http_response_content_security_policy_header_value=args.content_security_policy,
            tags=self._tags("https"),
            opts=self._child,
        )
        further = self._further_certificates()
        self._certificates = [certificate, *further.values()]
        for host_name, arn in further.items():
            aws.lb.ListenerCertificate(
                f"{self._name}-{host_name}", listener_arn=listener.arn, certificate_arn=arn, opts=self._child
            )
        return listener

    def _further_certificates(self) -> dict[str, pulumi.Output[str]]:
        """Additional certificates of the listener, by host name."""
        args, machine = self._args, self._args.machine_clients
        found: dict[str, pulumi.Output[str]] = {}
        if args.hosted_zone_id is not None:
            found = {host: self._make_certificate(host) for host in args.host_names[1:]}
        if machine is not None and machine.certificate_arn is not None:
            found[machine.host_name] = pulumi.Output.from_input(machine.certificate_arn)
        elif machine is not None and args.hosted_zone_id is not None:
            found[machine.host_name] = self._make_certificate(machine.host_name)
        return found

    def _http_listener(self, balancer: aws.lb.LoadBalancer) -> None:
        """Plain HTTP: requests for declared host names are redirected to HTTPS; all others get a 404."""
        listener = aws.lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer.arn,
            port=HTTP,
            protocol="HTTP",
            default_actions=[{"type": "fixed-response", "fixed_response": NOT_FOUND}],
            routing_http_response_server_enabled=False,
            tags=self._tags("http"),
            opts=self._child,
        )
        aws.lb.ListenerRule(
            f"{self._name}-redirect",
            listener_arn=listener.arn,
            priority=100,
            conditions=[{"host_header": {"values": self._host_names()}}],
            actions=[
                {
                    "type": "redirect",
                    "order": 1,
                    "redirect": {
                        "protocol": "HTTPS",
                        "port": str(HTTPS),
                        "host": "#{host}",
                        "path": "/#{path}",
                        "query": "#{query}",
                        "status_code": "HTTP_301",
                    },
                }
            ],
            tags=self._tags("redirect"),
            opts=self._child,
        )

    def _rules(self, listener: aws.lb.Listener, targets: aws.lb.TargetGroup) -> None:
        args, machine = self._args, self._args.machine_clients
        for rule in edge_rules(
            args.host_names,
            blocked=args.paths.blocked,
            api=args.paths.api,
            pages=args.paths.pages,
            machine_host=machine.host_name if machine else None,
            machine_paths=machine.model_paths if machine else (),
        ):
            aws.lb.ListenerRule(
                f"{self._name}-{rule.key}",
                listener_arn=listener.arn,
                priority=rule.priority,
                conditions=conditions(rule),
                actions=actions(rule, target_group_arn=targets.arn, oidc=args.oidc, machine=machine),
                tags=self._tags(rule.key),
                opts=self._child,
            )

    def _records(self, balancer: aws.lb.LoadBalancer) -> None:
        args = self._args
        if args.hosted_zone_id is None:
            return
        for host_name in self._host_names():
            make_alias_record(self._name, host_name, zone_id=args.hosted_zone_id, balancer=balancer, opts=self._child)
