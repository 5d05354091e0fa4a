"""One trained artifact for all tests of validations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from validated import Shop, declared_dataset, declared_model, lending_table

if TYPE_CHECKING:
    from ordain.runtime.validation.order import ValidationOrder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def order(shop: Shop) -> ValidationOrder:
    """The validation of boosted trees on their test part."""
    return shop.train(declared_model(), shop.pin(lending_table(), declared_dataset()))
