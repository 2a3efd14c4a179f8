"""What a valid Indian registration is."""

import re

_STATE = "(?:A[NPRS]|BR|C[GH]|D[DN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKP]|WB)"
REGISTRATION = re.compile(
    rf"{_STATE}\d{{2}}[A-HJ-NP-Z]{{0,3}}\d{{1,4}}"  # states and older forms
    r"|DL\d{1,2}[A-Z][A-HJ-NP-Z]{2}\d{4}"  # Delhi
    r"|\d{2}BH\d{4}[A-HJ-NP-Z]{1,2}"  # Bharat series
)
