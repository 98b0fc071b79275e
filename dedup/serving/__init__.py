"""The index as an HTTP service: articles are posted, decisions come back once they are recorded for good.

Needs the extra `serve` (Starlette, uvicorn, prometheus-client).
"""
