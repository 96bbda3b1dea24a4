"""The RDS certificate authorities that AWS publishes, from the PEM file in this folder."""

from pathlib import Path

DATABASE_AUTHORITY = "rds-ca-rsa2048-g1"
"""The CA that database instances must use. The task trusts only this CA."""


def database_authority(region: str) -> str:
    """The PEM certificate of :data:`DATABASE_AUTHORITY` in a region."""
    text = Path(__file__).with_name(f"{DATABASE_AUTHORITY}.pem").read_text("utf-8")
    known = {name: rest for name, _, rest in (part.partition("\n") for part in text.split("# region ")[1:])}
    if region not in known:
        raise ValueError(
            f"the certificate of {DATABASE_AUTHORITY} in {region} is not in this package, which contains {', '.join(known)}. Add "
            f"it to components/data/certificates/{DATABASE_AUTHORITY}.pem from AWS's bundle of that region"
        )
    return known[region].strip() + "\n"
