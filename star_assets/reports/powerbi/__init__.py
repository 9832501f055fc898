"""A Power BI project over Athena: a semantic model (TMDL) and a report (PBIR), as files that Desktop opens.

Here: what is in each file, and how a folder that people have worked in is brought
up to date. Not here: what is shown (star/dashboard), what it is called
(model/labels), and the data, which Power BI asks Athena for.
"""
