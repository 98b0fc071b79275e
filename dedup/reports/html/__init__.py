"""Write HTML pages: the report (`page.build_report_page`) and the scores (`tuning_page.render_tuning_page`)."""
