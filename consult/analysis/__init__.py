"""A text engine for public opinions in Chinese: text in, plain values out.

It knows no web framework, no database and nothing else of this product, so that anyone can run
it on their own texts and check what staff defend. Importing it loads no dictionary.
"""
