"""The prices of AWS's Price List API, with responses that botocore's model of the API accepts."""

from __future__ import annotations

import datetime
import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from preflight.__main__ import main
from preflight.account.session import Account
from preflight.cost import prices, refresh
from preflight.cost.prices import Price, PriceTable
from tests.settings.stack_files import ROOT

TODAY = datetime.date(2027, 1, 15)
REGION = "eu-west-1"
PREFIX = {"eu-west-1": "EU", "eu-central-1": "EUC1"}


def product(usage: str, usd: str, unit: str = "Hrs", **dimension: str) -> str:
    """One product as the API returns it, as JSON text."""
    price = {"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": usd}, **dimension}
    return json.dumps(
        {
            "product": {"sku": "ABC", "attributes": {"usagetype": usage}},
            "terms": {"OnDemand": {"ABC.1": {"priceDimensions": {"ABC.1.1": price}}}},
        }
    )


def table(*keys: str) -> PriceTable:
    return PriceTable(tuple(row for row in prices.load().rows if row.key in keys))


def row(key: str) -> Price:
    return table(key).rows[0]


class Api:
    """Answers with the products given, and keeps what was asked."""

    def __init__(self, *products: str) -> None:
        self.products = products
        self.asked: list[tuple[str, list[dict[str, str]]]] = []

    def __call__(self, service: str, filters: list[dict[str, str]]) -> Sequence[str]:
        self.asked.append((service, filters))
        return self.products


def test_a_price_that_changed_is_replaced_with_todays_date_and_named() -> None:
    found = refresh.refreshed(table("alb.hour"), [REGION], Api(product("EU-LoadBalancerUsage", "0.0300000000")), TODAY)

    (after,) = found.table.rows
    assert (after.usd, after.dated, after.checked) == (Decimal("0.0300000000"), TODAY, TODAY)
    assert after.source == refresh.ADDRESS
    assert found.changed == ("alb.hour in eu-west-1: 0.0252 → 0.0300000000",)
    assert "\t0.03\tHrs\t2027-01-15\t2027-01-15\t" in prices.text(found.table.rows)


def test_an_unchanged_price_has_todays_date_and_is_not_named() -> None:
    found = refresh.refreshed(table("alb.hour"), [REGION], Api(product("EU-LoadBalancerUsage", "0.0252")), TODAY)

    assert found.changed == ()
    assert found.table.checked == TODAY


@pytest.mark.parametrize(
    "products",
    [
        (),
        (product("EU-TS-LoadBalancerUsage", "0.005"),),
        (product("EU-LoadBalancerUsage", "0.03"), product("EU-LoadBalancerUsage", "0.04")),
        (product("EU-LoadBalancerUsage", "0"),),
        (product("EU-LoadBalancerUsage", "0.03", beginRange="100"),),
    ],
    ids=["none", "another usage type", "two prices", "a free tier", "a later tier"],
)
def test_a_row_without_one_price_stays_and_is_named(products: tuple[str, ...]) -> None:
    before = table("alb.hour")

    found = refresh.refreshed(before, [REGION], Api(*products), TODAY)

    assert found.table == before
    (line,) = found.kept
    assert line.startswith("alb.hour in eu-west-1: the Price List API has ")


def test_a_price_for_another_number_of_tokens_is_not_taken() -> None:
    key = "bedrock.input-1k-tokens.openai.gpt-oss-20b-1:0"
    usage = f"EU-{row(key).usage}"

    thousand = refresh.refreshed(table(key), [REGION], Api(product(usage, "0.00009", "1K tokens")), TODAY)
    million = refresh.refreshed(table(key), [REGION], Api(product(usage, "0.09", "1M tokens")), TODAY)

    assert [one.usd for one in thousand.table.rows] == [Decimal("0.00009")]
    assert million.kept


@pytest.mark.parametrize("usage", ["EU-KMS-Keys", "eu-west-1-KMS-Keys", "KMS-Keys", "USE1-KMS-Keys"])
def test_the_prefix_of_a_region_does_not_hide_a_usage_type(usage: str) -> None:
    assert refresh.price(row("kms.key-month"), json.loads(product(usage, "1"))) == 1


