"""Indian plates: valid registrations of every scheme, on one line and on two."""

import numpy as np
from indian_registrations import REGISTRATION

from lpr.synthesis.indian_plates import LONG, SCHEMES, SMALL, SQUARE, choose_indian_plate, draw_indian_plate


def test_plates_of_every_scheme_with_valid_numbers_on_one_and_two_lines() -> None:
    schemes = set()
    for index in range(400):
        rng = np.random.default_rng(index)
        plate = choose_indian_plate(rng, (LONG, SQUARE, SMALL)[index % 3])
        assert REGISTRATION.fullmatch(plate.text), plate.text
        assert len(plate.text) <= 11
        schemes.add((plate.scheme, len(plate.lines)))
        if index < 40:
            image = draw_indian_plate(plate, 200, rng)
            assert image.size == (200, round(200 * plate.size_mm[1] / plate.size_mm[0]))
            pixels = np.asarray(image.convert("RGB"), float).reshape(-1, 3)
            of_background = np.abs(pixels - SCHEMES[plate.scheme][0]).max(axis=1) < 50
            assert of_background.mean() > 0.25, (index, plate)
    assert schemes == {(scheme, count) for scheme in SCHEMES for count in (1, 2)}
