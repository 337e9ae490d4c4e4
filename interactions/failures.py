"""What went wrong between the carrier and this site, by the codes of Twilio's Monitor."""

SITE = "this site answered with an error"
NOT_REACHED = "this site could not be reached"
NOT_TRUSTED = "the certificate of this site was not trusted"
NOT_READ = "the answer of this site could not be read"
LOOK = "Write to support: the log of that minute says why."
OPEN = "Write to support: the public address of this site must be reachable from the internet."
RENEW = "Write to support: the certificate must be valid, and complete with its chain."

# twilio.com/docs/api/errors
TOLD = {
    11200: (SITE, LOOK), 11217: (SITE, LOOK),
    11201: (NOT_REACHED, OPEN), 11202: (NOT_REACHED, OPEN), 11203: (NOT_REACHED, OPEN),
    11205: (NOT_REACHED, OPEN), 11210: (NOT_REACHED, OPEN),
    11215: ("this site sent the carrier elsewhere too often", OPEN),
    11220: (NOT_TRUSTED, RENEW), 11235: (NOT_TRUSTED, RENEW), 11236: (NOT_TRUSTED, RENEW),
    11237: (NOT_TRUSTED, RENEW),
    11750: (NOT_READ, LOOK), 11770: (NOT_READ, LOOK), 12100: (NOT_READ, LOOK),
    12101: (NOT_READ, LOOK), 12102: (NOT_READ, LOOK), 12200: (NOT_READ, LOOK),
    12300: (NOT_READ, LOOK),
}  # fmt: skip


def told(code: int) -> tuple[str, str]:
    """What happened, as a part of a sentence, and what to do."""
    return TOLD.get(code, ("the carrier could not go on", LOOK))