def test_a_region_of_a_stack_that_the_table_lacks_is_added() -> None:
    api = Api(product("EUC1-LoadBalancerUsage", "0.027"), product("EU-LoadBalancerUsage", "0.0252"))

    def in_region(service: str, filters: list[dict[str, str]]) -> list[str]:
        (region,) = [one["Value"] for one in filters if one["Field"] == "regionCode"]
        return [text for text in api(service, filters) if f'"{PREFIX[region]}-' in text]

    found = refresh.refreshed(table("alb.hour"), ["eu-central-1"], in_region, TODAY)

    assert {one.region: one.usd for one in found.table.rows} == {
        "eu-central-1": Decimal("0.027"),
        "eu-west-1": Decimal("0.0252"),
    }
    assert found.changed == ("alb.hour in eu-central-1: no price → 0.027",)


def test_a_price_of_every_region_is_not_repeated_for_a_region() -> None:
    rows = refresh.wanted(prices.load(), ["eu-central-1"])

    assert {one.region for one in rows if one.key == "waf.rule-month"} == {prices.EVERYWHERE}
    assert len({(one.key, one.region) for one in rows}) == len(rows)


def test_botocores_model_of_the_api_accepts_the_question_for_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stub validates each request and each response against the service model."""
    account, stubber = _stubbed(monkeypatch)
    rows = refresh.wanted(prices.load(), ["eu-central-1"])
    for one in rows:
        parameters = {"ServiceCode": one.service, "Filters": refresh.filters(one)}
        usage = one.usage if one.region == prices.EVERYWHERE else f"{PREFIX[one.region]}-{one.usage}"
        response = {"FormatVersion": "aws_v1", "PriceList": [product(usage, "0.5", one.unit)]}
        stubber.add_response("get_products", response, parameters)

    def products(service: str, filters: list[dict[str, str]]) -> list[str]:
        return account.every(refresh.SERVICE, refresh.OPERATION, refresh.ELEMENTS, ServiceCode=service, Filters=filters)

    found = refresh.refreshed(prices.load(), ["eu-central-1"], products, TODAY)

    stubber.assert_no_pending_responses()
    assert found.kept == ()
    assert {one.usd for one in found.table.rows} == {Decimal("0.5")}
    assert set(account.made) <= set(refresh.CALLS)


def test_without_credentials_there_is_one_message_and_the_table_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = prices.TABLE.read_text(encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert main(["-C", str(ROOT), "cost", "--refresh", "staging"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("no AWS credentials were found") == 1
    assert prices.TABLE.read_text(encoding="utf-8") == before


def test_the_command_writes_the_table_that_it_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = tmp_path / "prices.tsv"
    own.write_text(prices.text(table("alb.hour").rows), encoding="utf-8")
    monkeypatch.setattr(prices, "TABLE", own)

    def answer(*_: object, **__: object) -> list[str]:
        return [product("EU-LoadBalancerUsage", "0.03")]

    monkeypatch.setattr(Account, "every", answer)

    assert main(["-C", str(ROOT), "cost", "--refresh", "staging"]) == 0
    assert capsys.readouterr().out == (
        "alb.hour in eu-west-1: 0.0252 → 0.03\nwrote prices.tsv: 1 prices changed, 0 rows kept\n"
    )
    (after,) = prices.load(own).rows
    assert after == replace(
        row("alb.hour"), usd=Decimal("0.03"), dated=after.checked, checked=after.checked, source=refresh.ADDRESS
    )


def _stubbed(monkeypatch: pytest.MonkeyPatch) -> tuple[Account, Any]:
    session: Any = importlib.import_module("boto3").Session(
        aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    account = Account(refresh.API_REGION, refresh.CALLS, session=session)
    client = account.client(refresh.SERVICE)
    stubber = importlib.import_module("botocore.stub").Stubber(client)
    stubber.activate()
    return account, stubber
