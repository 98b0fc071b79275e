"""One article in the form of the export of each well-known tool."""

from typing import Any

URL = "https://norwire.example/ferry"

EXPORTS: dict[str, dict[str, Any]] = {
    "newsapi": {
        "source": {"id": None, "name": "Norwire"},
        "author": None,
        "title": "Ferry",
        "description": "Short.",
        "url": URL,
        "urlToImage": None,
        "publishedAt": "2024-05-03T00:00:00Z",
        "content": "The ferry ran aground… [+1234 chars]",
    },
    "news-please": {
        "authors": [],
        "date_download": "2024-06-01 00:00:00",
        "date_publish": "2024-05-03 00:00:00",
        "filename": "ferry.json",
        "language": "en",
        "maintext": "The ferry ran aground",
        "source_domain": "Norwire",
        "title": "Ferry",
        "url": URL,
    },
    "trafilatura": {
        "title": "Ferry",
        "hostname": "norwire.example",
        "date": "2024-05-03",
        "fingerprint": "7f8d",
        "id": None,
        "raw_text": "raw",
        "text": "The ferry ran aground",
        "language": "en",
        "source": URL,
        "source-hostname": "Norwire",
    },
    "fundus": {
        "title": "Ferry",
        "authors": ["A"],
        "publishing_date": "2024-05-03 00:00:00+00:00",
        "body": {"summary": [], "sections": [{"headline": [], "paragraphs": ["The ferry", "ran aground"]}]},
        "free_access": True,
        "publisher": "Norwire",
        "html": {"requested_url": URL, "content": "<html>"},
    },
    "elasticsearch": {
        "_index": "news",
        "_id": "7",
        "_score": 1,
        "_source": {
            "headline": "Ferry",
            "body": "The ferry ran aground",
            "date": "2024-05-03",
            "outlet": "Norwire",
            "url": URL,
        },
    },
    "mediacloud": {
        "stories_id": 7,
        "media_name": "Norwire",
        "publish_date": "2024-05-03",
        "title": "Ferry",
        "story_text": "The ferry ran aground",
        "url": URL,
    },
    "gdelt": {
        "url": URL,
        "title": "The ferry ran aground",
        "seendate": "20240503T000000Z",
        "domain": "Norwire",
        "language": "English",
        "sourcecountry": "Norway",
    },
    "ninjs": {
        "uri": URL,
        "type": "text",
        "versioncreated": "2024-05-03T00:00:00Z",
        "headline": "Ferry",
        "body_html": "<p>The ferry</p><p>ran aground</p>",
        "provider": "Norwire",
    },
}
