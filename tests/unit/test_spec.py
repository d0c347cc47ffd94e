"""Symbols are checked before they reach a key, a URL or a file name."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import InvalidSymbol
from scanner.spec import MAX_SYMBOL_LENGTH, Batch, check_symbol, split_symbols

GOOD = [
    "A",
    "AAPL",
    "BRK.B",
    "AACT-WS",
    "ABR_D",
    "KIMpL",
    "NA",
    "TRUE",
    "0700",
    "A" * 20,
    "A.B-C_D",
]
BAD = ["", " ", ".", "A.", ".A", "A..B", "A-.B", "A B", "A\n", "A:B", "A/B", "../A", "Ä", "٣", "A*"]
BAD += ["=A", "A?x", "A" * 21, "A\0", "%41"]


@pytest.mark.parametrize("text", GOOD)
def test_a_symbol_is_returned_as_it_is(text):
    """Neither its case nor its signs are changed."""
    assert check_symbol(text) == text


@pytest.mark.parametrize("text", BAD)
def test_a_text_that_is_no_symbol_is_refused(text):
    """The message shows the text, escaped."""
    with pytest.raises(InvalidSymbol, match="not a symbol") as caught:
        check_symbol(text)
    shown = text[:MAX_SYMBOL_LENGTH]
    assert str(caught.value).startswith(repr(shown))


def test_a_long_text_is_shown_cut():
    """A whole file in place of a symbol does not fill the log."""
    with pytest.raises(InvalidSymbol) as caught:
        check_symbol("A" * 100_000)
    assert len(str(caught.value)) < 120
    assert "100000 characters" in str(caught.value)


@given(st.text(max_size=25))
def test_what_passes_is_safe_in_a_key_a_url_and_a_file_name(text):
    """Letters and digits of ASCII, joined by single signs."""
    try:
        check_symbol(text)
    except InvalidSymbol:
        return
    assert text.isascii()
    assert text[0].isalnum()
    assert text[-1].isalnum()
    assert not set(text) & set("/\\:*?[]%# \n")


@given(st.lists(st.sampled_from(GOOD + BAD)))
def test_texts_are_split_in_order_without_repeats_and_none_is_lost(texts):
    """Each text is in exactly one of the two answers."""
    valid, invalid = split_symbols(texts)
    assert valid == [text for text in dict.fromkeys(texts) if text in GOOD]
    assert list(invalid) == [text for text in dict.fromkeys(texts) if text in BAD]
    assert all(isinstance(error, InvalidSymbol) for error in invalid.values())


def test_a_batch_does_not_change():
    """It is shared by threads."""
    batch = Batch(scan_id="scan-1", number=0, symbols=("AAA",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.number = 1
