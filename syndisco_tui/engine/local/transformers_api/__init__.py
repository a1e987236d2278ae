"""What transformers calls its classes, arguments and attributes, known here and nowhere else.

Verified with transformers 5.17 to 5.24. When a release renames something, this package changes and
``tests/engine/test_families.py`` says where. Nothing else imports transformers, but for
``convert``, which is a process of its own.
"""


class UnsupportedModel(Exception):
    """A model cannot be run in a given way; the message says why in a few words."""
