"""The bare Flask page everything is compared with; alone, because what it is served from must not
load our site."""

from flask import Flask


def hello() -> Flask:
    """The page."""
    bare = Flask("hello")

    @bare.get("/")
    def index() -> str:
        return "<!doctype html><title>hello</title><h1>hello</h1>"

    return bare
