"""The HTML dashboard: one file with its numbers and the script that draws them, which makes no requests.

In the order of use: `periods` (the periods of breakdowns), `measured` (the sums that a page
needs), `statements` (the SQL), `answers` (Athena's answers), `document` (the content of a page),
`page` (the file), `viewers` (a page for each viewer), `publishing` (pages in the lake). Beside
them: the style and the scripts of the page. Not here: the declaration of a dashboard (model, star).
"""
