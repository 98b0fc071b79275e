"""A result and its corpus → one page to look through in a browser: `page_of`, in `dedup.reports.html.page`."""
