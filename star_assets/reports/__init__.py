"""Reports: what people look at, generated from the star's declaration: a Power BI project, an HTML dashboard."""
