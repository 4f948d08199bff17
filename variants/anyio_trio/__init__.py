"""The lesson on Starlette with anyio, served by anycorn on trio; the same code also runs on asyncio."""
