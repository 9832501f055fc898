# Stands in for PostgreSQL's official image, which cannot be fetched here: it takes the same variables and the same folder.
FROM localhost/star-assets-test-base
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends postgresql-15
COPY database.sh /
ENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin:/usr/sbin:/sbin
ENTRYPOINT ["/database.sh"]
