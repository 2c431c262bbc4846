"""vaedocs: a book about variational autoencoders in which no displayed equation is unchecked.

One module per page of the book, with the page's name; ``derivation`` reads and checks its LaTeX,
``training`` fits the models, ``site`` puts verdicts, code and figures on the pages.
"""

__version__ = "0.1.0"
