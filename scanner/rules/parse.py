"""Grammar of the scan language: an expression comes in, what it says goes to `check.py`.

A Pratt parser: each sign binds as strongly as its number says. From weak to strong: `or`, `and`,
`not`, comparisons (which may be chained: `20 < rsi(14) < 40`), `+ -`, `* /`, a leading `-`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from scanner.errors import ExpressionError
from scanner.rules.lex import Token, tokens

#: Most parts of an expression, and how deeply they may be nested.
MAX_NODES: Final = 250
MAX_DEPTH: Final = 40

COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _MINUS = range(10, 80, 10)
_BINDS: Final = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys((*COMPARISONS, "in", "not", "between", "is"), _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
}


class Phrase(NamedTuple):
    """A part of an expression as it was written; its meaning is not known yet.

    `number` and `text` are literals. `name` has its name, `call` its name and arguments. `and`,
    `or`, `not`, `negative`, the signs and `known` (`x is not null`) have parts; `in` has the
    part that is looked for and those that it may be.
    """

    kind: str
    #: Characters of the expression that it takes.
    start: int
    stop: int
    parts: tuple[Phrase, ...] = ()
    name: str = ""
    value: float = 0.0


def parse(source: str) -> Phrase:
    """Return what `source` says; ExpressionError says what is wrong and where."""
    parser = _Parser(source)
    phrase = parser.phrase(0)
    parser.expect("end", "an operator or the end")
    return phrase


class _Parser:
    """Reads one expression from its first token to its last."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = tokens(source)
        self.place = 0
        #: The token at this place.
        self.now = self.tokens[0]
        self.depth = 0
        self.count = 0

    def take(self) -> Token:
        token = self.now
        if token.kind != "end":
            self.place += 1
            self.now = self.tokens[self.place]
        return token

    def error(self, message: str, token: Token | Phrase) -> ExpressionError:
        return ExpressionError(message, self.source, token.start, max(token.stop, token.start + 1))

    def expect(self, text: str, wanted: str) -> Token:
        """Take the next token if it is `text`, or of that kind."""
        found = self.now.kind if text == "end" else self.now.text
        if found != text or self.now.kind in {"text", "name"}:
            raise self.error(f"expected {wanted}, got {_said(self.now)}", self.now)
        return self.take()

    def made(
        self, kind: str, start: int, *parts: Phrase, name: str = "", value: float = 0.0
    ) -> Phrase:
        self.count += 1
        stop = self.tokens[self.place - 1].stop
        phrase = Phrase(kind, start, stop, parts, name, value)
        if self.count > MAX_NODES:
            raise self.error(f"the expression has more than {MAX_NODES} parts", phrase)
        return phrase

    def phrase(self, binding: int) -> Phrase:
        """Return the longest phrase from here on whose signs bind more strongly than `binding`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"the expression is nested more than {MAX_DEPTH} deep", self.now)
        left = self.first()
        while self.binds() > binding:
            left = self.joined(left)
        self.depth -= 1
        return left

    def binds(self) -> int:
        return 0 if self.now.kind in {"text", "name"} else _BINDS.get(self.now.text, 0)

    def first(self) -> Phrase:
        token = self.take()
        match token.kind, token.text:
            case "number", _:
                return self.made("number", token.start, value=token.value)
            case "text", _:
                return self.made("text", token.start, name=token.text)
            case "name", _:
                return self.named(token)
            case "sign", "(":
                inner = self.phrase(0)
                closed = self.expect(")", "a closing bracket")
                return inner._replace(start=token.start, stop=closed.stop)
            case "sign", "-":
                return self.made("negative", token.start, self.phrase(_MINUS))
            case "word", "not":
                return self.made("not", token.start, self.phrase(_NOT))
        raise self.error(f"expected a number, a name or a bracket, got {_said(token)}", token)

    def named(self, token: Token) -> Phrase:
        if self.now.text != "(" or self.now.kind != "sign":
            return self.made("name", token.start, name=token.text)
        self.take()
        arguments: tuple[Phrase, ...] = ()
        if self.now.text != ")":
            arguments = self.listed()
        self.expect(")", "a comma or a closing bracket")
        return self.made("call", token.start, *arguments, name=token.text)

    def listed(self) -> tuple[Phrase, ...]:
        items = [self.phrase(0)]
        while self.now.kind == "sign" and self.now.text == ",":
            self.take()
            items.append(self.phrase(0))
        return tuple(items)

    def joined(self, left: Phrase) -> Phrase:
        sign = self.now.text
        if _BINDS[sign] == _COMPARE:
            return self.compared(left)
        self.take()
        return self.made(sign, left.start, left, self.phrase(_BINDS[sign]))

    def compared(self, left: Phrase) -> Phrase:
        """Return comparisons that follow one another, joined by `and`: a < b < c."""
        start = left.start
        found: list[Phrase] = []
        while self.binds() == _COMPARE:
            if self.now.text not in COMPARISONS:
                if found:
                    raise self.error("put one of both comparisons in brackets", self.now)
                return self.asked(left)
            sign = self.take().text
            right = self.phrase(_COMPARE)
            found.append(self.made(sign, left.start, left, right))
            left = right
        whole = found[0]
        for one in found[1:]:
            whole = self.made("and", start, whole, one)
        return whole

    def asked(self, left: Phrase) -> Phrase:
        """Return `x in (...)`, `x between a and b`, their negations, or `x is [not] null`."""
        if self.now.text == "is":
            return self.asked_for_null(left)
        denied = self.now.text == "not" and self.take() is not None
        if self.now.text == "in":
            self.take()
            self.expect("(", "a list in brackets")
            items = self.listed()
            self.expect(")", "a comma or a closing bracket")
            found = self.made("in", left.start, left, *items)
        else:
            self.expect("between", "in or between")
            low = self.phrase(_COMPARE)
            self.expect("and", "and, as in `between 20 and 40`")
            high = self.phrase(_COMPARE)
            lower = self.made(">=", left.start, left, low)
            found = self.made("and", left.start, lower, self.made("<=", left.start, left, high))
        return self.made("not", left.start, found) if denied else found

    def asked_for_null(self, left: Phrase) -> Phrase:
        self.take()
        denied = self.now.text == "not" and self.now.kind == "word" and self.take() is not None
        self.expect("null", "null or not null")
        known = self.made("known", left.start, left)
        return known if denied else self.made("not", left.start, known)


def _said(token: Token) -> str:
    return token.text if token.kind in {"end", "word"} else repr(token.text)
