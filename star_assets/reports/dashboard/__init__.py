"""The HTML dashboard: one file with its numbers and the script that draws them, which asks nobody for anything.

In the order of use: `periods` (which days are added up together), `measured` (what the page
has to add up), `statements` (the SQL), `answers` (what Athena says), `document` (what the page
carries), `page` (the file), `viewers` (who sees what), `publishing` (pages in the lake).
Beside them: the style and the scripts of the page. Not here: what a dashboard shows, which
the star declares.
"""
