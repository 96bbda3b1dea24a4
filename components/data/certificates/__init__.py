"""Authorities that are trusted because AWS publishes them: see the file beside this one."""

from pathlib import Path

DATABASE_AUTHORITY = "rds-ca-rsa2048-g1"
"""The authority that database instances must be given by name: the task trusts this one and no other."""


def database_authority(region: str) -> str:
    """The certificate of :data:`DATABASE_AUTHORITY` in a region, as PEM."""
    text = Path(__file__).with_name(f"{DATABASE_AUTHORITY}.pem").read_text("utf-8")
    known = {name: rest for name, _, rest in (part.partition("\n") for part in text.split("# region ")[1:])}
    if region not in known:
        raise ValueError(
            f"the certificate of {DATABASE_AUTHORITY} in {region} is not in this package, which has {', '.join(known)}. Add "
            f"it to components/data/certificates/{DATABASE_AUTHORITY}.pem from AWS's bundle of that region"
        )
    return known[region].strip() + "\n"
