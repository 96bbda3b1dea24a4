"""A comment on a pull request is never cut inside a tag and never longer than GitHub accepts, whatever a change contains."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.findings import Environment, Exemption, Finding, Report, Verdict
from preflight.report.bundle import comment
from preflight.report.comment import LONGEST, SPARE, fitted
from preflight.report.data import as_markdown, markdown_blocks
from preflight.review.changed import ChangeReview, Topic, TopicSentences
from preflight.review.render import as_json, as_text
from preflight.review.render import markdown_blocks as review_blocks

ALLOWED = {"details", "summary", "b"}
TEXT = st.text(alphabet=st.sampled_from("ab `<>&\"'|*_[]\\\n→é😀"), max_size=60)
SIZES = st.integers(min_value=0, max_value=3_000)


class Tags(HTMLParser):
    """Every element is closed in order, and only elements that the renderers write exist."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(re.sub(r"`[^`\n]*`", "", text))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def whole(text: str) -> str:
    """The text, if it is short enough and every tag in it is closed."""
    assert len(text.encode()) <= LONGEST - SPARE
    Tags(text)
    return text


def changed(name: str, texts: list[str]) -> ChangeReview:
    topics = tuple(TopicSentences(topic, tuple(texts)) for topic in (Topic.EXPOSURE, Topic.PERMISSIONS))
    return ChangeReview(name, topics, settings=tuple(texts[:3]), resources=tuple(texts))


def finding(number: int, text: str, *, excepted: bool = False) -> Finding:
    exemption = Exemption("2027-01-01", text or "because", "team") if excepted else None
    return Finding(
        environment="staging",
        rule=f"s3-rule-{number}",
        verdict=Verdict.VIOLATED,
        headline=f"bucket {number} {text}",
        urn=f"urn:pulumi:staging::x::aws:s3/bucket:Bucket::{number}",
        found=text,
        fix=text,
        exemption=exemption,
    )


def report(findings: list[Finding]) -> Report:
    return Report("x", (Environment("staging", 1, 1, 1, 0, 0, ""),), (), tuple(findings))


@settings(deadline=None, max_examples=25)
@given(st.lists(TEXT, min_size=1, max_size=4), SIZES, SIZES, SIZES)
def test_a_comment_of_any_size_is_whole(texts: list[str], sentences: int, failing: int, excepted: int) -> None:
    own = [f"{texts[number % len(texts)]} {number}" for number in range(sentences)]
    found = [finding(number, texts[number % len(texts)] * 3) for number in range(failing % 400)]
    found += [finding(number, texts[number % len(texts)], excepted=True) for number in range(excepted % 400)]
    changes = list(review_blocks("main", [changed("staging", own), changed("prod", own)], 120))
    text = whole(comment(markdown_blocks(report(found)), changes))
    assert text.startswith("<!-- ai-interface preflight -->\n### x preflight: ")
    assert "#### staging: " in text
    assert "#### prod: " in text
    whole(as_markdown(report(found)))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=90), st.text(max_size=50), st.integers(1, 40)), max_size=12))
def test_whole_parts_are_left_out_and_named(parts: list[tuple[str, str, int]]) -> None:
    blocks = [(name, f"<details>{re.sub('[<>&`]', '', text) * many}</details>") for name, text, many in parts]
    longest = 3_000
    text = fitted(blocks, longest)
    assert len(text.encode()) <= longest
    Tags(text.partition("\n(left out")[0])
    kept = text.count("<details>")
    assert kept == len(blocks) or f"{LONGEST:,} characters" in text
    assert kept == text.count("</details>")


def test_what_is_left_out_is_named() -> None:
    text = fitted([("the verdict", "clean"), ("properties of prod", "x" * LONGEST), ("exceptions", "none")])
    assert "clean\n\nnone\n" in text
    assert text.endswith(
        "(left out, because a comment has at most 65,536 characters: properties of prod; the job's reports contain everything)\n"
    )


def test_a_long_list_says_how_many_it_lacks() -> None:
    one = changed("staging", [f"sentence {number}" for number in range(500)])
    text = whole(comment([("the verdict", "clean")], list(review_blocks("main", [one], 120))))
    assert text.count("- and 380 more: `preflight diff` lists them") == 3


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a`b", "`<b>`", "| x |", "x < y & z"])
def test_what_a_stack_says_is_neither_markdown_nor_html(text: str) -> None:
    (heading, exposure, *_) = [block for _, block in review_blocks("main", [changed("staging", [text])])]
    Tags(heading)
    Tags(exposure)
    assert "<script>" not in re.sub(r"`[^`\n]*`", "", exposure)


def test_the_formats_have_the_same_sentences() -> None:
    one = changed("staging", ["/v1/* becomes reachable without a log-in from 203.0.113.0/24"])
    for text in (as_text("main", [one]), as_json("main", [one]), "".join(b for _, b in review_blocks("main", [one]))):
        flat = " ".join(text.replace("\\", "").split())
        assert "/v1/* becomes reachable without a log-in from 203.0.113.0/24" in flat
        assert "identity" in flat  # among what does not change
