"""The table of mistakes, continued: limits, capacity, retention and data."""

from __future__ import annotations

from tests.settings.mistakes import FIXES, FORM, UNKNOWN, row

SIZE_ROWS = [
    row(
        "secrets for ten years",
        {"secrets.maximumAgeDays": 3650},
        ("secrets.maximumAgeDays", "3650", "set it to 730 or less"),
    ),
    # objectives
    row(
        "an objective that no outage misses fast enough",
        {"objectives.availabilityPercent": 90.0},
        ("objectives.availabilityPercent", "90.0", "set it to 94 or more"),
    ),
    row(
        "an objective of everything",
        {"objectives.chatSuccessPercent": 100.0},
        ("objectives.chatSuccessPercent", "100.0", "set it to 99.99 or less"),
    ),
    row(
        "one failure in the night",
        {"objectives.minimumFailures": 1},
        ("objectives.minimumFailures", "1", "set it to 2 or more"),
    ),
    row(
        "milliseconds in place of seconds",
        {"objectives.firstTokenSeconds": 5000},
        ("objectives.firstTokenSeconds", "5000", "set it to 120 or less"),
    ),
    row(
        "a synthetic chat every minute, which would not end before the next",
        {"objectives.syntheticChat": {"everyMinutes": 1}},
        ("objectives.syntheticChat.everyMinutes", "1", "set it to 5 or more"),
    ),
    row(
        "a synthetic chat twice a day",
        {"objectives.syntheticChat": {"everyMinutes": 720}},
        ("objectives.syntheticChat.everyMinutes", "720", "set it to 60 or less"),
    ),
    row(
        "a page for one synthetic chat",
        {"objectives.syntheticChat": {"failedRuns": 1}},
        ("objectives.syntheticChat.failedRuns", "1", "set it to 2 or more"),
    ),
    row(
        "a quota of nothing",
        {"models.quotaTokensPerMinute": 0},
        ("models.quotaTokensPerMinute", "0", "set it to 1 or more"),
    ),
    # limits
    row(
        "an upload of 5 GB",
        {"limits.uploadMebibytes": 5120},
        ("limits.uploadMebibytes", "5120", "set it to 512 or less"),
    ),
    row("an upload of nothing", {"limits.uploadMebibytes": 0}, ("limits.uploadMebibytes", "0", "set it to 1 or more")),
    row("a number in quotes", {"limits.uploadMebibytes": "50"}, ("limits.uploadMebibytes", '"50"', FIXES["unquote"])),
    row(
        "a number with a unit",
        {"limits.uploadMebibytes": "50MB"},
        ("limits.uploadMebibytes", '"50MB"', "write only the number: the unit is in the key's name"),
    ),
    row("true is no number", {"limits.promptMebibytes": True}, ("limits.promptMebibytes", "true", FORM)),
    row("a fraction", {"limits.promptMebibytes": 1.5}, ("limits.promptMebibytes", "1.5", FORM)),
    row(
        "prompts larger than uploads",
        {"limits": {"promptMebibytes": 16, "uploadMebibytes": 8}},
        ("limits.promptMebibytes", "16", "lower promptMebibytes or raise uploadMebibytes"),
    ),
    row(
        "a disk that the uploads of one message fill",
        {"capacity.ephemeralGibibytes": 21, "limits.uploadMebibytes": 512},
        ("capacity.ephemeralGibibytes", "21", "set it to 34 or more, or limits.uploadMebibytes to 322 or less"),
    ),
    row(
        "cookies larger than all headers",
        {"limits": {"cookieBytes": 32_768, "headerBytes": 8_192}},
        ("limits.cookieBytes", "32768", "lower cookieBytes or raise headerBytes"),
    ),
    row(
        "headers that are not whole KiB",
        {"limits": {"headerBytes": 9_215, "cookieBytes": 8_192}},
        ("limits.headerBytes", "9215", "set it to 9216"),
    ),
    row(
        "a model slower than its stream",
        {"limits.timeouts.modelDeadlineSeconds": 600},
        ("limits.timeouts.modelDeadlineSeconds", "600", "set it to 599 or less, or raise streamSeconds"),
        ("limits.timeouts.edgeIdleSeconds", "600", "set it to 660 or more, or lower modelDeadlineSeconds"),
    ),
    row(
        "a stream longer than a deploy waits, and a target that closes first",
        {"limits.timeouts": {"streamSeconds": 900, "keepAliveSeconds": 120}},
        ("limits.timeouts.streamSeconds", "900", "set it to 600 or less, or raise deregistrationDelaySeconds"),
        ("limits.timeouts.keepAliveSeconds", "120", "set it to 630 or more, or lower edgeIdleSeconds"),
    ),
    row(
        "an edge that gives up before the model",
        {"limits.timeouts.edgeIdleSeconds": 120},
        ("limits.timeouts.edgeIdleSeconds", "120", "set it to 600 or more, or lower modelDeadlineSeconds"),
    ),
    row(
        "two silent servers for longer than the deadline",
        {"limits.timeouts.modelSilenceSeconds": 270},
        ("limits.timeouts.modelSilenceSeconds", "270", "set it to 269 or less, or raise modelDeadlineSeconds"),
    ),
    row(
        "headers slower than bodies",
        {"limits.timeouts": {"requestHeadersSeconds": 30, "requestBodySeconds": 20}},
        ("limits.timeouts.requestHeadersSeconds", "30", "set it to 20 or less, or raise requestBodySeconds"),
    ),
    row(
        "a stop longer than Fargate's",
        {"limits.timeouts.stopSeconds": 300},
        ("limits.timeouts.stopSeconds", "300", "set it to 120 or less"),
    ),
    row(
        "a rate below AWS's",
        {"limits.rates.modelCallsPerFiveMinutes": 5},
        ("limits.rates.modelCallsPerFiveMinutes", "5", "set it to 10 or more"),
    ),
    row(
        "an address that may ask for less than one session",
        {"limits.rates": {"addressPagesPerFiveMinutes": 2000}},
        ("limits.rates.addressPagesPerFiveMinutes", "2000", "set it to 3000 or more, or lower the session's limit"),
    ),
    row(
        "an office of everyone",
        {"limits.rates": {"officeNetworks": {"cidrBlocks": ["0.0.0.0/0"], "peopleBehindOneAddress": 500}}},
        (
            "limits.rates.officeNetworks.cidrBlocks[0]",
            '"0.0.0.0/0"',
            "write the public addresses from which the office's requests arrive",
        ),
    ),
    row(
        "an office by its private addresses",
        {"limits.rates": {"officeNetworks": {"cidrBlocks": ["10.1.0.0/16"], "peopleBehindOneAddress": 500}}},
        (
            "limits.rates.officeNetworks.cidrBlocks[0]",
            '"10.1.0.0/16"',
            "write the public addresses from which the office's requests arrive",
        ),
    ),
    row(
        "an office inside another",
        {
            "limits.rates": {
                "officeNetworks": {"cidrBlocks": ["203.0.113.0/24", "203.0.113.16/28"], "peopleBehindOneAddress": 500}
            }
        },
        ("limits.rates.officeNetworks.cidrBlocks", "203.0.113.16/28", "remove 203.0.113.16/28"),
    ),
    row(
        "an office with fewer people than any other address",
        {"limits.rates": {"officeNetworks": {"cidrBlocks": ["203.0.113.0/24"], "peopleBehindOneAddress": 50}}},
        ("limits.rates.officeNetworks.peopleBehindOneAddress", "50", "set it to 200 or more, or omit officeNetworks"),
    ),
    row(
        "a timeout in the wrong place",
        {"limits.streamSeconds": 600},
        ("limits.streamSeconds", UNKNOWN, "it belongs under limits.timeouts"),
    ),
    # capacity, retention
    row("a size that Fargate lacks", {"capacity.cpuUnits": 1000}, ("capacity.cpuUnits", "1000", "set it to 1024")),
    row(
        "memory out of steps",
        {"capacity.memoryMebibytes": 3000},
        ("capacity.memoryMebibytes", "3000", "set it to 3072"),
    ),
    row(
        "an unknown processor",
        {"capacity.architecture": "x86"},
        ("capacity.architecture", '"x86"', "choose one of these"),
    ),
    row(
        "more tasks at the least than at the most",
        {"capacity.minimumTasks": 6, "capacity.maximumTasks": 4},
        ("capacity.minimumTasks", "6", "lower it, or raise maximumTasks"),
    ),
    row(
        "three tasks in two zones",
        {"capacity.minimumTasks": 3, "capacity.maximumTasks": 4},
        ("capacity.minimumTasks", "3", "set it to 4, or add a zone"),
    ),
    row(
        "more connections than the database accepts",
        {"capacity.databaseConnections": 100},
        (
            "capacity.databaseConnections",
            "100",
            "lower it to 90, or lower capacity.maximumTasks, or raise data.database.maximumCapacityUnits to 4.5",
        ),
    ),
    row(
        "more tasks than a small database accepts",
        {"capacity.maximumTasks": 20, "data.database.maximumCapacityUnits": 1},
        (
            "capacity.databaseConnections",
            "30",
            "lower capacity.maximumTasks, or raise data.database.maximumCapacityUnits to 7",
        ),
    ),
    row(
        "more connections than any database accepts",
        {
            "capacity.maximumTasks": 50,
            "data.database.minimumCapacityUnits": 0.5,
            "data.database.maximumCapacityUnits": 256,
        },
        ("capacity.databaseConnections", "30", "lower it to 19, or lower capacity.maximumTasks"),
    ),
    row(
        "too few connections for three pools",
        {"capacity.databaseConnections": 5},
        ("capacity.databaseConnections", "5", "set it to 10 or more"),
    ),
    row("no task", {"capacity.minimumTasks": 0}, ("capacity.minimumTasks", "0", "set it to 1 or more")),
    # state
    row(
        "half of a half",
        {"data.database.minimumCapacityUnits": 0.75},
        ("data.database.minimumCapacityUnits", "0.75", FORM),
    ),
    row(
        "a database that pauses",
        {"data.database.minimumCapacityUnits": 0},
        ("data.database.minimumCapacityUnits", "0", "set it to 0.5 or more"),
    ),
    row(
        "a maximum below one unit",
        {"data.database.minimumCapacityUnits": 0.5, "data.database.maximumCapacityUnits": 0.5},
        ("data.database.maximumCapacityUnits", "0.5", "set it to 1 or more"),
    ),
    row(
        "capacity in quotes",
        {"data.database.maximumCapacityUnits": "16"},
        ("data.database.maximumCapacityUnits", '"16"', FIXES["unquote"]),
    ),
    row(
        "a database larger at the least than at the most",
        {"data.database": {"minimumCapacityUnits": 8, "maximumCapacityUnits": 2}},
        ("data.database.minimumCapacityUnits", "8", "lower it, or raise maximumCapacityUnits"),
    ),
    row(
        "a database that a lost zone takes with it",
        {"data.database.instances": 0},
        ("data.database.instances", "0", "set it to 1 or more"),
    ),
    row(
        "more instances than zones",
        {"data.database.instances": 3},
        ("data.database.instances", "3", "set it to 2, or add a zone"),
    ),
    row(
        "backups for three days",
        {"data.database.backupRetentionDays": 3},
        ("data.database.backupRetentionDays", "3", "set it to 7 or more"),
    ),
    row(
        "a snapshot of one instance",
        {"data.database.snapshotIdentifier": "arn:aws:rds:eu-west-1:111122223333:snapshot:old"},
        ("data.database.snapshotIdentifier", '"arn:aws:rds:eu-west-1:111122223333:snapshot:old"', FORM),
    ),
    row(
        "a node type of the database's",
        {"data.cache.nodeType": "db.t4g.small"},
        ("data.cache.nodeType", '"db.t4g.small"', FORM),
    ),
    row("less than no replica", {"data.cache.replicas": -1}, ("data.cache.replicas", "-1", "set it to 0 or more")),
    row(
        "a cache snapshot for a year",
        {"data.cache.snapshotRetentionDays": 365},
        ("data.cache.snapshotRetentionDays", "365", "set it to 35 or less"),
    ),
    row(
        "object names for a year",
        {"data.uploads.accessLogDays": 365},
        ("data.uploads.accessLogDays", "365", "set it to 90 or less"),
    ),
    row("copies for a day", {"data.backupDays": 1}, ("data.backupDays", "1", "set it to 7 or more")),
    row(
        "restore tests every five months",
        {"data.restoreTestMonths": 5},
        ("data.restoreTestMonths", "5", "set it to 4"),
    ),
    row(
        "copies into a vault by name",
        {"data.copyVaultArn": "ai-interface-copies"},
        ("data.copyVaultArn", '"ai-interface-copies"', FORM),
    ),
    row(
        "copies into a vault of the same region and account",
        {"data.copyVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:copies"},
        (
            "data.copyVaultArn",
            "arn:aws:backup:eu-west-1:111122223333:backup-vault:copies",
            "name a vault there; to have both, let the vault's own plan copy further",
        ),
    ),
    row(
        "copies into another region without the key there",
        {"data.copyVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:copies"},
        ("data.copyKeyArn", "not set", "set it to the ARN of the key that encrypts the vault"),
    ),
    row(
        "copies into another account with a key of this one",
        {
            "data.copyVaultArn": "arn:aws:backup:eu-west-1:999988887777:backup-vault:copies",
            "data.copyKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1",
        },
        ("data.copyKeyArn", "arn:aws:kms:eu-west-1:111122223333:key/1", "remove it"),
    ),
    row(
        "a key's alias",
        {"data.copyKeyArn": "alias/copies"},
        ("data.copyKeyArn", '"alias/copies"', FORM),
    ),
    row(
        "copies into another region and another account at once",
        {"data.copyVaultArn": "arn:aws:backup:eu-central-1:999988887777:backup-vault:copies"},
        (
            "data.copyVaultArn",
            "arn:aws:backup:eu-central-1:999988887777:backup-vault:copies",
            "name a vault there; to have both, let the vault's own plan copy further",
        ),
    ),
    row(
        "retention in the wrong place",
        {"data.backupRetentionDays": 7},
        ("data.backupRetentionDays", UNKNOWN, "did you mean backupDays? Otherwise remove the key"),
    ),
    row("days that CloudWatch lacks", {"retention.flowLogDays": 31}, ("retention.flowLogDays", "31", "set it to 30")),
    row(
        "access logs for a year",
        {"retention.edgeAccessLogDays": 365},
        ("retention.edgeAccessLogDays", "365", "set it to 30 or less"),
    ),
    row(
        "a switch that is neither on nor off",
        {"allowDeletion": "yes"},
        ("allowDeletion", '"yes"', "write true or false, without quotes"),
    ),
]
