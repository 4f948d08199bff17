"""The lesson on Litestar."""
