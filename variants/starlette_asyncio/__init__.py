"""The lesson on Starlette alone, served by uvicorn on asyncio."""
