"""The lesson on aiohttp, its framework, server and client in one, on asyncio."""
