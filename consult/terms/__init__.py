"""The terms of many opinions: read out of texts, kept as numbers, counted by any selection.

Knows neither the database nor Flask: what is kept of it, and where, is `term_index`.
"""
