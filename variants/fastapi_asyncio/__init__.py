"""The lesson on FastAPI, served by uvicorn on asyncio."""
