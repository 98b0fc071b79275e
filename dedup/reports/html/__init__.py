"""A result and its corpus → one page to look through in a browser: `build_report_page`, in `dedup.reports.html.page`."""
