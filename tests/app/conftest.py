"""The application under test: offscreen with a full HD screen unless a platform is named, and themed."""

import os
from pathlib import Path

import pytest

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    screens = Path(__file__).with_name("offscreen_screens.json")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screens}"


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["depthmend"]


@pytest.fixture
def themed(qapp):
    """The application in the dark theme."""
    from app.ui import theme

    theme.apply(qapp, "dark")
    return qapp
