"""A page on one origin, the API on another, and a Chromium between them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, async_playwright

from supaplane_api import embedded_postgres
from supaplane_api.database.migrate import migrate
from supaplane_api.documents import application
from supaplane_devcluster import nodejs

from . import chromium

HERE = Path(__file__).parent
API = HERE.parent / "api" / "serve_on_memory.py"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and its script, typed against the client that our OpenAPI document gives."""
    packages = nodejs.packages(HERE / "page")
    folder = tmp_path_factory.mktemp("page")
    for name in ("index.html", "studio.ts", "tsconfig.json"):
        shutil.copy(HERE / "page" / name, folder)
    (folder / "node_modules").symlink_to(packages / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(application().openapi()))

    def run(script: str, *arguments: str) -> None:
        done = subprocess.run(
            [nodejs.NODE, f"node_modules/{script}", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("openapi-typescript/bin/cli.js", "openapi.json", "--output", "schema.d.ts")
    run("typescript/bin/tsc")
    run("esbuild/bin/esbuild", "studio.ts", "--bundle", "--outfile=studio.js")
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def serve(site: Path) -> Iterator[Callable[[], str]]:
    """Serves the page on one more port: another origin, which is returned."""
    servers = []

    def start() -> str:
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site))
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def studio_origin(serve: Callable[[], str]) -> str:
    """The origin that the API lets call."""
    return serve()


@pytest.fixture(scope="session")
def api(studio_origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the API, in whose cluster projects become healthy by themselves."""
    database = embedded_postgres.start(
        tmp_path_factory.mktemp("postgres"), settings=embedded_postgres.FAST
    )
    try:
        migrate(database.url)
        server = subprocess.Popen(
            [sys.executable, str(API)],
            env=os.environ
            | {
                "DATABASE_URL": database.url,
                "DOMAIN_STUDIO_URL": studio_origin,
                "SUPAPLANE_TEST_OPERATOR": "yes",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.communicate(timeout=60)
    finally:
        database.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await driver.chromium.launch(
            executable_path=chromium.find(), args=arguments, headless=True
        )
        yield browser
        await browser.close()


class Studio:
    """The functions of `page/studio.ts`, called in the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def __call__(self, function: str, *arguments: Any) -> Any:
        return await self.page.evaluate(
            "([name, given]) => studio[name](...given)", [function, list(arguments)]
        )


@pytest.fixture
async def visit(browser: Browser, api: str) -> AsyncIterator[Callable[..., Awaitable[Studio]]]:
    """Opens the page from that origin, in a profile of its own."""
    async with AsyncExitStack() as stack:

        async def opened(origin: str, generation: str = "today") -> Studio:
            context = await stack.enter_async_context(await browser.new_context())
            page = await context.new_page()
            asked = urlencode({"api": api, "generation": generation})
            await page.goto(f"{origin}/?{asked}")
            return Studio(page)

        yield opened


@pytest.fixture
async def studio(visit: Callable[..., Awaitable[Studio]], studio_origin: str) -> Studio:
    """The page from Studio's origin."""
    return await visit(studio_origin)
