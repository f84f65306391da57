"""What all tests share: hypothesis draws the same examples each time, however slow the machine."""

from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("course")
