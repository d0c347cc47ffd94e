"""Expressions that harm other languages, by what they try; run as a script, it reads them all.

As a script it forbids what no expression may do, fuzzes as many inputs as its argument says, and
prints what it saw as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter

from rules_market import evaluate_everywhere

from scanner.errors import ExpressionError
from scanner.rules.check import compile_number, compile_rule

HOSTILE = {
    "code": [
        "__import__('os').system('id')",
        "exec('x')",
        "eval('1')",
        "open('/etc/passwd').read()",
        "lambda: 1",
        "[x for x in (1, 2)]",
        "(x := 3) > 1",
        "f'{close}' == 'x'",
        "globals()",
        "print(1) > 0",
        "breakpoint()",
    ],
    "attributes": [
        "close.__class__.__mro__[1].__subclasses__()",
        "close.tofile('/tmp/x')",
        "close.to_csv('/tmp/x') == 1",
        "''.__class__",
        "'{0.__class__}'.format(close)",
        "close.dump('x')",
        "().__class__.__bases__[0]",
        "rsi.__globals__",
        "getattr(close, 'tofile')",
    ],
    "subscripts": ["close[0]", "close[-1] > 1", "{'a': 1}['a']", "close[::2]", "globals()['os']"],
    "sql": [
        "close > 1; DROP TABLE rows",
        "close > 1 -- comment",
        "1 = 1 UNION SELECT * FROM settings",
        "close > (SELECT max(close) FROM rows)",
        "read_csv('/etc/passwd')",
        "COPY rows TO '/tmp/x'",
        "close > 1 /* x */",
        "ATTACH 'x' AS y",
        "SET memory_limit='1TB'",
        "PRAGMA database_list",
        "range(100000000000)",
    ],
    "bombs": [
        "9**9**9**9 > 1",
        "2 ** 1000000000 > 1",
        "1 << 1000000000 > 1",
        "'a' * 4000000000 == 'b'",
        "factorial(100000000) > 1",
        "pow(10, 100000000) > 1",
        "1e308 * 1e308 > 1",
        "1" + "0" * 900 + " > 1",
        "ago(1000, ago(1000, ago(1000, close))) > 1",
        "rsi(999999999999999999999) > 1",
        "sma(1e308) > 1",
        "rsi(1e-320) > 1",
        "round(1e308 / 1e-308) > 1",
        "symbol in (" + ",".join("'x'" for _ in range(240)) + ")",
    ],
    "depth": [
        "(" * 200_000 + "close > 1" + ")" * 200_000,
        "not " * 240 + "close > 1",
        "-" * 900 + "close > 1",
        "abs(" * 240 + "close",
        "(" * 500,
        "ago(1," * 160 + "close",
        "max(1," * 160,
    ],
    "length": [
        " or ".join(["close > 1"] * 50_000),
        "+".join(["1"] * 499) + " > 1",
        "close > 1 " + " " * 5_000_000,
        "'" + "x" * 5_000_000 + "' == symbol",
        "close in (" + ",".join(["1"] * 480) + ")",
        "a" * 1_000,
        "<" * 1_000,
        "9" * 1_000,
    ],
    "characters": [
        "close > 1\x00",
        "close > 1\u202e and",
        "\u200bclose > 1",
        "\uff43lose > 1",
        "cl\u043ese > 1",
        "close \u2265 1",
        "close > \u0661",
        "close > 1\ud800",
        "\ufeffclose > 1",
        "close > 1\r\n;",
        "symbol == '\x1b[2J'",
        "symbol == '<script>alert(1)</script>'",
        "\u01c5 > 1",
        "close > 1\x0b",
    ],
    "grammar": [
        "",
        " ",
        "and",
        "()",
        "((",
        "))",
        ",",
        "close close",
        "close >",
        "> close",
        "close > > 1",
        "not",
        "in ()",
        "close in ()",
        "rsi(,)",
        "rsi(14,)",
        "1%%",
        ".",
        "..1",
        "1..",
        "1.e",
        "5MM > close",
        "close between 1",
        "close is not not null",
        "if(close > 1, 2)",
        "tf('1w')",
        "null",
        "true",
        "NaN > 1",
        "inf > 1",
    ],
}

SEEDS = [
    "rsi(14) < 30 and close > sma(200)",
    "crosses_above(macd(), macd_signal()) and relative_volume(20) > 1.5",
    'rank(roc(63)) >= 0.9 and rs("SPY", 63) > 0 and tf("1w!", close > ema(10))',
    'dollar_volume(20) > 5M and 20 < rsi(14) < 40 and type in ("CS", "ADRC")',
    "within(3, x between 1 and 2) or not all_of(5, close is null) and since(open > close) <= 5%",
    "if(count(4, high > ago(1, high)) > 2, slope(3, obv), change(2, low)) > -1.5k",
]
_WORDS = """
and or not in between is null ( ) , + - * / < <= > >= == != = <> && || ! 1 14 200 .5 1e9 5M 5%
close open rsi rsi( sma(20) ema(3) obv macd() sector symbol 'CS' "SPY" ago( within( tf( '1w' rank(
rs( since( highest( if( coalesce( \u00e9 \u0000 [ ] . ; \\ " '
"""
PIECES = _WORDS.split()


def made(random_):
    """Return one input: characters, words, or a good rule that was damaged."""
    kind = random_.randrange(3)
    if kind == 0:
        length = random_.randrange(60)
        return "".join(
            chr(random_.choice((random_.randrange(128), random_.randrange(0x2FFF))))
            for _ in range(length)
        )
    if kind == 1:
        return " ".join(random_.choices(PIECES, k=random_.randrange(1, 40)))
    text = list(random_.choice(SEEDS))
    for _ in range(random_.randrange(1, 5)):
        place = random_.randrange(len(text) + 1)
        cut = random_.randrange(3)
        text[place : place + cut] = random_.choice(
            [[], [random_.choice(PIECES)], text[:place][-5:]]
        )
    return "".join(text)


def forbid(event, args):
    """Refuse whatever reaches beyond memory, and whatever runs a text as code."""
    if event in {"exec", "compile", "import"} or event.split(".")[0] in {
        "open",
        "os",
        "subprocess",
        "socket",
        "shutil",
        "ctypes",
        "pty",
        "code",
    }:
        raise SystemExit(f"an expression led to {event} {args!r}"[:300])


def main(count):
    """Read all hostile inputs and `count` made ones, evaluate what is good, print what was seen."""
    evaluate_everywhere(compile_rule("rsi(3) > 50 and tf('1w', sma(2) > 1)").condition)
    sys.addaudithook(forbid)
    random_ = random.Random(count)
    inputs = [one for many in HOSTILE.values() for one in many]
    seen, slowest = Counter(), 0.0
    for number in range(len(inputs) + count):
        source = inputs[number] if number < len(inputs) else made(random_)
        for read in (compile_rule, compile_number):
            started = time.perf_counter()
            try:
                found = read(source)
            except ExpressionError:
                seen["refused"] += 1
                found = None
            slowest = max(slowest, time.perf_counter() - started)
            if found is not None:
                seen["read"] += 1
                evaluate_everywhere(found.condition if read is compile_rule else found)
    sys.stdout.write(json.dumps({"inputs": len(inputs) + count, **seen, "slowest": slowest}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
