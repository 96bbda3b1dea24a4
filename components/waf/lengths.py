"""Regular expressions for declared lengths: the WAF compares text, so a comparison of numbers has to be written as a
pattern."""

LONGEST_LENGTH_DIGITS = 12


def number_above(limit: int) -> str:
    """A regex that matches exactly the decimal numbers above ``limit``, leading zeros allowed.

    A number is above when it has more digits, or when it first differs from the limit by a higher digit.
    """
    if limit < 0:
        raise ValueError(f"limit is {limit}: a length is not negative")
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
"""Nothing at all counts as well formed: the firewall sees an empty value when the first 8,192 bytes of all headers end
with the header's name. The load balancer itself refuses a length that really is empty."""


def readable_size(size: int) -> str:
    """The size in readable units, for the message to a refused client."""
    mebibytes, rest = divmod(size, 1024 * 1024)
    return f"{mebibytes} MiB" if mebibytes and not rest else f"{size} bytes"
