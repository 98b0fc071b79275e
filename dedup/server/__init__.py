"""The HTTP service: articles are posted, and decisions are returned once they are recorded for good.

Needs the extra `serve` (FastAPI, uvicorn with httptools, prometheus-client).
"""
