# PostgreSQL from Debian's packages, for machines that reach no image registry.
# It answers to the same variables and command as the official image.
ARG SUITE=trixie
FROM debian:${SUITE}
ARG MAJOR=17
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && apt-get install -y --no-install-recommends postgresql-${MAJOR} \
 && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/${MAJOR}/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres-entrypoint /usr/local/bin/
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
EXPOSE 5432
