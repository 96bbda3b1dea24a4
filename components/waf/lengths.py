"""Regular expressions for declared lengths. The WAF compares text, so a numeric comparison must be a pattern."""

LONGEST_LENGTH_DIGITS = 12


def number_above(limit: int) -> str:
    """A regex that matches exactly the decimal numbers above ``limit``, with optional leading zeros.

    A number is above the limit if it has more digits, or if the first digit that differs from the limit is higher.
    """
    if limit < 0:
        raise ValueError(f"limit is {limit}: it must not be negative")
    digits = str(limit)
    alternatives = [f"[1-9][0-9]{{{len(digits)},}}"]
    for position, digit in enumerate(digits):
        if digit == "9":
            continue
        higher = f"[{int(digit) + 1}-9]"
        remaining = len(digits) - position - 1
        tail = f"[0-9]{{{remaining}}}" if remaining else ""
        alternatives.append(f"{digits[:position]}{higher}{tail}")
    return f"^0*({'|'.join(alternatives)})$"


WELL_FORMED_LENGTH = f"^[0-9]{{0,{LONGEST_LENGTH_DIGITS}}}$"
"""An empty value is accepted as well formed: the WAF reads an empty value if the first 8,192 bytes of all headers end
with the header's name. The load balancer refuses a length that is really empty."""


def readable_size(size: int) -> str:
    """The size in readable units, for the error message to the client."""
    mebibytes, rest = divmod(size, 1024 * 1024)
    return f"{mebibytes} MiB" if mebibytes and not rest else f"{size} bytes"
