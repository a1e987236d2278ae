"""All that depends on the names of transformers' classes, arguments and attributes.

Tested with transformers 5.17 to 5.24. When a release renames something, this package changes, and
``tests/engine/test_families.py`` says where. The only other import of transformers is in
``loading/convert.py``, which runs as a process.
"""


class UnsupportedModel(Exception):
    """A model cannot be run in some way; the message says why in a few words."""
