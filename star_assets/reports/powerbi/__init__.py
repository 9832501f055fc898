"""A Power BI project over Athena: a semantic model (TMDL) and a report (PBIR), as files that Desktop opens.

Here: the content of each file, and updating a folder in which people have worked. Not here: the
declaration of dashboards (star/dashboard), labels (model/labels), and the data, which Power BI
queries from Athena.
"""
