"""What is made ready before the web server's workers part."""

from pathlib import Path

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from core import serving


def test_the_first_readers_compile_nothing(app: Flask) -> None:
    serving.warm(app)
    kept = list((Path(app.instance_path) / "templates").iterdir())
    assert len(kept) > 100
    assert app.jinja_env.cache is not None
    assert len(app.jinja_env.cache) >= len(kept)


def test_what_was_compiled_is_read_at_the_next_start(app: Flask) -> None:
    serving.warm(app)
    compiled = []

    class Watching(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            cache.load_bytecode(bucket)

        def dump_bytecode(self, bucket: Bucket) -> None:
            compiled.append(bucket.key)

    cache = app.jinja_env.bytecode_cache
    assert cache is not None
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    app.jinja_env.bytecode_cache = Watching()
    app.jinja_env.get_template("base.html")
    assert compiled == []
